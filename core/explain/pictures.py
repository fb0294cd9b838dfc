"""A picture of one's own: made into an image as a dataset's are, and in the address of a page."""

import base64
import io

import numpy as np
from PIL import Image

from core.datasets.catalogue import DATASETS
from core.digits import strokes
from core.digits.ink import digit_of
from core.digits.pictures import read_picture
from core.digits.strokes import DrawingError

# Of a picture in an address: how many letters it may have. Noise in colour, 32 pixels a side, has 4,200.
LONGEST_ADDRESS = 6000
_UNREADABLE = "The picture in the link cannot be read, so it is ignored: choose the picture again."


def fitted(content, dataset):
    """A picture file as an image of a dataset.

    A digit is cut out and centred as MNIST's were. Of anything else the middle square is taken and made as small as the
    dataset's images; in grey it becomes light on dark, as Fashion-MNIST's are.

    Args:
        content: bytes, as for `core.digits.pictures.read_picture`.
        dataset: its name.

    Returns:
        uint8 (h, w, c).

    Raises:
        core.digits.strokes.DrawingError: as `read_picture` and `core.digits.ink.digit_of` do.
    """
    height, width, channels = DATASETS[dataset]["image_shape"]
    if dataset == strokes.DATASET:
        return digit_of(read_picture(content))[..., None]
    pixels = read_picture(content, in_colour=channels == 3)
    if channels == 1:
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        pixels = 255 - pixels if np.median(edge) > 127 else pixels
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    small = np.asarray(square.resize((width, height), Image.Resampling.HAMMING))
    return small.reshape(height, width, channels)


def in_address(image):
    """An image, uint8 (h, w, c) with c 1 or 3, as letters for an address: a lossless WebP in base64url."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(buffer, "WEBP", lossless=True, method=6)
    return base64.urlsafe_b64encode(buffer.getvalue()).decode().rstrip("=")


def picture_in_address(text, image_shape):
    """The inverse of `in_address`.

    Args:
        image_shape: (h, w, c) that the image must have.

    Raises:
        core.digits.strokes.DrawingError: there is no such image in the text, or it is longer than LONGEST_ADDRESS.
    """
    if len(text) > LONGEST_ADDRESS:
        raise DrawingError(_UNREADABLE)
    height, width, channels = image_shape
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        with Image.open(io.BytesIO(content), formats=("WEBP",)) as image:
            if image.size != (width, height):
                raise DrawingError(
                    f"The picture in the link was made for another dataset, whose images are not {width}×{height} "
                    "pixels, so it is ignored: choose the picture again."
                )
            pixels = np.asarray(image.convert("RGB"))
    except DrawingError:
        raise
    # Decoders do not say what they raise on hostile bytes.
    except Exception:
        raise DrawingError(_UNREADABLE) from None
    return pixels if channels == 3 else pixels[..., :1]
