"""What a network takes each class for: a matrix whose cells can be clicked, and the accuracy of each class."""

import altair as alt
import pandas as pd
import streamlit as st

from core.results.scores import class_accuracies
from pages.parts import presenter
from pages.parts.palette import ink_on
from pages.parts.style import TEXT, percent

ROW_HEIGHT = 40  # pixels a class, axis included
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

    chart = _matrix_chart(cells, list(classes), colour).properties(height=ROW_HEIGHT * len(classes))
    st.altair_chart(
        presenter.altair(chart), key=key, on_select=clicked, alt="Images of each true class by predicted class."
    )


def draw_class_accuracies(matrix, classes, colour):
    """Draws a bar a class: the share of its images that were recognised."""
    shares = class_accuracies(matrix)
    rows = pd.DataFrame(
        {
            "class": classes,
            "percent": 100 * shares,
            "label": [percent(share, 1) for share in shares],
            "images": [f"{right:,} of {all_:,}" for right, all_ in zip(matrix.diagonal(), matrix.sum(1), strict=True)],
        }
    )
    base = alt.Chart(rows).encode(
        y=alt.Y("class:N", sort=None, title="True class").axis(labelOverlap=False, ticks=False, domain=False),
        x=alt.X("percent:Q", title="Recognised (% of the class)", scale=alt.Scale(domain=[0, 100])).axis(tickCount=5),
        tooltip=[alt.Tooltip("class:N", title="Class"), alt.Tooltip("images:N", title="Recognised")],
    )
    bars = base.mark_bar(color=colour, height={"band": 0.72}, cornerRadiusEnd=3)
    labels = base.mark_text(align="right", dx=-6, color=ink_on(colour), fontWeight=600).encode(text="label:N")
    chart = (bars + labels).properties(height=BAR_HEIGHT * len(rows))
    st.altair_chart(presenter.altair(chart), alt="Share of each class that was recognised.")


def _matrix_chart(cells, classes, colour):
    # A click on the cell that was clicked last is an event only if something in it has changed: hence the turn.
    clicked = alt.selection_point(name="cell", fields=["row", "column", "turn"], toggle=False)
    axis = {"ticks": False, "domain": False, "grid": False, "labelOverlap": False, "labelFlush": False}
    angle = -45 if max(map(len, classes)) > 2 else 0
    base = alt.Chart(cells).encode(
        x=alt.X("predicted:N", sort=classes, title="Predicted class").axis(labelAngle=angle, **axis),
        y=alt.Y("true:N", sort=classes, title="True class").axis(**axis),
        tooltip=[
            alt.Tooltip("true:N", title="True class"),
            alt.Tooltip("predicted:N", title="Predicted class"),
            alt.Tooltip("count:Q", title="Images"),
            alt.Tooltip("share:N", title="Of the true class"),
        ],
    )
    # A logarithm that knows zero: the diagonal holds nearly everything, and single mistakes stay visible.
    strength = alt.Opacity("count:Q", scale=alt.Scale(type="symlog", range=[0.05, 1])).legend(None)
    rectangles = base.mark_rect(color=colour, cursor="pointer", cornerRadius=3).encode(
        opacity=strength, description="says:N"
    )
    faint = base.mark_text(color=TEXT, cursor="pointer", aria=False).transform_filter("datum.count && !datum.strong")
    strong = base.mark_text(color=ink_on(colour), fontWeight=600, cursor="pointer", aria=False).transform_filter(
        "datum.strong"
    )
    outlines = base.mark_rect(filled=False, stroke=TEXT, strokeWidth=2, cornerRadius=3, aria=False)
    return alt.layer(
        rectangles.add_params(clicked),
        faint.encode(text="count:Q"),
        strong.encode(text="count:Q"),
        outlines.transform_filter("datum.chosen"),
    )
