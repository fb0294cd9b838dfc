"""Strokes become digits as MNIST's were made, and nothing a browser may send does harm."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.digits.strokes import LONGEST_ADDRESS, MOST_POINTS, PEN_WIDTHS, DrawingError, digit_image, strokes_in_address
from tests.penmanship import address_of, strokes, variations

ROWS, COLUMNS = np.mgrid[0:28, 0:28]


def written(*points, width=0.08):
    return [{"width": width, "points": [list(point) for point in points]}]


def extent(image):
    """Height and width of the ink."""
    rows, columns = np.nonzero(image)
    return np.ptp(rows) + 1, np.ptp(columns) + 1


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_is_white_on_black_and_fits_20_by_20(digit):
    image = digit_image(strokes(digit))
    assert (image.shape, image.dtype, image.min(), image.max()) == ((28, 28), np.uint8, 0, 255)
    assert max(extent(image)) == 20


@pytest.mark.parametrize("digit", range(10))
def test_the_centre_of_mass_is_within_half_a_pixel_of_14_14_as_in_every_mnist_image(digit):
    image = digit_image(strokes(digit)).astype(float)
    for places in (ROWS, COLUMNS):
        assert abs((image * places).sum() / image.sum() - 14) <= 0.5


@pytest.mark.parametrize("digit", range(10))
def test_neither_the_place_nor_the_size_of_a_drawing_matters(digit):
    small = [
        {"width": 0.04, "points": (np.array(stroke["points"]) * 0.5 + (0.45, 0.02)).tolist()}
        for stroke in strokes(digit, pen=0.08)
    ]
    difference = np.abs(digit_image(small).astype(int) - digit_image(strokes(digit, pen=0.08)))
    assert difference.mean() < 1


def test_the_shape_is_kept():
    tall, wide = digit_image(written((0.5, 0.2), (0.5, 0.8))), digit_image(written((0.2, 0.5), (0.8, 0.5)))
    assert extent(tall) == (20, 3)
    assert extent(wide) == (3, 20)
    np.testing.assert_array_equal(tall, wide.T)


def test_the_ink_is_as_heavy_as_mnists():
    """The mean MNIST test image has 104 pixels' worth of ink; nine in ten have between 52 and 164."""
    images, _ = variations(20)
    ink = images.sum(axis=(1, 2, 3)) / 255
    assert 80 < ink.mean() < 125
    assert np.mean((ink > 40) & (ink < 175)) > 0.9


def test_edges_are_smooth():
    image = digit_image(strokes(0))
    assert np.mean((image > 0) & (image < 255)) > 0.5 * np.mean(image == 255)


def test_a_thicker_pen_leaves_more_ink():
    thin, thick = (digit_image(strokes(5, pen=pen)).sum() for pen in PEN_WIDTHS)
    assert thick > 1.5 * thin


def test_a_dot_is_a_disc():
    assert extent(digit_image(written((0.9, 0.1)))) == (20, 20)


def test_strokes_with_no_points_leave_no_ink():
    assert digit_image([{"width": 0.08, "points": []}]) is None
    with_ink = [*written((0.2, 0.2), (0.6, 0.9)), {"width": 0.08, "points": []}]
    np.testing.assert_array_equal(digit_image(with_ink), digit_image(with_ink[:1]))


@pytest.mark.parametrize("empty", [None, []])
def test_an_empty_pad_has_no_digit(empty):
    assert digit_image(empty) is None


def test_a_long_scribble_up_to_the_limit_is_drawn():
    scribble = np.random.default_rng(0).random((MOST_POINTS, 2)).tolist()
    assert digit_image(written(*scribble, width=PEN_WIDTHS[0])).max() == 255


@pytest.mark.parametrize(
    "count", [{"strokes": 1, "points": MOST_POINTS + 1}, {"strokes": MOST_POINTS + 1, "points": 0}], ids=str
)
def test_more_ink_than_the_limit_is_refused_in_one_sentence(count):
    with pytest.raises(DrawingError, match=r"^A digit needs fewer than 5,000 pen positions.*again\.$"):
        digit_image([{"width": 0.08, "points": [[0.5, 0.5]] * count["points"]}] * count["strokes"])


