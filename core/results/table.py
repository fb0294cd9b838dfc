"""Runs as rows of a table beside the report's figures, and which run speaks for each pair."""

import dataclasses
import functools
import math
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from core.config.recipes import overrides
from core.config.run_config import RunConfig, in_words
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.results.reference import REPORT, TEST_IMAGES
from core.results.statistics import Comparison, compare_accuracies, joint_verdicts, wilson_interval
from core.runs.provenance import machines
from core.runs.run import Run, RunError
from core.runs.schema import SCORES

# Kind of a column -> what its heading in a CSV file ends with, and the factor from what is in the table.
_UNITS = {
    "accuracy": ("_percent", 100),
    "points": ("_points", 100),
    "loss": ("_nats", 1),
    "loss_difference": ("_nats", 1),
}
# Whose weights the figures are of -> the parts of the metrics that training and validation, and test, are taken from.
CHECKPOINTS = {"best": ("best", "best"), "last": ("last", "last"), "published": ("last", "best")}
_RANKING = ("dataset", "train_images", "validation_images", "validation_accuracy")


class Facts(NamedTuple):
    """What a column's function gets of one run.

    Attributes:
        run, record, config, metrics: the Run, its config.json, the RunConfig in it, and its metrics.
        scores: the figures of the epoch, or epochs, that were asked for.
        report: what the report says of the pair: name -> figure, with nothing in it where it says nothing.
        compared: the run's test accuracy against the report's.
        note: the name and the note that people gave it.
    """

    run: Run
    record: dict
    config: RunConfig
    metrics: dict
    scores: dict
    report: dict
    compared: Comparison
    note: dict


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of the table: to add a statistic, add an entry to COLUMNS.

    Attributes:
        group, label: its heading in two lines; the group may be empty.
        kind: how its values are written, a key of `pages.parts.run.table.FORMATS`: "text", "count", "number",
            "accuracy" (a share in 0..1), "points" (a difference of two shares), "loss" (in nats), "loss_difference",
            "seconds", "network", "dataset", "recipe", "verdict" or "origin".
        value: a function of Facts.
        help: a sentence for people.
        beside_report: whether it is shown only where the report's figures stand beside ours.
    """

    group: str
    label: str
    kind: str
    value: Callable
    help: str | None = None
    beside_report: bool = False


def _score(part, measure):
    """The entries of one score, of the report's, and of the difference between them: name -> Column."""
    name = f"{part}_{measure}"

    def ours(facts):
        return float(facts.scores[name])

    def theirs(facts):
        return float(facts.report.get(name, math.nan))

    group, kind = part.capitalize(), "points" if measure == "accuracy" else "loss_difference"
    return {
        name: Column(group, measure, measure, ours),
        f"report_{name}": Column(group, f"{measure}, report", measure, theirs, beside_report=True),
        f"{name}_difference": Column(
            group, f"{measure}, difference", kind, lambda facts: ours(facts) - theirs(facts), beside_report=True
        ),
    }


def _interval(facts):
    images = DATASETS[facts.config.dataset]["test_examples"]
    return wilson_interval(facts.scores["test_accuracy"] * images, images)


def _split(facts):
    return facts.config.split_sizes(DATASETS[facts.config.dataset]["train_examples"])


def _metric(name):
    return lambda facts: float(facts.metrics.get(name, math.nan))


