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
_LOSS = {"format": "%.4f"}
_TIME = {"format": "compact"}
_MADE = {True: "shipped with the project", False: "here"}
_LABELS = {"model": MODELS, "dataset": DATASETS, "recipe": RECIPES}
_PAIR = {"model": ("", "Network", {"pinned": True}), "dataset": ("", "Dataset", {"pinned": True})}
_INTERVAL = {
    "test_accuracy_low": ("Test accuracy, 95 %", "from", _SHARE),
    "test_accuracy_high": ("Test accuracy, 95 %", "to", _SHARE),
}
_FACTS = {
    "epoch": ("Epochs", "measured", {}),
    "epochs": ("Epochs", "trained", {}),
    "report_epochs": ("Epochs", "report", {}),
    "parameters": ("", "Parameters", {"format": "localized"}),
    "seconds": ("Training time", "ours", _TIME),
    "report_seconds": ("Training time", "report", _TIME),
    "seed": ("", "Seed", {"format": "plain"}),
    "run": ("", "Run", {}),
    "shipped": ("", "Made", {}),
}


def columns_of_runs(report):
    """Column of `core.comparison.table` -> (group, label, settings).

    Without the report's figures the scores stand as in its Table 4.2; with them, test scores come first.
    """
    shown, how_sure = _PAIR | {"recipe": ("", "Recipe", {})}, _INTERVAL | {"verdict": ("", "Verdict", {})}
    if not report:
        return shown | {score: _plain(score) for score in SCORES} | how_sure | _FACTS
    shown |= _beside_report("test_accuracy") | how_sure | _beside_report("test_loss")
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
        if settings is _SHARE:
            written[name] *= 100
        if settings is _TIME:
            written[name] = pd.to_timedelta(written[name].round(), unit="s")
    numbers = [pd.api.types.is_numeric_dtype(kind) or kind.kind == "m" for kind in written.dtypes]
    written.columns = pd.MultiIndex.from_tuples([(group, label) for group, label, _ in columns.values()])
    # Position 0 is the index, which is hidden; columns with two names cannot be configured by name.
    settings = {
        place: (st.column_config.NumberColumn if number else st.column_config.TextColumn)(**facts)
        for place, (number, (_, _, facts)) in enumerate(zip(numbers, columns.values(), strict=True), start=1)
    }
    height = "content" if len(written) <= _ALL_SHOWN else "auto"
    return st.dataframe(written, height=height, hide_index=True, placeholder="—", column_config=settings, **options)


def _plain(score):
    part, measure = score.split("_")
    return part.capitalize(), measure, _SHARE if measure == "accuracy" else _LOSS


def _beside_report(score):
    part, measure = score.split("_")
    group, look = f"{part.capitalize()} {measure}", _SHARE if measure == "accuracy" else _LOSS
    difference = ("points", {"format": "%+.2f"}) if measure == "accuracy" else ("difference", {"format": "%+.4f"})
    return {
        score: (group, "ours", look),
        f"report_{score}": (group, "report", look),
        f"{score}_difference": (group, *difference),
    }
