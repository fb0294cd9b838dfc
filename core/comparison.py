"""Runs as rows of a table beside the report's figures, and which run speaks for each pair."""

import math

import pandas as pd

from core.datasets import DATASETS
from core.evaluation import verdict, wilson_interval
from core.models import MODELS
from core.report import REPORT
from core.run_checks import SCORES
from core.runs import RunError

_CONFIG = ("model", "dataset", "recipe", "seed")
_TOTALS = ("parameters", "epochs", "seconds")
COLUMNS = (
    *_CONFIG,
    "epoch",
    *SCORES,
    *(f"report_{score}" for score in SCORES),
    *(f"{score}_difference" for score in SCORES),
    "test_accuracy_low",
    "test_accuracy_high",
    "verdict",
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
        (a DataFrame with COLUMNS, a list of sentences). Accuracies are shares in 0..1, losses in nats, `seconds`
        is training time (the report's: its epochs times its seconds an epoch), `epoch` is the one (from 1) whose
        weights were measured, test_accuracy_low and _high are the 95 % interval. Differences are ours less the
        report's, in percentage points for accuracies. Report figures are nan, and the verdict is None, where the
        report has none. The rows of a dataset stand together.
    """
    rows, problems = [], []
    for run in runs:
        try:
            metrics = run.read_metrics()
            if metrics is not None:
                rows.append(_row(run, run.read_config(), metrics, which))
        except RunError as error:
            problems.append(str(error))
    datasets, models = list(DATASETS), list(MODELS)
    rows.sort(key=lambda row: (datasets.index(row["dataset"]), models.index(row["model"])))
    return pd.DataFrame(rows, columns=COLUMNS), problems


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
    test accuracy among many runs would flatter. Runs that hold back different validation images are compared all
    the same.

    Args:
        rows: a `table` of the best epochs.
    """
    ranked = rows.sort_values("validation_accuracy", ascending=False, kind="stable")
    chosen = ranked.drop_duplicates(["model", "dataset"])
    return {(row["model"], row["dataset"]): row for row in chosen.to_dict("records")}


def _row(run, config, metrics, which):
    ours = {name: float(metrics[which][name]) for name in SCORES}
    pair = (config.model, config.dataset)
    report = {name: REPORT.get(pair, {}).get(name, math.nan) for name in SCORES}
    images = DATASETS[config.dataset]["test_examples"]
    low, high = wilson_interval(ours["test_accuracy"] * images, images)
    return (
        {name: getattr(config, name) for name in _CONFIG}
        | {"epoch": int(metrics[which]["epoch"])}
        | ours
        | {f"report_{name}": figure for name, figure in report.items()}
        | {f"{name}_difference": _scale(name) * (ours[name] - report[name]) for name in SCORES}
        | {
            "test_accuracy_low": low,
            "test_accuracy_high": high,
            "verdict": verdict(ours["test_accuracy"], images, report["test_accuracy"]) if pair in REPORT else None,
            "report_epochs": float(REPORT.get(pair, {}).get("epochs") or math.nan),
            "report_seconds": _reports_seconds(REPORT.get(pair, {})),
            "run": run.id,
            "shipped": run.is_shipped,
        }
        | {name: float(metrics[name]) for name in _TOTALS}
    )


def _reports_seconds(figures):
    """Training time: the epochs times the seconds an epoch."""
    return float((figures.get("epochs") or math.nan) * (figures.get("seconds_per_epoch") or math.nan))


def _scale(score):
    return 100 if score.endswith("accuracy") else 1
