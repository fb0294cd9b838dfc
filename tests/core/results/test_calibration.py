"""Whether networks are right as often as they say."""

import numpy as np
import pytest

from core.results.calibration import calibration
from core.results.statistics import wilson_interval


def predictions(sure, right, classes=10):
    """Probabilities and logits of images of class 0 of which the network is so sure, and right or not."""
    probabilities = np.repeat(((1 - sure) / (classes - 1))[:, None], classes, axis=1)
    probabilities[np.arange(len(sure)), np.where(right, 0, 1)] = sure
    return probabilities, np.log(probabilities), np.zeros(len(sure), int)


def test_a_network_that_is_right_as_often_as_it_says_has_no_error():
    draw = np.random.default_rng(0)
    sure = draw.uniform(0.2, 1, 100_000)
    found = calibration(*predictions(sure, draw.random(len(sure)) < sure))
    assert found.error < 0.01
    assert found.mean_confidence == pytest.approx(sure.mean())
    there = found.counts > 0
    assert np.allclose(found.confidence[there], found.accuracy[there], atol=0.03)
    assert found.counts.sum() == len(sure)


def test_the_error_and_the_likelihood_are_those_computed_by_hand():
    sure, right = np.array([0.95, 0.95, 0.55, 0.55]), np.array([True, False, True, True])
    found = calibration(*predictions(sure, right))
    # Half the images are 95 % sure and half of those right, the others 55 % sure and all right.
    assert found.error == pytest.approx(0.5 * 0.45 + 0.5 * 0.45)
    expected = -(np.log(0.95) + np.log(0.05 / 9) + 2 * np.log(0.55)) / 4
    assert found.likelihood == pytest.approx(expected)
    assert found.counts.tolist() == [0] * 8 + [2] + [0] * 5 + [2]


def test_one_who_is_always_sure_and_right_is_in_the_last_bin():
    probabilities = np.eye(3)[[0, 1, 2]]
    logits = 50 * probabilities
    found = calibration(probabilities, logits, np.arange(3))
    assert found.counts.tolist() == [0] * 14 + [3]
    assert found.error == 0


def test_each_bin_has_the_interval_of_its_own_images():
    sure = np.r_[np.full(10, 0.65), np.full(1000, 0.95)]
    right = np.r_[np.arange(10) < 8, np.arange(1000) < 800]
    found = calibration(*predictions(sure, right))
    few, many = np.flatnonzero(found.counts)
    assert found.accuracy[few] == found.accuracy[many] == 0.8
    assert (found.low[few], found.high[few]) == pytest.approx(wilson_interval(8, 10))
    assert (found.low[many], found.high[many]) == pytest.approx(wilson_interval(800, 1000))
    assert np.isnan(found.low[0])
