"""Finished runs' curves over one another: one colour a network, training solid, validation dashed, report dotted."""

from collections import Counter

from plotly.subplots import make_subplots

from core.config.recipes import RECIPES
from core.results.reference import REPORT
from pages.parts.style import NETWORK_COLOURS, pair_label

_DASHES = {"train": "solid", "validation": "dash"}
_REPORT_DASH = "dot"
# A network's second run keeps its colour and gets marks.
_MARKS = (None, "circle", "diamond", "square", "triangle-up", "cross", "star")
_GREY = "#8A93A0"
# Name -> column in the figure, axis title, factor from what is on disk, format of one value.
_PANELS = {"accuracy": (1, "Accuracy (%)", 100, ".2f"), "loss": (2, "Loss (nats)", 1, ".4f")}


def short_names(runs, configs):
    """A name for each run, "VGG-16 on MNIST, Modern", with the end of its id where two would be called the same."""
    names = [f"{pair_label(config.network, config.dataset)}, {RECIPES[config.recipe]['label']}" for config in configs]
    often = Counter(names)
    return [
        f"{name} ({run.id.rsplit('-', 1)[-1]})" if often[name] > 1 else name
        for run, name in zip(runs, names, strict=True)
    ]


def curves_figure(runs, configs, histories, report=False):
    """A Plotly figure of runs over their epochs, accuracy at the left and loss at the right.

    Args:
        runs, configs, histories: as many core.runs.run.Run, RunConfig and history DataFrames.
        report: whether to add the validation figures of the last epoch that the report gives for these pairs.
    """
    figure = make_subplots(cols=2, horizontal_spacing=0.12)
    drawn = Counter()
    for run, name, config, history in zip(runs, short_names(runs, configs), configs, histories, strict=True):
        mark = _MARKS[drawn[config.network] % len(_MARKS)]
        drawn[config.network] += 1
        look = {"legendgroup": run.id} | _look(config.network, "circle" if len(history) == 1 else mark)
        for part, dash in _DASHES.items():
            for panel in _PANELS:
                _add_line(figure, panel, history["epoch"], history[f"{part}_{panel}"], f"{name}: {part}", look, dash)
        figure.add_scatter(x=[None], y=[None], name=name, line_width=3, **look)
    last = max((history["epoch"].max() for history in histories if len(history)), default=1)
    for network, dataset in _pairs_of_report(configs) if report else ():
        for panel in _PANELS:
            figures = [REPORT[network, dataset][f"validation_{panel}"]] * 2
            label = f"Report, {pair_label(network, dataset)}: validation"
            _add_line(figure, panel, [1, last], figures, label, _look(network, None), _REPORT_DASH)
    meanings = _DASHES | ({"report's last validation": _REPORT_DASH} if report else {})
    for meaning, dash in meanings.items():
        figure.add_scatter(x=[None], y=[None], name=meaning, mode="lines", line={"color": _GREY, "dash": dash})
    for column, title, _, _ in _PANELS.values():
        figure.update_yaxes(title=title, col=column)
        figure.update_xaxes(title="Epoch", tickformat="d", minallowed=0, col=column)
    figure.update_layout(
        height=400 + 24 * len(runs),
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        hovermode="closest",
        legend={"orientation": "h", "traceorder": "normal", "yanchor": "top", "y": -0.16, "itemwidth": 40},
    )
    return figure


def _pairs_of_report(configs):
    pairs = dict.fromkeys((config.network, config.dataset) for config in configs)
    return [pair for pair in pairs if pair in REPORT]


def _look(network, mark):
    line = {"mode": "lines", "line_color": NETWORK_COLOURS[network]}
    return line | ({"mode": "lines+markers", "marker": {"symbol": mark, "size": 8, "maxdisplayed": 12}} if mark else {})


def _add_line(figure, panel, epochs, values, label, look, dash):
    column, _, factor, digits = _PANELS[panel]
    unit = " %" if factor == 100 else ""
    figure.add_scatter(
        x=list(epochs),
        y=[factor * value for value in values],
        line_dash=dash,
        showlegend=False,
        hovertemplate=f"{label} {panel}<br>epoch %{{x}}: <b>%{{y:{digits}}}{unit}</b><extra></extra>",
        row=1,
        col=column,
        **look,
    )
