"""Every file of a run folder in one table: what it holds, how large it may be, how it is read and looked at, whether it
ships and what it is exported as.

Readers are strict: what they return is sound, and all that they raise is UnsoundError, which says what is wrong, and
OSError. What stands in a file is never believed: not its size, not its shapes, and no code in it is run.
"""

import collections.abc
import contextlib
import dataclasses
import errno
import functools
import io
import json
import math
import os
import re
import stat
import zipfile

import numpy as np

from core.config.fields import Choice, Each, Field, Items, Number, Record, Text, UnsoundError, shown
from core.config.run_config import check_values
from core.datasets.catalogue import DATASETS
from core.environment import ASKED

SCHEMA_VERSION = 1
# What a run does, as `core.jobs.liveness.state` tells it: of these, "pausing" and "finishing" are never written.
AT_WORK = ("running", "stopping", "pausing", "finishing")
UNFINISHED = ("queued", *AT_WORK, "paused")
STATES = ("queued", "running", "stopping", "paused", "completed", "stopped", "failed")

SHARE = Number(0, 1)
LOSS = Number(-1e300, 1e300, endless=True)
COUNT = Number(1, 10**9, whole=True)
EPOCH = Number(1, 10**4, whole=True)
SECONDS = Number(0, 1e9, unit="seconds")
# The end is the year 3000.
TIME = Number(0, 32_503_680_000, unit="seconds since 1970")
LEARNING_RATE = Number(0, 1e6)
SPEED = Number(1e-9, 1e15, unit="images a second")
BYTES = Number(1, 2**31, whole=True, unit="bytes")
MEMORY = Number(1, 2**60, whole=True, unit="bytes")

# The figures of the report's Table 4.2, in its order.
SCORES = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss", "test_accuracy", "test_loss")
_SCORE_FIELDS = {
    "train_accuracy": Field(SHARE, "mean over the epoch while training, with augmentation and dropout"),
    "train_loss": Field(LOSS, "mean over the epoch while training: cross-entropy in nats, and the L2 terms"),
    "validation_accuracy": Field(SHARE, "share of the validation images that were recognised"),
    "validation_loss": Field(LOSS, "mean cross-entropy of the validation images, and the L2 terms"),
    "test_accuracy": Field(SHARE, "share of the test images that were recognised"),
    "test_loss": Field(LOSS, "mean cross-entropy of the test images, and the L2 terms"),
}
_EPOCH_SCORES = Record(
    {
        "epoch": Field(EPOCH, "the epoch, from 1, whose weights were measured"),
        **_SCORE_FIELDS,
        "fitted_accuracy": Field(
            SHARE, "share of some training images that were recognised, without augmentation and dropout", needed=False
        ),
        "fitted_images": Field(COUNT, "how many these were", needed=False),
    }
)
_FINGERPRINT = Record(
    {"bytes": Field(BYTES, "size"), "sha256": Field(Text(64), "checksum, in hexadecimal digits")},
)

_NAME = Text(300)
_MACHINE = {
    "python": Field(_NAME, "version", needed=False),
    "keras": Field(_NAME, "version", needed=False),
    "backend": Field(_NAME, "what Keras computes with", needed=False),
    "backend_version": Field(_NAME, "version", needed=False),
    "platform": Field(_NAME, "the operating system", needed=False),
    "processor": Field(_NAME, "name", needed=False),
    "instructions": Field(Items(_NAME), "which of those that decide its speed it has", needed=False),
    "cores": Field(COUNT, "how many, as the operating system counts them", needed=False),
    "memory_bytes": Field(MEMORY, "how much memory there is", needed=False),
    "devices": Field(Items(_NAME), "what Keras found to train on", needed=False),
    "gpus": Field(Items(_NAME), "the names of the GPUs among them", needed=False),
    "code": Field(_NAME, "the commit of this program, with +changes where the code differed from it", needed=False),
}
SESSION = Record(
    {
        "started": Field(TIME, "when the process began to work on the run", needed=False),
        "seconds": Field(SECONDS, "how long it did; not there while it does", needed=False),
        "first_epoch": Field(Number(1, 10**4 + 1, whole=True), "where its training began, from 1", needed=False),
        "first_step": Field(Number(0, 10**9, whole=True), "the steps of that epoch that were done", needed=False),
        **_MACHINE,
    }
)

