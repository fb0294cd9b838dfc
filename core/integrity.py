"""Which of a run's files are damaged: told without reading the large ones, so that whole lists of runs can be asked."""

import hashlib
import os
from pathlib import Path

from core import schema
from core.runs import RunError
from core.schema import file_size


def problems(run):
    """What is wrong with a run's files: file name -> one sentence, in the folder's order; empty for a sound run.

    Of progress, predictions and networks only the beginning, the end or the contents are looked at; whoever reads
    them whole may still meet a RunError.
    """
    glances = {
        "config.json": lambda path: run.read_config(),
        "status.json": lambda path: run.read_status(),
        "history.csv": lambda path: _look_at_history(run),
        "metrics.json": lambda path: run.read_metrics(),
        "test_predictions.npz": lambda path: _glance_at_predictions(run),
        "progress.jsonl": _if_there(schema.glance_at_progress),
        "model.keras": _if_there(lambda path: _glance_at_network(run, path, schema.glance_at_keras)),
        "model.tflite": _if_there(lambda path: _glance_at_network(run, path, schema.glance_at_tflite)),
        "queue.json": _if_there(lambda path: run.read_place()),
        "log.txt": _if_there(lambda path: run.read_log(1)),
    }
    found = {}
    for name, glance in glances.items():
        try:
            run.check(run.path / name, glance)
        except RunError as error:
            found[name] = str(error)
    return found


def _look_at_history(run):
    epochs = len(run.read_history())
    try:
        metrics = run.read_metrics() if run.read_status()["state"] == "completed" else None
    except RunError:
        return  # Another file's damage, which is said already.
    if metrics and epochs < metrics["epochs"]:
        raise ValueError("cut short")


def _if_there(glance):
    return lambda path: glance(path) if os.path.lexists(path) else None


def _glance_at_network(run, path, glance):
    glance(path)
    try:
        metrics = run.read_metrics()
    except RunError:
        return  # Another file's damage, which is said already.
    check_size(path, metrics)


def _glance_at_predictions(run):
    try:
        dataset, completed = run.read_config().dataset, run.read_status()["state"] == "completed"
    except RunError:
        return  # Another file's damage, which is said already.
    if completed or os.path.lexists(run.predictions_path):
        schema.glance_at_predictions(run.predictions_path, dataset)


def fingerprints(run):
    """What a run's metrics keep of its network files: name -> {"bytes": size, "sha256": hexadecimal digits}."""
    found = {}
    for path in filter(Path.exists, (run.model_path, run.tflite_path)):
        found[path.name] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    return found


def check_size(path, metrics):
    """Checks that a network file has the size that the run's metrics tell, where they tell one (None: no metrics)."""
    known = (metrics or {}).get("files", {}).get(path.name)
    if known and file_size(path) != known["bytes"]:
        raise ValueError("of another size than it was")


def check_fingerprint(path, metrics):
    """Checks that a network file is, to the bit, the one that was trained. One wrong bit can halt what loads it."""
    check_size(path, metrics)
    known = (metrics or {}).get("files", {}).get(path.name)
    if known and _sha256(path) != known["sha256"]:
        raise ValueError("another file than it was")


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
