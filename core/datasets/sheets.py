"""Images as one picture, a hundred in a row, which is kept without loss."""

import numpy as np

_COLUMNS = 100


def to_picture(images):
    """The picture of images, uint8 (N, h, w, c), N a multiple of a hundred."""
    from PIL import Image  # here, because whoever loads a dataset from the cache has no use for it

    images = np.asarray(images)
    count, height, width, channels = images.shape
    tiles = images.reshape(count // _COLUMNS, _COLUMNS, height, width, channels)
    sheet = tiles.swapaxes(1, 2).reshape(count // _COLUMNS * height, _COLUMNS * width, channels)
    return Image.fromarray(sheet.squeeze())


def to_images(file, image_shape):
    """The images, uint8 (N, h, w, c), in the file of a picture.

    Args:
        file: a path or an open file.
        image_shape: (h, w, c).

    Raises:
        OSError, ValueError, SyntaxError: it is no such picture.
    """
    from PIL import Image

    height, width, channels = image_shape
    with Image.open(file) as picture:
        sheet = np.asarray(picture.convert("RGB"))[..., :channels]
    tiles = sheet.reshape(len(sheet) // height, height, _COLUMNS, width, channels).swapaxes(1, 2)
    return np.ascontiguousarray(tiles.reshape(-1, height, width, channels))
