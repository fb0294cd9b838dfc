"""Pen strokes into a digit, the way MNIST's were made, and out of the address of a page."""

import itertools
import string

import numpy as np
from PIL import Image, ImageDraw

# Whose digits a drawing is made to look like: networks trained on it can read one.
DATASET = "mnist"
SIDE, BOX = 28, 20
MOST_POINTS = 5000
PEN_WIDTHS = (0.03, 0.14)
UNREADABLE = "This drawing could not be read; clear the pad and draw again."
_FINER = 8
# Of a drawing in an address: how many letters it may have, and what they stand for.
LONGEST_ADDRESS = 4000
_GRID = 1000
_MOST_BITS = 15
_LETTERS = {
    letter: value for value, letter in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_")
}


class DrawingError(ValueError):
    """Strokes, or a picture, that no digit can be made of; the message is one sentence for a person."""


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
    return centred(_rasterised([(width * scale, (points - low) * scale) for width, points in ink], size))


def strokes_in_address(text):
    """The strokes that the address of the Draw page holds; pages/parts/draw/pad.js writes it.

    Args:
        text: a stroke between dots, each a row of whole numbers: its width, x and y of its first point, and the way to
            each further point, right and down, all in thousandths of the pad's side. A number is in letters of
            base64url, five bits in each, the lowest first; the sixth bit says that more follow. The lowest bit of the
            number is its sign.

    Returns:
        The strokes as `digit_image` takes them, which has not looked at them yet.

    Raises:
        DrawingError: there is no drawing in the text, or it is longer than LONGEST_ADDRESS.
    """
    wrong = DrawingError("The drawing in the link cannot be read, so the pad is empty: ask for the link again.")
    if len(text) > LONGEST_ADDRESS:
        raise wrong
    strokes = []
    for part in text.split("."):
        numbers = _numbers(part)
        if numbers is None or len(numbers) < 3 or len(numbers) % 2 == 0:
            raise wrong
        width, *ways = numbers
        across, down = (itertools.accumulate(ways[axis::2]) for axis in (0, 1))
        points = [[x / _GRID, y / _GRID] for x, y in zip(across, down, strict=True)]
        strokes.append({"width": width / _GRID, "points": points})
    return strokes


def _numbers(text):
    """The whole numbers that letters stand for; None where one is no letter, or a number has too many or no end."""
    numbers, number, bits = [], 0, 0
    for letter in text:
        if letter not in _LETTERS or bits > _MOST_BITS:
            return None
        more, low = divmod(_LETTERS[letter], 32)
        number += low << bits
        bits += 5
        if not more:
            numbers.append(-(number >> 1) if number & 1 else number >> 1)
            number, bits = 0, 0
    return None if bits else numbers


def _checked(strokes):
    """A list of (width, float (n, 2) points)."""
    if strokes is None:
        return []
    if not isinstance(strokes, list) or not all(map(_has_points, strokes)):
        raise DrawingError(UNREADABLE)
    # Before anything is made of the points: a browser may send any number of any size.
    if sum(max(1, len(stroke["points"])) for stroke in strokes) > MOST_POINTS:
        raise DrawingError(f"A digit needs fewer than {MOST_POINTS:,} pen positions; clear the pad and draw again.")
    widths, points = (
        [stroke["width"] for stroke in strokes],
        [point for stroke in strokes for point in stroke["points"]],
    )
    if not all(_is_within(width, *PEN_WIDTHS) for width in widths) or not all(map(_is_point, points)):
        raise DrawingError(UNREADABLE)
    return [(stroke["width"], np.array(stroke["points"], float)) for stroke in strokes]


def _has_points(stroke):
    return isinstance(stroke, dict) and "width" in stroke and isinstance(stroke.get("points"), list)


def _is_point(point):
    return isinstance(point, list) and len(point) == 2 and all(_is_within(place, 0, 1) for place in point)


def _is_within(number, low, high):
    return type(number) in (int, float) and low <= number <= high


def _rasterised(ink, size):
    """Strokes in fine pixels from the corner of their box -> uint8 of (width, height) pixels, no side over BOX."""
    canvas = Image.new("L", tuple(int(side) * _FINER for side in size))
    pen = ImageDraw.Draw(canvas)
    for width, points in ink:
        pen.line(points.ravel().tolist(), fill=255, width=max(1, round(width)))
        for x, y in points.tolist():
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return np.asarray(canvas.reduce(_FINER))


def centred(box):
    """Moves a digit by whole pixels to where its centre of mass is at pixel (14, 14), as in every MNIST image.

    Args:
        box: uint8 (height, width), no side over BOX, with some ink.

    Returns:
        uint8 (28, 28).
    """
    image = np.zeros((SIDE, SIDE), np.uint8)
    corner = []
    for axis, length in enumerate(box.shape):
        mass = box.sum(axis=1 - axis, dtype=float)
        centre = (mass * np.arange(length)).sum() / mass.sum()
        corner.append(min(max(round(SIDE / 2 - centre), 0), SIDE - length))
    image[corner[0] : corner[0] + box.shape[0], corner[1] : corner[1] + box.shape[1]] = box
    return image
