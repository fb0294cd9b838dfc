"""Picture files of every kind become the digit in them."""

import numpy as np
import pytest
from PIL import Image

from core.digits.ink import digit_of
from core.digits.pictures import FORMATS, MOST_SIDE, read_picture
from core.digits.strokes import digit_image
from tests.penmanship import strokes
from tests.picture_files import INK, PAPER, SAMPLES, SEVEN, saved


def is_seven(content):
    """Whether the digit in a file is, but for a pixel to any side, the one that is drawn on PAPER."""
    found = digit_of(read_picture(content)).astype(int)
    moves = np.ndindex(3, 3)
    return min(np.abs(np.roll(SEVEN, (down - 1, right - 1), (0, 1)) - found).mean() for down, right in moves) < 8


@pytest.mark.parametrize("content", SAMPLES.values(), ids=SAMPLES)
def test_every_format_and_mode_gives_the_digit(content):
    assert is_seven(content)


def test_the_samples_have_every_format():
    assert {name.split()[1].rstrip(",") for name in SAMPLES} == set(FORMATS)


def test_light_ink_on_dark_paper_gives_the_same_digit():
    assert is_seven(saved(INK))
    assert is_seven(saved(INK, "JPEG"))


def test_a_card_with_transparent_corners_is_paper_to_its_edges():
    card, hole = PAPER.convert("LA"), Image.new("LA", (20, 20), (0, 0))
    card.paste(hole, (0, 0))
    card.paste(hole, (204, 0))
    assert is_seven(saved(card))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "as_stored"),
    {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.items(),
)
def test_a_picture_stands_as_the_camera_was_held(kind, orientation, as_stored):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = PAPER if as_stored is None else PAPER.transpose(as_stored)
    assert is_seven(saved(stored, kind, exif=exif))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_damaged_note_of_the_camera_is_left_aside():
    assert is_seven(saved(PAPER, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_the_first_frame_of_an_animation_counts(kind):
    other = Image.fromarray(255 - digit_image(strokes(1))).resize(PAPER.size)
    assert is_seven(saved(PAPER, kind, save_all=True, append_images=[other, other], duration=100))


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 5000), (5000, 1), (3, 3), (5000, 5000), (4000, 300)], ids=str)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_any_size_becomes_small_and_keeps_its_shape(size, kind):
    grey = read_picture(saved(Image.new("L", size, 200), kind))
    scale = min(1, MOST_SIDE / max(size))
    assert grey.dtype == np.uint8
    assert grey.shape[::-1] == tuple(max(1, round(scale * side)) for side in size)
    assert np.abs(grey.astype(int) - 200).max() <= 2


def test_nothing_is_written_to_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for content in SAMPLES.values():
        read_picture(content)
    assert list(tmp_path.iterdir()) == []
