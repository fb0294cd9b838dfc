"""Figures for print and for the screen: curves over the epochs, confusion matrices, test images, and differences.

matplotlib takes 50 MB and a second to import, so nothing that serves pages calls this; it is imported inside.
"""

import contextlib
import hashlib
import io
import math
import re
from html import escape
from typing import NamedTuple

import numpy as np

from core.environment import bring_back
from core.palette import ink_on
from core.results.curves import settled_range
from core.results.scores import confidences, log_odds, predicted_classes

# Inches: two of the small ones stand side by side on a sheet of A4, and letters keep their size there.
_WIDTH, _WIDE = 3.36, 6.9
_DOTS_PER_INCH = 200
# Inside of a page these three become the page's own colours; nothing else is drawn in them.
_INK, _RULE, _PAPER = "#1b2430", "#d5dae2", "#fffffe"
_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "text.color": _INK,
    "text.parse_math": False,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _RULE,
    "grid.linewidth": 0.5,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 6.5,
    "figure.facecolor": _PAPER,
    "savefig.facecolor": _PAPER,
    "axes.facecolor": "none",
    # The same letters in the same places for the same runs, wherever and whenever it is drawn.
    "svg.hashsalt": "pack",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
# Format -> what would name the program and the day.
_METADATA = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
PANELS = {
    "accuracy": ("Accuracy (%)", 100, "lower right"),
    "loss": ("Loss (nats)", 1, "upper right"),
}


class Drawn(NamedTuple):
    """A figure: the bytes of its files, by their ending, and the SVG as HTML takes it."""

    files: dict
    inline: str


def curves(history, panel, colour, report=None):
    """How a run, or several seeds of one, learned.

    Args:
        history: as `Run.read_history` gives it, or `core.results.seeds.mean_history`, whose bands are drawn.
        panel: one of PANELS.
        colour: of the network, "#RRGGBB".
        report: the report's last validation figure, in the unit of the history; None where there is none.

    Returns:
        a Drawn, whose SVG says nothing of what it shows yet; see `described`.
    """
    label, factor, legend = PANELS[panel]
    with _figure(_WIDTH, 1.95) as (figure, axes):
        epochs, lines = history["epoch"].to_numpy(), []
        for part, dash in (("train", "-"), ("validation", (0, (3.5, 1.8)))):
            values = factor * _finite(history[f"{part}_{panel}"])
            words = "training" if part == "train" else part
            marker = "o" if len(epochs) == 1 else None
            axes.plot(epochs, values, color=colour, linestyle=dash, linewidth=1.3, label=words, marker=marker, ms=3)
            lines.append(values.tolist())
            if f"{part}_{panel}_low" in history:
                ends = [factor * _finite(history[f"{part}_{panel}_{end}"]) for end in ("low", "high")]
                axes.fill_between(epochs, *ends, color=colour, alpha=0.18, linewidth=0)
                lines += [end.tolist() for end in ends]
        if report is not None:
            # The report's is a level, as its epochs are not known one by one.
            axes.axhline(factor * report, color=_INK, linestyle=":", linewidth=1, label="report's last validation")
            lines.append([factor * report])
        if cut := settled_range(lines):
            axes.set_ylim(*cut)
        axes.set_xlabel("Epoch")
        axes.set_ylabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc=legend, handlelength=2.4, borderaxespad=0.1)
        return _drawn(figure)


def matrix(counts, classes, colour):
    """How many images of each true class (row) were given each class (column); a Drawn."""
    side = len(classes)
    most = max(1, counts.max())
    with _figure(_WIDTH, 3.1) as (figure, axes):
        from matplotlib.patches import Rectangle

        axes.grid(False)
        for row, column in np.ndindex(counts.shape):
            count = int(counts[row, column])
            # A logarithm that knows zero: the diagonal holds nearly everything, and single errors stay visible.
            share = 0.05 + 0.95 * math.log1p(count) / math.log1p(most)
            axes.add_patch(Rectangle((column + 0.03, row + 0.03), 0.94, 0.94, color=colour, alpha=share, linewidth=0))
            if count:
                strong = count > most / 4
                axes.text(
                    *(column + 0.5, row + 0.52, f"{count}"),
                    color=ink_on(colour).lower() if strong else _INK,
                    fontweight="bold" if strong else "normal",
                    ha="center",
                    va="center",
                    fontsize=5.5,
                )
        axes.set(xlim=(0, side), ylim=(side, 0), xlabel="Predicted class", ylabel="True class")
        turned = max(map(len, classes)) > 2
        ticks = np.arange(side) + 0.5
        axes.set_xticks(
            ticks, classes, rotation=40 * turned, ha="right" if turned else "center", rotation_mode="anchor"
        )
        axes.set_yticks(ticks, classes)
        axes.spines[:].set_visible(False)
        return _drawn(figure)


