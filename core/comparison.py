"""Runs as rows of a table beside the report's figures, and which run speaks for each pair."""

import functools
import math
from collections import Counter

import pandas as pd

from core.config import RunConfig
from core.datasets import DATASETS
from core.models import MODELS
from core.report import REPORT, TEST_IMAGES
from core.results.statistics import compare_accuracies, joint_verdicts, wilson_interval
from core.runs import RunError
from core.schema import SCORES

_CONFIG = ("model", "dataset", "recipe", "seed")
_RANKING = ("dataset", "train_images", "validation_images", "validation_accuracy")
_TOTALS = ("parameters", "epochs", "seconds", "total_seconds")
COLUMNS = (
    *_CONFIG,
    "epoch",
    *SCORES,
    *(f"report_{score}" for score in SCORES),
    *(f"{score}_difference" for score in SCORES),
    "test_accuracy_low",
    "test_accuracy_high",
    "test_accuracy_difference_low",
    "test_accuracy_difference_high",
    "verdict",
    "train_images",
    "validation_images",
    *_TOTALS,
    "report_epochs",
    "report_seconds",
    "run",
    "shipped",
)


def table(runs, which="best"):
    """One row for each evaluated run, and one sentence for each run whose files are damaged.

    Args:
        runs: an iterable of core.runs.Run; of two runs of a pair the first comes first.
        which: "best" for the weights of the epoch that the run kept as its best, "last" for the last epoch's.
            The report mixes the two: its train and validation figures are of the last epoch, its test figures of
            the best one.

    Returns:
        (a DataFrame with COLUMNS, a list of sentences). `epoch` is the one (from 1) whose weights were measured.
        Accuracies are shares in 0..1, losses in nats; differences are ours less the report's, in the same units.
        test_accuracy_low and _high are the ends of the accuracy's own 95 % interval,
        test_accuracy_difference_low and _high those of its difference from the report's, from which the verdict
        follows: one of core.results.statistics.VERDICTS, for this run alone. train_images and validation_images count
        the images that were trained on and held back. `seconds` is the time that the epochs took, total_seconds the
        time from start to end, nan in runs that did not record it, and report_seconds the report's epochs times its
        seconds an epoch. Where the report has no figures they are nan, as are the differences, and the verdict is
        None. The rows of a dataset stand together.
    """
    rows, problems = [], []
    for run in runs:
        try:
            rows.append(row_of(run, which))
        except RunError as error:
            problems.append(str(error))
    return as_table(rows), problems


def row_of(run, which="best"):
    """The row of one run, for `as_table`; None where it has not been evaluated. Raises RunError."""
    metrics = run.read_metrics()
    return None if metrics is None else _row(run, run.read_config(), metrics, which)


def as_table(rows):
    """The DataFrame that `table` describes, of what `row_of` returned."""
    datasets, models = list(DATASETS), list(MODELS)
    rows = [row for row in rows if row is not None]
    rows.sort(key=lambda row: (datasets.index(row["dataset"]), models.index(row["model"])))
    # As text pandas would turn the None of a pair that the report does not have into nan.
    verdicts = pd.Series([row["verdict"] for row in rows], dtype=object)
    return pd.DataFrame(rows, columns=COLUMNS).assign(verdict=verdicts)


def report_table():
    """The report's own rows: a DataFrame with model, dataset, SCORES, epochs and seconds as in `table`."""
    rows = [
        {"model": model, "dataset": dataset} | figures | {"seconds": _reports_seconds(figures)}
        for (model, dataset), figures in REPORT.items()
    ]
    columns = ("model", "dataset", *SCORES, "epochs", "seconds")
    return pd.DataFrame(rows, columns=columns).astype({"epochs": float})


def best_runs(rows):
    """(model, dataset) -> the row, a dict with COLUMNS, of the run that speaks for the pair.

    It is the one with the highest validation accuracy; of equals the first. The test set chooses nothing: a best
    test accuracy among many runs would flatter. Only runs that held back the same images are ranked against one
    another: those on the full split, which is all training images less the share that a RunConfig holds back unless
    told otherwise. Where a pair has none of these, the split with the most images speaks, and of several such the one
    that validates on most of them, as that ranks with the least noise.

    Args:
        rows: a `table` of the best epochs.
    """
    best = {}
    pairs, ranks = list(zip(rows["model"], rows["dataset"], strict=True)), list(map(_rank, *map(rows.get, _RANKING)))
    for number, pair in enumerate(pairs):
        if pair not in best or ranks[number] > ranks[best[pair]]:
            best[pair] = number
    return dict(zip(best, rows.iloc[list(best.values())].to_dict("records"), strict=True))


def _rank(dataset, train_images, validation_images, validation_accuracy):
    split = train_images, validation_images
    return split == _full_split(dataset), sum(split), validation_images, validation_accuracy


@functools.cache
def _full_split(dataset):
    return RunConfig().split_sizes(DATASETS[dataset]["train_examples"])


def count_verdicts(best):
    """How many pairs have each of core.results.statistics.VERDICTS when they are judged together: a Counter.

    A pair's own verdict can say more: see `core.results.statistics.joint_verdicts`.

    Args:
        best: what `best_runs` returns.
    """
    return Counter(joint_verdicts([_measured(row) for row in best.values() if row["verdict"]]))


def _measured(row):
    """What `compare_accuracies` takes."""
    images = DATASETS[row["dataset"]]["test_examples"]
    return row["test_accuracy"], images, row["report_test_accuracy"], TEST_IMAGES


def _row(run, config, metrics, which):
    figures = REPORT.get((config.model, config.dataset), {})
    row = {name: getattr(config, name) for name in _CONFIG}
    row |= {"epoch": int(metrics[which]["epoch"])} | {name: float(metrics[which][name]) for name in SCORES}
    row |= {f"report_{name}": figures.get(name, math.nan) for name in SCORES}
    row |= {f"{name}_difference": row[name] - row[f"report_{name}"] for name in SCORES}
    images = DATASETS[config.dataset]["test_examples"]
    row["test_accuracy_low"], row["test_accuracy_high"] = wilson_interval(row["test_accuracy"] * images, images)
    compared = compare_accuracies(*_measured(row))
    row |= {"test_accuracy_difference_low": compared.low, "test_accuracy_difference_high": compared.high}
    row["verdict"] = compared.verdict
    split = config.split_sizes(DATASETS[config.dataset]["train_examples"])
    row["train_images"], row["validation_images"] = split
    row |= {name: float(metrics.get(name, math.nan)) for name in _TOTALS}
    row |= {"report_epochs": float(figures.get("epochs") or math.nan), "report_seconds": _reports_seconds(figures)}
    return row | {"run": run.id, "shipped": run.is_shipped}


def _reports_seconds(figures):
    """Training time: the epochs times the seconds an epoch."""
    return float((figures.get("epochs") or math.nan) * (figures.get("seconds_per_epoch") or math.nan))
