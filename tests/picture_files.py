"""Picture files of one drawn seven, in every format and mode."""

import io

import numpy as np
from PIL import Image

from core.digits.strokes import digit_image
from tests.penmanship import strokes

SEVEN = digit_image(strokes(7))
PAPER = Image.fromarray(255 - SEVEN).resize((224, 224), Image.Resampling.BICUBIC)
INK = Image.eval(PAPER, lambda level: 255 - level)


def saved(image, kind="PNG", **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def clear(ink):
    """The seven in a grey level, on nothing."""
    image = Image.new("LA", PAPER.size, (ink, 0))
    image.putalpha(INK)
    return image


SIXTEEN_BITS = Image.fromarray(np.asarray(PAPER).astype(np.uint16) * 200 + 3000)
SAMPLES = {
    "1 PNG": saved(PAPER.convert("1", dither=Image.Dither.NONE)),
    "1 BMP": saved(PAPER.convert("1", dither=Image.Dither.NONE), "BMP"),
    "L PNG": saved(PAPER),
    "L JPEG": saved(PAPER, "JPEG"),
    "L GIF": saved(PAPER, "GIF"),
    "LA PNG, dark ink on nothing": saved(clear(0)),
    "LA PNG, light ink on nothing": saved(clear(255)),
    "P PNG": saved(PAPER.convert("P")),
    "P GIF": saved(PAPER.convert("RGB").quantize(8), "GIF"),
    "P GIF, transparent paper": saved(PAPER.quantize(2), "GIF", transparency=PAPER.quantize(2).getpixel((0, 0))),
    "RGB PNG": saved(PAPER.convert("RGB")),
    "RGB PNG, transparent white": saved(PAPER.convert("RGB"), transparency=(255, 255, 255)),
    "RGB JPEG": saved(PAPER.convert("RGB"), "JPEG"),
    "RGB WEBP": saved(PAPER.convert("RGB"), "WEBP"),
    "RGB BMP": saved(PAPER.convert("RGB"), "BMP"),
    "RGBA PNG, dark ink on nothing": saved(clear(0).convert("RGBA")),
    "RGBA WEBP, light ink on nothing": saved(clear(255).convert("RGBA"), "WEBP"),
    "CMYK JPEG": saved(PAPER.convert("CMYK"), "JPEG"),
    "I;16 PNG": saved(SIXTEEN_BITS),
}
