"""What a network's outputs on labelled images amount to: scores, and successes and errors."""

import math

import numpy as np

SORT_KEYS = ("confidence", "loss")


def predicted_classes(outputs):
    """The class of each image that has the most, (N,) int64, of logits or probabilities (N, classes); of equals the
    first.
    """
    return np.argmax(outputs, axis=1)


def confidences(probabilities):
    """The probability of the predicted class, (N,) float64 in 0..1."""
    return np.max(probabilities, axis=1).astype(np.float64)


def log_odds(logits, classes):
    """The logarithm of how many times more probable one class of each image is than all others together, (N,) float64.

    It tells images apart whose probabilities are all 1 to the last digit.

    Args:
        logits: (N, classes).
        classes: (N,), the class of each image that is asked about.
    """
    rows, others = np.arange(len(classes)), np.array(logits, np.float64)
    chosen = others[rows, classes]
    others[rows, classes] = -np.inf
    most = others.max(axis=1)
    return chosen - most - np.log(np.exp(others - most[:, None]).sum(axis=1))


def losses(logits, labels):
    """Cross-entropy of each image in nats, (N,) float64: -log of the probability of its true class."""
    return np.logaddexp(0.0, -log_odds(logits, labels))


def accuracy(outputs, labels):
    """The share of images whose predicted class is the true one, 0..1, of logits or probabilities; nan of no images."""
    return float(np.mean(predicted_classes(outputs) == labels)) if len(labels) else math.nan


def confusion_matrix(outputs, labels):
    """How many images of each true class (row) were given each class (column), of logits or probabilities:
    (classes, classes) int64.
    """
    classes = np.shape(outputs)[1]
    cells = np.asarray(labels, np.int64) * classes + predicted_classes(outputs)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def class_accuracies(matrix):
    """The share of each class's images that were given it (its recall), (classes,) in 0..1; nan of no images."""
    totals = matrix.sum(axis=1)
    return np.divide(matrix.diagonal(), totals, out=np.full(len(matrix), math.nan), where=totals > 0)


def cases(
    logits,
    labels,
    correct=None,
    true_class=None,
    predicted_class=None,
    sort_by="confidence",
    descending=True,
):
    """Which images fit, sorted: indices into the test set, (M,) int64; equals stay in the test set's order.

    Args:
        logits: (N, classes).
        labels: (N,) true classes.
        correct: True for successes only, False for errors only, None for all.
        true_class, predicted_class: a class number to keep only its images, or None.
        sort_by: one of SORT_KEYS: "confidence" is the probability of the predicted class, "loss" the cross-entropy.
            Both are compared as log-odds, which go on where probabilities come to 1 and losses to 0.
    """
    predictions = predicted_classes(logits)
    scores = log_odds(logits, predictions) if sort_by == "confidence" else -log_odds(logits, labels)
    return in_order(fitting(predictions, labels, correct, true_class, predicted_class), scores, descending)


def fitting(classes, labels, correct=None, true_class=None, predicted_class=None):
    """Which images fit, (N,) bool; see `cases`.

    Args:
        classes, labels: (N,), the predicted and the true ones.
    """
    classes, labels = np.asarray(classes), np.asarray(labels)
    wanted = np.ones(len(labels), bool)
    if correct is not None:
        wanted &= (classes == labels) == correct
    if true_class is not None:
        wanted &= labels == true_class
    if predicted_class is not None:
        wanted &= classes == predicted_class
    return wanted


def in_order(wanted, scores, descending=True):
    """The numbers of the wanted images, sorted by their scores: (M,) int64; equals stay in the test set's order.

    Args:
        wanted: (N,) bool.
        scores: (N,).
    """
    found = np.flatnonzero(wanted)
    return found[np.argsort(-scores[found] if descending else scores[found], kind="stable")]