# The heading over the columns of the difference; `core.results.baseline` makes it one from another run.
DIFFERENCE = "Difference from the report"
COLUMNS = {
    "network": Column("", "Network", "network", lambda facts: facts.config.network),
    "dataset": Column("", "Dataset", "dataset", lambda facts: facts.config.dataset),
    "test_accuracy": Column("Test", "accuracy", "accuracy", lambda facts: float(facts.scores["test_accuracy"])),
    "verdict": Column(
        "",
        "Verdict",
        "verdict",
        lambda facts: facts.compared.verdict,
        "Better or worse where the interval of the difference does not contain zero.",
    ),
    "recipe": Column("", "Recipe", "recipe", lambda facts: facts.config.recipe),
    "changed_settings": Column(
        "",
        "Changed settings",
        "text",
        lambda facts: in_words({name: value for name, value in overrides(facts.config).items() if name != "seed"}),
        "In which settings, but for the seed, the run departs from its recipe; empty where in none.",
    ),
    "name": Column("", "Name", "text", lambda facts: facts.note["name"], "What people call the run."),
    "report_test_accuracy": Column(
        "Test",
        "accuracy, report",
        "accuracy",
        lambda facts: float(facts.report.get("test_accuracy", math.nan)),
        beside_report=True,
    ),
    "test_accuracy_low": Column(
        "Test", "95 % from", "accuracy", lambda facts: _interval(facts)[0], "Where the accuracy's 95 % interval begins."
    ),
    "test_accuracy_high": Column(
        "Test", "to", "accuracy", lambda facts: _interval(facts)[1], "Where the accuracy's 95 % interval ends."
    ),
    "seeds": Column(
        "Seeds", "runs", "count", lambda facts: 1, "How many runs this row is of, which differ in nothing but the seed."
    ),
    "test_accuracy_seeds_low": Column(
        "Seeds",
        "95 % from",
        "accuracy",
        lambda facts: math.nan,
        "Where the 95 % interval of the mean test accuracy over seeds begins: how far other seeds might move it.",
    ),
    "test_accuracy_seeds_high": Column(
        "Seeds", "95 % to", "accuracy", lambda facts: math.nan, "Where the 95 % interval of the mean over seeds ends."
    ),
    "test_accuracy_difference": Column(
        DIFFERENCE,
        "points",
        "points",
        lambda facts: facts.compared.difference,
        "Our test accuracy minus the report's, in points: 1 point is 1 % of the test images.",
    ),
    "test_accuracy_difference_low": Column(
        DIFFERENCE,
        "95 % from",
        "points",
        lambda facts: facts.compared.low,
        "Where the 95 % interval of the difference begins.",
    ),
    "test_accuracy_difference_high": Column(
        DIFFERENCE,
        "to",
        "points",
        lambda facts: facts.compared.high,
        "Where the 95 % interval of the difference ends.",
    ),
    **_score("test", "loss"),
    **_score("validation", "accuracy"),
    **_score("validation", "loss"),
    **_score("train", "accuracy"),
    **_score("train", "loss"),
    "train_images": Column("Images", "training", "count", lambda facts: _split(facts)[0]),
    "validation_images": Column(
        "Images",
        "validation",
        "count",
        lambda facts: _split(facts)[1],
        "Held back from the front of the training images. Validation accuracies can be compared between runs with as "
        "many of them.",
    ),
    "epoch": Column("Epochs", "tested", "number", lambda facts: int(facts.scores["epoch"])),
    "epochs": Column("Epochs", "trained", "number", _metric("epochs")),
    "report_epochs": Column("Epochs", "report", "number", lambda facts: float(facts.report.get("epochs") or math.nan)),
    "parameters": Column("", "Parameters", "count", _metric("parameters")),
    "seconds": Column(
        "Time", "Training time", "seconds", _metric("seconds"), "The time that the epochs took, with their validation."
    ),
    "total_seconds": Column(
        "Time",
        "In all",
        "seconds",
        _metric("total_seconds"),
        "From start to end: also starting up, predictions on test images, evaluation and saving. Empty where it was "
        "not recorded.",
    ),
    "report_seconds": Column(
        "Time",
        "In the report",
        "seconds",
        lambda facts: _reports_seconds(facts.report),
        "The report's epochs times the seconds an epoch that its logs show.",
    ),
    "seed": Column(
        "", "Seed", "number", lambda facts: facts.config.seed, "Empty for a row of several runs with a seed each."
    ),
    "trained_on": Column(
        "",
        "Trained on",
        "text",
        lambda facts: machines(facts.record),
        "The GPUs or processors that trained it, one after another; empty where they were not recorded.",
    ),
    "note": Column("", "Note", "text", lambda facts: facts.note["note"], "What people noted of the run."),
    "run": Column("", "Run", "text", lambda facts: facts.run.id),
    "included": Column("", "Made", "origin", lambda facts: facts.run.is_shipped),
}