class Case(NamedTuple):
    """A test image and what became of it: its number, its class and the predicted one, their names, the probability of
    the latter, 0..1.
    """

    image: int
    label: str
    predicted: str
    probability: float


def cases(predictions, classes, correct):
    """Of the images of each class that a network got right, or wrong, the one that it was surest of: a list of Case,
    in the order of the classes.
    """
    logits, labels = predictions["logits"], predictions["labels"]
    predicted, sure = predicted_classes(logits), confidences(predictions["probabilities"])
    odds = log_odds(logits, predicted)
    found = []
    for number, label in enumerate(classes):
        there = np.flatnonzero((labels == number) & ((predicted == labels) == correct))
        if len(there):
            # Of equals the first; odds tell images apart whose probabilities are all 1.
            image = int(there[np.argmax(odds[there])])
            found.append(Case(image, label, classes[predicted[image]], float(sure[image])))
    return found


def in_percent(probability):
    """ "98.21 %"; a probability that is not 1 is not called 100 %."""
    text = f"{100 * probability:.2f} %"
    return "> 99.99 %" if text == "100.00 %" else text


def sheet(found, images):
    """The images of some cases, five in a row, each above its class, its prediction and the probability; a Drawn.

    Args:
        found: of Case, at most ten.
        images: all test images of the dataset, uint8 (N, h, w, c).
    """
    columns, rows = 5, 2
    with _figure(_WIDTH, 2.16) as (figure, axes):
        axes.set_axis_off()
        axes.set(xlim=(0, columns), ylim=(rows * 1.62, 0), aspect="equal")
        for position, case in enumerate(found):
            row, column = divmod(position, columns)
            left, top = column, row * 1.62
            image = images[case.image]
            axes.imshow(
                image[..., 0] if image.shape[-1] == 1 else image,
                cmap="gray",
                vmin=0,
                vmax=255,
                extent=(left + 0.1, left + 0.9, top + 0.8, top),
                interpolation="none",
            )
            wrong = case.label != case.predicted
            for number, words in enumerate((case.label, f"→ {case.predicted}", in_percent(case.probability))):
                axes.text(
                    *(left + 0.5, top + 0.93 + 0.21 * number, words),
                    ha="center",
                    va="center",
                    fontsize=5.2,
                    fontweight="bold" if wrong and number == 1 else "normal",
                )
        axes.set(xlim=(0, columns), ylim=(rows * 1.62, 0))
        return _drawn(figure)


def differences(rows):
    """How far pairs are from the report, with their 95 % intervals; a Drawn.

    Args:
        rows: a list of (name, colour, difference, low, high), in points.
    """
    with _figure(_WIDE, 0.62 + 0.2 * len(rows)) as (figure, axes):
        axes.grid(False, axis="y")
        axes.axvline(0, color=_INK, linewidth=0.8)
        for position, (_, colour, middle, low, high) in enumerate(rows):
            axes.plot([low, high], [position] * 2, color=colour, linewidth=2.2, solid_capstyle="butt")
            axes.plot([middle], [position], marker="o", color=colour, markersize=5)
        axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("Test accuracy, ours minus the report's (points), with 95 % intervals")
        return _drawn(figure)


def described(drawn, alt):
    """The SVG of a Drawn as one image in HTML, which says what it shows."""
    return drawn.inline.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)


def _finite(values):
    """What can be drawn; a loss may be infinite or no number."""
    numbers = values.to_numpy(float)
    return np.where(np.isfinite(numbers), numbers, math.nan)


@contextlib.contextmanager
def _figure(width, height):
    """A figure of so many inches, and its axes."""
    bring_back("matplotlib")
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.figure import Figure

    with rc_context():
        # Without what somebody's own settings say.
        rcdefaults()
        rcParams.update(_SETTINGS)
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def _drawn(figure):
    # Once for all formats: finding where everything has room takes longer than drawing it.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    found = {}
    for kind, metadata in _METADATA.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=_DOTS_PER_INCH, metadata=metadata)
        found[kind] = buffer.getvalue()
    return Drawn(found, _inline(found["svg"].decode()))


def _inline(svg):
    """An SVG as a part of a page: its own names, the page's colours and letters, and nothing that only files have."""
    own = hashlib.sha256(svg.encode()).hexdigest()[:8]
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg)
    svg = re.sub(r'\bid="', f'id="{own}-', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{own}-", svg)
    svg = svg.replace(_INK, "currentColor").replace(_RULE, "var(--rule)").replace(_PAPER, "none")
    # What is written in a style sheet of its own would hold for the whole page.
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.S).replace("'DejaVu Sans'", "var(--letters)")
    return re.sub(r"\s*\n\s*", " ", svg)