@pytest.mark.parametrize(
    "nonsense",
    [
        "strokes",
        7,
        {},
        [7],
        ["stroke"],
        [{}],
        [{"width": 0.08}],
        [{"width": 0.08, "points": None}],
        [{"width": 0.08, "points": "ab"}],
        [{"width": 0.08, "points": {"x": 0}}],
        [{"width": 0.08, "points": [0.5, 0.5]}],
        [{"width": 0.08, "points": [[0.5]]}],
        [{"width": 0.08, "points": [[0.5, 0.5], [0.5]]}],
        [{"width": 0.08, "points": [[0.5, 0.5, 0.5]]}],
        [{"width": 0.08, "points": [["0.5", "0.5"]]}],
        [{"width": 0.08, "points": [[True, False]]}],
        [{"width": 0.08, "points": [[None, 0.5]]}],
        [{"width": 0.08, "points": [[float("nan"), 0.5]]}],
        [{"width": 0.08, "points": [[float("inf"), 0.5]]}],
        [{"width": 0.08, "points": [[1.01, 0.5]]}],
        [{"width": 0.08, "points": [[-0.01, 0.5]]}],
        [{"width": 0.08, "points": [[10**400, 0.5]]}],
        [{"width": 0, "points": [[0.5, 0.5]]}],
        [{"width": 1, "points": [[0.5, 0.5]]}],
        [{"width": float("nan"), "points": [[0.5, 0.5]]}],
        [{"width": 10**400, "points": [[0.5, 0.5]]}],
        [{"width": "0.08", "points": [[0.5, 0.5]]}],
        [{"width": True, "points": [[0.5, 0.5]]}],
        [{"width": [0.08], "points": [[0.5, 0.5]]}],
    ],
    ids=str,
)
def test_what_is_no_drawing_is_refused_in_one_sentence(nonsense):
    with pytest.raises(DrawingError, match=r"^This drawing could not be read; clear the pad and draw again\.$"):
        digit_image(nonsense)


NUMBERS = st.integers() | st.floats() | st.floats(0, 1) | st.sampled_from([0, 1, 0.08, 10**400, -0.0])
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)
# Most are nearly drawings, so that each part is wrong now and then while the others are right.
POINTS = st.lists(st.lists(NUMBERS, min_size=2, max_size=2) | ANYTHING, max_size=5)
STROKES = st.fixed_dictionaries({}, optional={"width": st.floats(*PEN_WIDTHS) | ANYTHING, "points": POINTS | ANYTHING})


@settings(max_examples=500, deadline=None)
@given(st.lists(STROKES | ANYTHING, max_size=4) | ANYTHING)
def test_whatever_a_browser_sends_is_a_digit_or_an_empty_pad_or_one_sentence(drawing):
    try:
        image = digit_image(drawing)
    except DrawingError as error:
        assert str(error).count(".") == 1  # noqa: PT017 - either is right
    else:
        assert image is None or ((image.shape, image.dtype) == ((28, 28), np.uint8) and image.any())


def test_what_is_wrong_is_found_before_anything_is_made_of_it():
    """Arrays of text take the longest one's space for each: this would be 16 GB."""
    points = ["x" * 1_000_000, *[""] * (MOST_POINTS - 1)]
    with pytest.raises(DrawingError, match="could not be read"):
        digit_image([{"width": 0.08, "points": points}])


@pytest.mark.parametrize("digit", range(10))
def test_a_drawing_in_an_address_is_the_drawing(digit):
    read = strokes_in_address(address_of(strokes(digit)))
    for stroke, drawn in zip(read, strokes(digit), strict=True):
        assert stroke["width"] == drawn["width"]
        np.testing.assert_allclose(stroke["points"], drawn["points"], atol=0.0006)
    assert len(address_of(strokes(digit))) < LONGEST_ADDRESS / 4
    assert digit_image(read) is not None


@settings(max_examples=300, derandomize=True, deadline=None)
@given(text=st.text(alphabet="AEFgwz09-_.%é", max_size=40) | st.text(max_size=30))
@example("g" * LONGEST_ADDRESS)
@example("_" * (LONGEST_ADDRESS - 3) + "AAA")
@example("A" * (LONGEST_ADDRESS + 1))
def test_any_text_in_an_address_is_a_drawing_or_refused_in_one_sentence(text):
    said = "This is a drawing."
    try:
        digit_image(strokes_in_address(text))
    except DrawingError as error:
        said = str(error)
    assert said.endswith(".")
