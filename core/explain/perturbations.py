"""Changes to an image that people can ask about: how far must it be turned, blurred or covered until a network changes
its mind?
"""

import base64
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from core.digits.strokes import DrawingError

# The noise is always the same, so that a link shows the same image.
_SEED = 20
# So many images at once, as `core.explain.heat_maps` asks.
_AT_ONCE = 7


class Change(NamedTuple):
    """A change that has an amount.

    Attributes:
        label: what it is, with its unit.
        low, high, step: which amounts there are.
        neutral: the amount that changes nothing.
        says: how one amount is said, as a pattern for `str.format`.
    """

    label: str
    low: int
    high: int
    step: int
    neutral: int
    says: str

    @property
    def amounts(self):
        """All of them, the lowest first: a list."""
        return list(range(self.low, self.high + 1, self.step))


# In the order in which they are made.
CHANGES = {
    "right": Change("Move right (pixels)", -10, 10, 1, 0, "moved right by {}"),
    "down": Change("Move down (pixels)", -10, 10, 1, 0, "moved down by {}"),
    "rotate": Change("Rotate (degrees)", -180, 180, 5, 0, "rotated by {}°"),
    "scale": Change("Scale (%)", 50, 200, 5, 100, "scaled to {} %"),
    "blur": Change("Blur (tenths of a pixel)", 0, 40, 2, 0, "blurred by {}/10 of a pixel"),
    "contrast": Change("Contrast (%)", 0, 300, 10, 100, "contrast {} %"),
    "brightness": Change("Brightness (grey levels)", -250, 250, 10, 0, "brightness {:+}"),
    "noise": Change("Noise (grey levels)", 0, 200, 10, 0, "noise of {}"),
}


def changed(image, amounts, mirrored=False, erased=None):
    """An image with changes made to it.

    It is mirrored, moved, turned clockwise and scaled about its middle first, where the edge goes on outside; then
    blurred; then its levels are stretched about the middle grey, lifted, and made noisy; and at last what is erased
    gets the colour that the image's edge had.

    Args:
        image: uint8 (h, w, c).
        amounts: name of one of CHANGES -> amount; those left out are neutral.
        mirrored: whether left and right change places.
        erased: bool (h, w), or None.

    Returns:
        uint8 (h, w, c).
    """
    at = {name: amounts.get(name, change.neutral) for name, change in CHANGES.items()}
    pixels = image[:, ::-1] if mirrored else image
    if any(at[name] != CHANGES[name].neutral for name in ("right", "down", "rotate", "scale")):
        pixels = _moved(pixels, at["right"], at["down"], at["rotate"], at["scale"] / 100)
    if at["blur"]:
        pixels = _blurred(pixels, at["blur"] / 10)
    values = pixels.astype(np.float32)
    values = (values - 127.5) * (at["contrast"] / 100) + 127.5 + at["brightness"]
    if at["noise"]:
        values = values + at["noise"] * np.random.default_rng(_SEED).standard_normal(values.shape)
    pixels = np.round(np.clip(values, 0, 255)).astype(np.uint8)
    if erased is not None and erased.any():
        pixels = pixels.copy()
        pixels[erased] = _paper(image)
    return pixels


def curve(network, image, amounts, name, mirrored=False, erased=None):
    """What a network makes of an image over all amounts of one change, the others as they are.

    Args:
        network: anything with `classify`.
        name: of the change; the others as of `changed`.

    Returns:
        float32 (amounts, classes): the probabilities.
    """
    images = [changed(image, amounts | {name: amount}, mirrored, erased) for amount in CHANGES[name].amounts]
    return _classified(network, np.stack(images))


def smallest_flips(network, image, progress=None):
    """The smallest amount of each change, made alone, at which a network no longer gives an image its first guess.

    Every amount is tried, so that none is overlooked.

    Args:
        network: anything with `classify`.
        image: uint8 (h, w, c).
        progress: called with the share that is done, 0..1, now and then.

    Returns:
        Name of one of CHANGES -> (amount, the number of the class that is guessed there), or None where no amount
        changes the guess.
    """
    guess = int(network.classify(image[None])[0].argmax())
    found = {}
    for number, (name, change) in enumerate(CHANGES.items(), start=1):
        guesses = curve(network, image, {}, name).argmax(axis=1)
        flips = [
            (abs(amount - change.neutral), amount, int(now))
            for amount, now in zip(change.amounts, guesses, strict=True)
            if now != guess
        ]
        found[name] = min(flips)[1:] if flips else None
        if progress:
            progress(number / len(CHANGES))
    return found


def erased_in_address(text, sides):
    """The inverse of `in_address`: bool of these sides, (height, width).

    Raises:
        core.digits.strokes.DrawingError: there is no such mask in the text.
    """
    height, width = sides
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        content = b""
    if len(content) != -(-height * width // 8):
        raise DrawingError("What is erased in the link cannot be read, so it is ignored: erase it again.")
    return np.unpackbits(np.frombuffer(content, np.uint8), count=height * width).astype(bool).reshape(height, width)


def in_address(erased):
    """Which pixels are erased, bool (height, width), as letters for an address: a bit each, in base64url."""
    return base64.urlsafe_b64encode(np.packbits(erased).tobytes()).decode().rstrip("=")


def _moved(pixels, right, down, degrees, scale):
    """Bilinear, about the middle; outside, the edge goes on."""
    height, width = pixels.shape[:2]
    turn = np.deg2rad(degrees)
    middle = (height - 1) / 2, (width - 1) / 2
    y, x = np.indices((height, width), dtype=np.float32)
    y, x = (y - middle[0] - down) / scale, (x - middle[1] - right) / scale
    from_y = np.clip(np.cos(turn) * y - np.sin(turn) * x + middle[0], 0, height - 1)
    from_x = np.clip(np.sin(turn) * y + np.cos(turn) * x + middle[1], 0, width - 1)
    top, left = np.minimum(from_y.astype(int), height - 2), np.minimum(from_x.astype(int), width - 2)
    lower, righter = (from_y - top)[..., None], (from_x - left)[..., None]
    values = pixels.astype(np.float32)
    above = values[top, left] * (1 - righter) + values[top, left + 1] * righter
    below = values[top + 1, left] * (1 - righter) + values[top + 1, left + 1] * righter
    return np.round(above * (1 - lower) + below * lower).astype(np.uint8)


def _blurred(pixels, radius):
    """By a Gaussian of this standard deviation in pixels."""
    channels = [Image.fromarray(np.ascontiguousarray(pixels[..., at])) for at in range(pixels.shape[2])]
    return np.stack([np.asarray(each.filter(ImageFilter.GaussianBlur(radius))) for each in channels], axis=-1)


def _paper(image):
    """The colour of an image's edge, (c,): the median of each channel."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return np.median(edge, axis=0).astype(np.uint8)


def _classified(network, images):
    parts = [network.classify(images[start : start + _AT_ONCE]) for start in range(0, len(images), _AT_ONCE)]
    return np.concatenate(parts)