CONFIG = Record(
    {
        "schema_version": Field(Number(SCHEMA_VERSION, SCHEMA_VERSION, whole=True), "the version of these files"),
        "created": Field(TIME, "when the run was made"),
        "config": Field(Record({}), "every setting"),
        "sessions": Field(Items(SESSION), "each process that worked on the run, the first one first", needed=False),
        "environment": Field(Record(_MACHINE), "what older runs have in place of sessions", needed=False),
        "dataset_sha256": Field(Each(Text(64)), "the checksum of each part of the dataset", needed=False),
    }
)
STATUS = Record(
    {
        "state": Field(Choice(STATES), "what the run does, or how it ended"),
        "heartbeat": Field(TIME, "when this was written"),
        "phase": Field(Text(300), "what the worker is at, in a word or two", needed=False, null=True),
        "epoch": Field(Number(0, 10**4, whole=True), "the epoch that is being trained", needed=False, null=True),
        "epochs": Field(EPOCH, "how many there are at most", needed=False, null=True),
        "step": Field(Number(0, 10**9, whole=True), "the steps of this epoch that are done", needed=False, null=True),
        "steps": Field(COUNT, "how many an epoch has", needed=False, null=True),
        "pid": Field(Number(1, 2**31, whole=True), "the number of the worker's process", needed=False, null=True),
        "pid_started": Field(TIME, "when that process began", needed=False, null=True),
        "error": Field(Text(3000), "why the run failed, in a sentence", needed=False, null=True),
        "note": Field(Text(3000), "what is unusual about how it trains, in a sentence", needed=False, null=True),
        "gpu": Field(Text(300), "the GPU that it was given", needed=False, null=True),
        "node": Field(Text(300), "the machine of a cluster that trains it", needed=False, null=True),
        "slot": Field(
            Number(0, 10**6, whole=True), "the slot that it has, and keeps while it is paused", needed=False, null=True
        ),
    }
)
QUEUE = Record(
    {
        "place": Field(Number(-1e300, 1e300), "its position in the queue: the lower comes first"),
        "variables": Field(Each(Text(10_000)), "the environment variables that it is trained with", needed=False),
    }
)
NOTE = Record(
    {
        "name": Field(Text(60), "what people call the run; may be empty"),
        "note": Field(Text(4000), "what they want to remember of it; may be empty"),
    }
)
METRICS = Record(
    {
        "best": Field(_EPOCH_SCORES, "the figures of the epoch that was chosen by validation, whose network is kept"),
        "last": Field(_EPOCH_SCORES, "the figures of the last epoch"),
        "parameters": Field(Number(1, 10**12, whole=True), "how many the network has"),
        "epochs": Field(EPOCH, "how many were trained"),
        "seconds": Field(SECONDS, "how long the epochs took"),
        "total_seconds": Field(
            SECONDS, "how long the run took in all: also starting up, predictions, evaluation and saving", needed=False
        ),
        "quantized": Field(
            Record({"test_accuracy": Field(SHARE, "share of the test images that were recognised")}),
            "the figures of model.tflite with its 8-bit weights, where the run came with the project",
            needed=False,
        ),
        "files": Field(Each(_FINGERPRINT), "size and checksum of each network file", needed=False),
    }
)
HISTORY = Record(
    {
        "epoch": Field(EPOCH, "from 1"),
        **{name: _SCORE_FIELDS[name] for name in ("train_loss", "train_accuracy")},
        **{name: _SCORE_FIELDS[name] for name in ("validation_loss", "validation_accuracy")},
        "learning_rate": Field(LEARNING_RATE, "at the epoch's end"),
        "seconds": Field(SECONDS, "how long the epoch took, with its validation"),
        "images_per_second": Field(SPEED, "training images a second, without the validation"),
    }
)
PROGRESS = Record(
    {
        "time": Field(TIME, "when the step was done"),
        "epoch": Field(EPOCH, "from 1"),
        "step": Field(Number(0, 10**9, whole=True), "how many steps of the epoch are done"),
        "steps": Field(COUNT, "how many the epoch has"),
        "loss": Field(LOSS, "the epoch's mean so far, with the L2 terms"),
        "accuracy": Field(SHARE, "the epoch's mean so far"),
        "learning_rate": Field(LEARNING_RATE, "of this step"),
        "images_per_second": Field(SPEED, "since the line before"),
    },
    closed=True,
)
HISTORY_COLUMNS = tuple(HISTORY.fields)
HISTORY_HEADER = ",".join(HISTORY_COLUMNS) + "\n"

