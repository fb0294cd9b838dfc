"""Whether the ticked runs are right as often as they say."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.runs.run import RunError
from pages.parts import data, presenter
from pages.parts.charts.curves import looks, short_names
from pages.parts.glossary import explained, help_on
from pages.parts.style import GREY, plain

HEIGHT = 520
# So many lines are still told apart.
MOST = 12
ABOUT = (
    "Of the images of which a network is 80 % sure, 80 % should be right: then its line lies on the diagonal. Below "
    "it, the network is too sure of itself; above it, not sure enough. The expected calibration error is the mean "
    "distance between confidence and accuracy over 15 bins, each weighed by its images (Guo et al. 2017). A bin of few "
    "images says little: each has its 95 % interval (Wilson's), and the steps below show how many images it has. Label "
    "smoothing asks a network in training never to be quite sure, which moves its line up."
)


def draw_calibration(runs):
    """A reliability diagram of these runs, and how far each is from being right as often as it says."""
    shown, found = [], []
    for run in runs[:MOST]:
        try:
            found.append(data.calibration(run))
            shown.append(run)
        except RunError as error:
            st.warning(plain(str(error)), icon=":material/broken_image:")
    if not shown:
        return
    configs = [data.config(run) for run in shown]
    names = short_names(shown, configs)
    figure = go.Figure(
        [
            {
                "type": "scatter",
                "x": [0, 100],
                "y": [0, 100],
                "mode": "lines",
                "line": {"color": GREY, "dash": "dot", "width": 2},
                "hoverinfo": "skip",
                "showlegend": False,
            },
            *[
                _line(name, look, calibration)
                for name, look, calibration in zip(names, looks(configs), found, strict=True)
            ],
            *map(_sizes, names, looks(configs), found),
        ]
    )
    figure.update_xaxes(title="Confidence (%)", range=[0, 102])
    figure.update_layout(
        # Both above the one axis of confidence.
        xaxis={"anchor": "y2"},
        yaxis={"title": "Accuracy (%)", "range": [0, 102], "domain": [0.32, 1]},
        yaxis2={"title": "Images", "type": "log", "domain": [0, 0.24], "dtick": 1},
        height=HEIGHT,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        hovermode="closest",
        legend={"orientation": "h", "y": -0.16},
    )
    left, right = st.columns([1, 1], gap="medium")
    left.plotly_chart(presenter.plotly(figure), config={"displaylogo": False}, key="calibration")
    right.caption(ABOUT, help=help_on(ABOUT))
    rows = pd.DataFrame(
        {
            "Run": names,
            "Accuracy": [100 * _mean(one.accuracy, one.counts) for one in found],
            "Mean confidence": [100 * one.mean_confidence for one in found],
            "Calibration error": [100 * one.error for one in found],
            "Log-likelihood": [one.likelihood for one in found],
            "Label smoothing": [config.label_smoothing for config in configs],
        }
    )
    right.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            "Run": st.column_config.TextColumn(pinned=True),
            "Accuracy": _number("%.2f %%", "accuracy"),
            "Mean confidence": _number("%.2f %%", "confidence"),
            "Calibration error": _number("%.2f %%"),
            "Log-likelihood": _number(
                "%.4f", "loss nats", "The negative one, in nats: the mean loss of the test images, without penalties."
            ),
            "Label smoothing": _number("%g", "label smoothing"),
        },
        alt="Calibration of the ticked runs",
    )
    if len(runs) > MOST:
        st.caption(f"The first {MOST} of {len(runs)} ticked runs.")


def _number(format, words="", help=None):
    """A column of numbers; `words` are those of the glossary to explain."""
    return st.column_config.NumberColumn(format=format, help=explained(help, words))


def _line(name, look, calibration):
    bins = [number for number, count in enumerate(calibration.counts) if count]
    return {
        "type": "scatter",
        "name": name,
        "x": [100 * calibration.confidence[number] for number in bins],
        "y": [100 * calibration.accuracy[number] for number in bins],
        "marker": {"size": 8, "symbol": look.mark},
        "error_y": {
            "array": [100 * (calibration.high[number] - calibration.accuracy[number]) for number in bins],
            "arrayminus": [100 * (calibration.accuracy[number] - calibration.low[number]) for number in bins],
            "thickness": 1.5,
            "width": 3,
        },
        "customdata": [
            f"{calibration.counts[number]:,} images, {100 * calibration.low[number]:.1f} to "
            f"{100 * calibration.high[number]:.1f} %"
            for number in bins
        ],
        "mode": "lines+markers",
        "line": {"color": look.colour, "width": 2.5},
        "hovertemplate": f"{name}<br>%{{x:.1f}} % sure, <b>%{{y:.1f}} % right</b><br>of %{{customdata}} (95 %)"
        "<extra></extra>",
    }


def _sizes(name, look, calibration):
    """How many images are in each bin, as steps under the diagram."""
    first = next(number for number, count in enumerate(calibration.counts) if count)
    bins = range(first, len(calibration.counts))
    return {
        "type": "scatter",
        "name": name,
        "yaxis": "y2",
        "x": [50 * (calibration.edges[number] + calibration.edges[number + 1]) for number in bins],
        # A logarithm knows no zero.
        "y": [int(calibration.counts[number]) or None for number in bins],
        "mode": "lines",
        "line": {"color": look.colour, "width": 2, "shape": "hvh"},
        "showlegend": False,
        "hovertemplate": f"{name}<br>%{{y:,}} images<extra></extra>",
    }


def _mean(shares, counts):
    return sum(share * count for share, count in zip(shares, counts, strict=True) if count) / sum(counts)
