"""Loss and accuracy curves that grow while a run trains, without losing zoom, hover or the legend."""

import bisect
import filecmp
import functools
import importlib.metadata
import importlib.util
import math
import os
import shutil
from pathlib import Path

import numpy as np
import streamlit as st

from core.datasets.catalogue import DATASETS
from core.palette import NETWORK_COLOURS
from core.results.reference import REPORT
from pages.parts import presenter
from pages.parts.glossary import help_on

MOST_POINTS = 400
MEASURES = ("loss", "accuracy")
# What the vertical axes show: name in the address -> label.
RANGES = {"fitted": "Fitted", "whole": "Whole", "log": "Log loss"}
ABOUT_RANGES = (
    "Fitted leaves out the start of a run, which would flatten the rest. Whole shows everything. "
    "Log loss gives every halving of the loss the same height."
)
# The first epoch is shown where all then spans at most so many times what the rest spans.
FLATTENED = 5
# The smoothed line is a mean over the last steps, whose weights fall to a third in this share of an epoch.
SMOOTHED_OVER = 0.25
_STATIC = Path(__file__).parents[3] / "static"
_CSS = """
.live-chart { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 1rem; }
.live-chart > div { min-height: 340px; min-width: 0; }
"""
_component = st.components.v2.component(
    "live_chart", css=_CSS, js=Path(__file__).with_suffix(".js").read_text("utf-8"), isolate_styles=False
)


def live_chart(run, config, history, steps, shown="fitted"):
    """Draws a run's two charts, and under them what the lines are.

    Args:
        run: the Run; its id tells the browser which zoom and legend to keep.
        config: its RunConfig.
        history: its history, a row an epoch.
        steps: its progress rows, oldest first.
        shown: which of RANGES.
    """
    report = REPORT.get((config.network, config.dataset))
    levels = {"accuracy": report["validation_accuracy"]} if report else {}
    points = step_points(steps, config)
    found = ranges(history, points, levels)
    _component(
        key=f"live {run.id}",
        data={
            "run": run.id,
            "plotly": _plotly_address(),
            "colour": NETWORK_COLOURS[config.network],
            "projected": presenter.projected(),
            "end": axis_end(config.epochs, len(history), bool(steps) and steps[-1]["epoch"]),
            "report": levels,
            "epochs": epoch_points(history),
            "steps": points,
            "shown": shown,
            "ranges": found,
        },
    )
    said = " ".join(sentences(config, history, outside(history, found) if shown == "fitted" else ()))
    st.caption(said, help=help_on(said))


def epoch_points(history):
    """The epoch curves: x and each loss and accuracy, at most MOST_POINTS long, None for what is no number."""
    names = {"x": "epoch"} | {
        f"{part}_{measure}": f"{part}_{measure}" for part in ("train", "validation") for measure in MEASURES
    }
    every = _stride(len(history))
    return {name: [_short(value) for value in history[column].iloc[::every]] for name, column in names.items()}


def step_points(steps, config):
    """The curves inside the epochs, at most MOST_POINTS + 1 long; None for what is no number.

    A progress row holds the epoch's mean so far. What the steps since an earlier row had themselves follows from the
    two means, for old runs as for new ones.

    Args:
        steps: a run's progress rows, oldest first.
        config: its RunConfig, which says how many images a step has.

    Returns:
        x in epochs; loss and accuracy, each the mean of the images since the point before, which is a single step where
        steps are slow; smooth_loss and smooth_accuracy, their exponential means over SMOOTHED_OVER of an epoch.
    """
    points = {name: [] for name in ("x", *MEASURES, *(f"smooth_{measure}" for measure in MEASURES))}
    epoch_images, _ = config.split_sizes(DATASETS[config.dataset]["train_examples"])

    def since_its_beginning(row):
        """The images of the row's epoch, and the sums of what they had."""
        images = min(row["step"] * config.batch_size, epoch_images)
        return np.array([images, *(images * row[measure] for measure in MEASURES)])

    nothing = np.zeros(1 + len(MEASURES))
    # The sums since the last point, those of its epoch up to it, and the faded ones of all points.
    new, before, smooth = nothing, nothing, nothing
    with np.errstate(all="ignore"):
        epoch = None
        for row, end in _chosen(steps):
            if end:
                new = since_its_beginning(end) - before
            if row["epoch"] != epoch:
                epoch, before = row["epoch"], nothing
            now = since_its_beginning(row)
            new, before = new + now - before, now
            if new[0] <= 0:
                continue
            is_sound = np.isfinite(new).all()
            if is_sound:
                smooth = smooth * math.exp(-new[0] / (SMOOTHED_OVER * epoch_images)) + new
            points["x"].append(_short(row["epoch"] - 1 + row["step"] / row["steps"]))
            for number, measure in enumerate(MEASURES, start=1):
                # Means are rounded, so that their difference could be a little less than nothing.
                points[measure].append(_short(max(0.0, new[number] / new[0])) if is_sound else None)
                points[f"smooth_{measure}"].append(_short(max(0.0, smooth[number] / smooth[0])) if is_sound else None)
            new = nothing
    return points


