"""Ink is found on any paper, and becomes a digit as MNIST's were made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from core.digits.ink import digit_of
from core.digits.strokes import PEN_WIDTHS, DrawingError, digit_image
from tests.penmanship import strokes

ROWS, COLUMNS = np.mgrid[0:300, 0:400]
NO_INK = r"^No digit can be seen in this picture: [^.]*\.$"


def ink(digit, side=200, pen=0.085, at=(60, 30)):
    """How much of each of 300x400 pixels is ink, 0..1, with a digit written somewhere."""
    drawn = Image.fromarray(digit_image(strokes(digit, pen=pen)))
    page = np.zeros((300, 400))
    page[at[0] : at[0] + side, at[1] : at[1] + side] = (
        np.asarray(drawn.resize((side, side), Image.Resampling.BICUBIC)) / 255
    )
    return page


def as_grey(levels):
    return np.clip(np.round(levels), 0, 255).astype(np.uint8)


def difference(digit, image):
    """Mean difference in grey levels from the digit as the pad makes it, which may lie a pixel to any side."""
    drawn = digit_image(strokes(digit)).astype(int)
    moves = np.ndindex(3, 3)
    return min(np.abs(np.roll(drawn, (down - 1, right - 1), (0, 1)) - image).mean() for down, right in moves)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("paper", "pen"), [(255, 0), (0, 255), (240, 120), (60, 200)])
def test_light_and_dark_ink_give_the_digit_that_the_pad_gives(digit, paper, pen):
    image = digit_of(as_grey(paper + (pen - paper) * ink(digit)))
    assert (image.shape, image.dtype, image.min(), image.max()) == ((28, 28), np.uint8, 0, 255)
    assert difference(digit, image) < 9


@pytest.mark.parametrize("digit", range(10))
def test_a_photo_under_a_lamp_gives_the_digit(digit):
    """Light that falls off to one side and to the corners, by more than the ink is dark; and noise."""
    light = 200 - 0.3 * COLUMNS - 0.001 * (COLUMNS - 200) ** 2 - 0.0005 * (ROWS - 100) ** 2
    noise = np.random.default_rng(digit).normal(0, 3, light.shape)
    assert difference(digit, digit_of(as_grey(light * (1 - 0.4 * ink(digit)) + noise))) < 10


@pytest.mark.parametrize("digit", range(10))
def test_neither_the_place_nor_the_size_of_a_digit_matters(digit):
    for side, at in ((40, (250, 10)), (290, (5, 100))):
        assert difference(digit, digit_of(as_grey(255 - 255 * ink(digit, side, at=at)))) < 14


@pytest.mark.parametrize("digit", [0, *range(2, 10)])
def test_a_digit_that_touches_the_pictures_edges_is_read(digit):
    """But for an upright one, which fills the whole picture then."""
    image = digit_image(strokes(digit))
    rows, columns = np.nonzero(image)
    cropped = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert difference(digit, digit_of(255 - cropped)) < 8


def test_an_mnist_image_stays_as_it_is():
    for digit in range(10):
        image = digit_image(strokes(digit))
        assert difference(digit, digit_of(image)) < 5


def test_thin_strokes_become_as_broad_as_a_pens():
    thin = np.zeros((400, 400), np.uint8)
    thin[40:360, 198:201] = 255
    rows, columns = np.nonzero(digit_of(thin))
    assert np.ptp(rows) + 1 == 20
    assert np.ptp(columns) + 1 in (1, 2, 3)
    assert digit_of(thin).max() > 200
    for pen in PEN_WIDTHS:
        assert digit_of(as_grey(255 - 255 * ink(5, pen=pen))).sum() / 255 > 40


def test_a_speck_of_dust_is_no_part_of_the_digit():
    page = ink(3)
    page[295:297, 390:392] = 1
    assert difference(3, digit_of(as_grey(255 - 255 * page))) < 8


def test_the_shape_is_kept_however_long():
    line = np.zeros((3, 400), np.uint8)
    line[1, 50:350] = 255
    rows, columns = np.nonzero(digit_of(line))
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1 <= 3) == (20, True)


@pytest.mark.parametrize(
    "blank",
    [
        np.zeros((1, 1), np.uint8),
        np.full((300, 400), 255, np.uint8),
        as_grey(100 + 0.3 * COLUMNS),
        as_grey(200 + np.random.default_rng(0).normal(0, 5, (300, 400))),
    ],
    ids=["one pixel", "white", "a shade", "noise"],
)
def test_a_picture_without_ink_is_refused_in_one_sentence(blank):
    with pytest.raises(DrawingError, match=NO_INK):
        digit_of(blank)


@settings(max_examples=200, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60)), elements=st.integers(0, 255)))
def test_any_pixels_at_all_are_a_digit_or_one_sentence(grey):
    try:
        image = digit_of(grey)
    except DrawingError as error:
        assert str(error).count(".") == 1  # noqa: PT017 - either is right
    else:
        assert (image.shape, image.dtype) == ((28, 28), np.uint8)
        assert image.any()
