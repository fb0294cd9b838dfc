"""What the growing curves are made of."""

import importlib.metadata
import math
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st

from core.config.recipes import make_config
from core.runs.run import HISTORY_COLUMNS
from pages.parts.charts import live_chart
from pages.parts.charts.live_chart import MOST_POINTS, axis_end, epoch_points, outside, ranges, sentences, step_points

PROJECT = Path(__file__).parents[2]


def config(steps=100, **settings):
    """One whose epochs have so many steps, of which the last one is a quarter as large as the others."""
    examples = round((128 * steps - 96) / 0.9)
    made = make_config("alexnet", "mnist", "quick", **{"train_examples": examples, "batch_size": 128} | settings)
    assert made.split_sizes(60_000)[0] == 128 * steps - 96
    return made


def rows(count, steps=100, every=1, value=lambda number: 1.0):
    """What a training writes that looks every so many steps; `value` gives the loss of each step by its number."""
    written = []
    for number in range(count):
        epoch, step = 1 + number // steps, 1 + number % steps
        sizes = [128] * step if step < steps else [128] * (steps - 1) + [32]
        losses = [value((epoch - 1) * steps + index) for index in range(step)]
        mean = sum(size * loss for size, loss in zip(sizes, losses, strict=True)) / sum(sizes)
        if step % every == 0 or step == steps:
            written.append({"epoch": epoch, "step": step, "steps": steps, "loss": mean, "accuracy": min(1, mean / 9)})
    return written


def history(epochs, **values):
    columns = {name: [0.123456789] * epochs for name in HISTORY_COLUMNS} | {"epoch": range(1, epochs + 1)}
    return pd.DataFrame(columns | values)


@pytest.mark.parametrize("count", [0, 1, MOST_POINTS, MOST_POINTS + 1, 5_000])
def test_however_many_steps_there_are_few_points_are_sent_and_the_last_is_among_them(count):
    points = step_points(rows(count), config())
    assert len(points["x"]) <= MOST_POINTS + 1
    assert {len(values) for values in points.values()} == {len(points["x"])}
    if count:
        assert points["x"][-1] == pytest.approx(count / 100)


def test_points_stay_where_they_are_while_others_are_added():
    few, more = (step_points(rows(count), config())["x"] for count in (1_000, 1_400))
    assert few[:-1] == more[: len(few) - 1]


def test_each_step_is_drawn_with_its_own_loss_though_the_epochs_mean_so_far_is_what_was_written():
    own = [9.0, 1.0, 4.0, 2.0, 6.0, 5.0, 8.0, 3.0, 7.0]
    points = step_points(rows(9, steps=3, value=own.__getitem__), config(3))
    assert points["loss"] == pytest.approx(own, rel=1e-4)
    assert points["accuracy"] == pytest.approx([loss / 9 for loss in own], rel=1e-4)


def test_of_several_steps_between_two_looks_the_mean_is_drawn():
    points = step_points(rows(8, steps=4, every=2, value=float), config(4))
    assert points["x"] == [0.5, 1.0, 1.5, 2.0]
    # The last step of an epoch has a quarter as many images.
    assert points["loss"] == pytest.approx([0.5, 2.2, 4.5, 6.2], rel=1e-4)


def test_thinned_points_are_means_of_all_steps_between_them():
    points = step_points(rows(1_000, value=lambda number: float(number % 4 == 2)), config())
    assert len(points["x"]) < 300
    # The last step of an epoch is smaller.
    assert set(points["loss"]) <= {0.0, 0.25, 0.30769, 0.44444}
    at_the_end = step_points(rows(1_000, value=lambda number: float(number % 100 > 96)), config())
    assert max(at_the_end["loss"]) > 0.6


def test_the_smoothed_line_follows_the_steps_and_does_not_jump_where_an_epoch_ends():
    falling = step_points(rows(400, value=lambda number: 2 - number / 400), config())
    smooth = falling["smooth_loss"]
    assert smooth[0] == falling["loss"][0]
    assert max(abs(after - before) for before, after in pairwise(smooth)) < 0.005
    # A quarter of an epoch behind.
    assert smooth[-1] == pytest.approx(falling["loss"][-25], abs=0.01)
    noisy = step_points(rows(400, value=lambda number: 1 + number % 2), config())
    assert max(noisy["smooth_loss"][100:]) - min(noisy["smooth_loss"][100:]) < 0.1


def test_a_step_that_was_no_number_leaves_a_gap_and_the_line_goes_on_in_the_next_epoch():
    written = rows(200)
    for row in written[50:100]:
        row["loss"] = math.nan
    points = step_points(written, config())
    # What the epoch had before it cannot be told from the mean either.
    assert points["loss"][50:100] == points["smooth_loss"][50:100] == [None] * 50
    assert points["smooth_loss"][100:] == pytest.approx([1.0] * 100)


def test_the_first_epoch_does_not_flatten_the_rest():
    past = history(10, train_loss=[5, *[0.5] * 9], validation_loss=[30, 0.4, *[0.3] * 8])
    points = step_points(rows(1_000, value=lambda number: 9.0 if number < 100 else 0.6), config())
    low, high = ranges(past, points, {})["loss"]
    assert 0 <= low < 0.3
    assert 0.6 < high < 1.2
    # One that comes later does not either.
    past.loc[4, "validation_loss"] = 40
    assert ranges(past, points, {})["loss"][1] < 1.5


def test_the_fitted_range_of_the_accuracy_holds_the_reports_line():
    past = history(5, train_accuracy=[0.1, *[0.97] * 4], validation_accuracy=[0.2, *[0.98] * 4])
    low, high = ranges(past, step_points([], config()), {"accuracy": 0.9})["accuracy"]
    assert 0.85 < low < 0.9
    assert 0.98 < high <= 1.005


@pytest.mark.parametrize("epochs", [0, 1])
def test_in_its_first_epoch_a_run_is_shown_whole(epochs):
    assert ranges(history(epochs), step_points(rows(50), config()), {"accuracy": 0.9}) == {}


def test_the_chart_says_in_a_sentence_each_what_looks_wrong_and_is_not():
    plain, *more = sentences(make_config("alexnet", "mnist", "report"), history(2))
    assert more == []
    assert "0 is perfect, 2.30 is guessing" in plain
    modern = make_config("alexnet", "mnist", "modern")
    (_, smoothing) = sentences(modern, history(2))
    assert "label smoothing (0.1)" in smoothing
    (_, _, first) = sentences(modern, history(2, validation_loss=[5.0, 0.3]))
    assert first.startswith("The validation loss of 5.00 after epoch 1 is worse than guessing: ")
    assert "batch normalisation" in first


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


def test_the_first_epoch_is_shown_where_it_does_not_flatten_the_rest():
    near = history(4, train_loss=[0.4, 0.2, 0.15, 0.1], validation_loss=[0.3, 0.2, 0.15, 0.12])
    found = ranges(near, step_points([], config()), {})
    low, high = found["loss"]
    assert low < 0.1
    assert high > 0.4
    assert outside(near, found) == []


def test_where_it_is_left_out_that_is_said():
    far = history(4, train_loss=[9.0, 0.2, 0.15, 0.1], validation_loss=[0.3, 0.2, 0.15, 0.12])
    found = ranges(far, step_points([], config()), {})
    assert found["loss"][1] < 0.5
    assert outside(far, found) == ["loss"]
    said = "“Fitted” leaves out epoch 1 of the loss, which would flatten the rest: see “Whole”."
    assert said in sentences(config(), far, ["loss"])
    assert said not in sentences(config(), far)
