"""A table of runs whose differences are from one of the runs, in place of the report."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd

from core.datasets.catalogue import DATASETS
from core.results.paired import compare
from core.results.seeds import ids
from core.results.statistics import BETTER, CONFIDENCE, NO_CLEAR_DIFFERENCE, WORSE, Comparison, compare_accuracies

_NONE = Comparison(math.nan, math.nan, math.nan, None)


def against(rows, baseline, right_of):
    """A `core.results.table.table`, or one of `core.results.seeds.together`, with the difference in test accuracy, its
    ends and the verdict from a run in place of the report; none for other datasets, and for the run itself.

    Runs are compared image by image (`core.results.paired`). A row of several seeds is by how many of them got each
    image right, less the baseline; its verdict is whether that mean's interval contains zero.

    Args:
        rows: the table, which has a row of the baseline.
        baseline: the id of the run.
        right_of: the id of a run -> whether it got each test image right, bool (N,), or None where that is not known
            of the epoch in question: then the accuracies are compared as if they were of other images.
    """
    (own,) = (row for row in rows.to_dict("records") if baseline in ids(row["run"]))
    found = [_compared(row, own, baseline, right_of) for row in rows.to_dict("records")]
    names = ("test_accuracy_difference", "test_accuracy_difference_low", "test_accuracy_difference_high", "verdict")
    changed = rows.copy()
    for name, values in zip(names, zip(*found, strict=True), strict=True):
        # As text pandas would turn None into nan.
        changed[name] = pd.Series(values, changed.index, dtype=object if name == "verdict" else float)
    return changed


def _compared(row, own, baseline, right_of):
    runs = ids(row["run"])
    if row["dataset"] != own["dataset"] or runs == [baseline]:
        return _NONE
    right = [right_of(run) for run in (baseline, *runs)]
    if any(images is None or len(images) != len(right[0]) for images in right):
        images = DATASETS[row["dataset"]]["test_examples"]
        return compare_accuracies(row["test_accuracy"], images, own["test_accuracy"], images)
    if len(runs) == 1:
        found = compare(right[1], right[0])
        return Comparison(found.difference, found.low, found.high, found.verdict)
    differences = np.mean(right[1:], axis=0) - right[0]
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * differences.std(ddof=1) / math.sqrt(len(differences))
    mean = float(differences.mean())
    verdict = BETTER if mean > half else WORSE if mean < -half else NO_CLEAR_DIFFERENCE
    return Comparison(mean, mean - half, mean + half, verdict)
