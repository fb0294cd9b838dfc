"""What pages read from disk, read once per change: the only st.cache_* wrappers."""

import os
import threading

import streamlit as st

from core import jobs, runs
from core.datasets import load
from core.estimate import measured_speeds


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


def created(run):
    """When the run was created, in seconds since 1970."""
    return _read(run, "read_record", _stamp(run.config_path))["created"]


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


@st.cache_resource(max_entries=50, show_spinner=False)
def _tail(run):
    return {"offset": 0, "rows": [], "lock": threading.Lock()}


def progress(run):
    """The run's progress rows, of which only the new ones are read from disk."""
    tail = _tail(run)
    with tail["lock"]:
        if tail["offset"] > (_stamp(run.progress_path) or (0, 0))[1]:
            tail |= {"offset": 0, "rows": []}
        rows, tail["offset"] = run.read_progress(tail["offset"])
        tail["rows"].extend(rows)
        return list(tail["rows"])


def speeds(runs):
    """What this machine's runs reached; see `core.estimate.measured_speeds`."""
    return measured_speeds(
        (config(run), _read(run, "read_record", _stamp(run.config_path)).get("environment", {}), history(run))
        for run in runs
    )


def state(run):
    """The run's status as it is now, checked against its process."""
    return jobs.state(run)


@st.cache_resource(max_entries=6, show_spinner=False)
def _classifier(run, stamp):
    # Here, and not above: LiteRT takes a moment to import, and only one page needs it.
    from core.inference import Classifier

    return Classifier(run)


def classifier(run):
    """The run's network, ready to answer. Raises runs.RunError where it has no sound model.tflite."""
    return _classifier(run, _stamp(run.tflite_path))


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
