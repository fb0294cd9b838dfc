"""Changes to an image that people can ask about: how far must it be turned, blurred or covered until a network changes
its mind?
"""

import base64
import itertools
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from core.digits.strokes import DrawingError

# The noise is always the same, so that a link shows the same image.
_SEED = 20
# So many images at once, as `core.explain.heat_maps` asks.
_AT_ONCE = 7
# Squares of one size cover the image at so many positions a side, and smaller ones around the first that flips a
# network, so many pixels further each way.
GRID, _AROUND = 7, 2
# So many of the smallest pairs of amounts are tried.
MOST_PAIRS = 250


class Change(NamedTuple):
    """A change that has an amount.

    Attributes:
        label: what it is, with its unit.
        low, high: the least and the most; every whole number between is an amount.
        step: how far those lie apart that a curve is drawn of.
        neutral: the amount that changes nothing.
        says: how one amount is said, as a pattern for `str.format`.
        below: the same for one below 0, whose magnitude it takes; empty where `says` does for it too.
    """

    label: str
    low: int
    high: int
    step: int
    neutral: int
    says: str
    below: str = ""

    @property
    def amounts(self):
        """Those of a curve, the lowest first: a list."""
        return list(range(self.low, self.high + 1, self.step))

    def words(self, amount):
        """An amount, such as "moved left by 3"."""
        return self.below.format(-amount) if self.below and amount < 0 else self.says.format(amount)

    def distance(self, amount):
        """How far an amount is from changing nothing; of two that are as far, the lower one comes first: a tuple."""
        return abs(amount - self.neutral), amount


# In the order in which they are made.
CHANGES = {
    "right": Change("Move right (pixels)", -10, 10, 1, 0, "moved right by {}", "moved left by {}"),
    "down": Change("Move down (pixels)", -10, 10, 1, 0, "moved down by {}", "moved up by {}"),
    "rotate": Change("Rotate (degrees)", -180, 180, 5, 0, "rotated right by {}°", "rotated left by {}°"),
    "scale": Change("Scale (%)", 50, 200, 5, 100, "scaled to {} %"),
    "blur": Change("Blur (tenths of a pixel)", 0, 40, 2, 0, "blurred by {}/10 of a pixel"),
    "contrast": Change("Contrast (%)", 0, 300, 10, 100, "contrast {} %"),
    "brightness": Change("Brightness (grey levels)", -250, 250, 10, 0, "brightness {:+}"),
    "noise": Change("Noise (grey levels)", 0, 200, 10, 0, "noise of {}"),
}
# Searched together: what each pair is called.
PAIRS = {("right", "down"): "Move both ways", ("rotate", "scale"): "Rotate and scale"}
MIRROR, SQUARE = "mirror", "square"
# All that `smallest_flips` looks for, in its order -> what it is called.
KINDS = {
    **{name: change.label for name, change in CHANGES.items()},
    MIRROR: "Mirror",
    SQUARE: "Erase a square",
    **PAIRS,
}


class Flip(NamedTuple):
    """Changes that make a network take an image for another class.

    Attributes:
        number: of the class that it then gives.
        amounts, mirrored, erased: as `changed` takes them.
    """

    number: int
    amounts: dict
    mirrored: bool = False
    erased: np.ndarray | None = None

    @property
    def words(self):
        """The changes, such as "rotated by 12°, scaled to 95 %"."""
        said = [CHANGES[name].words(amount) for name, amount in self.amounts.items()]
        if self.mirrored:
            said.append("mirrored")
        if self.erased is not None:
            rows, columns = (np.flatnonzero(self.erased.any(axis=axis)) for axis in (1, 0))
            said.append(f"{len(rows)}×{len(columns)} pixels from row {rows[0] + 1}, column {columns[0] + 1} on")
        return ", ".join(said)


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
    """The smallest changes of each kind, made alone, at which a network no longer gives an image its first guess.

    Of a change with an amount, first the amounts of its curve are tried, the smallest first, up to one that flips the
    network; then every whole number between that one and the one before, either way. So no amount of the curve that is
    smaller than the answer flips it, nor does any whole number within that step.

    Of squares, every size is tried at GRID × GRID positions, the smallest first, up to one that flips the network; then
    smaller ones around that.

    Of a pair, the amounts of both curves are tried together, the nearest to no change first, up to MOST_PAIRS of them:
    counted in steps of the curves, in a straight line. Only those count that are nearer than either change alone.

    Args:
        network: anything with `classify`.
        image: uint8 (h, w, c).
        progress: called with the share that is done, 0..1, now and then.

    Returns:
        Each of KINDS -> a Flip, or None where none was found.
    """
    guess = int(network.classify(image[None])[0].argmax())
    search = _Search(network, image, guess)
    found = {}
    for number, kind in enumerate(KINDS, start=1):
        if kind in CHANGES:
            found[kind] = search.amount(kind)
        elif kind == MIRROR:
            found[kind] = search.first([Flip(guess, {}, mirrored=True)])
        elif kind == SQUARE:
            found[kind] = search.square()
        else:
            found[kind] = search.pair(kind, [found[name] for name in kind])
        if progress:
            progress(number / len(KINDS))
    return found


