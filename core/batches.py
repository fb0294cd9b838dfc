"""Training images in shuffled batches, the same order for the same seed and epoch."""

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Batches of raw uint8 images (batch, h, w, c) and smoothed one-hot float32 targets (batch, classes).

    The smoothing is in the targets and not in the loss, so that validation and test losses are plain cross-entropies.
    Every epoch's order depends on the seed and the epoch alone.
    """

    def __init__(self, images, labels, config, classes, epoch=0):
        super().__init__()
        self.images, self.labels, self.config = images, labels, config
        smoothing = config.label_smoothing
        self.targets = ((1 - smoothing) * np.eye(classes) + smoothing / classes).astype("float32")
        self.epoch = epoch
        self._shuffle()

    def __len__(self):
        return -(-len(self.images) // self.config.batch_size)

    def __getitem__(self, index):
        start = index * self.config.batch_size
        # Sorted, because reading a memory-mapped file in order is faster; a batch has no order of its own.
        chosen = np.sort(self.order[start : start + self.config.batch_size])
        return self.images[chosen], self.targets[self.labels[chosen]]

    def on_epoch_end(self):
        self.epoch += 1
        self._shuffle()

    def _shuffle(self):
        self.order = np.random.default_rng((self.config.seed, self.epoch)).permutation(len(self.images))
