"""Every way to damage every file of a run folder, for tests that look at what is left."""

import json
import os
import shutil

import numpy as np

HUGE = 5 * 2**30


def empty(path):
    path.write_bytes(b"")


def noise(path):
    path.write_bytes(np.random.default_rng(1).bytes(3000))


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def huge(path):
    """A file of 5 GB that takes no room on the disk."""
    path.touch()
    os.truncate(path, HUGE)


def missing(path):
    pass


def folder(path):
    (path / "inside").mkdir(parents=True)


def pipe(path):
    """Whoever opens it waits for a writer who never comes."""
    os.mkfifo(path)


def unreadable(path):
    """A link to itself: the operating system refuses to open it, to the administrator too."""
    path.symlink_to(path)


# Those after the first four put something else in the file's place.
WAYS = {way.__name__: way for way in (empty, noise, truncated, huge, missing, folder, pipe, unreadable)}
_IN_PLACE = ("empty", "noise", "truncated", "huge")

_STATUS = {"state": "running", "heartbeat": 1.8e9, "phase": "training", "epoch": 1, "epochs": 4, "step": 1, "steps": 9}
_SCORES = {f"{part}_{measure}": 0.5 for part in ("train", "validation", "test") for measure in ("accuracy", "loss")} | {
    "epoch": 1
}
_METRICS = {"best": _SCORES, "last": _SCORES, "parameters": 10, "epochs": 3, "seconds": 9.0}
_ROW = {"time": 1.8e9, "epoch": 1, "step": 1, "steps": 9, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1}
_PROGRESS = _ROW | {"images_per_second": 9.0}
_HEADER = "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,seconds,images_per_second"
_DEEP = '{"state": ' + "[" * 100_000
_HALF_A_CHARACTER = "\ud800"


def _changed(values, *changes):
    return [json.dumps(values | change) + "\n" for change in changes]


# Text that is sound JSON or CSV, and no such file for all that.
SENSELESS = {
    "config.json": [
        "[]",
        "{}",
        '{"schema_version": 2, "created": 1.8e9, "config": {}}',
        '{"schema_version": "<b>1</b>", "created": 1.8e9, "config": {}}',
        '{"schema_version": 1, "created": 1e300, "config": {}}',
        '{"schema_version": 1, "created": 1.8e9, "config": []}',
        '{"schema_version": 1, "created": 1.8e9, "config": {"epochs": "many"}}',
        '{"schema_version": 1, "created": 1.8e9, "config": {"epochs": 1' + "0" * 400 + "}}",
        '{"schema_version": 1, "created": 1.8e9, "config": {"network": ["alexnet"]}}',
        '{"schema_version": 1, "created": 1.8e9, "config": {}, "environment": "here"}',
        '{"schema_version": 1, "created": 1.8e9, "config": {}, "sessions": {"started": 1.8e9}}',
        '{"schema_version": 1, "created": 1.8e9, "config": {}, "sessions": ["here"]}',
        '{"schema_version": 1, "created": 1.8e9, "config": {}, "sessions": [{"first_epoch": "one"}]}',
        '{"schema_version": 1, "created": 1.8e9, "config": {}, "sessions": [{"processor": ["AMD"]}]}',
        '{"schema_version": 1, "created": 1.8e9, "config": {}, "sessions": [{"gpus": "H100"}]}',
        '{"schema_version": 1, "created": 1.8e9, "config": {"<script>": 1}}',
        _DEEP,
    ],
    "status.json": [
        "null",
        *_changed(_STATUS, {"state": "flying"}, {"state": ["running"]}, {"heartbeat": float("nan")}, {"steps": 0}),
        *_changed(_STATUS, {"epoch": "three"}, {"epochs": 1e300}, {"step": True}, {"heartbeat": None}, {"pid": -1}),
        *_changed(_STATUS, {"error": ["no", "sentence"]}, {"phase": 7}, {"error": _HALF_A_CHARACTER}),
        *_changed(_STATUS, {"error": "a" * 100_000}),
        _DEEP,
    ],
    "history.csv": [
        "epoch\n1\n",
        f"{_HEADER}\n1,2,3\n",
        f"{_HEADER}\n1,a,b,c,d,e,f,g\n",
        f"{_HEADER}\n2,1,0.5,1,0.5,0.001,9,9\n",
        f"{_HEADER}\n1,1,50,1,50,0.001,9,9\n",
        f"{_HEADER}\n1,1,0.5,1,0.5,0.001,nan,9\n",
        f"{_HEADER}\n1,1,0.5,1,0.5,0.001,9,0\n",
    ],
    "metrics.json": [
        "7",
        "{}",
        *_changed(_METRICS, {"best": None}, {"best": []}, {"best": {"epoch": 1}}, {"last": "same"}, {"epochs": "3"}),
        *_changed(_METRICS, {"files": []}, {"files": {"model.keras": "abc"}}, {"files": {"model.keras": {"bytes": 9}}}),
        *_changed(_METRICS, {"seconds": float("inf")}, {"seconds": 1e300}, {"parameters": 1.5}),
        *_changed(_METRICS, {"best": _SCORES | {"test_accuracy": 99.2}}, {"best": _SCORES | {"test_loss": "small"}}),
        *_changed(_METRICS, {"best": _SCORES | {"test_loss": 10**400}}, {"best": _SCORES | {"epoch": 0}}),
    ],
    "progress.jsonl": [
        "[1, 2]\n",
        "{}\n",
        *_changed(_PROGRESS, {"steps": 0}, {"step": 10}, {"epoch": "1"}, {"accuracy": float("nan")}, {"more": 1}),
        *_changed(_PROGRESS, {"images_per_second": 0}, {"time": 1e300}),
        _DEEP + "\n",
    ],
    "note.json": ["{}", '{"name": 7, "note": ""}', '{"name": "", "note": null}', "[1]", _DEEP],
    "queue.json": ["{}", '{"place": "first"}', '{"place": NaN}', "[1]"],
}


def damaged(path, way):
    """Damages a file: `way` is one of WAYS, or text to write in its place."""
    if way not in _IN_PLACE:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    WAYS[way](path) if way in WAYS else path.write_text(way)
