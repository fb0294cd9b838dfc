"""Finished runs' curves over one another: one hue a network, a shade and a dash a run, training solid, validation
dashed, the report dotted.
"""

import math
from collections import Counter
from typing import NamedTuple

import plotly.graph_objects as go

from core.config.recipes import RECIPES
from core.config.run_config import FIELDS, in_words
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS, shades
from core.results.curves import settled_range
from core.results.reference import REPORT
from pages.parts import data
from pages.parts.style import moment, pair_label

HEIGHT = 400
PANELS = ("accuracy", "loss")
PARTS = {"train": "training", "validation": "validation"}
# How a run's validation is dashed; training is solid everywhere. A network's runs take one after another.
_DASHES = ("8px,5px", "14px,5px", "3px,4px")
REPORT_DASH = "dot"
# Each network has as many shades, and with each dash; further runs get marks.
_MARKS = (None, "circle", "diamond", "square", "triangle-up", "cross", "star")
# (panel, scale) -> title of the axis, what is drawn of the value on disk, how it is written under the pointer.
_AXES = {
    ("accuracy", "linear"): ("Accuracy (%)", lambda share: 100 * share, "%{y:.2f} % right"),
    ("accuracy", "log"): ("Errors (%)", lambda share: 100 - 100 * share or math.nan, "%{y:.2f} % wrong"),
    ("loss", "linear"): ("Loss (nats)", lambda loss: loss, "loss %{y:.4f} nats"),
    ("loss", "log"): ("Loss (nats)", lambda loss: loss or math.nan, "loss %{y:.4f} nats"),
}
_BAND_OPACITY = 0.18
# So many times the second epoch's validation loss is a first one that needs a word.
_BAD_START = 3


class Look(NamedTuple):
    """How one run is drawn: a colour as "#RRGGBB", the dash of its validation in SVG's words, a mark or None."""

    colour: str
    dash: str
    mark: str | None


def short_names(runs, configs, with_dataset=True, seeds=None):
    """A name for each run, "VGG-16 on MNIST, Modern" or "VGG-16, Modern", with what tells it from others that would be
    called the same: settings, else the day, else the end of its id; or "VGG-16 on MNIST, Modern, 3 seeds" where `seeds`
    has 3 for it.
    """
    names = [
        f"{pair_label(config.network, config.dataset) if with_dataset else NETWORKS[config.network]['label']}, "
        f"{RECIPES[config.recipe]['label']}{f', {count} seeds' if count > 1 else ''}"
        for config, count in zip(configs, seeds or [1] * len(configs), strict=True)
    ]
    return [name + told for name, told in zip(names, told_apart(names, runs, configs), strict=True)]


def told_apart(names, runs, configs):
    """What is to be added to each of these names of runs so that no two are the same; "" for one that none has too."""
    words, positions = [""] * len(names), {}
    for position, name in enumerate(names):
        positions.setdefault(name, []).append(position)
    for alike in positions.values():
        if len(alike) == 1:
            continue
        found = _what_differs([runs[position] for position in alike], [configs[position] for position in alike])
        for position, told in zip(alike, found, strict=True):
            words[position] = told
    return words


def _what_differs(runs, configs):
    """What tells each of some runs of one network, dataset and recipe from the others, to be added to its name."""
    differing = [name for name in FIELDS if len({getattr(config, name) for config in configs}) > 1]
    # As few settings as it takes, and the seed only where nothing else does.
    differing.sort(key="seed".__eq__)
    for names in [*([name] for name in differing), differing]:
        words = [f", {in_words({name: getattr(config, name) for name in names})}" for config in configs]
        if len(set(words)) == len(words):
            return words
    days = [f" ({moment(data.created(run))})" for run in runs]
    return days if len(set(days)) == len(days) else [f" ({run.id.rsplit('-', 1)[-1]})" for run in runs]


def looks(configs):
    """A Look for each run: the hue is its network's, the shade and the dash go by recipe, and by run where a recipe has
    several.
    """
    recipes, found = list(RECIPES), [None] * len(configs)
    drawn = Counter()
    for position in sorted(range(len(configs)), key=lambda position: recipes.index(configs[position].recipe)):
        network = configs[position].network
        turn, number = divmod(drawn[network], len(_DASHES))
        drawn[network] += 1
        found[position] = Look(shades(NETWORK_COLOURS[network])[number], _DASHES[number], _MARKS[turn % len(_MARKS)])
    return found


