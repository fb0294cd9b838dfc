"""What pages read from disk, read once per change: the only st.cache_* wrappers."""

import os

import streamlit as st

from core import jobs, runs
from core.datasets import load


def _stamp(path):
    """What changes when a file does; None where there is none."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size


@st.cache_data(max_entries=500, show_spinner=False)
def _read(run, reader, stamp):
    return getattr(run, reader)()


def config(run):
    """The run's RunConfig."""
    return _read(run, "read_config", _stamp(run.config_path))


def history(run):
    """The run's history, a row an epoch."""
    return _read(run, "read_history", _stamp(run.history_path))


def metrics(run):
    """The run's metrics, or None."""
    return _read(run, "read_metrics", _stamp(run.metrics_path))


@st.cache_data(max_entries=20, show_spinner=False)
def _predictions(run, stamp):
    return run.read_predictions()


def predictions(run):
    """The run's test predictions. Raises runs.RunError where there are none."""
    return _predictions(run, _stamp(run.predictions_path))


def state(run):
    """The run's status as it is now, checked against its process."""
    return jobs.state(run)


@st.cache_resource(show_spinner="Getting the images…")
def dataset(name):
    """The dataset's memory-mapped arrays."""
    return load(name)


def readable_runs():
    """Two lists: the runs that can be read, newest first, and one sentence for each that cannot."""
    good, bad = [], []
    for run in runs.list_runs():
        try:
            config(run)
            run.read_status()
            good.append(run)
        except runs.RunError as error:
            bad.append(str(error))
    return good, bad
