"""The table of runs as it is drawn: how each kind of column is written. `core.results.table` has the columns."""

import pandas as pd
import streamlit as st

from core.config.recipes import RECIPES
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.results.table import COLUMNS
from pages.parts import presenter
from pages.parts.glossary import explained
from pages.parts.scorecard import VERDICTS

# Streamlit's own download writes other units than the page's file does.
_STYLE = '[data-testid="stElementToolbarButton"]:has([aria-label^="Download as CSV"]) { display: none; }'
# Longer tables scroll.
_ALL_SHOWN = 18
# Of a row of several runs some may be included, and others made here.
_MADE = {True: "included", False: "here", None: "both"}


def _labelled(registry):
    return lambda names: [registry[name]["label"] for name in names]


def _as_percent(shares):
    return 100 * shares


def _as_time(seconds):
    return pd.to_timedelta(seconds.round(), unit="s")


# Kind of a column -> (its settings for st.column_config, what is written in place of its values).
FORMATS = {
    "text": ({}, None),
    "number": ({"format": "plain"}, None),
    "count": ({"format": "localized"}, None),
    "accuracy": ({"format": "%.2f %%"}, _as_percent),
    "points": ({"format": "%+.2f"}, _as_percent),
    "loss": ({"format": "%.4f"}, None),
    "loss_difference": ({"format": "%+.4f"}, None),
    # Wide enough for hours: it would otherwise be as narrow as a first row without a time.
    "seconds": ({"format": "compact", "width": 100}, _as_time),
    "network": ({"pinned": True}, _labelled(NETWORKS)),
    "dataset": ({"pinned": True}, _labelled(DATASETS)),
    "recipe": ({}, _labelled(RECIPES)),
    # Wide enough for every verdict: it would otherwise be as narrow as a first row without one.
    "verdict": ({"width": 150}, lambda words: [VERDICTS[word][0] if word else "" for word in words]),
    "origin": ({}, lambda included: [_MADE[value] for value in included]),
}


def _help(column):
    """What the column is, and what the words of its heading mean."""
    return explained(column.help, f"{column.group} {column.label}")


def _options(column):
    """The settings of its kind, a width as wide as the page's letters are large."""
    options = FORMATS[column.kind][0]
    if column.kind == "dataset" and presenter.on_phone():
        # Two columns that stay in their place would leave no room for a verdict.
        options = options | {"pinned": False}
    return options | {"width": presenter.grown(options["width"])} if "width" in options else options


def columns_of_runs(report):
    """The names of the columns, with the report's figures beside ours or without."""
    return [name for name, column in COLUMNS.items() if report or not column.beside_report]


def columns_to_draw(rows, report):
    """The same but for columns that would be empty: changed settings, names and notes where no run has any, and what is
    said of several seeds where each row has one.
    """
    empty = {name for name in ("changed_settings", "name", "note") if not rows[name].any()}
    if rows["seeds"].max() == 1:
        empty |= {"seeds", "test_accuracy_seeds_low", "test_accuracy_seeds_high"}
    return [name for name in columns_of_runs(report) if name not in empty]


def draw_table(rows, names, groups=None, told_apart=None, **options):
    """Draws these columns of a table of `core.results.table`; `options` go to st.dataframe.

    Args:
        groups: what is written in place of the columns' own groups, name -> name.
        told_apart: for each row what is added to its network's name, where there is room; None for nothing.
    """
    st.html(f"<style>{_STYLE}</style>")
    columns, written = [COLUMNS[name] for name in names], rows[list(names)].copy()
    for name, column in zip(names, columns, strict=True):
        _, write = FORMATS[column.kind]
        if write:
            written[name] = write(written[name])
        if column.kind == "network" and told_apart and not presenter.on_phone():
            written[name] = [label + words for label, words in zip(written[name], told_apart, strict=True)]
    numbers = [pd.api.types.is_numeric_dtype(kind) or kind.kind == "m" for kind in written.dtypes]
    written.columns = pd.MultiIndex.from_tuples(
        [((groups or {}).get(column.group, column.group), column.label) for column in columns]
    )
    # Position 0 is the index, which is hidden; columns with two names cannot be configured by name.
    settings = {
        position: (st.column_config.NumberColumn if number else st.column_config.TextColumn)(
            help=_help(column), **_options(column)
        )
        for position, (column, number) in enumerate(zip(columns, numbers, strict=True), start=1)
    }
    height = "content" if len(written) <= _ALL_SHOWN else "auto"
    return st.dataframe(written, height=height, hide_index=True, placeholder="—", column_config=settings, **options)