# What to do about a file in which nothing can be read.
RESTORE = "restore it from a copy, or delete the run"
_LONGEST_LINE = 4096
_DEEPEST = 20
_NESTED = f"its values are nested more than {_DEEPEST} deep"
_MOST_EPOCHS = 10**4
# Of a map that is read.
_MOST_FEATURES, _MOST_COMPONENTS = 2**20, 64
# Eight bytes for the format's name and version, and two for the length of an array's header.
_HEADER_BEGINS = 10
_KERAS_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
# Of epoch_predictions.bin.
_FIRST_LINE, _LONGEST_FIRST_LINE = re.compile(rb"(\d{1,9}) images"), 20
# The least that float16, in which runs once kept their probabilities, can tell from zero.
_SMALLEST_KEPT = 2.0**-24


def file_size(path):
    """The size in bytes of a run's file, which must be a file, and no larger than the lab writes it."""
    facts = os.stat(path)
    # Not only folders are no files: opening a pipe would wait for its writer for ever.
    if not stat.S_ISREG(facts.st_mode):
        raise UnsoundError(f"it is not a file; {RESTORE}")
    if facts.st_size > FILES[path.name].limit:
        most = FILES[path.name].limit
        raise UnsoundError(f"it has {facts.st_size:,} bytes, more than the {most:,} that such a file may have")
    return facts.st_size


def content(path, start=0, size=-1):
    """The bytes of a run's file, `size` of them from `start` on; a negative start counts from the end."""
    length = file_size(path)
    with open(path, "rb") as file:
        file.seek(max(0, length + start) if start < 0 else start)
        return file.read(size)


def json_object(text):
    """The dict in the bytes of a JSON file."""
    if not text.strip():
        raise UnsoundError(f"it is empty; {RESTORE}")
    value = _json(text, "line {}")
    if not isinstance(value, dict):
        raise UnsoundError(f"it holds {shown(value)}, not an object")
    # Thousands of files are read in a row, and few of them need the longer looks.
    if text.count(b"{") + text.count(b"[") > _DEEPEST and _is_deep(value):
        raise UnsoundError(_NESTED)
    if b"\\u" in text:
        try:
            # JSON can spell halves of characters, which cannot be shown.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise UnsoundError("a text in it has half a character") from None
    return value


def record(text):
    """config.json as a dict whose "config" makes a RunConfig; what another schema version holds is not looked at."""
    value = json_object(text)
    version = value.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UnsoundError(f"schema_version is {shown(version)}, not {SCHEMA_VERSION}; it may be from a newer version")
    CONFIG.check(value)
    check_values(value["config"])
    return value


def status(text):
    """status.json as a dict."""
    value = json_object(text)
    STATUS.check(value)
    return value


def queue(text):
    """queue.json as a dict."""
    value = json_object(text)
    QUEUE.check(value)
    for name, said in value.get("variables", {}).items():
        # No other may reach a process out of a file.
        if not name.startswith(ASKED) or "=" in name or "\0" in name + said:
            raise UnsoundError(f"variables.{shown(name)[1:-1]} is not a variable that a run keeps")
    return value


def note(text):
    """note.json as a dict."""
    value = json_object(text)
    NOTE.check(value)
    return value


def metrics(text):
    """metrics.json as a dict."""
    value = json_object(text)
    METRICS.check(value)
    return value


def history_line(row):
    """One line of history.csv: `row` maps each of HISTORY_COLUMNS to a number."""
    return ",".join(json.dumps(row[column]) for column in HISTORY_COLUMNS) + "\n"


