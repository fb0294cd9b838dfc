"""What happens to images at random before a network sees them in training, in NumPy: what no layer of Keras does,
because it moves by whole pixels of the stored image, or needs the number of the epoch, or the labels.

All of it follows from the draws that it is given: a run that goes on draws the same as one that was never cut.
"""

import numpy as np


def cropped(images, down, right, padding):
    """Images with a border of their own reflected pixels, cut back to their size.

    The crops of He et al. 2015, section 4.2, with the border that Jordan 2024 ("94 % on CIFAR-10 in 3.29 seconds")
    fills by reflection and not with zeros.

    Args:
        images: uint8 (n, h, w, c).
        down, right: for each image by how many whole pixels what is on it moves, -padding..padding: two (n,).
        padding: how wide the border is, less than h and w.

    Returns:
        uint8 (n, h, w, c).
    """
    height, width = images.shape[1:3]
    rows, columns = (
        _reflected(np.arange(side) - move[:, None], side) for side, move in ((height, down), (width, right))
    )
    return images[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _reflected(positions, side):
    """Where each position is on a line of so many pixels whose ends are mirrors and are not repeated."""
    return (side - 1) - np.abs((side - 1) - np.abs(positions))


def first_mirrored(seed, count):
    """For each of so many images whether the first epoch mirrors it: half of them, (count,) bool."""
    return np.random.default_rng((seed, 0, 0, 1)).random(count) < 0.5


def mirrored(images, chosen):
    """Images of which those that are chosen, (n,) bool, are mirrored from left to right."""
    return np.where(chosen[:, None, None, None], images[:, :, ::-1], images)


def draws(config, epoch, step):
    """The generator of all draws for one batch, by the step (from 0) of the epoch (from 0)."""
    return np.random.default_rng((config.seed, epoch, 1 + step))


def crop(images, config, random):
    """Images as the RunConfig has them cropped, and by how many pixels they went down and right, two (n,)."""
    side = min(images.shape[1:3])
    padding = min(config.crop_padding, side - 1)
    down, right = random.integers(-padding, padding, (2, len(images)), endpoint=True)
    return cropped(images, down, right, padding), down, right


def alternates(config):
    """Whether a training under this RunConfig mirrors each image in every other epoch."""
    return config.flip and config.alternating_flip


def mixed(images, targets, config, random):
    """Each image and target of a batch as the mean of its own, and of another's of the same batch, weighted by a share
    that is drawn once for the batch (Zhang et al. 2018).

    Resizing and centring are linear, so that mixing before them is mixing after them, but for rounding.

    Args:
        images: uint8 (n, h, w, c).
        targets: float32 (n, classes).

    Returns:
        Images and targets as they came, in type and shape.
    """
    share, others = np.float32(random.beta(config.mixup, config.mixup)), random.permutation(len(images))
    pixels = share * images.astype(np.float32) + (1 - share) * images[others]
    return np.rint(pixels).astype(np.uint8), share * targets + (1 - share) * targets[others]
