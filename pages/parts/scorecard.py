"""The report's pairs as a grid of cards: our best run beside the report, its curve and what it gets wrong."""

import base64
import contextlib
import functools
import math
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.config.recipes import RECIPES
from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable
from core.datasets.test_images import at_hand, load_test_images
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from core.results.curves import settled_range
from core.results.reference import NETWORKS_OF_REPORT, REPORT
from core.results.seeds import ids
from core.results.statistics import BETTER, NO_CLEAR_DIFFERENCE, WORSE
from core.runs.run import Run, RunError, artifacts_folder
from pages.parts import data
from pages.parts.inner_links import look_inside
from pages.parts.run.card import epoch_words, share_done
from pages.parts.starting import quick_start_button
from pages.parts.style import duration, heard, pair_label, percent, points

# What the pages call each verdict, and its colour in the light and in the dark theme.
VERDICTS = {
    BETTER: ("▲ Better", "#0B7A4B", "#56D39B"),
    NO_CLEAR_DIFFERENCE: ("≈ No clear difference", "#3D5A80", "#9DB8DA"),
    WORSE: ("▼ Worse", "#B3344F", "#F58BA0"),
}
_WIDTHS = [1.4, *[3] * len(DATASETS)]

# Streamlit sets color-scheme on the app, so that light-dark() follows its own switch of themes.
_VERDICT_STYLE = """
[class*="st-key-cell-{0}-"] {{ --verdict: light-dark({1}, {2});
  background: color-mix(in srgb, var(--verdict) 8%, transparent);
  border-color: color-mix(in srgb, var(--verdict) 40%, transparent) !important; }}
"""
_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")
_SPARKLINE = (120, 36)
_GETS_WRONG = "<span class='quiet'>gets wrong</span>"


def draw_scorecard(best, running):
    """Draws the grid: the figures first, and then the pictures, which can take a moment the first time.

    Args:
        best: (network, dataset) -> row, as from `core.results.table.best_runs`.
        running: (network, dataset) -> (run, status) of the newest unfinished run.
    """
    verdicts = "".join(_VERDICT_STYLE.format(_css_name(word), *colours) for word, (_, *colours) in VERDICTS.items())
    networks = "".join(
        f".st-key-network-{name} {{ border-color: {NETWORK_COLOURS[name]}; }}" for name in NETWORKS_OF_REPORT
    )
    st.html(f"<style>{_CSS}{verdicts}{networks}</style>")
    for column, dataset in zip(st.columns(_WIDTHS)[1:], DATASETS.values(), strict=True):
        height, width, channels = dataset["image_shape"]
        kind = "grey" if channels == 1 else "colour"
        with column:
            st.html(
                f"<div class='axis dataset'><b>{escape(dataset['label'])}</b><br>"
                f"<span class='quiet'>{width} × {height}, {kind}</span></div>"
            )
    waiting = []
    for network in NETWORKS_OF_REPORT:
        facts = NETWORKS[network]
        head, *columns = st.columns(_WIDTHS)
        with head, st.container(height="stretch", key=f"network-{network}"):
            st.html(
                f"<div class='axis'><b>{escape(facts['label'])}</b><br><span class='quiet'>{facts['year']}</span></div>"
            )
        for column, dataset in zip(columns, DATASETS, strict=True):
            row = best.get((network, dataset))
            with column:
                pictures = _draw_cell(network, dataset, row, running.get((network, dataset)))
            if row:
                waiting.append((row, pictures))
    images_of = functools.cache(load_test_images)
    for row, pictures in waiting:
        runs, label = ids(row["run"]), pair_label(row["network"], row["dataset"])
        pictures.html(_below(_pictures(Run(artifacts_folder() / runs[0]), row, images_of), runs, label))


def _draw_cell(network, dataset, row, at_work):
    kind = _css_name(row["verdict"] or "alone") if row else "untrained"
    with st.container(border=True, height="stretch", gap="xsmall", key=f"cell-{kind}-{network}-{dataset}"):
        report = REPORT.get((network, dataset), {})
        lines = _score_lines(row, report) if row else _untrained_lines(report)
        label = pair_label(network, dataset)
        st.html(f"<div class='score'><div class='of'>{escape(label)}</div>{lines}</div>")
        pictures = st.empty()
        if row:
            # As high as what will stand there, so that nothing moves when it comes.
            pictures.html(_below("", ids(row["run"]), label))
        if at_work:
            run, status = at_work
            config = data.config(run)
            st.progress(share_done(config, status), text=epoch_words(config, status))
            says = f"Watch it learn{heard(f': {label}')}"
            st.page_link("pages/train.py", label=says, icon="", query_params={"run": run.id})
        elif not row:
            quick_start_button("Train quickly", network, dataset)
    return pictures


def _below(pictures, runs, label):
    """What stands below a card's figures, as HTML: the pictures, and links to the runs' gallery and curves."""
    # As our own: eighteen of Streamlit's take the page a fifth longer.
    links = "".join(
        f'<a class="inner" target="_self" href="{page}?{escape(urlencode({"run": run}, doseq=True))}" '
        f'aria-label="{word} of {escape(label)}">{word}</a>'
        for word, page, run in (("Gallery", "gallery", runs[0]), ("Curves", "compare", runs))
    )
    return f"<div class='pictures'>{pictures}</div><div class='links'>{links}</div>"


