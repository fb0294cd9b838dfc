"""Starting a run at a click, and the offer to train a pair that is not trained yet."""

import time

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.config.recipes import make_config
from core.jobs import control
from core.runs.run import RunError, list_runs
from core.settings import read_only
from pages.parts.kept import look_again
from pages.parts.style import plain

DOUBLE_CLICK_SECONDS = 3


def start(config):
    """Starts a run, but for the second click of a double click, which gets the first one's.

    Two people who click at the same moment get a run each. Returns the Run, or None after saying in one sentence why
    nothing could start.
    """
    clicked_in = get_script_run_ctx().session_id[:8]
    try:
        for run in list_runs()[:1]:
            if _is_new(run, config, clicked_in):
                return run
        return control.start(config, clicked_in=clicked_in)
    except RunError as error:
        st.error(plain(str(error)))
        return None
    finally:
        look_again()


def _is_new(run, config, clicked_in):
    """Whether a run was started with this config a moment ago, in the same browser tab."""
    try:
        record = run.read_record()
        is_young = time.time() - record["created"] < DOUBLE_CLICK_SECONDS
        return is_young and record.get("clicked_in") == clicked_in and run.read_config() == config
    except RunError:
        return False  # A damaged run keeps nobody from starting another.


def link_to_training():
    """Draws the way to the Train page, for whoever finds nothing trained; not where nobody can train."""
    if not read_only():
        st.page_link("pages/train.py", label="Train a network", icon=":material/play_circle:")


def quick_start_button(label, network, dataset):
    """Draws the button; a click trains the pair, quick, and leaves for the Train page. Not where nobody can train."""
    if not read_only() and st.button(label, icon=":material/play_arrow:", key=f"{network}-{dataset}"):
        run = start(make_config(network, dataset, "quick"))
        if run:
            st.switch_page("pages/train.py", query_params={"run": run.id})
