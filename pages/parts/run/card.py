"""One run as a card: what it is doing, its curves as they grow, and how it ended."""

import html
from pathlib import Path

import pandas as pd
import streamlit as st

from core.config.recipes import RECIPES, overrides
from core.config.run_config import MONITORS, in_words
from core.datasets.catalogue import DATASETS
from core.digits import strokes
from core.jobs import scheduler
from core.jobs.estimate import FINISHING, seconds_left
from core.jobs.liveness import INTERRUPTED
from core.palette import NETWORK_COLOURS
from core.results.reference import REPORT, TEST_IMAGES
from core.results.statistics import compare_accuracies, wilson_interval
from core.runs.run import UNFINISHED, RunError
from core.runs.schema import AT_WORK, HISTORY_COLUMNS
from pages.parts import data, glossary
from pages.parts.charts.live_chart import live_chart
from pages.parts.run.actions import draw_actions
from pages.parts.run.details import details_button, draw_details
from pages.parts.style import duration, heard, pair_label, percent, plain, points

STATES = {
    "queued": ("queued", "gray"),
    "running": ("starting", "blue"),
    "finishing": ("finishing", "blue"),
    "pausing": ("pausing after this step…", "orange"),
    "paused": ("paused, keeps its turn", "orange"),
    "stopping": ("stopping after this step…", "orange"),
    "completed": ("finished", "green"),
    "stopped": ("stopped", "gray"),
    INTERRUPTED: ("interrupted", "orange"),
    "failed": ("failed", "red"),
}
PHASES = {
    "training": "training",
    "evaluating": "testing the best epoch…",
    "exporting": "saving the network…",
    "making the map": "making the map of the test images…",
}
INCLUDED = "Came with the project, trained elsewhere: it stays as it is. Train the pair again for a run of your own."
REASONS = {"failed": st.error, INTERRUPTED: st.warning}
_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")


def run_card(run, shown="fitted", with_details=False):
    """Draws the card; returns whether the run is unfinished.

    Args:
        run: a Run.
        shown: which of `pages.parts.charts.live_chart.RANGES` its charts show.
        with_details: whether all about the run can be seen on it, or a click away.
    """
    unfinished = False
    with st.container(border=True, key=f"run-{run.id}"):
        try:
            status, config = data.state(run), data.config(run)
            state = status["state"]
            unfinished = state in UNFINISHED
            heading = st.container()
            history, steps = _curves(run)
            with heading:
                _heading(run, config, status, len(history))
            if state in REASONS:
                REASONS[state](plain(status.get("error") or "The training ended without saying why; see its log."))
                with st.expander("The last lines of its log"):
                    st.code(run.read_log() or "The log is empty.", language=None)
            if status.get("note"):
                st.warning(plain(status["note"]))
            begun = bool(steps) or len(history) > 0
            waits = state == "queued" and not begun
            if unfinished and not waits:
                _progress(config, status)
            if not waits and (facts := _facts(run, config, status, history, steps)):
                _figures(facts, _how_sure(run, config), stops=not unfinished)

            def curves():
                if begun or (unfinished and not waits):
                    live_chart(run, config, history, steps, shown)
                elif with_details:
                    st.markdown("The curves begin with the training.")

            if with_details:
                draw_details(run, config, curves)
            else:
                curves()
            _links(run, config, state, with_details)
        except RunError as error:
            st.error(plain(str(error)), icon=":material/broken_image:")
    return unfinished


def state_words(status):
    """What the run is doing, in words: "training", "finishing: testing the best epoch…", "finished"."""
    words, phase = STATES[status["state"]][0], status.get("phase")
    if status["state"] == "finishing":
        # It ends after the step in hand, and then does the next.
        return f"{words}: {PHASES[phase if phase in FINISHING else FINISHING[0]]}"
    return PHASES.get(phase, phase or words) if status["state"] == "running" else words


def share_done(config, status):
    """The share of the run's epochs that is behind it, 0..1."""
    if _trained(status):
        return 1.0
    return min(1.0, max(0.0, (status.get("epoch") or 0) - 1 + _share_of_epoch(status)) / config.epochs)


def epoch_words(config, status):
    """ "Epoch 3 of 28"."""
    epoch = status.get("epoch")
    if status["state"] == "queued":
        return "Waiting in the queue"
    return f"Epoch {epoch} of {config.epochs}" if epoch else "No epoch begun yet"


def _trained(status):
    return status.get("phase") in FINISHING


def _share_of_epoch(status):
    steps = status.get("steps")
    return 1.0 if _trained(status) else min(1.0, (status.get("step") or 0) / steps) if steps else 0.0


def _heading(run, config, status, epochs):
    changed = in_words(overrides(config))
    recipe = RECIPES[config.recipe]["label"] + " recipe" + (f", {changed}" if changed else "")
    waiting = (
        [other for other in data.pending() if other.cluster() == run.cluster()] if status["state"] == "queued" else []
    )
    node = f"on {status['node']}" if status.get("node") and status["state"] in AT_WORK else ""
    words = ", ".join(filter(None, (state_words(status), node, scheduler.position_in_words(run, waiting))))
    network = f"<style>{_CSS} .st-key-heading-{run.id} {{ --network: {NETWORK_COLOURS[config.network]}; }}</style>"
    with st.container(gap=None, key=f"heading-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center", key=f"title-{run.id}"):
            name = html.escape(pair_label(config.network, config.dataset))
            st.html(f'{network}<b class="run-name">{name}</b>', width="stretch")
            st.badge(words, color=STATES[status["state"]][1])
            if run.is_shipped:
                st.badge("included", icon=":material/lock:", color="gray", help=INCLUDED)
            draw_actions(run, status["state"], epochs, waiting[:1] == [run])
        st.html(
            f'<div class="run-about"><span>{html.escape(recipe)}</span><code>{html.escape(run.id)}</code></div>',
        )


