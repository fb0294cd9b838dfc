"""A round of ten test images, in which somebody plays against networks: which images, what was chosen, who was fooled.

Everything that a round is stands in an address, as text; these functions read it.
"""

import random
import re
from typing import NamedTuple

import numpy as np

IMAGES = 10
# A round's number in an address.
MOST_ROUNDS = 9999
# What one image counts at most, in seconds: who opens an old link has not thought for days.
MOST_SECONDS = 300
# So few images are no end of anything.
_LEAST_HARD = 5 * IMAGES


class RoundError(ValueError):
    """What an address says of a round makes no sense; the message is one sentence."""


class Player(NamedTuple):
    """What one network makes of the images of a round, or of the whole test set: arrays (N,), its predicted classes
    and the confidence in them in 0..1.
    """

    classes: np.ndarray
    confidences: np.ndarray


def doubts(players, labels):
    """How hard each image is for these networks, (N,) float64 in 0..1: the mean over them of 1 where one is wrong, and
    of what its confidence lacks to 1 where it is right.

    Args:
        players: a list of Player, at least one.
        labels: (N,) true classes.
    """
    return np.mean(
        [np.where(player.classes == labels, 1 - player.confidences, 1.0) for player in players], axis=0, dtype=float
    )


def hard_images(players, labels):
    """The hard end of the test set, the hardest first: twice as many images as a network gets wrong on average, and
    50 at least, so that on average a network gets about every second one wrong.
    """
    wrong = np.mean([np.count_nonzero(player.classes != labels) for player in players])
    count = max(_LEAST_HARD, round(2 * wrong))
    return np.argsort(-doubts(players, labels), kind="stable")[:count]


def drawn(images, number):
    """The ten images of a round, a list of int, the same for the same images and number on every machine.

    Args:
        images: which there are to draw from, at least ten.
        number: of the round, from 1 to MOST_ROUNDS.
    """
    chance = random.Random(number)
    # Of all its methods Python promises for this one alone that it stays as it is.
    return sorted(map(int, images), key=lambda image: chance.random())[:IMAGES]


def read_number(text):
    """The number of a round in an address. Raises RoundError."""
    if re.fullmatch(r"[1-9][0-9]{0,3}", text):
        return int(text)
    raise RoundError(f"The link's round is not a number from 1 to {MOST_ROUNDS:,}, so it is ignored.")


def read_choices(text):
    """What was chosen so far, a list of the numbers of classes, of which each dataset has ten: "3751" is 3, 7, 5, 1.
    Raises RoundError.
    """
    if re.fullmatch(rf"[0-9]{{0,{IMAGES}}}", text):
        return [int(digit) for digit in text]
    raise RoundError(f"The link's answers are not up to {IMAGES} digits, one for each image, so they are ignored.")


def read_seconds(text):
    """Whole seconds in an address, from 0. Raises RoundError."""
    if re.fullmatch(r"[0-9]{1,10}", text):
        return int(text)
    raise RoundError("The link's time is not a whole number of seconds, so it is ignored.")


def seconds_since(moment, now):
    """What an image counts that came up at a moment and was answered now, in whole seconds, 1 to MOST_SECONDS.

    Args:
        moment, now: in seconds since 1970.
    """
    return int(min(max(now - moment, 1), MOST_SECONDS))


class Score(NamedTuple):
    """How a round went, as far as it has been played.

    Attributes:
        mine: whether you recognised each image, a list of bool.
        theirs: the same for each network, a list of such lists.
        fooled_me, fooled_them, fooled_all: the positions in the round of images that fooled you and not every network,
            a network and not you, and everybody.
    """

    mine: list
    theirs: list
    fooled_me: list
    fooled_them: list
    fooled_all: list


def score(choices, players, labels):
    """The Score of a round.

    Args:
        choices: the class numbers chosen so far, a list.
        players: a list of Player with the images of the round, at least one.
        labels: the true classes of these.
    """
    played = range(len(choices))
    mine = [bool(choices[at] == labels[at]) for at in played]
    theirs = [[bool(player.classes[at] == labels[at]) for at in played] for player in players]
    right = [[row[at] for row in theirs] for at in played]
    return Score(
        mine,
        theirs,
        [at for at in played if not mine[at] and any(right[at])],
        [at for at in played if mine[at] and not all(right[at])],
        [at for at in played if not mine[at] and not any(right[at])],
    )
