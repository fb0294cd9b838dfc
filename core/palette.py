"""One colour for each network, made to be told apart, by the colour-blind too, on the light and on the dark page.

A colour's number is its network's position in the catalogue, so a network keeps its colour whoever is added later. The
list is data, made by `generate`; `python -m core.palette` prints it anew.
"""

import functools

import numpy as np

from core.networks.catalogue import NETWORKS

# The first eight are at least 8 apart under every kind of vision (12 for most eyes), and no two of all are alike.
# fmt: off
PALETTE = (
    "#D26E19", "#4678C8", "#00A587", "#964B6E", "#CD0000", "#9682FA", "#CD1EA5", "#733CE6",
    "#466E32", "#FF4673", "#BE7DBE", "#69875A", "#A055FF", "#006E96", "#C34BD7", "#199B23",
    "#9B28C8", "#FA50AA", "#876455", "#6491A0", "#AF288C", "#E15AE6", "#919155", "#875FAF",
    "#AF5A7D", "#B94141", "#D27387", "#A07DD2", "#A04B23", "#AA786E", "#EB6E41", "#557D8C",
)
# fmt: on
# The first three: orange, blue and green, near those of Okabe and Ito.
_FIRST = ("#D26E19", "#4678C8", "#00A587")
BACKGROUNDS = ("#FFFFFF", "#11151C")
LEAST_CONTRAST = 3.05
# Greyer ones look like text, stronger ones glare.
_CHROMA = (5, 24)
_STEP = 5
# In OKLab's lightness times 100.
_SHADES_APART = 6
# Most people's vision is worth more, so they get more of the difference.
_WEIGHT_OF_NORMAL = 1.5
# What is left of linear red, green and blue (Machado, Oliveira and Fernandes, A physiologically-based model for
# simulation of color vision deficiency, 2009; complete deficiencies).
VISIONS = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# Ottosson, A perceptual color space for image processing (2020).
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def colours(count):
    """So many colours as "#RRGGBB", a list; the first ones are the same however many are asked for."""
    return list(PALETTE[:count]) if count <= len(PALETTE) else generate(count)


def generate(count):
    """So many colours, at least one. After the first three each is the one, of all that can be read on both
    backgrounds, that is farthest from the nearest colour before it, for the kind of vision that sees least of it.
    """
    steps = np.arange(0, 256, _STEP)
    candidates = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    readable = np.min([_contrast(candidates, background) for background in BACKGROUNDS], axis=0) >= LEAST_CONTRAST
    candidates = candidates[readable]
    chroma = np.linalg.norm(_seen(candidates)["normal"][:, 1:], axis=1)
    candidates = candidates[(_CHROMA[0] < chroma) & (chroma < _CHROMA[1])]
    seen = _seen(candidates)
    chosen = list(_FIRST[:count])
    apart = np.min([_distances(seen, _seen(_numbers([colour]))) for colour in chosen], axis=0)
    while len(chosen) < count:
        # Rounded, so that every machine takes the same one of two that are as good.
        farthest = int(np.argmax(apart.round(6)))
        chosen.append("#{:02X}{:02X}{:02X}".format(*candidates[farthest]))
        apart = np.minimum(apart, _distances(seen, {name: lab[farthest] for name, lab in seen.items()}))
    return chosen


@functools.cache
def shades(colour):
    """Three colours of one hue, darker and lighter, that can all be read on both backgrounds: the colour itself, then
    the one that differs most from it.
    """
    lightness, *hue = _seen(_numbers([colour]))["normal"][0]
    levels = np.arange(40, 80, 0.5)
    candidates = _from_oklab(np.column_stack([levels, np.tile(hue, (len(levels), 1))]))
    readable = np.min([_contrast(candidates, background) for background in BACKGROUNDS], axis=0) >= LEAST_CONTRAST
    near, far = sorted(levels[readable][[0, -1]], key=lambda end: abs(end - lightness))
    # The near end, unless it cannot be told from the colour itself.
    third = near if abs(near - lightness) >= _SHADES_APART else (lightness + far) / 2
    found = _from_oklab(np.array([[level, *hue] for level in (far, third)]))
    return (colour, *("#{:02X}{:02X}{:02X}".format(*numbers) for numbers in found))


@functools.cache
def ink_on(colour):
    """What text is written in on this colour: white or nearly black, whichever can be read better."""
    return max(BACKGROUNDS, key=lambda ink: contrasts([colour], ink)[0])


def differences(colours):
    """How far colours are apart: kind of vision -> (n, n) distances in OKLab times 100, where 2 can just be seen."""
    seen = _seen(_numbers(colours))
    return {name: np.linalg.norm(lab[:, None] - lab, axis=-1) for name, lab in seen.items()}


def contrasts(colours, background):
    """The contrast of each colour with a background, 1 to 21, as WCAG 2 defines it."""
    return _contrast(_numbers(colours), background)


def _distances(seen, others):
    """The least distance over the kinds of vision, most people's divided by its weight."""
    weights = {"normal": _WEIGHT_OF_NORMAL}
    return np.min(
        [np.linalg.norm(lab - others[name], axis=-1) / weights.get(name, 1) for name, lab in seen.items()], axis=0
    )


def _numbers(colours):
    return np.array([list(bytes.fromhex(colour[1:])) for colour in colours])


def _linear(numbers):
    shares = np.asarray(numbers) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def _seen(numbers):
    """Kind of vision -> OKLab (n, 3) times 100."""
    linear = _linear(numbers)
    return {
        name: 100 * np.cbrt(np.clip(linear @ matrix.T, 0, 1) @ _TO_LMS.T) @ _TO_OKLAB.T
        for name, matrix in VISIONS.items()
    }


def _from_oklab(lab):
    """Whole numbers 0..255 (n, 3) of OKLab (n, 3) times 100; what no screen shows is cut off."""
    linear = np.clip((np.asarray(lab) / 100 @ np.linalg.inv(_TO_OKLAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T, 0, 1)
    shares = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * shares).astype(int)


def _contrast(numbers, background):
    ours, theirs = (_linear(each) @ [0.2126, 0.7152, 0.0722] + 0.05 for each in (numbers, _numbers([background])))
    return np.maximum(ours, theirs) / np.minimum(ours, theirs)


NETWORK_COLOURS = dict(zip(NETWORKS, colours(len(NETWORKS)), strict=True))

if __name__ == "__main__":
    print(*generate(32))