def history_rows(text):
    """The rows of history.csv, lists in the order of HISTORY_COLUMNS; a half-written last line waits."""
    header = HISTORY_HEADER.strip()
    lines, rest = _whole_lines(text)
    if not (lines[0] == header.encode() if lines else HISTORY_HEADER.encode().startswith(rest)):
        raise UnsoundError(f"its first line is not {header}")
    if lines and set(rest) - set(b"0123456789+-.eE,NaInfity"):
        raise UnsoundError(f"its last line is not a row of numbers: {shown(rest.decode('utf-8', 'replace'))}")
    rows = []
    for number, line in enumerate(lines[1:], start=1):
        cells = line.split(b",")
        if len(cells) != len(HISTORY_COLUMNS):
            raise UnsoundError(f"row {number} has {len(cells)} columns, not {len(HISTORY_COLUMNS)}")
        row = {name: _cell(cell) for name, cell in zip(HISTORY_COLUMNS, cells, strict=True)}
        HISTORY.check_fields(row, f"row {number}: ")
        if row["epoch"] != number:
            raise UnsoundError(f"row {number}: epoch is {shown(row['epoch'])}, not {number}")
        rows.append(list(row.values()))
    return rows


def progress_rows(text):
    """The rows of progress.jsonl, and how many bytes they take; a half-written last line waits."""
    lines, rest = _whole_lines(text)
    if not b"{".startswith(rest[:1]) or len(rest) >= _LONGEST_LINE:
        raise UnsoundError("its last line is not the beginning of a row")
    rows = []
    for line in lines:
        row = _json(line, "a row")
        if not isinstance(row, dict):
            raise UnsoundError(f"a row is {shown(row)}, not an object")
        PROGRESS.check_fields(row, "a row: ")
        if row["step"] > row["steps"]:
            raise UnsoundError(f"a row: step is {row['step']}, more than its steps, which are {row['steps']}")
        rows.append(row)
    return rows, len(text) - len(rest)