def curves_figure(panel, names, configs, histories, report=False, scale="linear"):
    """A Plotly figure of runs over their epochs, without a legend: `looks` says what each is drawn like.

    Args:
        panel: one of PANELS.
        names, configs, histories: as many short names, RunConfigs and history DataFrames. One that
            `core.results.seeds.mean_history` made has a band around each line, from the lowest to the highest seed.
        report: whether to add the validation figures of the last epoch that the report gives for these pairs.
        scale: "linear", where the axis leaves out first epochs that would flatten all others, or "log", where accuracy
            becomes the share of errors.

    Returns:
        (the figure, whether the axis leaves something out).
    """
    title, drawn, hover = _AXES[panel, scale]
    traces, lines = [], []
    for name, look, history in zip(names, looks(configs), histories, strict=True):
        mark = look.mark or ("circle" if len(history) == 1 else None)
        for part, words in PARTS.items():
            values = [drawn(value) for value in history[f"{part}_{panel}"]]
            epochs = list(history["epoch"])
            if f"{part}_{panel}_low" in history:
                low, high = ([drawn(value) for value in history[f"{part}_{panel}_{end}"]] for end in ("low", "high"))
                traces.append(_band(epochs, low, high, look.colour))
                lines += [low, high]
            lines.append(values)
            traces.append(
                {
                    "x": epochs,
                    "y": values,
                    "mode": "lines+markers" if mark else "lines",
                    "marker": {"symbol": mark, "size": 8, "maxdisplayed": 12} if mark else None,
                    "line": {"color": look.colour, "dash": "solid" if part == "train" else look.dash, "width": 2.5},
                    "hovertemplate": f"{name}, {words}<br>epoch %{{x}}: <b>{hover}</b><extra></extra>",
                }
            )
    last = max((history["epoch"].max() for history in histories if len(history)), default=1)
    for network, dataset in _pairs_of_report(configs) if report else ():
        level = drawn(REPORT[network, dataset][f"validation_{panel}"])
        lines.append([level])
        traces.append(
            {
                "x": [1, last],
                "y": [level] * 2,
                "mode": "lines",
                "line": {"color": NETWORK_COLOURS[network], "dash": REPORT_DASH, "width": 2.5},
                "hovertemplate": f"The report's last validation, {pair_label(network, dataset)}<br><b>{hover}</b>"
                "<extra></extra>",
            }
        )
    # All at once, as Plotly copies each trace that it adds.
    figure = go.Figure([{"type": "scatter", **trace} for trace in traces])
    cut = settled_range(lines) if scale == "linear" else None
    figure.update_yaxes(title=title, type=scale, range=cut)
    if scale == "log":
        # Plotly would write a bare 2 and 5 between 0.1 and 1.
        ticks = [digit * 10.0**power for power in range(-6, 4) for digit in (1, 2, 5)]
        figure.update_yaxes(tickvals=ticks, ticktext=[f"{tick:.6f}".rstrip("0").rstrip(".") for tick in ticks])
    figure.update_xaxes(title="Epoch", tickformat="d", minallowed=0)
    figure.update_layout(
        height=HEIGHT, margin={"l": 0, "r": 8, "t": 8, "b": 0}, hovermode="closest", showlegend=False, uirevision=panel
    )
    return figure, bool(cut)


def _band(epochs, low, high, colour):
    """An area between two lines, in a pale form of a colour "#RRGGBB"."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return {
        "x": epochs + epochs[::-1],
        "y": high + low[::-1],
        "fill": "toself",
        "fillcolor": f"rgba({red}, {green}, {blue}, {_BAND_OPACITY})",
        "mode": "none",
        "hoverinfo": "skip",
    }


def explanations(configs, histories, classes):
    """What surprises in the losses of these runs, in a sentence each.

    Args:
        configs, histories: as many RunConfig and history DataFrames.
        classes: how many classes each run tells apart.
    """
    floors = {
        f"{_least_loss(config.label_smoothing, count):.2f}"
        for config, count in zip(configs, classes, strict=True)
        if config.label_smoothing
    }
    said = []
    if floors:
        said.append(
            f"Label smoothing keeps the training loss from falling below {' or '.join(sorted(floors))}; validation is "
            "measured without it, so its loss lies far lower."
        )
    losses = [history["validation_loss"].tolist() for history in histories]
    if any(len(loss) > 1 and loss[0] > _BAD_START * loss[1] for loss in losses):
        said.append(
            "A very high first validation loss means that running means (of batch normalisation, of weights) have "
            "not caught up yet."
        )
    return said


def _least_loss(smoothing, classes):
    """The training loss of a network that gives each class exactly its smoothed share."""
    other = smoothing / classes
    true = 1 - smoothing + other
    return -true * math.log(true) - (classes - 1) * other * math.log(other)


def _pairs_of_report(configs):
    pairs = dict.fromkeys((config.network, config.dataset) for config in configs)
    return [pair for pair in pairs if pair in REPORT]
