"""The augmentation that a network was trained with, on one image: what training does to the stored image itself, and
what `core.networks.augmentation` makes Keras layers of, in NumPy, so that a page can show it.
"""

import numpy as np

from core.networks.raw_augmentation import alternates, crop, mirrored


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


def warped(image, matrix):
    """An image of which each pixel comes from elsewhere, as Keras' affine transforms with fill_mode "nearest" do it.

    Args:
        image: float (h, w, c).
        matrix: (2, 3), which makes of a pixel's (right, down, 1) where (right, down) it comes from.

    Returns:
        float32 (h, w, c); between pixels it is bilinear.
    """
    height, width = image.shape[:2]
    down, right = np.indices((height, width), np.float32)
    from_right, from_down = (
        np.clip(a * right + b * down + c, 0, side - 1) for (a, b, c), side in zip(matrix, (width, height), strict=True)
    )
    rows, columns = (np.floor(place).astype(int) for place in (from_down, from_right))
    next_row, next_column = np.minimum(rows + 1, height - 1), np.minimum(columns + 1, width - 1)
    low, far = (from_down - rows)[..., None], (from_right - columns)[..., None]
    upper = image[rows, columns] * (1 - far) + image[rows, next_column] * far
    lower = image[next_row, columns] * (1 - far) + image[next_row, next_column] * far
    return (upper * (1 - low) + lower * low).astype(np.float32)


def rotated(image, degrees):
    """An image turned about its middle, to the left where the degrees are more than 0."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return warped(image, _about_the_middle(image, np.array([[cosine, -sine], [sine, cosine]])))


def scaled(image, window):
    """An image seen through a window of so many times its size, around its middle: above 1 it becomes smaller."""
    return warped(image, _about_the_middle(image, window * np.eye(2)))


def _about_the_middle(image, turn):
    """The (2, 3) matrix that does to places, seen from the middle of an image, what this (2, 2) one says."""
    middle = (np.array(image.shape[1::-1]) - 1) / 2
    return np.column_stack([turn, middle - turn @ middle])


def erased(image, top, left, share):
    """An image with a square of 0, whose side is this share of the image's, at (top, left) in pixels, whole or not."""
    down, right = np.indices(image.shape[:2])
    height, width = (share * side for side in image.shape[:2])
    square = (down >= top) & (down < top + height) & (right >= left) & (right < left + width)
    return np.where(square[..., None], np.float32(0), image)


def _crop(image, config, random):
    images, (down,), (right,) = crop(image[None], config, random)
    moves = [_way(move, *ways) for move, ways in ((down, ("down", "up")), (right, ("right", "left"))) if move]
    return images[0], f"cropped, {' and '.join(moves)}" if moves else ""


def _mirror(image, config, random):
    chosen = random.random(1) < 0.5
    return mirrored(image[None], chosen)[0], "mirrored" if chosen else ""


def _rotate(image, config, random):
    degrees = float(random.uniform(-config.rotate, config.rotate))
    return rotated(image, degrees), f"turned by {abs(degrees):.1f}° to the {'left' if degrees > 0 else 'right'}"


def _scale(image, config, random):
    window = float(random.uniform(1 - config.scale, 1 + config.scale))
    return scaled(image, window), f"scaled to {1 / window:.0%}"


def _translate(image, config, random):
    down, right = (float(random.uniform(-config.translate, config.translate) * side) for side in image.shape[:2])
    return translated(image, down, right), f"moved {_way(down, 'down', 'up')} and {_way(right, 'right', 'left')}"


def _flip(image, config, random):
    return (flipped(image), "mirrored") if random.random() <= 0.5 else (image, "")


def _erase(image, config, random):
    # As the layer does, anywhere inside the image.
    top, left = (float(random.uniform(0, side * (1 - config.erase))) for side in image.shape[:2])
    return erased(image, top, left, config.erase), "with a square erased"


# Setting -> what it does with (image, config, random): the image, and what was done in words, "" for nothing. The first
# ones are done to the image as it is stored, in the order of `core.training.batches`.
RAW_AUGMENTATIONS = {"alternating_flip": _mirror, "crop_padding": _crop}
# Each of these has the name of its layer in `core.networks.augmentation`, and they are in the order of the layers.
AUGMENTATIONS = {"rotate": _rotate, "scale": _scale, "translate": _translate, "flip": _flip, "erase": _erase}


def _switched_on(augmentations, config):
    without = {"flip"} if alternates(config) else {"alternating_flip"}
    return [change for name, change in augmentations.items() if name not in without and getattr(config, name)]


def augments(config):
    """Whether a training under this RunConfig changes its images at random."""
    return bool(_switched_on(RAW_AUGMENTATIONS | AUGMENTATIONS, config))


def augmented(image, preprocess, config, random):
    """An image as an epoch of training might have seen it.

    Args:
        image: uint8 (h, w, c), as it is stored.
        preprocess: makes of such an image what the first layer sees, float (side, side, c).
        config: the RunConfig of the training.
        random: a numpy.random.Generator.

    Returns:
        float32 (side, side, c), and what was done to it, in words.
    """
    said = []
    for change in _switched_on(RAW_AUGMENTATIONS, config):
        image, done = change(image, config, random)
        said.append(done)
    pixels = preprocess(image)
    for change in _switched_on(AUGMENTATIONS, config):
        pixels, done = change(pixels, config, random)
        said.append(done)
    return pixels.astype(np.float32), ", ".join(filter(None, said)) or "as it is"


def _way(pixels, positive, negative):
    far = f"{abs(pixels):.1f}".removesuffix(".0")
    return f"{far} pixel{'s' * (far != '1')} {positive if pixels > 0 else negative}"
