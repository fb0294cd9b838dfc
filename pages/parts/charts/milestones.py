"""How ImageNet's contest was won from year to year, and what a run's accuracy costs beside that of others."""

import math

import numpy as np
import pandas as pd
import streamlit as st

from core.networks.catalogue import NETWORKS
from core.networks.stories import A_PERSON, ROAD
from core.palette import NETWORK_COLOURS
from pages.parts import presenter
from pages.parts.charts.vega import category, layer, over, quantity, selection
from pages.parts.style import GREY, TEXT, duration, percent

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
    person = {"data": {"values": [{"error": A_PERSON, "label": f"a person, {A_PERSON:g} %", "year": 2010}]}}
    years = {"format": "d", "values": list(range(2010, 2016)), "grid": False}
    x = quantity("year", title="Year of the contest", scale={"domain": [2009.6, 2016]}, axis=years)
    y = quantity("error", title="Wrong in five guesses (%)", scale={"domain": [0, 30]}, axis={"tickCount": 6})
    label = category("label")
    stone = {
        "x": x,
        "y": y,
        "color": category("colour", scale=None),
        "tooltip": [quantity("year", format="d", title="Year"), category("label", title="Best")],
        "description": label,
    }
    round_ = {"size": 140, "opacity": 1}
    chart = {
        **over(rows),
        "height": HEIGHT,
        "layer": [
            layer("line", {"x": x, "y": y}, color=GREY, interpolate="monotone", aria=False),
            person | layer("rule", {"y": quantity("error")}, color=TEXT, strokeDash=[5, 4], opacity=0.6),
            person
            | layer(
                "text",
                {"x": quantity("year"), "y": quantity("error"), "text": label},
                align="left",
                dy=-8,
                color=TEXT,
                aria=False,
            ),
            # Only those that lead somewhere say so under the pointer.
            layer("circle", stone, "!datum.network", **round_),
            layer("circle", stone, "datum.network", cursor="pointer", **round_)
            | {"params": selection("stone", "network")},
            *(
                layer(
                    "text",
                    {"x": x, "y": y, "text": label},
                    f"datum.beside === '{beside}'",
                    align=align,
                    dx=dx,
                    dy=dy,
                    color=TEXT,
                    aria=False,
                )
                for beside, align, dx, dy in (
                    ("right", "left", 9, -9),
                    ("left", "right", -10, 0),
                    ("below", "center", 0, 18),
                )
            ),
        ],
    }

    def clicked():
        stone = st.session_state[key]["selection"].get("stone")
        if stone and stone[0]["network"]:
            on_choose(stone[0]["network"])

    st.vega_lite_chart(
        presenter.vega(chart),
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
    drawn["along"] = drawn.index.isin(frontier(drawn).index)
    # Over so wide a range the numbers between would run into one another on a phone.
    lowest, highest = np.log10([drawn["cost"].min(), drawn["cost"].max()])
    tens = [10.0**power for power in range(math.floor(lowest), math.ceil(highest) + 1)]
    x = quantity(
        "cost",
        title="Multiply-adds of one prediction (millions)",
        scale={"type": "log", "padding": 30},
        axis={"values": tens} if highest - lowest > 2 else {},
    )
    y = quantity("accuracy", title="Test accuracy (%)", scale={"zero": False, "padding": 14})
    colour = category("colour", scale=None)
    size = quantity(
        "parameters",
        title="Parameters (millions)",
        scale={"type": "sqrt", "domain": [0, 40], "range": [60, 1400]},
        legend={
            "orient": "bottom",
            "symbolFillColor": GREY,
            "symbolStrokeWidth": 0,
            "labelExpr": "datum.value",
            "titleLimit": 400,
            "values": PARAMETERS_SHOWN,
        },
    )
    tooltip = [
        category("name", title="Run"),
        category("said", title="Test accuracy, 95 %"),
        quantity("cost", title="Multiply-adds (millions)", format=",.1f"),
        quantity("parameters", title="Parameters (millions)", format=",.2f"),
        category("time", title="Training time"),
    ]
    chart = {
        **over(drawn),
        "height": HEIGHT + 90,
        "layer": [
            layer(
                "line",
                {"x": quantity("cost"), "y": quantity("accuracy")},
                "datum.along",
                color=GREY,
                strokeDash=[6, 4],
                interpolate="step-after",
                aria=False,
            ),
            layer("rule", {"x": x, "y": quantity("low"), "y2": {"field": "high"}, "color": colour}, aria=False),
            layer(
                "circle",
                {"x": x, "y": y, "color": colour, "size": size, "tooltip": tooltip, "description": category("name")},
                opacity=0.75,
            ),
            *(
                layer(
                    "text",
                    {"x": x, "y": y, "text": category("label"), "color": {"value": TEXT}},
                    f"datum.label_at === '{where}'",
                    align=align,
                    dx=dx,
                    dy=-14,
                    fontSize=presenter.grown(12),
                    aria=False,
                )
                for where, align, dx in (("right", "left", 18), ("left", "right", -10))
            ),
        ],
    }
    st.vega_lite_chart(
        presenter.vega(chart),
        key=key,
        alt="Test accuracy of each run over the arithmetic of one prediction.",
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
