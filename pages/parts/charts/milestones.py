"""How ImageNet's contest was won from year to year, and what a run's accuracy costs beside that of others."""

import math

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.networks.catalogue import NETWORKS
from core.networks.stories import A_PERSON, ROAD
from pages.parts import presenter
from pages.parts.style import GREY, NETWORK_COLOURS, TEXT, duration, percent

HEIGHT = 330
# What the sizes of circles are explained with, in millions.
PARAMETERS_SHOWN = (0.1, 1, 10, 40)
# So many networks' labels find room beside their circles.
ALL_NAMED = 8
# What a label takes of the chart.
LABEL_ACROSS, LABEL_UP = 0.16, 0.07


def draw_milestones(key, on_choose):
    """Draws the share of errors of each year's best; a click on one that is a network here chooses it.

    Args:
        key: of the chart.
        on_choose: called with the network's name.
    """
    rows = pd.DataFrame(
        [
            {
                "year": stone.year,
                "error": stone.error,
                "label": f"{stone.label} {stone.error:g} %",
                "network": stone.network or "",
                "colour": NETWORK_COLOURS.get(stone.network, GREY),
                # Clear of the line of a person, and of the other of its year.
                "beside": {"GoogLeNet": "left", "ResNet": "below"}.get(stone.label, "right"),
            }
            for stone in ROAD
        ]
    )
    person = pd.DataFrame({"error": [A_PERSON], "label": [f"a person, {A_PERSON:g} %"], "year": [2010]})
    chosen = alt.selection_point(name="stone", fields=["network"], toggle=False)
    base = alt.Chart(rows).encode(
        x=alt.X("year:Q", title="Year of the contest", scale=alt.Scale(domain=[2009.6, 2016])).axis(
            format="d", values=list(range(2010, 2016)), grid=False
        ),
        y=alt.Y("error:Q", title="Wrong in five guesses (%)", scale=alt.Scale(domain=[0, 30])).axis(tickCount=6),
    )
    line = base.mark_line(color=GREY, interpolate="monotone", aria=False)
    # Only those that lead somewhere say so under the pointer.
    others, points = (
        base.mark_circle(size=140, opacity=1, **options)
        .encode(
            color=alt.Color("colour:N", scale=None),
            tooltip=[alt.Tooltip("year:Q", format="d", title="Year"), alt.Tooltip("label:N", title="Best")],
            description="label:N",
        )
        .transform_filter(which)
        for which, options in (("!datum.network", {}), ("datum.network", {"cursor": "pointer"}))
    )
    texts = [
        base.mark_text(align=align, dx=dx, dy=dy, color=TEXT, aria=False)
        .encode(text="label:N")
        .transform_filter(f"datum.beside === '{beside}'")
        for beside, align, dx, dy in (("right", "left", 9, -9), ("left", "right", -10, 0), ("below", "center", 0, 18))
    ]
    rule = alt.Chart(person).mark_rule(color=TEXT, strokeDash=[5, 4], opacity=0.6).encode(y="error:Q")
    said = (
        alt.Chart(person)
        .mark_text(align="left", dy=-8, color=TEXT, aria=False)
        .encode(x="year:Q", y="error:Q", text="label:N")
    )
    chart = alt.layer(line, rule, said, others, points.add_params(chosen), *texts).properties(height=HEIGHT)

    def clicked():
        stone = st.session_state[key]["selection"].get("stone")
        if stone and stone[0]["network"]:
            on_choose(stone[0]["network"])

    st.altair_chart(
        presenter.altair(chart),
        key=key,
        on_select=clicked,
        alt="Errors of ImageNet's best: "
        + ", ".join(f"{stone.year} {stone.label} {stone.error:g} %" for stone in ROAD),
    )


