"""The run folder: the one owner of its file names, and of how each is written and read."""

import dataclasses
import io
import json
import os
import re
import secrets
import time
from pathlib import Path

import numpy as np
import pandas as pd

from core.config import ConfigError, RunConfig

SCHEMA_VERSION = 1
HISTORY_COLUMNS = (
    "epoch",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
    "seconds",
    "images_per_second",
)
UNFINISHED = ("queued", "running", "stopping")
STATES = (*UNFINISHED, "completed", "stopped", "failed")
_RUN_ID = re.compile(r"[a-z0-9_]+(-[a-z0-9_]+)+")


class RunError(ValueError):
    """A run that cannot be found, read or gone on with; the message is one sentence for a person."""


def artifacts_folder():
    """Where the run folders are: $LAB_ARTIFACTS, or `artifacts` in the project."""
    return Path(os.environ.get("LAB_ARTIFACTS") or Path(__file__).parent.parent / "artifacts")


@dataclasses.dataclass(frozen=True)
class Run:
    """One run's folder. Readers raise RunError where a file is missing or damaged."""

    path: Path

    @property
    def id(self):
        return self.path.name

    config_path = property(lambda self: self.path / "config.json")
    status_path = property(lambda self: self.path / "status.json")
    history_path = property(lambda self: self.path / "history.csv")
    progress_path = property(lambda self: self.path / "progress.jsonl")
    metrics_path = property(lambda self: self.path / "metrics.json")
    predictions_path = property(lambda self: self.path / "test_predictions.npz")
    log_path = property(lambda self: self.path / "log.txt")
    model_path = property(lambda self: self.path / "model.keras")
    tflite_path = property(lambda self: self.path / "model.tflite")

    def read_record(self):
        """config.json whole: schema_version, created, environment and the config's values."""
        record = self._read_json(self.config_path)
        if record.get("schema_version") != SCHEMA_VERSION:
            raise RunError(f"{self.id}: config.json has schema version {record.get('schema_version')!r}, not 1.")
        return record

    def read_config(self):
        """The RunConfig."""
        try:
            return RunConfig.from_dict(self.read_record()["config"])
        except (ConfigError, KeyError, TypeError) as error:
            raise RunError(f"{self.id}: config.json is not a configuration ({error}).") from None

    def describe(self, **facts):
        """Adds facts (versions, hardware, checksum) to config.json."""
        _replace_json(self.config_path, self.read_record() | facts)

    def read_status(self):
        """state, phase, epoch, epochs, step, steps, heartbeat (seconds since 1970), pid, pid_started, error."""
        status = self._read_json(self.status_path)
        if status.get("state") not in STATES:
            raise RunError(f"{self.id}: status.json names no known state.")
        return status

    def write_status(self, **changes):
        """Changes some of the status; the heartbeat is set to now."""
        _replace_json(self.status_path, self.read_status() | changes | {"heartbeat": time.time()})

    def read_history(self):
        """A DataFrame with HISTORY_COLUMNS, one row an epoch; empty before the first is over."""
        if not self.history_path.exists():
            return pd.DataFrame(columns=HISTORY_COLUMNS, dtype=float)
        try:
            history = pd.read_csv(self.history_path)
        except (OSError, ValueError) as error:
            raise RunError(f"{self.id}: history.csv cannot be read ({error}).") from None
        if tuple(history.columns) != HISTORY_COLUMNS:
            raise RunError(f"{self.id}: history.csv has other columns than expected.")
        return history

    def append_history(self, row):
        """Adds one epoch; `row` maps each of HISTORY_COLUMNS to a number."""
        line = ",".join(json.dumps(row[column]) for column in HISTORY_COLUMNS) + "\n"
        _append(self.history_path, line, header=",".join(HISTORY_COLUMNS) + "\n")

    def append_progress(self, row):
        """Adds one line to progress.jsonl."""
        _append(self.progress_path, json.dumps(row) + "\n")

    def read_progress(self, offset=0):
        """The progress rows from byte `offset` on, and the offset to go on from; a half-written last line waits."""
        try:
            with open(self.progress_path, "rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return [], 0
        whole = text[: text.rfind(b"\n") + 1]
        try:
            rows = [json.loads(line) for line in whole.splitlines()]
        except ValueError:
            rows = [None]
        if not all(isinstance(row, dict) for row in rows):
            raise RunError(f"{self.id}: progress.jsonl is damaged.")
        return rows, offset + len(whole)

    def read_metrics(self):
        """metrics.json, or None where the run has not been evaluated. See `core.training` for what it holds."""
        return self._read_json(self.metrics_path) if self.metrics_path.exists() else None

    def write_metrics(self, metrics):
        _replace_json(self.metrics_path, metrics)

    def read_predictions(self):
        """Name -> array: probabilities (N, classes) float16 and labels (N,) uint8 of the test images, and, for each
        recorded epoch, epoch_classes and epoch_confidences (epochs, N) uint8 (confidence 255 is certainty).
        """
        try:
            with np.load(self.predictions_path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except FileNotFoundError:
            raise RunError(f"{self.id} has no test predictions yet.") from None
        except Exception:
            raise RunError(f"{self.id}: test_predictions.npz is damaged.") from None

    def write_predictions(self, **arrays):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        replace_bytes(self.predictions_path, buffer.getvalue())

    def read_log(self, last_lines=40):
        """The last lines of the worker's output."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text("utf-8", "replace").splitlines()[-last_lines:])

    def _read_json(self, path):
        try:
            value = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.id} has no {path.name}.") from None
        except (OSError, ValueError):
            raise RunError(f"{self.id}: {path.name} is damaged.") from None
        if not isinstance(value, dict):
            raise RunError(f"{self.id}: {path.name} is damaged.")
        return value


def create_run(config):
    """Makes a new run folder holding config.json and status.json (queued).

    Raises:
        RunError: the artifacts folder cannot be written.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = f"{config.model}-{config.dataset}-{config.recipe}-{stamp}-{secrets.token_hex(2)}"
    run = Run(artifacts_folder() / name)
    try:
        artifacts_folder().mkdir(parents=True, exist_ok=True)
        run.path.mkdir()
        record = {"schema_version": SCHEMA_VERSION, "created": time.time(), "config": config.to_dict()}
        _replace_json(run.config_path, record)
        _replace_json(run.status_path, {"state": "queued", "heartbeat": time.time()})
    except OSError as error:
        raise RunError(f"No run can be written to {artifacts_folder()}: {error.strerror}.") from None
    return run


def open_run(run_id):
    """The run with this id.

    Raises:
        RunError: it is not a run's name, or there is no such run.
    """
    if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
        raise RunError("That is not the name of a run. The list of runs is on the Compare page.")
    run = Run(artifacts_folder() / run_id)
    if not run.path.is_dir():
        raise RunError(f"There is no run called {run_id}. The list of runs is on the Compare page.")
    return run


def list_runs():
    """Every run folder, newest first."""
    folder = artifacts_folder()
    found = folder.iterdir() if folder.is_dir() else ()
    names = [path for path in found if path.is_dir() and _RUN_ID.fullmatch(path.name)]
    return [Run(path) for path in sorted(names, key=lambda path: path.name.split("-")[-3:], reverse=True)]


def replace_bytes(path, content):
    """Writes a file so that a reader sees the old one whole or the new one whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def _replace_json(path, value):
    replace_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def _append(path, line, header=""):
    with open(path, "a", encoding="utf-8") as file:
        file.write(line if file.tell() else header + line)
