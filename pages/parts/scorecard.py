"""The report's pairs as a grid of cards: our best run beside the report, coloured by verdict."""

import math
from html import escape

import streamlit as st

from core.config.recipes import RECIPES
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.results.reference import NETWORKS_OF_REPORT, REPORT
from core.results.statistics import BETTER, NO_CLEAR_DIFFERENCE, WORSE
from pages.parts import data
from pages.parts.run.card import epoch_words, share_done
from pages.parts.starting import quick_start_button
from pages.parts.style import NETWORK_COLOURS, duration, pair_label, percent

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
_STYLE = """
.score { container-type: inline-size; display: grid; row-gap: .15rem; line-height: 1.3;
  font-variant-numeric: tabular-nums; }
.score .of { display: none; font-weight: 600; }
.score .spread { display: flex; justify-content: space-between; align-items: baseline; column-gap: .6rem;
  flex-wrap: wrap; }
.score .big { font-size: clamp(1.7rem, 14cqi, 2.9rem); font-weight: 650; letter-spacing: -.025em;
  white-space: nowrap; line-height: 1.15; }
.score .word { color: var(--verdict); font-weight: 600; white-space: nowrap; }
.quiet { color: color-mix(in srgb, currentColor 66%, transparent); font-size: .875rem; }
.score .none { opacity: .5; }
.axis { line-height: 1.35; }
.axis b { font-size: 1.1rem; font-weight: 650; white-space: nowrap; }
[class*="st-key-network-"] { border-left: 5px solid; padding: .9rem 0 0 .8rem; }
[class*="st-key-cell-"] [data-testid="stPageLink-NavLink"] { padding-left: 0; }
[class*="st-key-cell-"] [data-testid="stPageLink-NavLink"] p { font-size: .9rem; }
@media (max-width: 1000px) { [class*="st-key-network-"] { padding-left: .5rem; } .axis b { font-size: 1rem; } }
@media (max-width: 640px) { .axis.dataset { display: none; } .score .of { display: block; } }
"""


def draw_scorecard(best, running):
    """Draws the grid.

    Args:
        best: (network, dataset) -> row, as from `core.results.table.best_runs`.
        running: (network, dataset) -> (run, status) of the newest unfinished run.
    """
    verdicts = "".join(_VERDICT_STYLE.format(_css_name(word), *colours) for word, (_, *colours) in VERDICTS.items())
    networks = "".join(
        f".st-key-network-{name} {{ border-color: {NETWORK_COLOURS[name]}; }}" for name in NETWORKS_OF_REPORT
    )
    st.html(f"<style>{_STYLE}{verdicts}{networks}</style>")
    for column, dataset in zip(st.columns(_WIDTHS)[1:], DATASETS.values(), strict=True):
        height, width, channels = dataset["image_shape"]
        kind = "grey" if channels == 1 else "colour"
        with column:
            st.html(
                f"<div class='axis dataset'><b>{escape(dataset['label'])}</b><br>"
                f"<span class='quiet'>{width} × {height}, {kind}</span></div>"
            )
    for network in NETWORKS_OF_REPORT:
        facts = NETWORKS[network]
        head, *columns = st.columns(_WIDTHS)
        with head, st.container(height="stretch", key=f"network-{network}"):
            st.html(
                f"<div class='axis'><b>{escape(facts['label'])}</b><br><span class='quiet'>{facts['year']}</span></div>"
            )
        for column, dataset in zip(columns, DATASETS, strict=True):
            with column:
                _draw_cell(network, dataset, best.get((network, dataset)), running.get((network, dataset)))


def _draw_cell(network, dataset, row, at_work):
    kind = _css_name(row["verdict"] or "alone") if row else "untrained"
    with st.container(border=True, height="stretch", gap="xsmall", key=f"cell-{kind}-{network}-{dataset}"):
        report = REPORT.get((network, dataset), {})
        lines = _score_lines(row, report) if row else _untrained_lines(report)
        st.html(f"<div class='score'><div class='of'>{escape(pair_label(network, dataset))}</div>{lines}</div>")
        if at_work:
            run, status = at_work
            config = data.config(run)
            st.progress(share_done(config, status), text=epoch_words(config, status))
        with st.container(horizontal=True, gap="small"):
            if row:
                st.page_link("pages/gallery.py", label="Gallery", icon="", query_params={"run": row["run"]})
                st.page_link("pages/compare.py", label="Curves", icon="", query_params={"run": row["run"]})
            if at_work:
                st.page_link("pages/train.py", label="Watch it learn", icon="", query_params={"run": run.id})
            elif not row:
                quick_start_button("Train quickly", network, dataset)


def _css_name(verdict):
    return verdict.replace(" ", "-")


def _score_lines(row, report):
    recipe = RECIPES[row["recipe"]]["label"] + (", shipped" if row["shipped"] else "")
    own_interval = f"95 % interval {percent(row['test_accuracy_low'])} to {percent(row['test_accuracy_high'])}"
    total = "not recorded" if math.isnan(row["total_seconds"]) else duration(row["total_seconds"])
    times = f"Training time {duration(row['seconds'])}, in all {total}"
    return (
        f"<div class='spread'><span class='big' title='{own_interval}'>{percent(row['test_accuracy'])}</span>"
        f"<span class='word'>{VERDICTS[row['verdict']][0] if row['verdict'] else ''}</span></div>"
        f"{_difference_line(row) if row['verdict'] else ''}"
        f"<div>Report {percent(report.get('test_accuracy'))}<span class='quiet'>{_reports_time(row)}</span></div>"
        f"<div class='quiet' title='{times}'>{escape(recipe)}: epoch {row['epoch']} of {row['epochs']:g}, "
        f"{duration(row['seconds'])}</div>"
    )


def _difference_line(row):
    difference, low, high = (
        f"{100 * row[f'test_accuracy_difference{end}']:+.2f}".replace("-", "−") for end in ("", "_low", "_high")
    )
    return (
        f"<div class='spread'><span class='word'>{difference} points</span>"
        f"<span class='quiet'>95 % interval {low} to {high}</span></div>"
    )


def _reports_time(row):
    epochs, seconds = row["report_epochs"], row["report_seconds"]
    return ", time not said" if math.isnan(seconds) else f", {_epochs(epochs)}, {duration(seconds)}"


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
