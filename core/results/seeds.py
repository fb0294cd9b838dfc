"""Runs that differ in nothing but the seed, taken together: one row, one curve, and how far their mean is known."""

import math

import pandas as pd

from core.datasets.catalogue import DATASETS
from core.results.reference import REPORT, TEST_IMAGES
from core.results.statistics import compare_accuracies, mean_interval, wilson_interval
from core.results.table import COLUMNS, as_table
from core.runs.schema import HISTORY_COLUMNS

# What runs have in common that are one row. Their settings are the recipe's but for the changed ones.
_ALIKE = ["network", "dataset", "recipe", "changed_settings", "train_images", "validation_images"]
# Columns whose values are put side by side where they differ; of other texts there is none for several runs.
_JOINED = {"run": " ", "trained_on": "; ", "name": "; ", "note": "; "}
_AVERAGED = {"accuracy", "points", "loss", "loss_difference", "seconds", "number", "count"}


def together(rows):
    """A `core.results.table.table` with one row for all runs that differ in nothing but the seed.

    Their figures are means. `seeds` is how many runs a row has; test_accuracy_seeds_low and _high are the ends of the
    95 % interval of the mean test accuracy over seeds, nan for one run. The other intervals and the verdict are those
    of the mean accuracy on the test images, which are the same for all of them. `run` has the ids, apart by a space,
    and `seed` is nan.
    """
    # In the order in which they come first, as the table has them.
    groups = rows.groupby(_kinds(rows), sort=False, dropna=False).indices.values()
    records = rows.to_dict("records")
    return as_table([_one_row([records[position] for position in group]) for group in groups])


def _kinds(rows):
    """What runs of one row have in common, a list of columns. Of several with the same seed, each is of another row:
    they are one draw, not several.
    """
    repetition = rows.groupby([*_ALIKE, "seed"], dropna=False).cumcount().rename("repetition")
    return [*(rows[name] for name in _ALIKE), repetition]


def ids(run):
    """The ids of the runs of one row of `together`, from its `run`: a list."""
    return run.split()


def are_several(rows):
    """Whether any runs of a `table` differ in nothing but the seed."""
    return bool(pd.concat(_kinds(rows), axis=1).duplicated().any())


def mean_history(histories):
    """The mean of several runs' histories (DataFrames as `Run.read_history` gives them), over the epochs that all of
    them have; with the lowest and the highest value of each column as <column>_low and <column>_high.
    """
    epochs = min(map(len, histories))
    cut = [history.iloc[:epochs].reset_index(drop=True) for history in histories]
    found = {}
    for name in HISTORY_COLUMNS:
        values = pd.concat([history[name] for history in cut], axis=1)
        found |= {name: values.mean(axis=1), f"{name}_low": values.min(axis=1), f"{name}_high": values.max(axis=1)}
    return pd.DataFrame(found).astype({"epoch": int})


def _one_row(group):
    if len(group) == 1:
        return group[0]
    row = {name: _one_value(name, [each[name] for each in group]) for name in COLUMNS}
    accuracy, images = row["test_accuracy"], DATASETS[row["dataset"]]["test_examples"]
    report = REPORT.get((row["network"], row["dataset"]), {}).get("test_accuracy", math.nan)
    compared = compare_accuracies(accuracy, images, report, TEST_IMAGES)
    _, seeds_low, seeds_high = mean_interval([each["test_accuracy"] for each in group])
    low, high = wilson_interval(accuracy * images, images)
    return row | {
        "test_accuracy_low": low,
        "test_accuracy_high": high,
        "test_accuracy_difference_low": compared.low,
        "test_accuracy_difference_high": compared.high,
        "verdict": compared.verdict,
        "seeds": len(group),
        "seed": math.nan,
        "test_accuracy_seeds_low": max(seeds_low, 0.0),
        "test_accuracy_seeds_high": min(seeds_high, 1.0),
    }


def _one_value(name, values):
    if name in _JOINED:
        return _JOINED[name].join(dict.fromkeys(filter(None, values)))
    if all(value == values[0] for value in values):
        return values[0]
    kind = COLUMNS[name].kind
    if kind not in _AVERAGED:
        return None
    mean = sum(values) / len(values)
    return round(mean, 1) if kind in ("number", "count") else mean
