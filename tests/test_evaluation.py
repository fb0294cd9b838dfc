"""Scores and cases against figures worked out by hand or by the definition, image by image."""

import math

import numpy as np
import pytest

from core.evaluation import (
    SORT_KEYS,
    accuracy,
    cases,
    class_accuracies,
    confidences,
    confusion_matrix,
    losses,
    predicted_classes,
)

# Four images of three classes; the third is taken for class 0, and its true class got nothing at all.
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.9, 0.1, 0.0], [0.2, 0.2, 0.6]], "float16")
LABELS = np.array([0, 1, 2, 2], "uint8")


def random_answers(count=500, classes=10, seed=0):
    random = np.random.default_rng(seed)
    return random.dirichlet(np.ones(classes), count).astype("float16"), random.integers(0, classes, count, "uint8")


def test_the_prediction_is_the_most_probable_class_and_its_probability_the_confidence():
    assert predicted_classes(PROBABILITIES).tolist() == [0, 1, 0, 2]
    assert confidences(PROBABILITIES) == pytest.approx([0.7, 0.8, 0.9, 0.6], abs=1e-3)
    assert accuracy(PROBABILITIES, LABELS) == 0.75


def test_the_loss_is_the_cross_entropy_in_nats():
    expected = [-math.log(0.7), -math.log(0.8), -math.log(0.6)]
    assert losses(PROBABILITIES, LABELS)[[0, 1, 3]] == pytest.approx(expected, abs=1e-3)


def test_a_probability_rounded_to_zero_gives_a_large_finite_loss():
    assert losses(PROBABILITIES, LABELS)[2] == pytest.approx(24 * math.log(2))


def test_a_small_probability_in_a_longer_type_counts_in_full():
    for dtype in ("float32", "float64"):
        assert losses(np.array([[1e-12, 1]], dtype), np.array([0])) == pytest.approx([12 * math.log(10)])
    assert np.isfinite(losses(np.array([[0.0, 1.0]]), np.array([0])))


def test_certainty_costs_nothing_and_never_less():
    sure = losses(np.array([[1.0, 0.0]], "float16"), np.array([0]))
    assert sure[0] == 0
    assert not np.signbit(sure[0])


def test_rows_of_the_confusion_matrix_are_true_classes():
    assert confusion_matrix(PROBABILITIES, LABELS).tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]


def test_the_confusion_matrix_counts_every_image_once():
    probabilities, labels = random_answers()
    matrix = confusion_matrix(probabilities, labels)
    by_hand = np.zeros((10, 10), int)
    for row, label in zip(probabilities, labels, strict=True):
        by_hand[label, row.argmax()] += 1
    assert (matrix == by_hand).all()
    assert matrix.diagonal().sum() / len(labels) == accuracy(probabilities, labels)


def test_class_accuracy_is_the_share_of_a_class_that_was_recognised():
    assert class_accuracies(confusion_matrix(PROBABILITIES, LABELS)).tolist() == [1.0, 1.0, 0.5]


def test_a_class_without_images_has_no_accuracy():
    assert math.isnan(class_accuracies(np.array([[3, 1], [0, 0]]))[1])


@pytest.mark.parametrize("correct", [True, False, None])
@pytest.mark.parametrize("true_class", [None, 4])
@pytest.mark.parametrize("predicted_class", [None, 9])
def test_cases_are_exactly_the_images_that_fit(correct, true_class, predicted_class):
    probabilities, labels = random_answers()
    found = cases(probabilities, labels, correct, true_class, predicted_class)
    expected = {
        index
        for index, (row, label) in enumerate(zip(probabilities, labels, strict=True))
        if correct in (None, row.argmax() == label)
        and true_class in (None, label)
        and predicted_class in (None, row.argmax())
    }
    assert set(found.tolist()) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("sort_by", SORT_KEYS)
@pytest.mark.parametrize("descending", [True, False])
def test_cases_come_sorted(sort_by, descending):
    probabilities, labels = random_answers()
    scores = confidences(probabilities) if sort_by == "confidence" else losses(probabilities, labels)
    steps = np.diff(scores[cases(probabilities, labels, sort_by=sort_by, descending=descending)])
    assert (steps <= 0).all() if descending else (steps >= 0).all()


@pytest.mark.parametrize("descending", [True, False])
def test_equally_sure_cases_stay_in_the_order_of_the_test_set(descending):
    probabilities, labels = np.tile([0.25, 0.75], (20, 1)), np.ones(20, int)
    assert cases(probabilities, labels, descending=descending).tolist() == list(range(20))


def test_nothing_that_fits_is_an_empty_list_of_indices():
    found = cases(PROBABILITIES, LABELS, true_class=1, predicted_class=2)
    assert found.shape == (0,)
    assert np.issubdtype(found.dtype, np.integer)
