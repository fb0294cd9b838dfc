"""Picture files that were damaged or made to do harm: each is refused in one sentence."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from core.digits.ink import digit_of
from core.digits.pictures import FORMATS, MOST_PIXELS, MOST_SIDE, read_picture
from core.digits.strokes import DrawingError
from tests.picture_files import PAPER, SAMPLES, saved

NO_PICTURE = r"^This file is not a picture that can be read here: choose a PNG, JPEG, WebP, GIF or BMP\.$"
TOO_LARGE = r"^This picture has more than 25 million pixels: choose a smaller one\.$"
DAMAGED = r"^This picture is damaged: save it again, as PNG or JPEG, and choose that\.$"


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_size(content, kind, width, height):
    """The file, its header saying another size."""
    if kind == "PNG":
        return content[:8] + chunk(b"IHDR", struct.pack(">II", width, height) + content[24:29]) + content[33:]
    if kind == "GIF":
        return content[:6] + struct.pack("<HH", width, height) + content[10:]
    if kind == "BMP":
        return content[:18] + struct.pack("<ii", width, height) + content[26:]
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


@pytest.mark.parametrize("size", [(5001, 5000), (12_000, 12_000), (60_000, 60_000)], ids=str)
@pytest.mark.parametrize("kind", sorted(FORMATS.keys() - {"WEBP"}))
def test_more_pixels_than_the_limit_are_refused_before_they_are_decoded(kind, size):
    content = with_size(saved(PAPER.convert("RGB") if kind != "GIF" else PAPER, kind), kind, *size)
    with pytest.raises(DrawingError, match=TOO_LARGE):
        read_picture(content)


def test_a_webp_with_more_pixels_than_the_limit_is_refused():
    with pytest.raises(DrawingError, match=TOO_LARGE):
        read_picture(saved(Image.new("L", (12_000, 2_100)), "WEBP", quality=0, method=0))


def test_a_frame_larger_than_its_animation_is_refused():
    content = bytearray(saved(PAPER, "GIF"))
    at = content.index(b"\x2c\0\0\0\0" + struct.pack("<HH", *PAPER.size))
    content[at + 5 : at + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(DrawingError, match=TOO_LARGE):
        read_picture(bytes(content))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_note_that_unpacks_to_hundreds_of_megabytes_does_no_harm(name, late):
    packed = zlib.compress(bytes(200_000_000), 9)
    head = b"note\0\1\0\0\0" if name == b"iTXt" else b"note\0\0"
    content = saved(PAPER)
    at = content.index(b"IEND") - 4 if late else 33
    content = content[:at] + chunk(name, head + packed) + content[at:]
    assert len(content) < 5_000_000
    try:
        assert digit_of(read_picture(content)).any()
    except DrawingError as error:
        assert str(error).startswith("This picture is damaged")  # noqa: PT017 - either is right


def test_hundreds_of_notes_do_no_harm():
    info = PngImagePlugin.PngInfo()
    for number in range(100):
        info.add_text(f"note {number}", "x" * 1_000_000, zip=True)
    with pytest.raises(DrawingError, match=DAMAGED):
        read_picture(saved(PAPER, pnginfo=info))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"seven",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(7)</script></svg>",
        b"%PDF-1.4\n%%EOF",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        saved(PAPER, "TIFF"),
        saved(PAPER, "ICO"),
        saved(PAPER, "PPM"),
        saved(PAPER, "PCX"),
        saved(PAPER, "TGA"),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_picture_of_these_formats_is_refused_in_one_sentence(content):
    with pytest.raises(DrawingError, match=NO_PICTURE):
        read_picture(content)


@pytest.mark.parametrize("name", ["L PNG", "RGB JPEG", "RGB WEBP", "RGB BMP"])
def test_half_a_file_is_refused_in_one_sentence(name):
    content = SAMPLES[name]
    with pytest.raises(DrawingError, match=f"{DAMAGED}|{NO_PICTURE}"):
        read_picture(content[: len(content) // 2])


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_file_is_a_picture_or_one_sentence(data):
    content = bytearray(SAMPLES[data.draw(st.sampled_from(list(SAMPLES)))])
    # Most of what matters is near a file's beginning.
    places = st.integers(0, 80) | st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        content[min(place, len(content) - 1)] = value
    content = content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))]
    try:
        grey = read_picture(bytes(content))
        assert (grey.dtype, grey.ndim) == (np.uint8, 2)
        assert 1 <= min(grey.shape) <= max(grey.shape) <= MOST_SIDE
        assert digit_of(grey).any()
    except DrawingError as error:
        assert str(error).count(".") == 1  # noqa: PT017 - either is right


def test_the_limit_is_what_the_sentence_says():
    assert MOST_PIXELS == 25_000_000
