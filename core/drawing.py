"""Pen strokes into a digit, the way MNIST's were made."""

import numpy as np
from PIL import Image, ImageDraw

# Whose digits a drawing is made to look like: networks trained on it can read one.
DATASET = "mnist"
SIDE, BOX = 28, 20
MOST_POINTS = 5000
PEN_WIDTHS = (0.03, 0.14)
_FINER = 8


class DrawingError(ValueError):
    """Strokes that cannot be a drawing; the message is one sentence for a person."""


def digit_image(strokes):
    """Draws the ink, fits it into 20x20 keeping its shape, and puts its centre of mass in the middle of 28x28.

    That is how MNIST's digits were normalised (LeCun, Bottou, Bengio and Haffner 1998, section III.A).

    Args:
        strokes: a list of {"width": pen width, "points": [[x, y], ...]}; widths within PEN_WIDTHS, x to the right and
            y down in 0..1, all as shares of the pad's side; at most MOST_POINTS points. A stroke of one point is a
            dot. None and an empty list are an empty pad.

    Returns:
        uint8 (28, 28), white ink (255) on black (0), or None where nothing is drawn.

    Raises:
        DrawingError: anything else, since strokes come from a browser.
    """
    ink = [stroke for stroke in _checked(strokes) if len(stroke[1])]
    if not ink:
        return None
    low = np.min([points.min(axis=0) - width / 2 for width, points in ink], axis=0)
    extent = np.max([points.max(axis=0) + width / 2 for width, points in ink], axis=0) - low
    scale = BOX * _FINER / extent.max()
    size = np.ceil(extent * scale / _FINER - 1e-6).astype(int)
    return _centred(_rasterised([(width * scale, (points - low) * scale) for width, points in ink], size))


def _checked(strokes):
    """A list of (width, float (n, 2) points)."""
    if strokes is None:
        return []
    try:
        checked = [(stroke["width"], np.array(stroke["points"])) for stroke in _list(strokes)]
        count = sum(max(1, len(points)) for _, points in checked)
        sound = all(_is_stroke(width, points) for width, points in checked)
    except (TypeError, ValueError, KeyError, OverflowError):
        sound, count = False, 0
    if not sound:
        raise DrawingError("This drawing could not be read; clear the pad and draw again.")
    if count > MOST_POINTS:
        raise DrawingError(f"A digit needs fewer than {MOST_POINTS:,} pen positions; clear the pad and draw again.")
    return checked


def _list(value):
    if not isinstance(value, list):
        raise TypeError
    return value


def _is_stroke(width, points):
    if isinstance(width, bool) or not isinstance(width, int | float):
        return False
    if not PEN_WIDTHS[0] <= width <= PEN_WIDTHS[1]:
        return False
    if points.shape == (0,):
        return True
    numbers = points.ndim == 2 and points.shape[1] == 2 and points.dtype.kind in "iuf"
    return numbers and bool(((points >= 0) & (points <= 1)).all())


def _rasterised(ink, size):
    """Strokes in fine pixels from the corner of their box -> uint8 of (width, height) pixels, no side over BOX."""
    canvas = Image.new("L", tuple(int(side) * _FINER for side in size))
    pen = ImageDraw.Draw(canvas)
    for width, points in ink:
        pen.line(points.ravel().tolist(), fill=255, width=max(1, round(width)))
        for x, y in points.tolist():
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return np.asarray(canvas.reduce(_FINER))


def _centred(box):
    """The box moved by whole pixels to where its centre of mass is at pixel (14, 14), as in every MNIST image."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    corner = []
    for axis, length in enumerate(box.shape):
        mass = box.sum(axis=1 - axis, dtype=float)
        centre = (mass * np.arange(length)).sum() / mass.sum()
        corner.append(min(max(round(SIDE / 2 - centre), 0), SIDE - length))
    image[corner[0] : corner[0] + box.shape[0], corner[1] : corner[1] + box.shape[1]] = box
    return image