def _chosen(steps):
    """Every so many rows and the last; with the first of an epoch, the last of the epoch before if that is left out."""
    # A stride of two to the n keeps the chosen rows what they are until there are twice as many.
    every = _stride(len(steps))
    chosen = list(range(0, len(steps), every))
    if chosen and chosen[-1] != len(steps) - 1:
        chosen.append(len(steps) - 1)
    before = 0
    for index in chosen:
        epoch, end = steps[index]["epoch"], before
        if steps[before]["epoch"] != epoch:
            end = bisect.bisect_left(steps, epoch, before + 1, index, key=lambda row: row["epoch"]) - 1
        yield steps[index], steps[end] if end > before else None
        before = index


def ranges(history, points, levels):
    """The range of each vertical axis in which the start of the run does not flatten the rest: measure -> (low, high).
    Where it would not, the first epoch's means are in it.

    Args:
        history: its history, a row an epoch.
        points: what `step_points` gives.
        levels: measure -> the level of a line that is to be seen.

    Returns:
        Loss as it is, accuracy as a share. Nothing while all there is belongs to the first epoch.
    """
    # When the smoothed line has all but forgotten the first epoch.
    found, settled = {}, 1 + 3 * SMOOTHED_OVER
    for measure in MEASURES:
        later = [history[f"{part}_{measure}"].iloc[1:] for part in ("train", "validation")]
        later.append(
            [y for x, y in zip(points["x"], points[f"smooth_{measure}"], strict=True) if x > settled and y is not None]
        )
        values = np.concatenate(later).astype(float)
        values = values[np.isfinite(values)]
        if len(history) < 2 or not len(values):
            continue
        # Both run towards zero. A later spike counts for as much as twice what nine tenths stay under.
        far = values if measure == "loss" else 1 - values
        high, low = min(far.max(), 2 * np.quantile(far, 0.9)), far.min()
        first = _first_epoch(history, measure)
        first = (first if measure == "loss" else 1 - first).max()
        if first - low <= FLATTENED * (high - low):
            high = max(high, first)
        if measure in levels:
            level = levels[measure] if measure == "loss" else 1 - levels[measure]
            high, low = max(high, level), min(low, level)
        margin = 0.06 * (high - low) or 0.05
        high, low = high + margin, max(low - margin, -0.004)
        found[measure] = (low, high) if measure == "loss" else (1 - high, 1 - low)
    return {measure: [_short(value) for value in found[measure]] for measure in found}


def outside(history, found):
    """Those of MEASURES of which the first epoch's means lie outside the ranges that `ranges` has found."""
    left_out = []
    for measure, (low, high) in found.items():
        first = _first_epoch(history, measure)
        # What is no number is nowhere.
        if ((first < low) | (first > high)).any():
            left_out.append(measure)
    return left_out


def _first_epoch(history, measure):
    return history[[f"train_{measure}", f"validation_{measure}"]].iloc[0].to_numpy(float)


def sentences(config, history, left_out=()):
    """What the lines are, and why some look wrong that are not: a sentence or a few of text each.

    Args:
        config, history: as for `live_chart`.
        left_out: those of MEASURES of which the first epoch is not shown.
    """
    guessing = math.log(len(DATASETS[config.dataset]["classes"]))
    said = [
        "Thin line: each step, or the mean of the steps of about a second. Thick line: the same, smoothed over a "
        "quarter "
        "of an epoch. Dots: the mean of an epoch’s training, while the network was still learning. Dashed line: "
        "validation, after each epoch. Loss is cross-entropy in nats: 0 is perfect, "
        f"{guessing:.2f} is guessing{', and L2 penalties are part of it' if config.l2 else ''}."
    ]
    if config.label_smoothing:
        said.append(
            "Training loss stays well above validation loss because only training has label smoothing "
            f"({config.label_smoothing:g}), which asks the network never to be quite sure."
        )
    if left_out:
        said.append(
            f"“{RANGES['fitted']}” leaves out epoch 1 of the {' and the '.join(left_out)}, which would flatten the "
            f"rest: see “{RANGES['whole']}”."
        )
    first = history["validation_loss"].iloc[0] if len(history) else 0
    if guessing < first < math.inf:
        said.append(f"The validation loss of {first:.2f} after epoch 1 is worse than guessing: {_why_worse(config)}")
    return said


def _why_worse(config):
    if config.batch_normalization:
        return (
            "validation uses running means of batch normalisation, which have not caught up with the weights so early; "
            "it falls within a few epochs."
        )
    if config.weight_averaging:
        return "validation uses the mean of the weights, which still contains the random ones of the beginning."
    return "the network is very sure of some wrong predictions so early, and each of them costs much."


def axis_end(epochs, done, running):
    """Where the epoch axis ends: all of a short run, and a long one as it grows, a few epochs ahead."""
    if epochs <= 20:
        return epochs
    return min(epochs, max(10, 5 * math.ceil(1.1 * max(done, running) / 5)))


def _stride(count):
    return 1 if count <= MOST_POINTS else 2 ** math.ceil(math.log2(count / MOST_POINTS))


def _short(value):
    return float(f"{value:.5g}") if math.isfinite(value) else None


@functools.cache
def _plotly_address():
    """Puts the installed Plotly's script where Streamlit serves files from, and says at which address."""
    source = Path(importlib.util.find_spec("plotly").origin).parent / "package_data" / "plotly.min.js"
    target = _STATIC / source.name
    if not (target.exists() and filecmp.cmp(source, target, shallow=False)):
        _STATIC.mkdir(exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"{'/' * bool(base)}{base}/app/static/{target.name}?v={importlib.metadata.version('plotly')}"
