"""The table of runs: what its columns are called and how each is written. The figures come from `core.comparison`."""

import pandas as pd
import streamlit as st

from core.comparison import SCORES
from core.datasets import DATASETS
from core.models import MODELS
from core.recipes import RECIPES
from pages.parts.scorecard import VERDICTS

# Longer tables scroll.
_ALL_SHOWN = 18
_SHARE = {"format": "%.2f %%"}
_POINTS = {"format": "%+.2f"}
_LOSS = {"format": "%.4f"}
# Wide enough for hours: it would otherwise be as narrow as a first row without a time.
_TIME = {"format": "compact", "width": 100}
_MADE = {True: "shipped with the project", False: "here"}
_LABELS = {"model": MODELS, "dataset": DATASETS, "recipe": RECIPES}
_PAIR = {"model": ("", "Network", {"pinned": True}), "dataset": ("", "Dataset", {"pinned": True})}
_INTERVAL = {
    "test_accuracy_low": ("Test accuracy, 95 %", "from", _SHARE),
    "test_accuracy_high": ("Test accuracy, 95 %", "to", _SHARE),
}
_DIFFERENCE = {
    "test_accuracy_difference": ("Difference from the report", "points", _POINTS),
    "test_accuracy_difference_low": ("Difference from the report", "95 % from", _POINTS),
    "test_accuracy_difference_high": ("Difference from the report", "to", _POINTS),
    "verdict": ("", "Verdict", {}),
}
_FACTS = {
    "train_images": ("Images", "training", {"format": "localized"}),
    "validation_images": ("Images", "validation", {"format": "localized"}),
    "epoch": ("Epochs", "measured", {}),
    "epochs": ("Epochs", "trained", {}),
    "report_epochs": ("Epochs", "report", {}),
    "parameters": ("", "Parameters", {"format": "localized"}),
    "seconds": ("Time", "Training time", _TIME),
    "total_seconds": ("Time", "In all", _TIME),
    "report_seconds": ("Time", "In the report", _TIME),
    "seed": ("", "Seed", {"format": "plain"}),
    "run": ("", "Run", {}),
    "shipped": ("", "Made", {}),
}
_HELP = {
    "test_accuracy_difference": "Our test accuracy less the report's, in points: 1 point is 1 % of the test images.",
    "test_accuracy_difference_low": "Where the 95 % interval of the difference begins.",
    "test_accuracy_difference_high": "Where the 95 % interval of the difference ends.",
    "verdict": "Better or worse where the interval of the difference does not contain zero.",
    "validation_images": "Held back from the front of the training images. Validation accuracies can be compared "
    "between runs with as many of them.",
    "seconds": "The time that the epochs took, with their validation.",
    "total_seconds": "From start to end: also starting up, predictions on test images, evaluation and saving. Empty "
    "where it was not recorded.",
    "report_seconds": "The report's epochs times the seconds an epoch that its logs show.",
}


def columns_of_runs(report):
    """Column of `core.comparison.table` -> (group, label, settings).

    Without the report's figures the scores stand as in its Table 4.2; with them, test scores come first.
    """
    shown = _PAIR | {"recipe": ("", "Recipe", {})}
    if not report:
        return shown | {score: _plain(score) for score in SCORES} | _INTERVAL | _DIFFERENCE | _FACTS
    shown |= _beside_report("test_accuracy") | _DIFFERENCE | _INTERVAL
    for score in SCORES:
        if score not in shown:
            shown |= _beside_report(score)
    return shown | _FACTS


def columns_of_report():
    """The same for `core.comparison.report_table`."""
    return (
        _PAIR
        | {score: _plain(score) for score in SCORES}
        | {"epochs": ("", "Epochs", {}), "seconds": ("", "Training time", _TIME)}
    )


def draw_table(rows, columns, **options):
    """Draws a table of these columns; `options` go to st.dataframe."""
    written = rows[list(columns)].copy()
    for name in _LABELS.keys() & columns.keys():
        written[name] = [_LABELS[name][value]["label"] for value in written[name]]
    if "verdict" in columns:
        written["verdict"] = [VERDICTS[word][0] if word else "" for word in written["verdict"]]
    if "shipped" in columns:
        written["shipped"] = [_MADE[shipped] for shipped in written["shipped"]]
    for name, (_, _, settings) in columns.items():
        if settings in (_SHARE, _POINTS):
            written[name] *= 100
        if settings is _TIME:
            written[name] = pd.to_timedelta(written[name].round(), unit="s")
    numbers = [pd.api.types.is_numeric_dtype(kind) or kind.kind == "m" for kind in written.dtypes]
    written.columns = pd.MultiIndex.from_tuples([(group, label) for group, label, _ in columns.values()])
    # Position 0 is the index, which is hidden; columns with two names cannot be configured by name.
    settings = {
        position: (st.column_config.NumberColumn if number else st.column_config.TextColumn)(
            help=_HELP.get(name), **columns[name][2]
        )
        for position, (name, number) in enumerate(zip(columns, numbers, strict=True), start=1)
    }
    height = "content" if len(written) <= _ALL_SHOWN else "auto"
    return st.dataframe(written, height=height, hide_index=True, placeholder="—", column_config=settings, **options)


def _plain(score):
    part, measure = score.split("_")
    return part.capitalize(), measure, _SHARE if measure == "accuracy" else _LOSS


def _beside_report(score):
    part, measure = score.split("_")
    group, look = f"{part.capitalize()} {measure}", _SHARE if measure == "accuracy" else _LOSS
    difference = ("points", _POINTS) if measure == "accuracy" else ("difference", {"format": "%+.4f"})
    return {
        score: (group, "ours", look),
        f"report_{score}": (group, "report", look),
        f"{score}_difference": (group, *difference),
    }
