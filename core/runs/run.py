"""The run folder: the one owner of its file names, and of how each is written and read."""

import contextlib
import dataclasses
import functools
import json
import os
import re
import secrets
import threading
import time
from pathlib import Path

import numpy as np

from core.config.fields import UnsoundError
from core.config.run_config import RunConfig
from core.files import TEMPORARY, append, discard, overwrite_json, replace_bytes, replace_json
from core.runs import sessions
from core.runs.schema import (
    FILES,
    HISTORY_COLUMNS,
    HISTORY_HEADER,
    NOTE,
    RESTORE,
    SCHEMA_VERSION,
    UNFINISHED,
    content,
    epoch_predictions_bytes,
    history_line,
    packed,
)
from core.settings import SettingError, artifacts_folder, ray_address

__all__ = [
    "UNFINISHED",
    "Run",
    "RunError",
    "UnknownRunError",
    "artifacts_folder",
    "create_run",
    "is_run_id",
    "list_runs",
    "open_run",
]
_RUN_ID = re.compile(r"[a-z0-9_]+(-[a-z0-9_]+)+")
_LONGEST_ID = 200
# Held while a status is changed; within a process that ends, held for good.
STATUS_LOCK = threading.RLock()
# Run -> what tells the status that said it has ended from any later one: of thousands only a few need to be read again.
_ended = {}


class RunError(ValueError):
    """A run that cannot be found, read or gone on with; the message is one sentence for a person."""


class UnknownRunError(RunError):
    """A name that is no run's. Whoever says so adds where the runs are listed: a page and a terminal differ in that."""


def _path(name):
    """The path of a file that the table of a run's files names."""
    file = FILES[name]
    return property(lambda run: run.path / file.name)