def _pictures(run, row, images_of):
    """The curve of a run, and two images that it gets wrong, as HTML; without what cannot be read."""
    curve = wrong = ""
    with contextlib.suppress(RunError):
        curve = _sparkline(data.history(run)["validation_accuracy"].tolist(), NETWORK_COLOURS[row["network"]])
    classes = DATASETS[row["dataset"]]["classes"]
    # What is not on this machine is not fetched for the sake of a small picture.
    if at_hand(row["dataset"]):
        with contextlib.suppress(RunError, DatasetUnavailable):
            wrong = "".join(_mistake(run, found, classes) for found in data.mistakes(run, images_of))
    return f"{curve}<span class='mistakes'>{wrong and _GETS_WRONG}{wrong}</span>"


def _mistake(run, found, classes):
    """An image that leads to itself in the run's gallery."""
    says = escape(
        f"Test image {found.image}: {classes[found.label]}, taken for {classes[found.predicted]}, "
        f"{percent(found.confidence, 0)} sure"
    )
    address = f"gallery?run={escape(run.id)}&amp;image={found.image}"
    label = pair_label(data.config(run).network, data.config(run).dataset)
    return (
        f'<span><a class="inner" href="{address}" target="_self"><img src="{found.address}" alt="{says}" '
        f'title="{says}"></a>{look_inside(found.image, [run.id], "Inside", of=label)}</span>'
    )


def _sparkline(shares, colour):
    """The validation accuracy by epoch as a small picture, in HTML."""
    drawn = [share for share in shares if math.isfinite(share)]
    if len(drawn) < 2:
        return ""
    low, high = settled_range([drawn]) or (min(drawn), max(drawn))
    width, height = _SPARKLINE
    corners = " ".join(
        f"{2 + (width - 4) * epoch / (len(drawn) - 1):.1f},"
        f"{height - 3 - (height - 6) * (max(share, low) - low) / (high - low or 1):.1f}"
        for epoch, share in enumerate(drawn)
    )
    picture = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' preserveAspectRatio='none'>"
        f"<polyline points='{corners}' fill='none' stroke='{colour}' stroke-width='3' stroke-linejoin='round' "
        "stroke-linecap='round' vector-effect='non-scaling-stroke'/></svg>"
    )
    says = f"Validation accuracy over {_epochs(len(drawn))}: from {percent(drawn[0])} to {percent(drawn[-1])}"
    return (
        f'<img class="curve" alt="{says}" title="{says}" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}">'
    )


def _css_name(verdict):
    return verdict.replace(" ", "-")


def _score_lines(row, report):
    recipe = f"{RECIPES[row['recipe']]['label']} recipe" + (", included" if row["included"] else "")
    total = "not recorded" if math.isnan(row["total_seconds"]) else duration(row["total_seconds"])
    low, high = percent(row["test_accuracy_low"]), percent(row["test_accuracy_high"])
    facts = [f"95 % interval {low} to {high}"]
    if row["seeds"] > 1:
        over_seeds = f"{percent(row['test_accuracy_seeds_low'])} to {percent(row['test_accuracy_seeds_high'])}"
        facts = [f"Mean of {row['seeds']} seeds: {over_seeds} over seeds, {low} to {high} over images (95 %)"]
    facts += [
        _difference_interval(row) if row["verdict"] else "",
        f"{recipe}: epoch {row['epoch']:g} of {row['epochs']:g}",
        f"Training time {duration(row['seconds'])}, in all {total}",
        f"The report: {_reports_time(row)}" if report else "",
    ]
    more = "".join(f"<div>{escape(fact)}</div>" for fact in facts if fact)
    return (
        f"<div class='spread'><span class='big'>{percent(row['test_accuracy'])}</span>"
        f"<span class='word'>{VERDICTS[row['verdict']][0] if row['verdict'] else ''}</span></div>"
        f"<details class='more'><summary>{_difference_line(row, report)}</summary>"
        f"<div class='quiet'>{more}</div></details>"
    )


def _difference_line(row, report):
    if not row["verdict"]:
        return "The report has no figure"
    difference = points(row["test_accuracy_difference"])
    return f"<span class='word'>{difference} points</span> from the report’s {percent(report['test_accuracy'])}"


def _difference_interval(row):
    low, high = (points(row[f"test_accuracy_difference{end}"]) for end in ("_low", "_high"))
    return f"Difference {points(row['test_accuracy_difference'])} points, 95 % interval {low} to {high}"


def _reports_time(row):
    epochs, seconds = row["report_epochs"], row["report_seconds"]
    return "time not said" if math.isnan(seconds) else f"{_epochs(epochs)}, {duration(seconds)}"


def _untrained_lines(report):
    return (
        f"<div class='spread'><span class='big none'>{percent(report.get('test_accuracy'))}</span>"
        f"<span class='quiet'>the report's</span></div>"
        f"<div class='quiet'>Not trained yet{_reports_epochs(report)}</div>"
    )


def _epochs(number):
    return f"{number:g} epoch{'' if number == 1 else 's'}"


def _reports_epochs(report):
    return f" (report: {_epochs(report['epochs'])})" if report.get("epochs") else ""