def table(runs, which="best"):
    """One row for each evaluated run, and one sentence for each run whose files are damaged.

    Args:
        runs: an iterable of core.runs.run.Run; of two runs of a pair the first comes first.
        which: one of CHECKPOINTS: "best" for the weights of the epoch that the run kept as its best, "last" for the
            last epoch's, "published" for the report's mixture: its training and validation figures are of the last
            epoch, its test figures of the best one.

    Returns:
        (a DataFrame with COLUMNS, a list of sentences). `epoch` is the one (from 1) whose weights were measured;
        changed_settings and trained_on are words, "" where there is nothing to say.
        Accuracies are shares in 0..1, losses in nats; differences are ours minus the report's, in the same units.
        test_accuracy_low and _high are the ends of the accuracy's own 95 % interval,
        test_accuracy_difference_low and _high those of its difference from the report's, from which the verdict
        follows: one of core.results.statistics.VERDICTS, for this run alone. seeds is 1, and the ends of the interval
        over seeds are nan: see `core.results.seeds.together`. train_images and validation_images count
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
    if metrics is None:
        return None
    record = run.read_record()
    config = RunConfig.from_dict(record["config"])
    learned, tested = (metrics[name] for name in CHECKPOINTS[which])
    scores = learned | {name: value for name, value in tested.items() if not name.startswith(("train_", "validation_"))}
    report = REPORT.get((config.network, config.dataset), {})
    compared = compare_accuracies(
        *_measured(config.dataset, scores["test_accuracy"], report.get("test_accuracy", math.nan))
    )
    facts = Facts(run, record, config, metrics, scores, report, compared, _note(run))
    return {name: column.value(facts) for name, column in COLUMNS.items()}


def _note(run):
    try:
        return run.read_note()
    except RunError:
        return {"name": "", "note": ""}  # Among the damaged files; the figures are none the worse.


def as_table(rows):
    """The DataFrame that `table` describes, of what `row_of` returned."""
    datasets, networks = list(DATASETS), list(NETWORKS)
    rows = [row for row in rows if row is not None]

    def position(row):
        # What comes with the project as evidence for claims was trained on part of the images, and stands last.
        images = row["train_images"] + row["validation_images"]
        is_evidence = bool(row["included"]) and images < DATASETS[row["dataset"]]["train_examples"]
        return datasets.index(row["dataset"]), networks.index(row["network"]), is_evidence

    rows.sort(key=position)
    # As text pandas would turn the None of a pair that the report does not have into nan.
    verdicts = pd.Series([row["verdict"] for row in rows], dtype=object)
    return pd.DataFrame(rows, columns=list(COLUMNS)).assign(verdict=verdicts)


def as_csv(rows, names):
    """Columns of a `table` as the text of a CSV file, with the units of the page, named in its headings: accuracies in
    percent (..._percent) and their differences in points (..._points), losses and their differences in nats (..._nats),
    all with full precision.
    """
    written = {}
    for name in names:
        unit, factor = _UNITS.get(COLUMNS[name].kind, ("", 1))
        # A hundred times a share would otherwise end in digits that only the computer's arithmetic put there.
        written[name + unit] = rows[name] if factor == 1 else (factor * rows[name]).round(10)
    return pd.DataFrame(written).to_csv(index=False)


def report_table():
    """The report's own rows: a DataFrame with network, dataset, SCORES, epochs and seconds as in `table`."""
    rows = [
        {"network": network, "dataset": dataset} | figures | {"seconds": _reports_seconds(figures)}
        for (network, dataset), figures in REPORT.items()
    ]
    columns = ("network", "dataset", *SCORES, "epochs", "seconds")
    return pd.DataFrame(rows, columns=columns).astype({"epochs": float})


def best_runs(rows):
    """(network, dataset) -> the row, a dict with COLUMNS, of the run that speaks for the pair.

    It is the one with the highest validation accuracy; of equals the first. The test set chooses nothing: a best
    test accuracy among many runs would flatter. Only runs that held back the same images are ranked against one
    another: those on the full split, which is all training images less the share that a RunConfig holds back unless
    told otherwise. Where a pair has none of these, the split with the most images speaks, and of several such the one
    that validates on most of them, as that ranks with the least noise.

    Args:
        rows: a `table` of the best epochs.
    """
    best = {}
    pairs, ranks = list(zip(rows["network"], rows["dataset"], strict=True)), list(map(_rank, *map(rows.get, _RANKING)))
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
    return Counter(
        joint_verdicts(
            [
                _measured(row["dataset"], row["test_accuracy"], row["report_test_accuracy"])
                for row in best.values()
                if row["verdict"]
            ]
        )
    )


def _measured(dataset, ours, theirs):
    """What `compare_accuracies` takes."""
    return ours, DATASETS[dataset]["test_examples"], theirs, TEST_IMAGES


def _reports_seconds(figures):
    """Training time: the epochs times the seconds an epoch."""
    return float((figures.get("epochs") or math.nan) * (figures.get("seconds_per_epoch") or math.nan))