@dataclasses.dataclass(frozen=True)
class Run:
    """One run's folder. Readers raise RunError where a file is missing or damaged."""

    path: Path

    @property
    def id(self):
        return self.path.name

    config_path = _path("config.json")
    status_path = _path("status.json")
    history_path = _path("history.csv")
    progress_path = _path("progress.jsonl")
    metrics_path = _path("metrics.json")
    note_path = _path("note.json")
    predictions_path = _path("test_predictions.npz")
    map_path = _path("map.npz")
    epochs_path = _path("epoch_predictions.bin")
    log_path = _path("log.txt")
    queue_path = _path("queue.json")
    finish_path = _path("finish")
    stop_path = _path("stop")
    pause_path = _path("pause")
    shipped_path = _path("shipped")
    # Whether it came with the project, and stays as it is.
    is_shipped = property(lambda self: os.path.lexists(self.shipped_path))
    lock_path = _path(".lock")
    claim_path = _path(".claim")
    checkpoint_path = _path("checkpoint/")
    model_path = _path("model.keras")
    tflite_path = _path("model.tflite")

    def read_record(self):
        """config.json whole: schema_version, created, the sessions and the config's values."""
        return self._read("config.json")

    def read_config(self):
        """The RunConfig."""
        return RunConfig.from_dict(self.read_record()["config"])

    def read_sessions(self):
        """Where and when it was trained, oldest first, a dict a session: "first_epoch" and "last_epoch" (None where
        nothing is left of what was trained in it), "started" (seconds since 1970), "seconds" (absent while it lasts)
        and what `core.jobs.machine.describe` tells. Older runs lack some of it.
        """
        return sessions.with_epochs(sessions.stored(self.read_record()), len(self.read_history()))

    def describe(self, **facts):
        """Adds facts (sessions, checksums) to config.json."""
        replace_json(self.config_path, self.read_record() | facts)

    def read_status(self):
        """state, phase, epoch, epochs, step, steps, heartbeat (seconds since 1970), pid, error, note (a sentence about
        how it trains), gpu (which one it was given), slot (the number of the one it has), node (where a cluster trains
        it).
        """
        return self._read("status.json")

    def is_to_pause(self):
        """Whether it was asked to pause, and not to stop since."""
        return self.pause_path.exists() and not self.stop_path.exists()

    def forget_stop(self):
        """Deletes the wishes to stop and to pause, which are carried out."""
        for path in (self.stop_path, self.pause_path):
            discard(path)

    def write_status(self, **changes):
        """Changes some of the status; the heartbeat is set to now. Only the holder of the run's lock may call this."""
        with STATUS_LOCK:
            try:
                status = self.read_status()
            except RunError:
                # Whoever holds the lock knows better, and a damaged status must not end a training.
                status = {"state": "running"}
            status |= changes | {"heartbeat": time.time()}
            try:
                replace_json(self.status_path, status)
            except OSError:
                # A full disk or a folder that takes no new file must not keep a run from saying that it failed.
                overwrite_json(self.status_path, status)

    def read_position(self):
        """Where the run stands in the queue: the lower comes first."""
        return float(self._read("queue.json")["place"])

    def read_variables(self):
        """The environment variables that it was queued with, name -> value; see `core.environment.asked`."""
        return self._read("queue.json").get("variables", {})

    def cluster(self):
        """The address of the Ray cluster that it was queued for; None where this machine trains it."""
        try:
            return ray_address(self.read_variables())
        except (RunError, SettingError):
            return None

    def write_position(self, position, variables=None):
        """Puts the run there in the queue, with these variables, or with those that it has."""
        if variables is None:
            try:
                variables = self.read_variables()
            except RunError:
                variables = {}
        replace_json(self.queue_path, {"place": position} | ({"variables": variables} if variables else {}))

    def read_history(self):
        """A DataFrame with HISTORY_COLUMNS, one row an epoch; empty before the first is over."""
        import pandas as pd  # here, because a worker that waits for its turn should stay small

        rows = np.array(self._read_late("history.csv", absent=[]), float).reshape(-1, len(HISTORY_COLUMNS))
        # From columns of their types a DataFrame is made ten times as fast as from rows.
        columns = dict(zip(HISTORY_COLUMNS, rows.T, strict=True))
        return pd.DataFrame(columns | {"epoch": columns["epoch"].astype(int)})

    def append_history(self, row):
        """Adds one epoch; `row` maps each of HISTORY_COLUMNS to a number."""
        append(self.history_path, history_line(row), header=HISTORY_HEADER)

    def append_progress(self, row):
        """Adds one line to progress.jsonl."""
        append(self.progress_path, json.dumps(row) + "\n")

    def read_progress(self, offset=0):
        """The progress rows from byte `offset` on, and the offset to go on from; a half-written last line waits."""
        if not os.path.lexists(self.progress_path):
            return [], 0
        rows, length = self._read("progress.jsonl", start=offset)
        return rows, offset + length

    def rewind(self, history, epoch, step):
        """Takes the curves back to these rows of history.csv, and to so many whole epochs and steps of the next one."""
        replace_bytes(self.history_path, "".join([HISTORY_HEADER, *map(history_line, history)]).encode())
        try:
            rows, _ = self.read_progress()
        except RunError:
            rows = []
        kept = [row for row in rows if (row["epoch"] - 1, row["step"]) <= (epoch, step) or row["epoch"] <= epoch]
        replace_bytes(self.progress_path, "".join(json.dumps(row) + "\n" for row in kept).encode())

    def read_metrics(self):
        """metrics.json, or None where the run has not been evaluated. See `core.training.train` for what it holds."""
        return self._read_late("metrics.json")

    def write_metrics(self, metrics):
        replace_json(self.metrics_path, metrics)

    def read_note(self):
        """What people call the run, and what they noted of it: {"name": text, "note": text}, each "" where they did
        not.
        """
        return self._read("note.json") if os.path.lexists(self.note_path) else {"name": "", "note": ""}

    def write_note(self, name, note):
        """Writes them, without the spaces around; see above.

        Raises:
            RunError: one is too long, the run came with the project, or its folder cannot be written.
        """
        if self.is_shipped:
            raise RunError(f"{self.id} came with the project, and nothing changes it.")
        said = {"name": " ".join(name.split()), "note": note.strip()}
        try:
            NOTE.check(said)
        except UnsoundError as error:
            raise RunError(f"The {error}.") from None
        try:
            replace_json(self.note_path, said)
        except OSError as error:
            raise RunError(f"{self.id}: note.json cannot be written: {error.strerror}.") from None

    def read_predictions(self):
        """What the best epoch's network makes of the test images, name -> array.

        Returns:
            logits (N, classes): float32; where an older run has kept its probabilities in float16 instead, float64
            logarithms of them, in which zero counts as 2**-24. probabilities (N, classes) float64, in 0..1. labels (N,)
            uint8. For each recorded epoch, epoch_classes and epoch_confidences (epochs, N) uint8 (confidence 255 is
            certainty).

        Raises:
            RunError: there are none yet, or they are damaged.
        """
        arrays = self._read_late("test_predictions.npz", self.read_config().dataset)
        if arrays is None:
            raise RunError(f"{self.id} has no test predictions yet.")
        return arrays

    def write_predictions(self, **arrays):
        """Writes logits, labels and, where they were recorded, epoch_classes and epoch_confidences; see above."""
        replace_bytes(self.predictions_path, packed(arrays))

    def read_map(self):
        """Where the test images lie on the run's map, and what places others there: name -> array; see
        `core.explain.embedding.fit`. None where it has no map.
        """
        if not os.path.lexists(self.map_path):
            return None
        return self._read("map.npz", self.read_config().dataset)

    def write_map(self, arrays):
        """Writes map.npz; see above."""
        replace_bytes(self.map_path, packed(arrays))

    def read_epoch_predictions(self):
        """What the network made of the test images after each epoch so far, name -> array; None where nothing is
        recorded, and once it stands in the predictions.

        Returns:
            labels (N,), epoch_classes and epoch_confidences (epochs, N), as in `read_predictions`.
        """
        if not os.path.lexists(self.epochs_path):
            return None
        return self._read("epoch_predictions.bin", self.read_config().dataset)

    def write_epoch_predictions(self, labels, classes, confidences):
        """Writes what was recorded of all epochs so far: uint8 arrays (N,) and (epochs, N); no file for no epoch."""
        if len(classes):
            replace_bytes(self.epochs_path, epoch_predictions_bytes(labels, classes, confidences))
        else:
            discard(self.epochs_path)

    def append_epoch_predictions(self, labels, classes, confidences):
        """Adds one epoch: uint8 arrays (N,)."""
        with open(self.epochs_path, "ab") as file:
            new = not file.tell()
            file.write(epoch_predictions_bytes(labels, classes[None], confidences[None], with_labels=new))

    def read_log(self, last_lines=40):
        """The last lines of the worker's output."""
        if not os.path.lexists(self.log_path):
            return ""
        text = self.check(self.log_path, lambda path: content(path, -100 * last_lines)).decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-last_lines:])

    def check(self, path, check):
        """What `check` makes of the path of one of the run's files. What is wrong with it becomes a RunError that names
        the file and says why.
        """
        try:
            return check(path)
        except RunError:
            raise
        except FileNotFoundError:
            raise RunError(f"{self.id}: {path.name} is missing.") from None
        except OSError as error:
            raise RunError(
                f"{self.id}: {path.name} cannot be read ({error.strerror}); check the disk and the file's permissions."
            ) from None
        except UnsoundError as error:
            reason = str(error).rstrip(".")
            raise RunError(f"{self.id}: {path.name}: {reason[0].lower()}{reason[1:]}.") from None
        except ValueError:
            raise RunError(f"{self.id}: {path.name}: it makes no sense; {RESTORE}.") from None

    def _read(self, name, *about, start=0):
        return self.check(self.path / name, lambda path: FILES[name].read(content(path, start), *about))

    def _read_late(self, name, *about, absent=None):
        """The same for a file that comes in the course of the run, with `absent` until then."""
        there = os.path.lexists(self.path / name) or self._is_completed()
        return self._read(name, *about) if there else absent

    def _is_completed(self):
        try:
            return self.read_status()["state"] == "completed"
        except RunError:
            return False


