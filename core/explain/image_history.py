"""When a network learned each test image: what its predictions after every epoch amount to.

The words are those of Toneva et al., "An Empirical Study of Example Forgetting during Deep Neural Network Learning"
(2019): an image is forgotten each time that it is right after one epoch and wrong after the next, and never learned
where it is right after none. They count over the batches of training images, and we over epochs of test images.
"""

from typing import NamedTuple

import numpy as np


class Stories(NamedTuple):
    """How it went with each of N test images over E epochs, three arrays (N,) int16.

    Attributes:
        right: after how many epochs it was right, 0..E.
        forgotten: how many times it was right after one epoch and wrong after the next, 0..E // 2.
        learned: the epoch, from 1, after which and after all later ones it was right; 0 where it is wrong after the
            last.
    """

    right: np.ndarray
    forgotten: np.ndarray
    learned: np.ndarray


def stories(classes, labels):
    """The Stories of some test images.

    Args:
        classes: (E, N) the class that each image was given after each epoch; E is at least 1.
        labels: (N,) the true ones.
    """
    right = np.asarray(classes) == labels
    epochs = len(right)
    # How many epochs at the end it was right after, without a gap.
    run = np.where(right.all(axis=0), epochs, np.argmin(right[::-1], axis=0))
    found = right.sum(axis=0), (right[:-1] & ~right[1:]).sum(axis=0), np.where(run > 0, epochs - run + 1, 0)
    return Stories(*(numbers.astype(np.int16) for numbers in found))


def in_words(found, image, epochs):
    """The story of one of the images of `stories`: "right from epoch 3 on", "forgotten 4 times, right from epoch 9 on".

    Args:
        found: the Stories.
        image: its number among them.
        epochs: E.
    """
    right, forgotten, learned = (int(part[image]) for part in found)
    if right == epochs:
        return "right after every epoch" if epochs > 1 else "right after the first epoch"
    if not right:
        return f"never right in {epochs} epoch{'s' * (epochs > 1)}"
    times = {0: "", 1: "forgotten once, ", 2: "forgotten twice, "}.get(forgotten, f"forgotten {forgotten} times, ")
    return times + (f"right from epoch {learned} on" if learned else "wrong in the end")


def never_learned(found, epochs):
    """Which images were right after no epoch, (N,) bool."""
    return found.right == 0


def were_forgotten(found, epochs):
    """Which images were forgotten at least once, (N,) bool."""
    return found.forgotten > 0


def learned_late(found, epochs):
    """Which images are right in the end, but only from the second half of the epochs on, (N,) bool."""
    return 2 * found.learned > epochs + 1


def by_forgetting(found):
    """The numbers of all images, the most forgotten first, (N,) int64; of equals the one that was right least often.

    Toneva et al. count what was never learned as forgotten without end; here it was never forgotten.
    """
    return np.lexsort((found.right, -found.forgotten))


def matrices(classes, labels, count):
    """The confusion matrix after each epoch, rows true: (E, count, count) int64.

    Args:
        classes, labels: as in `stories`.
        count: how many classes there are.
    """
    cells = np.asarray(labels, np.int64) * count + classes
    return np.stack([np.bincount(each, minlength=count * count).reshape(count, count) for each in cells])


def least_losses(classes, confidences, labels):
    """The least that each image's cross-entropy can have been, in nats, where only its class and the confidence in that
    are known, (N,) float64: exact where it was right. Infinite where it was wrong and certain.

    Args:
        classes, labels: (N,), after one epoch.
        confidences: (N,) in 0..1.
    """
    confidences = np.asarray(confidences, np.float64)
    # The true class can have had no more than what was left, and no more than the predicted one.
    most = np.where(classes == labels, confidences, np.minimum(confidences, 1 - confidences))
    with np.errstate(divide="ignore"):
        return -np.log(most)