def _progress(config, status):
    """Two bars: the epochs, and the steps of this one."""
    steps = status.get("steps")
    epochs, inside = st.columns(2)
    epochs.progress(share_done(config, status), text=epoch_words(config, status))
    words = f"Step {status.get('step') or 0} of {steps}" if steps else plain(state_words(status).capitalize())
    inside.progress(_share_of_epoch(status), text=words)


def _facts(run, config, status, history, steps):
    """What to tell about the run: label -> value."""
    last = steps[-1] if steps else None
    scores = (MONITORS[config.monitor] * history[config.monitor]).dropna()
    best = history.loc[scores.idxmax()] if len(scores) else None
    facts = {}
    if status["state"] in UNFINISHED:
        # Who finishes trains no more.
        ahead = status | {"phase": FINISHING[0]} if status["state"] == "finishing" else status
        left = seconds_left(config, ahead, history, steps)
        is_moving = status["state"] in ("running", "finishing")
        facts["Time left"] = "—" if not is_moving else "estimating…" if left is None else _in_words(left)
        facts["Images a second"] = f"{last['images_per_second']:,.0f}" if last else "—"
        facts["Learning rate"] = f"{last['learning_rate']:.2g}" if last else "—"
    metrics, report = data.metrics(run), REPORT.get((config.network, config.dataset))
    if metrics:
        scores = metrics["best"]
        facts[f"Test accuracy, epoch {scores['epoch']}"] = percent(scores["test_accuracy"])
        if "quantized" in metrics:
            facts["With 8-bit weights"] = percent(metrics["quantized"]["test_accuracy"])
        if report:
            facts["The report’s test accuracy"] = percent(report["test_accuracy"])
        facts["Test loss"] = f"{scores['test_loss']:.4f}"
    if best is not None:
        facts[f"Validation accuracy, epoch {best['epoch']:.0f}"] = percent(best["validation_accuracy"])
    if status["state"] not in UNFINISHED and len(history):
        facts["Epochs"] = f"{len(history)} of {config.epochs}"
        facts["Training time"] = duration(history["seconds"].sum())
        if metrics and "total_seconds" in metrics:
            facts["In all"] = duration(metrics["total_seconds"])
        facts["Images a second"] = f"{history['images_per_second'].median():,.0f}"
    return facts


def _in_words(seconds):
    """A time left, which is never quite known: "about 12 s", "a moment"."""
    return f"about {duration(seconds)}" if seconds >= 2 else "a moment"


def _how_sure(run, config):
    """How far chance may have moved the test accuracy, and its difference from the report's, in words; None before it
    is known.
    """
    metrics = data.metrics(run)
    if not metrics:
        return None
    accuracy, images = metrics["best"]["test_accuracy"], DATASETS[config.dataset]["test_examples"]
    low, high = wilson_interval(accuracy * images, images)
    said = (
        f"Measured on {images:,} images, the test accuracy has a 95 % interval from {percent(low)} to {percent(high)}."
    )
    if report := REPORT.get((config.network, config.dataset)):
        found = compare_accuracies(accuracy, images, report["test_accuracy"], TEST_IMAGES)
        low, difference, high = map(points, (found.low, found.difference, found.high))
        said += f" It differs from the report’s by {difference} points ({low} to {high}): {found.verdict}."
    return said


def _curves(run):
    """The run's history and progress; a sentence, and nothing, for what is damaged."""
    found = []
    for read, nothing in ((data.history, pd.DataFrame(columns=HISTORY_COLUMNS, dtype=float)), (data.progress, [])):
        try:
            found.append(read(run))
        except RunError as error:
            st.warning(plain(str(error)), icon=":material/broken_image:")
            found.append(nothing)
    return found


def _figures(facts, how_sure, stops):
    cells = "".join(
        f"<div><span>{glossary.marked(name, stops)}</span><b>{html.escape(value)}</b></div>"
        for name, value in facts.items()
    )
    st.html(f'<div class="run-facts">{cells}</div>')
    if how_sure:
        st.caption(how_sure)


def _links(run, config, state, with_details):
    look, this = {"run": run.id}, heard(f": {data.name(run)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        if not with_details:
            details_button(run)
        if state == "completed" or data.epochs(run):
            label = "See what it gets wrong" if state == "completed" else "See what it gets wrong so far"
            st.page_link("pages/gallery.py", label=label + this, icon=":material/photo_library:", query_params=look)
        if state != "completed":
            return
        st.page_link("pages/compare.py", label=f"Compare{this}", icon=":material/table_chart:", query_params=look)
        if config.dataset == strokes.DATASET and run.tflite_path.exists():
            st.page_link("pages/draw.py", label=f"Draw a digit{this}", icon=":material/draw:", query_params=look)
