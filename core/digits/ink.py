"""Finds the ink in a picture and makes a digit of it, the way MNIST's were made."""

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from core.digits.strokes import BOX, DrawingError, centred

# Ink fainter than this, of 255 grey levels, is no ink; nor is what stands out less than this often from the noise.
_FAINTEST, _OVER_NOISE = 8, 6
# The share of all ink that may lie outside the digit on each side: specks of dust.
_DUST = 0.002
# In pixels of the 20x20 box; MNIST's strokes are 2 to 4 wide.
_THINNEST_STROKE = 1.8
# The light on the paper is looked for in so many pixels, and is right where a pixel is as near to it as this.
_ENOUGH, _NEAR = 5000, 4


def digit_of(grey):
    """The digit in a picture: its ink, cropped, fitted into 20x20 and centred by mass in 28x28.

    Args:
        grey: uint8 (height, width), any size; ink darker than the paper or lighter.

    Returns:
        uint8 (28, 28), white ink (255) on black (0).

    Raises:
        core.digits.strokes.DrawingError: there is no ink.
    """
    ink = _ink(grey)
    (top, bottom), (left, right) = _between(ink.sum(axis=1)), _between(ink.sum(axis=0))
    image = _thick_enough(np.round(255 * ink[top:bottom, left:right]).astype(np.uint8))
    size = [max(1, round(side * BOX / max(image.size))) for side in image.size]
    box = np.asarray(image.resize(size, Image.Resampling.HAMMING))
    if not box.any():
        raise _blank()
    return centred(box)


def _ink(grey):
    """How much of each pixel is ink, float (height, width) in 0..1: what stands out from the paper, however lit."""
    y, x = np.indices(grey.shape) / np.reshape(grey.shape, (2, 1, 1))
    terms = np.stack([np.ones(grey.shape), x, y, x * x, x * y, y * y], axis=-1)
    some = np.s_[:: max(1, grey.size // _ENOUGH)]
    paper, noise = _light(terms.reshape(-1, 6)[some], grey.ravel()[some].astype(float))
    over = grey - terms @ paper
    darker, lighter = np.maximum(-over, 0), np.maximum(over, 0)
    ink = lighter if (lighter**2).sum() > (darker**2).sum() else darker
    full = np.sort(ink, axis=None)[-max(1, ink.size // 500) :].mean()
    if full < max(_FAINTEST, _OVER_NOISE * noise):
        raise _blank()
    return np.clip(2 * ink / full - 0.5, 0, 1)


def _light(terms, seen):
    """Fits the paper's light: even, or falling off to a side, or to the corners too, whichever most pixels agree with.

    Returns:
        The terms' coefficients, and the paper's noise.
    """
    commonest = np.bincount(seen.astype(int) // _NEAR).argmax() * _NEAR
    off, best, most = np.abs(seen - commonest), None, -1
    for count in (1, 3, 6):
        some = terms[:, :count]
        # Pixels far from the light are ink, and count the less the farther.
        for _ in range(8):
            trusted = some.T / np.maximum(off, _NEAR) ** 2
            found, *_ = np.linalg.lstsq(trusted @ some, trusted @ seen, rcond=None)
            off = np.abs(seen - some @ found)
        near = np.count_nonzero(off < _NEAR)
        if near > most:
            # A quarter of normal noise is within a third of its deviation.
            best, most, noise = np.pad(found, (0, 6 - count)), near, 3 * np.quantile(off, 0.25)
    return best, noise


def _between(mass):
    """The first place with ink and the one after the last, but for dust."""
    share = np.cumsum(mass) / mass.sum()
    return int(np.searchsorted(share, _DUST, "right")), int(np.searchsorted(share, 1 - _DUST)) + 1


def _thick_enough(ink):
    """uint8 (height, width) -> an image, its strokes broadened where a pen's are broader."""
    solid = np.pad(ink > 127, 1)
    around = np.count_nonzero(np.diff(solid, axis=0)) + np.count_nonzero(np.diff(solid, axis=1))
    # A stroke's width is twice its area over its outline, which is 4 / pi shorter than counted along the pixels' sides.
    stroke = 2 * np.count_nonzero(solid) / max(1, around * np.pi / 4)
    broader = max(0, round((_THINNEST_STROKE * max(ink.shape) / BOX - stroke) / 2))
    image = ImageOps.expand(Image.fromarray(ink), broader)
    for _ in range(broader):
        image = image.filter(ImageFilter.MaxFilter(3))
    return image


def _blank():
    return DrawingError("No digit can be seen in this picture: choose one with dark ink on light paper or the reverse.")
