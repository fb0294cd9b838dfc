"""Which of a run's files are damaged: told without reading the large ones, so that whole lists of runs can be asked."""

import os

from core import archive_checks, run_checks
from core.runs import RunError


def damage(run):
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
        "progress.jsonl": _if_there(run_checks.glance_at_progress),
        "model.keras": _if_there(lambda path: _glance_at_network(run, path, archive_checks.glance_at_keras)),
        "model.tflite": _if_there(lambda path: _glance_at_network(run, path, archive_checks.glance_at_tflite)),
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
    archive_checks.check_size(path, metrics)


def _glance_at_predictions(run):
    try:
        dataset, completed = run.read_config().dataset, run.read_status()["state"] == "completed"
    except RunError:
        return  # Another file's damage, which is said already.
    if completed or os.path.lexists(run.predictions_path):
        archive_checks.glance_at_predictions(run.predictions_path, dataset)
