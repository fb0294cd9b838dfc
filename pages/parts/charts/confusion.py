"""What a network takes each class for: a matrix whose cells can be clicked, and the accuracy of each class."""

import numpy as np
import pandas as pd
import streamlit as st

from core.palette import ink_on
from core.results.scores import class_accuracies
from core.results.statistics import wilson_intervals
from pages.parts import presenter
from pages.parts.charts.vega import category, layer, over, quantity, selection
from pages.parts.style import TEXT, percent

ROW_HEIGHT = 40  # pixels a class, axis included
_LONG_ENOUGH = 30  # per cent: on a phone a shorter bar has no room for its number
BAR_HEIGHT = 28


def draw_confusion(matrix, classes, colour, chosen, key, on_choose):
    """Draws the matrix of counts; the more images a cell holds, the stronger its colour.

    Args:
        matrix: (classes, classes) counts, rows true, columns predicted.
        classes: their names.
        colour: of the cells.
        chosen: (true class, predicted class) to outline; one of them None for a whole row or column, both for none.
        key: of the chart.
        on_choose: called with (true class, predicted class) when a cell is clicked.
    """
    last = st.session_state.get(key, {"selection": {}})["selection"].get("cell")
    turn = 1 - last[0]["turn"] if last else 0
    cells = pd.DataFrame(
        [
            {
                "row": row,
                "column": column,
                "true": classes[row],
                "predicted": classes[column],
                "count": int(count),
                "says": f"{classes[row]} taken for {classes[column]}: {count} images",
                "share": percent(count / max(1, line.sum())),
                "strong": bool(count > matrix.max() / 4),
                "turn": turn,
                "chosen": chosen != (None, None) and chosen[0] in (None, row) and chosen[1] in (None, column),
            }
            for row, line in enumerate(matrix)
            for column, count in enumerate(line)
        ]
    )

    def clicked():
        cell = st.session_state[key]["selection"].get("cell")
        if cell:
            on_choose(int(cell[0]["row"]), int(cell[0]["column"]))

    chart = presenter.vega(_matrix_chart(cells, list(classes), colour))
    st.vega_lite_chart(chart, key=key, on_select=clicked, alt="Images of each true class by predicted class.")


def draw_class_accuracies(matrix, classes, colour):
    """Draws a bar a class: the share of its images that were recognised, with its 95 % interval."""
    shares = class_accuracies(matrix)
    low, high = 100 * np.array(wilson_intervals(matrix.diagonal(), matrix.sum(1))).T
    rows = pd.DataFrame(
        {
            "class": classes,
            "percent": 100 * shares,
            "low": low,
            "high": high,
            "label": [percent(share, 1) for share in shares],
            "interval": [f"{below:.1f} to {above:.1f} %" for below, above in zip(low, high, strict=True)],
            "images": [f"{right:,} of {all_:,}" for right, all_ in zip(matrix.diagonal(), matrix.sum(1), strict=True)],
        }
    )
    axis = {"labelOverlap": False, "ticks": False, "domain": False}
    x = {"title": "Recognised (% of the class)", "scale": {"domain": [0, 100]}, "axis": {"tickCount": 5}}
    chart = {
        **over(rows),
        "height": BAR_HEIGHT * len(rows),
        "encoding": {
            "y": category("class", title="True class", sort=None, axis=axis),
            "x": quantity("percent", **x),
            "tooltip": [
                category("class", title="Class"),
                category("images", title="Recognised"),
                category("interval", title="95 % interval"),
            ],
        },
        "layer": [
            layer("bar", {}, color=colour, height={"band": 0.72}, cornerRadiusEnd=3),
            layer("rule", {"x": quantity("low"), "x2": {"field": "high"}}, color=TEXT, strokeWidth=presenter.line(2)),
            # At the bars' beginning, so that no interval lies on it; behind the interval of a bar that is too short.
            layer(
                "text",
                {"text": category("label"), "x": {"value": 6}},
                where=f"datum.percent >= {_LONG_ENOUGH}",
                align="left",
                color=ink_on(colour),
                fontWeight=600,
            ),
            layer(
                "text",
                {"text": category("label"), "x": quantity("high")},
                where=f"datum.percent < {_LONG_ENOUGH}",
                align="left",
                dx=6,
                color=TEXT,
                fontWeight=600,
            ),
        ],
    }
    st.vega_lite_chart(presenter.vega(chart), alt="Share of each class that was recognised.")


def _matrix_chart(cells, classes, colour):
    axis = {"ticks": False, "domain": False, "grid": False, "labelOverlap": False, "labelFlush": False}
    angle = -45 if max(map(len, classes)) > 2 else 0
    # A logarithm that knows zero: the diagonal holds nearly everything, and single mistakes stay visible.
    strength = quantity("count", scale={"type": "symlog", "range": [0.05, 1]}, legend=None)
    # The rectangles say what the numbers on them do.
    number, number_is = {"text": quantity("count")}, {"cursor": "pointer", "aria": False}
    return {
        **over(cells),
        "height": ROW_HEIGHT * len(classes),
        "encoding": {
            "x": category("predicted", title="Predicted class", sort=classes, axis={"labelAngle": angle, **axis}),
            "y": category("true", title="True class", sort=classes, axis=axis),
            "tooltip": [
                category("true", title="True class"),
                category("predicted", title="Predicted class"),
                quantity("count", title="Images"),
                category("share", title="Of the true class"),
            ],
        },
        "layer": [
            {
                **layer(
                    "rect",
                    {"opacity": strength, "description": category("says")},
                    color=colour,
                    cursor="pointer",
                    cornerRadius=3,
                ),
                # A click on the cell that was clicked last is an event only if something in it has changed: hence the
                # turn.
                "params": selection("cell", "row", "column", "turn"),
            },
            layer("text", number, "datum.count && !datum.strong", color=TEXT, **number_is),
            layer("text", number, "datum.strong", color=ink_on(colour), fontWeight=600, **number_is),
            layer("rect", {}, "datum.chosen", filled=False, stroke=TEXT, strokeWidth=2, cornerRadius=3, aria=False),
        ],
    }