def predictions(text, dataset):
    """The arrays of test_predictions.npz, name -> array; see `core.runs.run.Run.read_predictions`."""
    _check_arrays(io.BytesIO(text), dataset)
    with _unpacking("an array in it cannot be unpacked"), np.load(io.BytesIO(text), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    classes = len(DATASETS[dataset]["classes"])
    for name in ("labels", "epoch_classes"):
        if name in arrays and (highest := arrays[name].max(initial=0)) >= classes:
            raise UnsoundError(f"{name} holds {highest}, not a class from 0 to {classes - 1}")
    if "logits" in arrays:
        if not np.isfinite(arrays["logits"]).all():
            raise UnsoundError("logits holds what is not a number")
        return arrays | {"probabilities": softmax(arrays["logits"])}
    kept = arrays["probabilities"].astype(np.float64)
    if not ((kept >= 0) & (kept <= 1)).all():
        raise UnsoundError("probabilities holds what is not between 0 and 1")
    return arrays | {"probabilities": kept, "logits": np.log(np.maximum(kept, _SMALLEST_KEPT))}


def map_arrays(text, dataset):
    """The arrays of map.npz, name -> array; see `core.explain.embedding.fit`."""
    _check_map(io.BytesIO(text), dataset)
    with _unpacking("an array in it cannot be unpacked"), np.load(io.BytesIO(text), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise UnsoundError(f"{name} holds what is not a number")
    if (highest := arrays["landmark_images"].max()) >= len(arrays["points"]):
        raise UnsoundError(f"landmark_images holds {highest}, not the number of a point")
    return arrays


def epoch_predictions(text, dataset):
    """The arrays of epoch_predictions.bin, all uint8: labels (N,), epoch_classes and epoch_confidences (epochs, N);
    None before its first epoch is whole. A half-written last epoch waits.
    """
    start, images = _epochs_begin(text, dataset)
    epochs = (len(text) - start - images) // (2 * images) if images else 0
    if epochs < 1:
        return None
    labels, rows = np.split(np.frombuffer(text, np.uint8, (2 * epochs + 1) * images, start), [images])
    rows = rows.reshape(epochs, 2, images)
    found = {"labels": labels, "epoch_classes": rows[:, 0], "epoch_confidences": rows[:, 1]}
    classes = len(DATASETS[dataset]["classes"])
    for name in ("labels", "epoch_classes"):
        if (highest := found[name].max()) >= classes:
            raise UnsoundError(f"{name} holds {highest}, not a class from 0 to {classes - 1}")
    return found


def epoch_predictions_bytes(labels, classes, confidences, with_labels=True):
    """What stands in epoch_predictions.bin: a line, the labels (N,), and, epoch by epoch, the classes and the
    confidences (epochs, N), all uint8; without the first two it can be added to the file.
    """
    begin = b"%d images\n" % len(labels) + labels.astype(np.uint8).tobytes() if with_labels else b""
    return begin + np.stack([classes, confidences], axis=1).astype(np.uint8).tobytes()


def _epochs_begin(text, dataset):
    """Where the first line of epoch_predictions.bin ends, and how many images it tells; 0 where it is half-written."""
    line, newline, _ = text[:_LONGEST_FIRST_LINE].partition(b"\n")
    if not newline and len(text) < _LONGEST_FIRST_LINE:
        return 0, 0
    told = _FIRST_LINE.fullmatch(line)
    if not told:
        raise UnsoundError(f"its first line does not tell how many images there are; {RESTORE}")
    images, most = int(told[1]), DATASETS[dataset]["test_examples"]
    if not 1 <= images <= most:
        raise UnsoundError(f"it tells of {images:,} images, not between 1 and {most:,}")
    return len(line) + 1, images


def packed(arrays):
    """The bytes of an archive of arrays."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def softmax(logits):
    """Probabilities (N, classes) float64 of logits (N, classes)."""
    powers = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the other files of a run say, for a look at one of them; None of what is damaged or not there yet.

    Attributes:
        dataset: the name of its dataset.
        metrics: metrics.json.
        completed: whether it is.
    """

    dataset: str | None
    metrics: dict | None
    completed: bool


def glance_at_history(path, facts):
    """Checks all rows, and that a completed run has as many as it has epochs."""
    rows = len(history_rows(content(path)))
    if facts.completed and facts.metrics and rows < facts.metrics["epochs"]:
        some = f"{rows} epoch{'s' * (rows != 1)}"
        raise UnsoundError(f"it has {some}, not {facts.metrics['epochs']}; it was cut short")


def glance_at_progress(path, facts=None):
    """Checks the first row and the last of a file that may be long."""
    size = file_size(path)
    if size <= 2 * _LONGEST_LINE:
        progress_rows(content(path))
        return
    first, last = content(path, 0, _LONGEST_LINE), content(path, -_LONGEST_LINE)
    progress_rows(first[: first.find(b"\n") + 1] or first)
    # The last whole row, and what follows it.
    progress_rows(b"\n".join(last.rsplit(b"\n", 2)[1:]) or last)


def glance_at_predictions(path, facts):
    """Checks which arrays test_predictions.npz holds, without reading them."""
    file_size(path)
    if facts.dataset:
        _check_arrays(path, facts.dataset)


def glance_at_map(path, facts):
    """Checks which arrays map.npz holds, without reading them."""
    file_size(path)
    if facts.dataset:
        _check_map(path, facts.dataset)


def glance_at_epochs(path, facts):
    """Checks the first line of epoch_predictions.bin."""
    begin = content(path, 0, _LONGEST_FIRST_LINE)
    if facts.dataset:
        _epochs_begin(begin, facts.dataset)


def glance_at_keras(path, facts=None):
    """Checks that model.keras is an archive that holds a network, and unpacks to no more than itself."""
    check_size(path, facts and facts.metrics)
    size = file_size(path)
    with _unpacking("it is not an archive"), zipfile.ZipFile(path) as archive:
        members = {member.filename: member.file_size for member in archive.infolist()}
    for name in _KERAS_MEMBERS:
        if name not in members:
            raise UnsoundError(f"it holds no network: {name} is missing in it")
    # Keras packs without compressing: what unpacks to far more is a bomb.
    if (unpacked := sum(members.values())) > 2 * size + 2**20:
        raise UnsoundError(f"it unpacks to {unpacked:,} bytes, far more than its own {size:,}")


def glance_at_tflite(path, facts=None):
    """Checks that model.tflite begins as one does."""
    check_size(path, facts and facts.metrics)
    if content(path, 4, 4) != b"TFL3":
        raise UnsoundError("it is not a LiteRT network; delete the file and export the run again, or train it again")


def glance_at_log(path, facts=None):
    """Checks that there is something that can be opened."""
    content(path, -1)


def check_size(path, metrics):
    """Checks that a network file has the size that the run's metrics tell, where they tell one (None: no metrics)."""
    known, size = ((metrics or {}).get("files", {}).get(path.name) or {}).get("bytes"), file_size(path)
    if known and size != known:
        why = "it was cut short" if size < known else "it is another file"
        raise UnsoundError(f"it has {size:,} bytes, not {known:,}; {why}")


@dataclasses.dataclass(frozen=True)
class RunFile:
    """What there is to know about one file of a run folder.

    Attributes:
        name: its name; that of a folder ends with a slash.
        holds: what it holds, for a person.
        limit: more bytes than the lab ever writes to it; None for what is only there or not.
        needed: whether every run has it, or every completed one: "always", "completed" or "".
        record: the fields of a file of records.
        read: the bytes of the file -> what it holds; None where nobody reads it whole here.
        glance: checks it without reading much: called with its path and Facts; None where it is not looked at.
        ships: whether it stays with a run that comes with the project.
        exported: what it is called when the run is exported, "" where it is not.
    """

    name: str
    holds: str
    limit: float | None = None
    needed: str = ""
    record: Record | None = None
    read: collections.abc.Callable | None = None
    glance: collections.abc.Callable | None = None
    ships: bool = False
    exported: str = ""

    def is_needed(self, completed):
        """Whether a run must have it that is completed, or is not."""
        return self.needed == "always" or (completed and self.needed == "completed")


def _read_whole(read):
    return lambda path, facts: read(content(path))


FILES = {
    file.name: file
    for file in (
        RunFile(
            "config.json",
            "every setting, the seed, checksums of the images, a schema version, and the sessions in which it was "
            "trained: epochs, seconds, hardware, versions of the libraries and of the code",
            limit=2**20,
            needed="always",
            record=CONFIG,
            read=record,
            glance=_read_whole(record),
            ships=True,
            exported="config.json",
        ),
        RunFile(
            "status.json",
            "state (queued, running, stopping, paused, stopped, completed or failed), process, epoch and step, error",
            limit=2**20,
            needed="always",
            record=STATUS,
            read=status,
            glance=_read_whole(status),
            ships=True,
        ),
        RunFile(
            "history.csv",
            "a row an epoch: loss and accuracy on training and validation, learning rate, seconds, images a second",
            limit=2**22,
            needed="completed",
            record=HISTORY,
            read=history_rows,
            glance=glance_at_history,
            ships=True,
            exported="history.csv",
        ),
        RunFile(
            "progress.jsonl",
            "a line every second or so of training: epoch, step, running loss and accuracy, images a second",
            # About two weeks of it.
            limit=2**28,
            record=PROGRESS,
            read=progress_rows,
            glance=glance_at_progress,
            ships=True,
        ),
        RunFile(
            "metrics.json",
            "accuracy and loss on training, validation and test, of the best and of the last epoch; parameters; "
            "seconds of training and in all; the networks' checksums",
            limit=2**20,
            needed="completed",
            record=METRICS,
            read=metrics,
            glance=_read_whole(metrics),
            ships=True,
            exported="metrics.json",
        ),
        RunFile(
            "note.json",
            "the name and the note that people gave the run; not there where they gave none",
            limit=2**16,
            record=NOTE,
            read=note,
            glance=_read_whole(note),
            ships=True,
            exported="note.json",
        ),
        RunFile(
            "test_predictions.npz",
            "the best epoch's logits of the test images, and each epoch's predictions if they were recorded; "
            "older runs have probabilities in their place",
            limit=2**26,
            needed="completed",
            read=predictions,
            glance=glance_at_predictions,
            ships=True,
            exported="test_predictions.csv",
        ),
        RunFile(
            "map.npz",
            "where each test image lies on a map on which those that are alike to the network are neighbours, and what "
            "places a new image among them; where it was made",
            limit=150 * 1024,
            read=map_arrays,
            glance=glance_at_map,
            ships=True,
        ),
        RunFile(
            "epoch_predictions.bin",
            "while it trains, each epoch's predictions on the test images, if they are recorded; gone once it is "
            "completed",
            limit=2**26,
            read=epoch_predictions,
            glance=glance_at_epochs,
            ships=True,
        ),
        RunFile(
            "model.keras",
            "the best epoch's network, from raw images to logits",
            limit=2**31,
            glance=glance_at_keras,
            exported="model.keras",
        ),
        RunFile(
            "model.tflite",
            "the best epoch's network with 8-bit weights",
            limit=2**31,
            glance=glance_at_tflite,
            exported="model.tflite",
        ),
        RunFile("log.txt", "the worker's output", limit=math.inf, glance=glance_at_log, ships=True),
        RunFile(
            "queue.json",
            "its position in the queue while it waits, and the environment variables that it is trained with",
            limit=2**20,
            record=QUEUE,
            read=queue,
            glance=_read_whole(queue),
        ),
        RunFile(".lock", "empty; the process that works on the run holds it locked"),
        RunFile(".claim", "in place of that where a cluster trains the run: who works on it, gone when nobody does"),
        RunFile(
            "checkpoint/",
            "what is needed to go on exactly: weights, optimizer, the callbacks' counters; gone once it is completed",
        ),
        RunFile("finish", "there, and empty, from when somebody asks that it is finished as it is until that is done"),
        RunFile("stop", "there, and empty, from when somebody asks that it stops until it has"),
        RunFile("pause", "there, and empty, from when somebody asks that it pauses until it has"),
        RunFile("shipped", "there, and empty, where the run came with the project: nothing changes or deletes it"),
    )
}
# Those that may be damaged.
CHECKED = tuple(file.name for file in FILES.values() if file.glance)


def files_table():
    """Every file of a run folder as a row of a Markdown table."""
    rows = [("File", "What it holds", "At most", "Ships", "Exported as"), ("---",) * 5]
    for file in FILES.values():
        most = "" if file.limit in (None, math.inf) else f"{file.limit // 2**20:,} MiB"
        most = f"{file.limit // 1024} KiB" if most == "0 MiB" else most
        exported = f"`{file.exported}`" if file.exported else ""
        rows.append((f"`{file.name}`", file.holds, most, "yes" if file.ships else "", exported))
    return _table(rows)


def fields_table(name):
    """The fields of one of those files, which has a record, as rows of a Markdown table."""
    rows = [("Field", "What it holds", "May be"), ("---",) * 3]
    rows += [
        (f"`{path}`", field.help, field.kind.words + ", or null" * field.null + "; may be missing" * (not field.needed))
        for path, field in _flat(FILES[name].record)
    ]
    return _table(rows)


def _table(rows):
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _flat(record, prefix=""):
    """(path, Field) of each field, those inside of others after them."""
    for name, field in record.fields.items():
        yield prefix + name, field
        kind, path = field.kind, f"{prefix}{name}."
        if isinstance(kind, Each) and isinstance(kind.kind, Record):
            kind, path = kind.kind, f"{path}NAME."
        if isinstance(kind, Items) and isinstance(kind.kind, Record):
            kind, path = kind.kind, f"{prefix}{name}[N]."
        if isinstance(kind, Record):
            yield from _flat(kind, path)


def _json(text, where):
    """The value in JSON text; `where` names its lines in a sentence."""
    try:
        return json.loads(text.decode("utf-8"))
    except RecursionError:
        raise UnsoundError(_NESTED) from None
    except UnicodeDecodeError:
        raise UnsoundError(f"it is not text; {RESTORE}") from None
    except json.JSONDecodeError as error:
        raise UnsoundError(f"{where.format(error.lineno)} is not JSON; {RESTORE}") from None
    except ValueError:
        raise UnsoundError("a number in it has thousands of digits") from None


def _whole_lines(text):
    """Its lines that have an end, and the rest."""
    end = text.rfind(b"\n") + 1
    return text[:end].splitlines(), text[end:]


def _cell(text):
    """The number in a cell of a table, else what stands there."""
    try:
        return float(text)
    except ValueError:
        return text.decode("utf-8", "replace")


def _is_deep(value):
    """Whether values are nested more than so deep; told level by level, as a function that calls itself could not."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [inside for outer in level for inside in _parts(outer)]
    return bool(level)


def _parts(value):
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


@contextlib.contextmanager
def _unpacking(what_is_wrong):
    """Broken archives break in a dozen ways: all become UnsoundError, except that the disk cannot be read."""
    try:
        yield
    except UnsoundError:
        raise
    except Exception as error:
        # Where an archive points before its own beginning, it is the system that refuses.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise UnsoundError(f"{what_is_wrong}; {RESTORE}") from None


def _check_arrays(file, dataset):
    """Checks which arrays an archive (a path, or an open file) holds, from their headers alone."""
    found = _arrays_in(file)
    kept = "logits" if "logits" in found else "probabilities"
    for name in ("labels", kept):
        if name not in found:
            raise UnsoundError(f"there is no array called {name}")
    classes, most = len(DATASETS[dataset]["classes"]), DATASETS[dataset]["test_examples"]
    count, epochs = (found[name][0][0] if name in found and found[name][0] else 0 for name in (kept, "epoch_classes"))
    if not 1 <= count <= most:
        raise UnsoundError(f"{kept} has {count:,} rows, not between 1 and {most:,}")
    wanted = {kept: ((count, classes), {"logits": "float32"}.get(kept, "float16")), "labels": ((count,), "uint8")}
    if "epoch_classes" in found:
        if epochs > _MOST_EPOCHS:
            raise UnsoundError(f"epoch_classes has {epochs:,} rows, more than the {_MOST_EPOCHS:,} that a run may have")
        wanted |= dict.fromkeys(("epoch_classes", "epoch_confidences"), ((epochs, count), "uint8"))
    _check_shapes(found, wanted)


def _check_map(file, dataset):
    """Checks which arrays an archive (a path, or an open file) holds, from their headers alone."""
    found, most = _arrays_in(file), DATASETS[dataset]["test_examples"]
    shapes = {name: (*shape, 0, 0) for name, (shape, _) in found.items()}
    count, landmarks = (shapes.get(name, (0,))[0] for name in ("points", "landmark_images"))
    features, components = shapes.get("basis", (0, 0))[:2]
    rows = {"points": (count, most), "landmark_images": (landmarks, count), "basis": (features, _MOST_FEATURES)}
    for name, (value, limit) in rows.items():
        if not 1 <= value <= limit:
            raise UnsoundError(f"{name} has {value:,} rows, not between 1 and {limit:,}")
    if not 1 <= components <= _MOST_COMPONENTS:
        raise UnsoundError(f"basis has {components:,} columns, not between 1 and {_MOST_COMPONENTS}")
    wanted = {
        "points": ((count, 2), "uint16"),
        "basis": ((features, components), "int8"),
        "landmarks": ((landmarks, components), "int8"),
        "landmark_images": ((landmarks,), "uint16"),
        "distance": ((), "float32"),
    }
    wanted |= dict.fromkeys(("scales", "offset", "landmark_scales"), ((components,), "float32"))
    # Older maps lack them, and those of runs with few validation images.
    calibration = {
        "threshold": ((), "float32"),
        "validation_images": ((), "uint32"),
        "validation_beyond": ((), "uint32"),
    }
    _check_shapes(found, wanted | (calibration if found.keys() & calibration.keys() else {}))


def _arrays_in(file):
    with _unpacking("it is not an archive of arrays"):
        return _array_headers(file)


def _check_shapes(found, wanted):
    """Checks arrays, name -> (shape, type), against those that there should be."""
    for name, shape in wanted.items():
        if name not in found:
            raise UnsoundError(f"there is no array called {name}")
        if found[name] != shape:
            raise UnsoundError(f"{name} holds {_shape(*found[name])}, not {_shape(*shape)}")
    if unknown := found.keys() - wanted.keys():
        raise UnsoundError(f"there is no array called {shown(min(unknown))}; it may be from a newer version")


def _array_headers(file):
    """Name -> (shape, name of the type) of each array in an archive, whose data has the size that this makes."""
    found = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as stream:
                start = stream.read(_HEADER_BEGINS)
                if np.lib.format.read_magic(io.BytesIO(start)) != (1, 0):
                    raise UnsoundError(f"{shown(name)} is not an array of a known format")
                shape, kind = _array_header(start[-2:] + stream.read(int.from_bytes(start[-2:], "little")))
                if stream.tell() + math.prod(shape) * kind.itemsize != member.file_size:
                    raise UnsoundError(f"{shown(name)} is not as large as it says")
            found[name] = (shape, kind.name)
    return found


@functools.lru_cache
def _array_header(text):
    """(shape, type) in an array's header: kept, because most runs' are alike, and NumPy takes a while for one."""
    shape, _, kind = np.lib.format.read_array_header_1_0(io.BytesIO(text))
    return shape, kind


def _shape(sides, kind):
    """ "200×10 (float32)"."""
    return f"{'×'.join(map(str, sides[:4]))}{'×…' * (len(sides) > 4)} ({kind[:20]})"
