"""What pages read from disk, read once per change: the only st.cache_* wrappers."""

import os
import threading

import streamlit as st

from core import comparison, image_sheets, integrity, liveness, queue, runs
from core.estimate import measured_speeds
from core.schema import LIMITS

# Without these two a run can neither be named nor watched.
NAMING = {"config.json", "status.json"}


def _stamp(path):
    """What changes when a file does; None where there is none."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_mode


def _key(run, *paths):
    """What changes when one of the files does; a string, since Streamlit takes longer to hash a Run than to read it."""
    return repr((str(run.path), [_stamp(path) for path in paths]))


@st.cache_data(max_entries=500, show_spinner=False)
def _read(key, reader, _run):
    return getattr(_run, reader)()


def config(run):
    """The run's RunConfig."""
    return _read(_key(run, run.config_path), "read_config", run)


def created(run):
    """When the run was created, in seconds since 1970."""
    return _read(_key(run, run.config_path), "read_record", run)["created"]


def history(run):
    """The run's history, a row an epoch."""
    return _read(_key(run, run.history_path), "read_history", run)


def metrics(run):
    """The run's metrics, or None."""
    return _read(_key(run, run.metrics_path), "read_metrics", run)


@st.cache_data(max_entries=20, show_spinner=False)
def _table(keys, which, _runs):
    return comparison.table(_runs, which)


def table(runs, which="best"):
    """What `core.comparison.table` makes of a list of runs."""
    return _table("".join(_key(run, run.config_path, run.metrics_path, run.shipped_path) for run in runs), which, runs)


@st.cache_data(max_entries=20, show_spinner=False)
def _predictions(key, _run):
    return _run.read_predictions()


def predictions(run):
    """The run's test predictions. Raises runs.RunError where there are none."""
    return _predictions(_key(run, run.predictions_path), run)


@st.cache_resource(max_entries=50, show_spinner=False)
def _tail(path):
    return {"file": None, "offset": 0, "rows": [], "lock": threading.Lock()}


def progress(run):
    """The run's progress rows, of which only the new ones are read from disk."""
    tail = _tail(str(run.path))
    with tail["lock"]:
        size, _, file, _ = _stamp(run.progress_path) or (0, 0, None, 0)
        if file != tail["file"] or tail["offset"] > size:
            tail |= {"file": file, "offset": 0, "rows": []}
        rows, tail["offset"] = run.read_progress(tail["offset"])
        tail["rows"].extend(rows)
        return list(tail["rows"])


def speeds(runs):
    """What this machine's runs reached; see `core.estimate.measured_speeds`."""
    return measured_speeds(facts for run in runs if (facts := _speed_facts(run)))


def _speed_facts(run):
    try:
        record = _read(_key(run, run.config_path), "read_record", run)
        return config(run), record.get("environment", {}), history(run)
    except runs.RunError:
        return None


@st.cache_data(ttl=1, show_spinner=False)
def line():
    """The queued runs, the next one first, as they were a second ago at most."""
    return queue.line()


def state(run):
    """The run's status as it is now, checked against its process."""
    return liveness.state(run)


@st.cache_resource(max_entries=6, show_spinner=False)
def _classifier(key, _run):
    # Here, and not above: LiteRT takes a moment to import, and only one page needs it.
    from core.inference import Classifier

    return Classifier(_run)


def classifier(run):
    """The run's network, ready to answer. Raises runs.RunError where it has no sound model.tflite."""
    return _classifier(_key(run, run.tflite_path), run)


@st.cache_resource(show_spinner="Getting the images…")
def test_images(name):
    """The dataset's test images; see `core.image_sheets.load_test_images`."""
    return image_sheets.load_test_images(name)


def readable_runs():
    """Two lists: the runs that can be named and watched, newest first, and one sentence for each damaged file."""
    try:
        found = {run: damaged_files(run) for run in runs.list_runs()}
    except runs.RunError as error:
        return [], [str(error)]
    good = [run for run, damaged in found.items() if not damaged.keys() & NAMING]
    return good, [sentence for damaged in found.values() for sentence in damaged.values()]


def nameless_runs():
    """The runs that are too damaged to be named and watched, newest first."""
    try:
        return [run for run in runs.list_runs() if damaged_files(run).keys() & NAMING]
    except runs.RunError:
        return []


@st.cache_data(max_entries=1000, show_spinner=False)
def _damaged_files(key, _run):
    return integrity.problems(_run)


def damaged_files(run):
    """What is wrong with a run's files: file name -> one sentence; see `core.integrity.problems`."""
    return _damaged_files(_key(run, *(run.path / name for name in LIMITS)), run)
