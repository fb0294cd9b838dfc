"""Picture files from a browser: what can be read safely, as small pixels, grey or in colour."""

import io
import threading

import numpy as np
from PIL import Image, ImageOps

from core.digits.strokes import DrawingError

# What Pillow calls each format, and how the names of its files end.
FORMATS = {"PNG": ("png",), "JPEG": ("jpg", "jpeg"), "WEBP": ("webp",), "GIF": ("gif",), "BMP": ("bmp",)}
MOST_PIXELS = 25_000_000
MOST_SIDE = 400
_one_at_a_time = threading.Lock()


def read_picture(content, in_colour=False):
    """A picture's first frame, upright.

    Args:
        content: bytes of a file in one of FORMATS with at most MOST_PIXELS pixels. Its name, and what it says it is,
            do not matter.
        in_colour: whether it is wanted in colour.

    Returns:
        uint8 (height, width), no side over MOST_SIDE: grey levels. What is transparent has the paper's colour. In
        colour, uint8 (height, width, 3): red, green and blue; what is transparent is white.

    Raises:
        DrawingError: anything else, since the bytes come from a browser.
    """
    try:
        # The largest picture takes half a gigabyte for a moment: thirty people at once shall not take thirty times it.
        with _one_at_a_time, Image.open(io.BytesIO(content), formats=tuple(FORMATS)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _too_large()
            # Lets a JPEG be decoded at a fraction of its size.
            image.draft(None, (MOST_SIDE, MOST_SIDE))
            image.load()
            plain = _plain(image, "RGB" if in_colour else "L")
            plain.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.HAMMING)
            upright = _upright(plain, image)
            return _coloured(upright) if in_colour else _grey(upright)
    except DrawingError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except Image.UnidentifiedImageError:
        raise DrawingError(
            "This file is not a picture that can be read here: choose a PNG, JPEG, WebP, GIF or BMP."
        ) from None
    # Decoders do not say what they raise on hostile bytes, and it is all the same to a person.
    except Exception:
        raise DrawingError("This picture is damaged: save it again, as PNG or JPEG, and choose that.") from None


def _too_large():
    return DrawingError(f"This picture has more than {MOST_PIXELS // 10**6} million pixels: choose a smaller one.")


def _plain(image, opaque):
    """The image in mode RGBA if any of it may be transparent, else in the opaque mode."""
    if image.mode.startswith("I"):
        values = np.asarray(image, np.float32)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) / max(high - low, 1) * 255).astype(np.uint8)).convert(opaque)
    return image.convert("RGBA" if image.has_transparency_data else opaque)


def _upright(small, original):
    """The small image turned as the original's camera says; as it is where what the camera wrote is damaged."""
    small.info = original.info
    try:
        return ImageOps.exif_transpose(small)
    except Exception:
        return small


def _grey(image):
    """uint8 (height, width). Most of it transparent: the rest is ink, and the paper its opposite."""
    if image.mode == "L":
        return np.asarray(image)
    grey, alpha = np.asarray(image.convert("LA"), np.float32).transpose(2, 0, 1)
    alpha /= 255
    if alpha.mean() > 0.5:
        paper = np.median(grey[alpha > 0.5])
    else:
        paper = 0 if (grey * alpha).sum() > 127 * alpha.sum() else 255
    return np.round(grey * alpha + paper * (1 - alpha)).astype(np.uint8)


def _coloured(image):
    """uint8 (height, width, 3), on white."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))
