"""What class probabilities on labelled images amount to: scores, success and fail cases, and how sure a score is."""

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


def wilson_interval(successes, trials):
    """The 95 % confidence interval of a share, (low, high) in 0..1.

    Wilson, Probable inference, the law of succession, and statistical inference (1927). Unlike the plain normal
    interval it stays inside 0..1 and is right near the ends, where accuracies on MNIST are.

    Raises:
        ValueError: no trials, or not 0 <= successes <= trials.
    """
    if trials <= 0 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials are not a share.")
    z = 1.959963984540054
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # At the ends the bound is exact; rounding would leave a perfect score's own accuracy outside its interval.
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == trials else centre + half)


def verdict(accuracy, trials, reference):
    """ "better", "equal" or "worse": an accuracy (0..1) measured on so many images, against a reference accuracy.

    "equal" is a difference that chance explains: the reference lies inside the accuracy's 95 % interval.
    """
    low, high = wilson_interval(accuracy * trials, trials)
    if low <= reference <= high:
        return "equal"
    return "better" if reference < low else "worse"
