"""The augmentation that a network was trained with, on one image: what `core.networks.augmentation` makes Keras layers
of, in NumPy, so that a page can show it.
"""

import numpy as np


def translated(image, down, right):
    """An image moved, as Keras' RandomTranslation does with fill_mode "nearest": what comes in from outside repeats the
    edge, and between pixels it is bilinear.

    Args:
        image: float (h, w, c).
        down, right: by how many pixels, whole or not, either sign.

    Returns:
        float32 (h, w, c).
    """
    moved = _along_first(image.astype(np.float32), down)
    return _along_first(moved.swapaxes(0, 1), right).swapaxes(0, 1)


def _along_first(image, move):
    last = len(image) - 1
    from_ = np.arange(len(image)) - np.float32(move)
    before = np.floor(from_)
    share = (from_ - before).astype(np.float32)[:, None, None]
    first, second = (np.clip(before + more, 0, last).astype(int) for more in (0, 1))
    return image[first] * (1 - share) + image[second] * share


def flipped(image):
    """An image mirrored from left to right."""
    return image[:, ::-1]


def _translate(image, config, random):
    down, right = (float(random.uniform(-config.translate, config.translate) * side) for side in image.shape[:2])
    return translated(image, down, right), f"moved {_way(down, 'down', 'up')} and {_way(right, 'right', 'left')}"


def _flip(image, config, random):
    return (flipped(image), "mirrored") if random.random() <= 0.5 else (image, "")


# Setting -> what it does with (image, config, random): the image, and what was done in words, "" for nothing. Each has
# the name of its layer in `core.networks.augmentation`, and they are in the order of the layers.
AUGMENTATIONS = {"translate": _translate, "flip": _flip}


def augments(config):
    """Whether a training under this RunConfig changes its images at random."""
    return any(getattr(config, name) for name in AUGMENTATIONS)


def augmented(image, config, random):
    """An image as an epoch of training might have seen it.

    Args:
        image: float (side, side, c), preprocessed.
        config: the RunConfig of the training.
        random: a numpy.random.Generator.

    Returns:
        float32 (side, side, c), and what was done to it, in words.
    """
    said = []
    for name, change in AUGMENTATIONS.items():
        if getattr(config, name):
            image, done = change(image, config, random)
            said.append(done)
    return image.astype(np.float32), ", ".join(filter(None, said)) or "as it is"


def _way(pixels, positive, negative):
    return f"{abs(pixels):.1f} pixels {positive if pixels > 0 else negative}"
