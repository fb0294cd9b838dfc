"""Images in batches: shuffled the same way for the same seed and epoch to train on, in file order to validate."""

import keras
import numpy as np
from tqdm import tqdm

from core.networks.raw_augmentation import alternates, crop, draws, first_mirrored, mirrored, mixed

# With one thread, Keras reads through a pipeline that TensorFlow tunes as it runs and that, at its end, often waits for
# half as long as it has run; with more, which read ahead, it does not.
THREADS = 2


class Batches(keras.utils.PyDataset):
    """Batches of raw uint8 images (batch, h, w, c) and smoothed one-hot float32 targets (batch, classes).

    The smoothing is in the targets and not in the loss, so that validation and test losses are plain cross-entropies.
    Every epoch's order depends on the seed and the epoch alone, and what happens to a batch on these and the step.
    """

    def __init__(self, images, labels, config, classes):
        super().__init__(workers=THREADS)
        self.images, self.labels, self.config = images, labels, config
        smoothing = config.label_smoothing
        self.targets = ((1 - smoothing) * np.eye(classes) + smoothing / classes).astype("float32")
        self.first_mirrored = first_mirrored(config.seed, len(images)) if alternates(config) else None
        self.steps = -(-len(images) // config.batch_size)
        self.start_at(0)

    def start_at(self, epoch, step=0):
        """Goes to an epoch (from 0), whose first `step` batches are left out.

        Not left to Keras' own `on_epoch_end`, which it calls once before the first epoch too, and not always.
        """
        self.epoch, self.first_step = epoch, step
        self.order = np.random.default_rng((self.config.seed, epoch)).permutation(len(self.images))

    def __len__(self):
        return self.steps - self.first_step

    def __getitem__(self, index):
        step = self.first_step + index
        start = step * self.config.batch_size
        # Sorted, because reading a memory-mapped file in order is faster; a batch has no order of its own.
        chosen = np.sort(self.order[start : start + self.config.batch_size])
        return self._augmented(self.images[chosen], self.targets[self.labels[chosen]], chosen, step)

    def _augmented(self, images, targets, chosen, step):
        """Images and targets of these numbers as the network gets them."""
        config = self.config
        random = draws(config, self.epoch, step)
        if alternates(config):
            images = mirrored(images, self.first_mirrored[chosen] ^ bool(self.epoch % 2))
        if config.crop_padding:
            images, _, _ = crop(images, config, random)
        if config.mixup:
            images, targets = mixed(images, targets, config, random)
        return images, targets


class SequentialBatches(keras.utils.PyDataset):
    """Batches of raw uint8 images (batch, h, w, c) and one-hot float32 targets (batch, classes), in file order."""

    def __init__(self, images, labels, classes, batch_size):
        super().__init__(workers=THREADS)
        self.images, self.targets = images, keras.utils.to_categorical(labels, classes)
        self.batch_size = batch_size

    def __len__(self):
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index):
        chosen = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.images[chosen], self.targets[chosen]


def predict(model, images, batch_size, bar=None):
    """What the network makes of raw images (N, h, w, c): logits (N, classes). `bar` names a progress bar.

    Keras' own `predict` waits as above.
    """
    starts = tqdm(range(0, len(images), batch_size), desc=bar, disable=bar is None)
    return np.concatenate([model.predict_on_batch(images[start : start + batch_size]) for start in starts])
