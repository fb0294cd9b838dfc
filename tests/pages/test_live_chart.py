"""What the growing curves are made of."""

import importlib.metadata
import math
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st

from core.runs.run import HISTORY_COLUMNS
from pages.parts.charts import live_chart
from pages.parts.charts.live_chart import MOST_POINTS, axis_end, epoch_points, step_points

PROJECT = Path(__file__).parents[2]


def rows(count, steps=100):
    return [
        {"epoch": 1 + index // steps, "step": 1 + index % steps, "steps": steps, "loss": 1.0, "accuracy": 0.5}
        for index in range(count)
    ]


def history(epochs, **values):
    columns = {name: [0.123456789] * epochs for name in HISTORY_COLUMNS} | {"epoch": range(1, epochs + 1)}
    return pd.DataFrame(columns | values)


@pytest.mark.parametrize("count", [0, 1, MOST_POINTS, MOST_POINTS + 1, 5_000])
def test_however_many_steps_there_are_few_points_are_sent_and_the_last_is_among_them(count):
    points = step_points(rows(count))
    gaps = points["x"].count(None)
    assert len(points["x"]) - gaps <= MOST_POINTS + 1
    assert len(points["x"]) == len(points["loss"]) == len(points["accuracy"])
    if count:
        assert points["x"][-1] == pytest.approx(count / 100)


def test_points_stay_where_they_are_while_others_are_added():
    few, more = (step_points(rows(count))["x"] for count in (1_000, 1_400))
    assert few[:-1] == more[: len(few) - 1]


def test_the_line_is_broken_between_two_epochs():
    assert step_points(rows(4, steps=2))["x"] == [0.5, 1.0, None, 1.5, 2.0]


def test_what_is_no_number_leaves_a_gap_instead_of_breaking_the_chart():
    points = epoch_points(history(2, validation_loss=[math.nan, math.inf]))
    assert points["validation_loss"] == [None, None]
    assert points["train_loss"] == [0.12346] * 2


@pytest.mark.parametrize("epochs", [0, 3, 500])
def test_epochs_are_thinned_like_steps(epochs):
    points = epoch_points(history(epochs))
    assert len(points["x"]) == min(epochs, 250)


@pytest.mark.parametrize(
    ("epochs", "done", "running", "end"), [(4, 0, False, 4), (100, 0, False, 10), (100, 9, 10, 15), (100, 99, 100, 100)]
)
def test_the_epoch_axis_holds_a_short_run_whole_and_follows_a_long_one(epochs, done, running, end):
    assert axis_end(epochs, done, running) == end


@pytest.mark.parametrize(("base", "start"), [("", "/app/static/"), ("lab", "/lab/app/static/")])
def test_the_installed_plotly_is_served_under_the_apps_own_address(base, start):
    import plotly

    st.config.set_option("server.baseUrlPath", base)
    try:
        address = live_chart._plotly_address.__wrapped__()
    finally:
        st.config.set_option("server.baseUrlPath", "")
    assert address == f"{start}plotly.min.js?v={importlib.metadata.version('plotly')}"
    served = (PROJECT / "static" / "plotly.min.js").read_bytes()
    assert served == (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()


def test_another_plotly_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(live_chart, "_STATIC", tmp_path)
    (tmp_path / "plotly.min.js").write_text("an old one")
    live_chart._plotly_address.__wrapped__()
    assert (tmp_path / "plotly.min.js").stat().st_size > 1_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["plotly.min.js"]
