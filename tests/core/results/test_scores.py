"""Scores and cases against figures worked out by hand or by the definition, image by image."""

import math

import numpy as np
import pytest

from core.results.scores import (
    SORT_KEYS,
    accuracy,
    cases,
    class_accuracies,
    confidences,
    confusion_matrix,
    log_odds,
    losses,
    predicted_classes,
)
from core.runs.schema import softmax

# Four images of three classes; the third is taken for class 0, and its true class gets next to nothing.
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.9, 0.1, 1e-12], [0.2, 0.2, 0.6]])
LABELS = np.array([0, 1, 2, 2], "uint8")
# Logits are logarithms of probabilities, but for a number that each image may have of its own.
LOGITS = np.log(PROBABILITIES) + np.array([[3], [-100], [0], [1000]])


def random_logits(count=500, classes=10, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(0, 3, (count, classes)).astype("float32"), random.integers(0, classes, count, "uint8")


def test_the_prediction_is_the_most_probable_class_and_its_probability_the_confidence():
    assert predicted_classes(PROBABILITIES).tolist() == predicted_classes(LOGITS).tolist() == [0, 1, 0, 2]
    assert confidences(PROBABILITIES) == pytest.approx([0.7, 0.8, 0.9, 0.6])
    assert accuracy(PROBABILITIES, LABELS) == accuracy(LOGITS, LABELS) == 0.75


def test_the_loss_is_the_cross_entropy_in_nats():
    expected = [-math.log(0.7), -math.log(0.8), 12 * math.log(10), -math.log(0.6)]
    assert losses(LOGITS, LABELS) == pytest.approx(expected, rel=1e-9)


def test_the_log_odds_are_of_one_class_against_all_others():
    expected = [math.log(0.7 / 0.3), math.log(0.8 / 0.2), math.log(0.9 / 0.1), math.log(0.6 / 0.4)]
    assert log_odds(LOGITS, [0, 1, 0, 2]) == pytest.approx(expected, rel=1e-9)


def test_no_loss_is_infinite_or_below_zero_however_sure_the_network_is():
    logits = np.array([[1000, 0], [0, 1000], [50, 0]], "float32")
    assert losses(logits, [0, 0, 0]) == pytest.approx([0, 1000, math.exp(-50)])
    assert not np.signbit(losses(logits, [0, 0, 0])).any()


@pytest.mark.parametrize("sort_by", SORT_KEYS)
def test_images_that_a_network_is_all_but_certain_of_are_told_apart(sort_by):
    """Their probabilities are 1, and their losses 0, to the last of the sixteen digits that a computer keeps."""
    leads = np.random.default_rng(0).permutation(np.linspace(2, 90, 500))
    logits, labels = np.zeros((500, 10)), np.zeros(500, int)
    logits[:, 0] = leads
    assert (confidences(softmax(logits)) == 1).mean() > 0.5
    descending = sort_by == "confidence"
    assert cases(logits, labels, sort_by=sort_by, descending=descending).tolist() == np.argsort(-leads).tolist()


def test_rows_of_the_confusion_matrix_are_true_classes():
    assert confusion_matrix(PROBABILITIES, LABELS).tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]


def test_the_confusion_matrix_counts_every_image_once():
    logits, labels = random_logits()
    matrix = confusion_matrix(logits, labels)
    by_hand = np.zeros((10, 10), int)
    for row, label in zip(logits, labels, strict=True):
        by_hand[label, row.argmax()] += 1
    assert (matrix == by_hand).all()
    assert matrix.diagonal().sum() / len(labels) == accuracy(logits, labels)


def test_class_accuracy_is_the_share_of_a_class_that_was_recognised():
    assert class_accuracies(confusion_matrix(PROBABILITIES, LABELS)).tolist() == [1.0, 1.0, 0.5]


def test_a_class_without_images_has_no_accuracy():
    assert math.isnan(class_accuracies(np.array([[3, 1], [0, 0]]))[1])


@pytest.mark.parametrize("correct", [True, False, None])
@pytest.mark.parametrize("true_class", [None, 4])
@pytest.mark.parametrize("predicted_class", [None, 9])
def test_cases_are_exactly_the_images_that_fit(correct, true_class, predicted_class):
    logits, labels = random_logits()
    found = cases(logits, labels, correct, true_class, predicted_class)
    expected = {
        index
        for index, (row, label) in enumerate(zip(logits, labels, strict=True))
        if correct in (None, row.argmax() == label)
        and true_class in (None, label)
        and predicted_class in (None, row.argmax())
    }
    assert set(found.tolist()) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("sort_by", SORT_KEYS)
@pytest.mark.parametrize("descending", [True, False])
def test_cases_come_sorted(sort_by, descending):
    logits, labels = random_logits()
    scores = confidences(softmax(logits)) if sort_by == "confidence" else losses(logits, labels)
    steps = np.diff(scores[cases(logits, labels, sort_by=sort_by, descending=descending)])
    assert (steps <= 0).all() if descending else (steps >= 0).all()


@pytest.mark.parametrize("descending", [True, False])
def test_equally_sure_cases_stay_in_the_order_of_the_test_set(descending):
    logits, labels = np.tile([0.25, 0.75], (20, 1)), np.ones(20, int)
    assert cases(logits, labels, descending=descending).tolist() == list(range(20))


def test_nothing_that_fits_is_an_empty_list_of_indices():
    found = cases(LOGITS, LABELS, true_class=1, predicted_class=2)
    assert found.shape == (0,)
    assert np.issubdtype(found.dtype, np.integer)