def draw_cost(rows, key, chosen=()):
    """Draws the test accuracy of runs over the arithmetic of one prediction; the larger a circle, the more parameters.

    Args:
        rows: a DataFrame: network, name, multiply_adds, parameters, accuracy, low, high (shares in 0..1), seconds.
        key: of the chart.
        chosen: names of networks whose labels stand there whatever they cost.
    """
    drawn = pd.DataFrame(
        {
            "name": rows["name"],
            "label": [NETWORKS[network]["label"] for network in rows["network"]],
            "colour": [NETWORK_COLOURS[network] for network in rows["network"]],
            "cost": rows["multiply_adds"] / 1e6,
            "parameters": rows["parameters"] / 1e6,
            "accuracy": 100 * rows["accuracy"],
            "low": 100 * rows["low"],
            "high": 100 * rows["high"],
            "said": [
                f"{percent(row.accuracy)} ({percent(row.low)} to {percent(row.high)})" for row in rows.itertuples()
            ],
            "time": [duration(seconds) if seconds == seconds else "—" for seconds in rows["seconds"]],
            "network": rows["network"],
        }
    )
    drawn["label_at"] = labels_at(drawn, chosen)
    # Over so wide a range the numbers between would run into one another on a phone.
    lowest, highest = np.log10([drawn["cost"].min(), drawn["cost"].max()])
    tens = [10.0**power for power in range(math.floor(lowest), math.ceil(highest) + 1)]
    axis = {"values": tens} if highest - lowest > 2 else {}
    base = alt.Chart(drawn).encode(
        x=alt.X("cost:Q", title="Multiply-adds of one prediction (millions)")
        .scale(type="log", padding=30)
        .axis(**axis),
        y=alt.Y("accuracy:Q", title="Test accuracy (%)").scale(zero=False, padding=14),
        color=alt.Color("colour:N", scale=None),
    )
    line = (
        alt.Chart(frontier(drawn))
        .mark_line(color=GREY, strokeDash=[6, 4], interpolate="step-after", aria=False)
        .encode(x="cost:Q", y="accuracy:Q")
    )
    bars = base.mark_rule(aria=False).encode(y="low:Q", y2="high:Q")
    circles = base.mark_circle(opacity=0.75).encode(
        size=alt.Size(
            "parameters:Q",
            scale=alt.Scale(type="sqrt", domain=[0, 40], range=[60, 1400]),
            title="Parameters (millions)",
        ).legend(
            orient="bottom",
            symbolFillColor=GREY,
            symbolStrokeWidth=0,
            labelExpr="datum.value",
            titleLimit=400,
            values=PARAMETERS_SHOWN,
        ),
        tooltip=[
            alt.Tooltip("name:N", title="Run"),
            alt.Tooltip("said:N", title="Test accuracy, 95 %"),
            alt.Tooltip("cost:Q", title="Multiply-adds (millions)", format=",.1f"),
            alt.Tooltip("parameters:Q", title="Parameters (millions)", format=",.2f"),
            alt.Tooltip("time:N", title="Training time"),
        ],
        description="name:N",
    )
    texts = [
        base.mark_text(align=align, dx=dx, dy=-14, fontSize=presenter.grown(12), aria=False)
        .encode(text="label:N", color=alt.value(TEXT))
        .transform_filter(f"datum.label_at === '{where}'")
        for where, align, dx in (("right", "left", 18), ("left", "right", -10))
    ]
    chart = alt.layer(line, bars, circles, *texts).properties(height=HEIGHT + 90)
    st.altair_chart(
        presenter.altair(chart), key=key, alt="Test accuracy of each run over the arithmetic of one prediction."
    )


def labels_at(rows, chosen):
    """On which side of its circle the label of each row stands, "left" or "right"; "" for none.

    Few networks have one label each. Of many, those chosen and those along the frontier have one, as far as they keep
    clear of one another: to the left of the frontier is nothing that they could cover.

    Args:
        rows: a DataFrame: network, cost, accuracy.
        chosen: names of networks.
    """
    best = rows.sort_values("accuracy", ascending=False).drop_duplicates("network")
    if len(best) <= ALL_NAMED:
        return pd.Series(["right" if row in best.index else "" for row in rows.index], rows.index)
    along = frontier(rows).drop_duplicates("network", keep="last")
    sides = pd.Series("", rows.index)
    # The cheapest has the axis at its left.
    across, up = np.log(rows["cost"]), rows["accuracy"]
    across, up = ((values - values.min()) / max(np.ptp(values), 1e-9) for values in (across, up))
    first = best[best["network"].isin(chosen)].index
    for row in [*first, *along.index[::-1]]:
        named = sides.index[sides != ""]
        clear = (np.abs(across[named] - across[row]) > LABEL_ACROSS) | (np.abs(up[named] - up[row]) > LABEL_UP)
        if row in first or (clear.all() and rows["network"][row] not in chosen):
            sides[row] = "left" if row in along.index and across[row] > LABEL_ACROSS else "right"
    return sides


def frontier(rows):
    """Those of the rows, with a cost and an accuracy each, that are better than all that cost as much or less."""
    rows = rows.sort_values(["cost", "accuracy"], ascending=[True, False])
    return rows[rows["accuracy"] > rows["accuracy"].cummax().shift(fill_value=-1)]