class _Search:
    """Tries changes of one image on one network, whose guess for the unchanged image is given."""

    def __init__(self, network, image, guess):
        self.network, self.image, self.guess = network, image, guess

    def first(self, tries):
        """The first of some Flips that flips the network, with the class that it then gives; None where none does."""
        for start in range(0, len(tries), _AT_ONCE):
            some = tries[start : start + _AT_ONCE]
            for flip, number in zip(some, self._shares(some).argmax(axis=1), strict=True):
                if number != self.guess:
                    return flip._replace(number=int(number))
        return None

    def amount(self, name):
        """The smallest amount of one change."""
        change = CHANGES[name]
        coarse = self.first([self._alone(name, amount) for amount in sorted(change.amounts, key=change.distance)])
        if coarse is None:
            return None
        far, _ = change.distance(coarse.amounts[name])
        every = sorted(range(change.low, change.high + 1), key=change.distance)
        between = [amount for amount in every if far - change.step < change.distance(amount)[0] < far]
        return self.first([self._alone(name, amount) for amount in between]) or coarse

    def pair(self, names, alone):
        """The smallest amounts of two changes together; `alone` are their Flips."""
        changes = [CHANGES[name] for name in names]
        least = min(
            (
                change.distance(flip.amounts[name])[0] / change.step
                for name, change, flip in zip(names, changes, alone, strict=True)
                if flip
            ),
            default=np.inf,
        )
        tries = []
        for amounts in itertools.product(*(change.amounts for change in changes)):
            steps = [(at - change.neutral) / change.step for at, change in zip(amounts, changes, strict=True)]
            if all(steps) and np.hypot(*steps) < least:
                tries.append((np.hypot(*steps), amounts))
        return self.first(
            [Flip(self.guess, dict(zip(names, each, strict=True))) for _, each in sorted(tries)[:MOST_PAIRS]]
        )

    def square(self):
        """The smallest square to erase."""
        sides = self.image.shape[:2]
        found, size = None, 0
        while found is None and size < min(sides):
            size += 1
            tops, lefts = (dict.fromkeys(np.linspace(0, side - size, GRID).round().astype(int)) for side in sides)
            found = self._worst_square(size, itertools.product(tops, lefts))
        # A smaller one may lie between the positions.
        while found and size > 1:
            size -= 1
            around = (
                range(max(0, at - _AROUND), min(side - size, at + _AROUND + 1) + 1)
                for at, side in zip(_corner(found.erased), sides, strict=True)
            )
            smaller = self._worst_square(size, itertools.product(*around))
            if not smaller:
                break
            found = smaller
        return found

    def _worst_square(self, size, corners):
        """Of squares of one size, the one that leaves the least of the guess, if it flips the network; else None."""
        tries = []
        for top, left in corners:
            erased = np.zeros(self.image.shape[:2], bool)
            erased[top : top + size, left : left + size] = True
            tries.append(Flip(self.guess, {}, erased=erased))
        shares = self._shares(tries)
        flips = shares.argmax(axis=1) != self.guess
        if not flips.any():
            return None
        worst = np.where(flips, shares[:, self.guess], np.inf).argmin()
        return tries[worst]._replace(number=int(shares[worst].argmax()))

    def _alone(self, name, amount):
        return Flip(self.guess, {name: amount})

    def _shares(self, flips):
        """The probabilities of the changed images, (flips, classes)."""
        return _classified(self.network, np.stack([changed(self.image, *flip[1:]) for flip in flips]))


def _corner(erased):
    """The first row and the first column of what is erased."""
    return (int(np.flatnonzero(erased.any(axis=axis))[0]) for axis in (1, 0))


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