def create_run(config, state="queued", variables=None, **facts):
    """Makes a new run folder: config.json, with the facts, status.json and queue.json.

    Args:
        config: its RunConfig.
        state: "queued" leaves it to the scheduler; "stopped" to whoever takes it.
        variables: as in `Run.write_position`.
        facts: what else config.json tells.

    Raises:
        RunError: the artifacts folder cannot be written.
    """
    folder = artifacts_folder()
    now = time.time()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Made whole before it gets its name, so that nobody ever sees half a run.
        new = Run(folder / f"{TEMPORARY}{secrets.token_hex(8)}")
        new.path.mkdir()
        record = {"schema_version": SCHEMA_VERSION, "created": now, "config": config.to_dict()}
        replace_json(new.config_path, record | facts)
        replace_json(new.status_path, {"state": state, "heartbeat": now})
        new.write_position(now, variables or {})
        return Run(_named(new.path, f"{config.network}-{config.dataset}-{config.recipe}"))
    except OSError as error:
        raise RunError(f"No run can be written to {folder}: {error.strerror}.") from None


def _named(folder, name):
    """Renames a run's folder to a name of its own that begins so; two at the same moment get two names."""
    while True:
        new = folder.with_name(f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}")
        if not new.exists():
            return folder.rename(new)


def is_run_id(name):
    """Whether a run's folder may be called so."""
    return isinstance(name, str) and len(name) <= _LONGEST_ID and _RUN_ID.fullmatch(name) is not None


def open_run(run_id):
    """The run with this id.

    Raises:
        UnknownRunError: it is not a run's name, or there is no such run.
    """
    if not is_run_id(run_id):
        raise UnknownRunError("That is not the name of a run.")
    run = Run(artifacts_folder() / run_id)
    if not os.path.isdir(run.path):
        raise UnknownRunError(f"There is no run called {run_id}.")
    return run


def list_runs():
    """Every run folder, newest first.

    Raises:
        RunError: the artifacts folder cannot be read.
    """
    folder = artifacts_folder()
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _RUN_ID.fullmatch(entry.name) and _is_folder(entry)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunError(f"The runs in {folder} cannot be read: {error.strerror}.") from None
    names.sort(key=lambda name: name.rsplit("-", 3)[1:], reverse=True)
    parent = str(folder)
    return [_run(parent, name) for name in names]


def list_unfinished():
    """[(run, status)] of each run that is at work or waits, newest first; those that cannot be read are left out.

    Raises:
        RunError: the artifacts folder cannot be read.
    """
    found = []
    for run in list_runs():
        with contextlib.suppress(RunError, OSError):
            stat = os.stat(run.status_path)
            stamp = stat.st_ctime_ns, stat.st_ino, stat.st_size
            if _ended.get(run) == stamp:
                continue
            status = run.read_status()
            if status["state"] in UNFINISHED:
                found.append((run, status))
            else:
                _ended[run] = stamp
    return found


@functools.lru_cache(20_000)
def _run(folder, name):
    # Kept, since with thousands of runs it takes longer to make them than to find them.
    return Run(Path(folder, name))


def _is_folder(entry):
    # The first costs nothing; the second is for links, wherever they lead.
    return entry.is_dir(follow_symlinks=False) or os.path.isdir(entry.path)
