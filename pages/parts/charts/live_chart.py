"""Loss and accuracy curves that grow while a run trains, without losing zoom, hover or the legend."""

import filecmp
import functools
import importlib.metadata
import importlib.util
import math
import os
import shutil
from pathlib import Path

import streamlit as st

from core.results.reference import REPORT
from pages.parts import presenter
from pages.parts.style import NETWORK_COLOURS

MOST_POINTS = 400
MEASURES = ("loss", "accuracy")
_STATIC = Path(__file__).parents[3] / "static"
_CSS = """
.live-chart { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 1rem; }
.live-chart { scroll-margin-bottom: 3rem; }
.live-chart > div { min-height: 320px; min-width: 0; }
"""
_component = st.components.v2.component(
    "live_chart", css=_CSS, js=Path(__file__).with_suffix(".js").read_text("utf-8"), isolate_styles=False
)


def live_chart(run, config, history, steps, reveal=False):
    """Draws a run's two charts.

    Args:
        run: the Run; its id tells the browser which zoom and legend to keep.
        config: its RunConfig.
        history: its history, a row an epoch.
        steps: its progress rows, oldest first.
        reveal: whether the page scrolls to the charts when they first appear.
    """
    report = REPORT.get((config.network, config.dataset))
    _component(
        key=f"live {run.id}",
        data={
            "run": run.id,
            "reveal": reveal,
            "plotly": _plotly_address(),
            "colour": NETWORK_COLOURS[config.network],
            "projected": presenter.projected(),
            "end": axis_end(config.epochs, len(history), bool(steps) and steps[-1]["epoch"]),
            "report": {"accuracy": report["validation_accuracy"]} if report else {},
            "epochs": epoch_points(history),
            "steps": step_points(steps),
        },
    )


def epoch_points(history):
    """The epoch curves: x and each loss and accuracy, at most MOST_POINTS long, None for what is no number."""
    names = {"x": "epoch"} | {
        f"{part}_{measure}": f"{part}_{measure}" for part in ("train", "validation") for measure in MEASURES
    }
    every = _stride(len(history))
    return {name: [_short(value) for value in history[column].iloc[::every]] for name, column in names.items()}


def step_points(steps):
    """The running means inside each epoch: x in epochs, at most MOST_POINTS long, a None between two epochs."""
    points = {"x": [], **{measure: [] for measure in MEASURES}}
    # A stride of two to the n keeps the chosen points where they are until there are twice as many.
    every = _stride(len(steps))
    epoch = None
    for row in steps[::every] + (steps[-1:] if (len(steps) - 1) % every else []):
        if epoch not in (None, row["epoch"]):
            for values in points.values():
                values.append(None)
        epoch = row["epoch"]
        points["x"].append(_short(epoch - 1 + row["step"] / row["steps"]))
        for measure in MEASURES:
            points[measure].append(_short(row[measure]))
    return points


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
