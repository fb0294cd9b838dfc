"""Whether a network is right as often as it says: of the images of which it is 80 % sure, 80 % should be right."""

from typing import NamedTuple

import numpy as np

from core.results.scores import confidences, losses, predicted_classes
from core.results.statistics import wilson_intervals

BINS = 15


class Calibration(NamedTuple):
    """How a run's confidence and its accuracy go together.

    Attributes:
        edges: float64 (BINS + 1,): where the bins of confidence begin and end, 0..1.
        counts: int64 (BINS,): how many images are in each.
        confidence, accuracy: float64 (BINS,): the mean of each bin's images, shares; nan where there are none.
        low, high: float64 (BINS,): the ends of each accuracy's 95 % interval (Wilson's); nan where there are no images.
        error: the expected calibration error, a share.
        likelihood: the mean negative log-likelihood, in nats.
        mean_confidence: of all images, a share.
    """

    edges: np.ndarray
    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    error: float
    likelihood: float
    mean_confidence: float


def calibration(probabilities, logits, labels, bins=BINS):
    """A Calibration of test predictions.

    The error is that of Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks (2017): over bins of
    equal width, the mean distance between confidence and accuracy, each bin weighed by its images.

    Args:
        probabilities, logits: (N, classes), N at least 1.
        labels: (N,) true classes.
    """
    sure, right = confidences(probabilities), predicted_classes(logits) == labels
    edges = np.linspace(0, 1, bins + 1)
    # A confidence on an edge belongs to the lower bin, as in the paper.
    which = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(which, minlength=bins)
    sums = [np.bincount(which, weights=values, minlength=bins) for values in (sure, right)]
    confidence, accuracy = (np.divide(sum_, counts, out=np.full(bins, np.nan), where=counts > 0) for sum_ in sums)
    low, high = np.array(wilson_intervals(sums[1], counts)).T
    error = float(np.nansum(np.abs(confidence - accuracy) * counts) / len(labels))
    return Calibration(
        edges, counts, confidence, accuracy, low, high, error, float(losses(logits, labels).mean()), float(sure.mean())
    )
