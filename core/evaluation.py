"""What class probabilities on labelled images amount to: scores, and success and fail cases."""

import math

import numpy as np

SORT_KEYS = ("confidence", "loss")


def softmax(logits):
    """Probabilities (N, classes) float64 of logits (N, classes)."""
    powers = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def predicted_classes(probabilities):
    """The most probable class of each image, (N,) int64, from probabilities (N, classes); of equals the first."""
    return np.argmax(probabilities, axis=1)


def confidences(probabilities):
    """The probability of the predicted class, (N,) float64 in 0..1."""
    return np.max(probabilities, axis=1).astype(np.float64)


def losses(probabilities, labels):
    """Cross-entropy of each image in nats, (N,) float64: -log of the probability of its true class.

    A probability of zero counts as the smallest that its type can tell from zero, so no loss is infinite: in float16,
    in which runs keep their probabilities, none is above 16.64.
    """
    of_truth = np.asarray(probabilities)[np.arange(len(labels)), labels]
    # float16 goes on below its `tiny`, in subnormal numbers that small probabilities need; longer types need them not.
    smallest = 2.0**-24 if of_truth.dtype == np.float16 else np.finfo(of_truth.dtype).tiny
    return 0.0 - np.log(np.clip(of_truth.astype(np.float64), smallest, 1.0))


def accuracy(probabilities, labels):
    """The share of images whose predicted class is the true one, 0..1; nan of no images."""
    return float(np.mean(predicted_classes(probabilities) == labels)) if len(labels) else math.nan


def confusion_matrix(probabilities, labels):
    """How many images of each true class (row) were given each class (column): (classes, classes) int64."""
    classes = np.shape(probabilities)[1]
    cells = np.asarray(labels, np.int64) * classes + predicted_classes(probabilities)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def class_accuracies(matrix):
    """The share of each class's images that were given it (its recall), (classes,) in 0..1; nan of no images."""
    totals = matrix.sum(axis=1)
    return np.divide(matrix.diagonal(), totals, out=np.full(len(matrix), math.nan), where=totals > 0)


def cases(
    probabilities,
    labels,
    correct=None,
    true_class=None,
    predicted_class=None,
    sort_by="confidence",
    descending=True,
):
    """Which images fit, sorted: indices into the test set, (M,) int64; equals stay in the test set's order.

    Args:
        probabilities: (N, classes).
        labels: (N,) true classes.
        correct: True for successes only, False for fails only, None for all.
        true_class, predicted_class: a class number to keep only its images, or None.
        sort_by: one of SORT_KEYS; "loss" is the cross-entropy.
    """
    labels = np.asarray(labels)
    predictions = predicted_classes(probabilities)
    wanted = np.ones(len(labels), bool)
    if correct is not None:
        wanted &= (predictions == labels) == correct
    if true_class is not None:
        wanted &= labels == true_class
    if predicted_class is not None:
        wanted &= predictions == predicted_class
    scores = {"confidence": lambda: confidences(probabilities), "loss": lambda: losses(probabilities, labels)}[
        sort_by
    ]()
    found = np.flatnonzero(wanted)
    return found[np.argsort(-scores[found] if descending else scores[found], kind="stable")]
