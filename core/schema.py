"""What each file of a run folder must look like: reads it strictly, or raises ValueError or OSError, nothing else."""

import io
import json
import math
import os
import stat
import zipfile

import numpy as np

from core.datasets import DATASETS

SCHEMA_VERSION = 1
# The figures of the report's Table 4.2, in its order.
SCORES = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss", "test_accuracy", "test_loss")
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
HISTORY_HEADER = ",".join(HISTORY_COLUMNS) + "\n"
_PROGRESS = ("time", "epoch", "step", "steps", "loss", "accuracy", "learning_rate", "images_per_second")
_YEAR_3000 = 32_503_680_000
# What each number may be, by name or by the end of its name: (lowest, highest, whole).
_RANGES = {
    "accuracy": (0, 1, False),
    "bytes": (1, 2**31, True),
    "created": (0, _YEAR_3000, False),
    "epoch": (0, 10**4, True),
    "epochs": (1, 10**4, True),
    "heartbeat": (0, _YEAR_3000, False),
    "images_per_second": (1e-9, 1e15, False),
    "learning_rate": (0, 1e6, False),
    "loss": (-1e300, 1e300, False),
    "parameters": (1, 10**12, True),
    "pid": (1, 2**31, True),
    "pid_started": (0, _YEAR_3000, False),
    "place": (-1e300, 1e300, False),
    "seconds": (0, 1e9, False),
    "step": (0, 10**9, True),
    "steps": (1, 10**9, True),
    "time": (0, _YEAR_3000, False),
}
# More bytes than the lab ever writes to each. Progress grows by a line a second: this is about two weeks of it.
LIMITS = {
    "config.json": 2**20,
    "status.json": 2**20,
    "queue.json": 2**20,
    "metrics.json": 2**20,
    "history.csv": 2**22,
    "progress.jsonl": 2**28,
    "test_predictions.npz": 2**26,
    "log.txt": math.inf,
    "model.keras": 2**31,
    "model.tflite": 2**31,
}
_LONGEST_LINE = 4096
_DEEPEST = 20
_MOST_EPOCHS = 10**4
_KERAS_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}


def file_size(path):
    """The size in bytes of a run's file, which must be a file, and no larger than the lab writes it."""
    facts = os.stat(path)
    # Not only folders are no files: opening a pipe would wait for its writer for ever.
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > LIMITS[path.name]:
        raise ValueError("no file, or a huge one")
    return facts.st_size


def content(path, start=0, size=-1):
    """The bytes of a run's file, `size` of them from `start` on; a negative start counts from the end."""
    length = file_size(path)
    with open(path, "rb") as file:
        file.seek(max(0, length + start) if start < 0 else start)
        return file.read(size)


def json_object(text):
    """The dict in the bytes of a JSON file."""
    try:
        value = json.loads(text.decode("utf-8"))
        deep = _depth(value) > _DEEPEST
    except RecursionError:
        deep = True
    if deep or not isinstance(value, dict):
        raise ValueError("no object, or one nested without end")
    # JSON can spell halves of characters, which cannot be shown.
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def record(text):
    """config.json; its "config" is for RunConfig to check, and what another schema version holds is not looked at."""
    value = json_object(text)
    _check_numbers({"version": value.get("schema_version")}, ("version",), {"version": (1, 1000, True)})
    if value["schema_version"] == SCHEMA_VERSION:
        _check_numbers(value, ("created",))
        if not isinstance(value.get("environment", {}), dict) or not isinstance(value.get("config"), dict):
            raise ValueError("no objects")
    return value


def status(text, states):
    """status.json, whose state is one of `states`."""
    value = json_object(text)
    if value.get("state") not in states:
        raise ValueError("no known state")
    _check_numbers(value, ("heartbeat",))
    maybe = ("epoch", "epochs", "step", "steps", "pid", "pid_started")
    _check_numbers(value, [name for name in maybe if value.get(name) is not None])
    for name, longest in (("phase", 300), ("error", 3000)):
        said = value.get(name)
        if said is not None and not (isinstance(said, str) and len(said) <= longest):
            raise ValueError(f"{name} is no sentence")
    return value


def place(text):
    """The place in queue.json."""
    value = json_object(text)
    _check_numbers(value, ("place",))
    return float(value["place"])


def metrics(text):
    """metrics.json."""
    value = json_object(text)
    _check_numbers(value, ("parameters", "epochs", "seconds"))
    for which in ("best", "last"):
        if not isinstance(value.get(which), dict):
            raise ValueError(f"no {which} epoch")
        _check_numbers(value[which], ("epoch", *SCORES))
        if value[which]["epoch"] < 1:
            raise ValueError("an epoch that never was")
    if "total_seconds" in value:  # Runs from before it was recorded have none.
        _check_numbers(value, ("total_seconds",))
    if "quantized" in value:
        if not isinstance(value["quantized"], dict):
            raise ValueError("no figures of the 8-bit network")
        _check_numbers(value["quantized"], ("test_accuracy",))
    # Files that were trained before there were fingerprints have none.
    files = value.get("files", {})
    if not isinstance(files, dict) or not all(isinstance(file, dict) for file in files.values()):
        raise ValueError("no fingerprints")
    for file in files.values():
        _check_numbers(file, ("bytes",))
        if not isinstance(file.get("sha256"), str):
            raise ValueError("no fingerprint")
    return value


def history_line(row):
    """One line of history.csv: `row` maps each of HISTORY_COLUMNS to a number."""
    return ",".join(json.dumps(row[column]) for column in HISTORY_COLUMNS) + "\n"


def history_rows(text):
    """The rows of history.csv, lists in the order of HISTORY_COLUMNS; a half-written last line waits."""
    lines, rest = _whole_lines(text)
    if not lines and not HISTORY_HEADER.encode().startswith(rest):
        raise ValueError("other columns")
    if (lines and lines[0] != HISTORY_HEADER.encode().strip()) or set(rest if lines else b"") - set(
        b"0123456789+-.eE,NaInfity"
    ):
        raise ValueError("no rows")
    rows = [[float(cell) for cell in line.split(b",")] for line in lines[1:]]
    for number, row in enumerate(rows, start=1):
        _check_numbers(dict(zip(HISTORY_COLUMNS, row, strict=True)), HISTORY_COLUMNS)
        if row[0] != number:
            raise ValueError("epochs out of order")
    return rows


def progress_rows(text):
    """The rows of progress.jsonl, and how many bytes they take; a half-written last line waits."""
    lines, rest = _whole_lines(text)
    if not b"{".startswith(rest[:1]) or len(rest) >= _LONGEST_LINE:
        raise ValueError("no beginning of a row")
    try:
        rows = [json.loads(line) for line in lines]
    except RecursionError:
        raise ValueError("nested without end") from None
    for row in rows:
        if not isinstance(row, dict) or len(row) != len(_PROGRESS):
            raise ValueError("no row")
        _check_numbers(row, _PROGRESS)
        if row["epoch"] < 1 or row["step"] > row["steps"]:
            raise ValueError("further than its end")
    return rows, len(text) - len(rest)


def glance_at_progress(path):
    """Checks the first rows and the last of a file that may be long."""
    size = file_size(path)
    if size <= 2 * _LONGEST_LINE:
        progress_rows(content(path))
        return
    first, last = content(path, 0, _LONGEST_LINE), content(path, -_LONGEST_LINE)
    progress_rows(first[: first.rfind(b"\n") + 1] or first)
    progress_rows(last[last.find(b"\n") + 1 :])


def predictions(text, dataset):
    """The arrays in the bytes of test_predictions.npz, name -> array; see `core.runs.Run.read_predictions`.

    Raises:
        ValueError: they are not what a network says of this dataset's test images.
    """
    try:
        _check_arrays(io.BytesIO(text), dataset)
        with np.load(io.BytesIO(text), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        classes = np.concatenate([arrays[name].ravel() for name in ("labels", "epoch_classes") if name in arrays])
        sound = (classes < arrays["probabilities"].shape[1]).all()
        probabilities = arrays["probabilities"]
        sound = sound and ((probabilities >= 0) & (probabilities <= 1)).all()
    except Exception as error:  # Broken archives break in a dozen ways.
        raise ValueError(f"no predictions: {error}") from None
    if not sound:
        raise ValueError("no probabilities, or no classes")
    return arrays


def packed(arrays):
    """The bytes of test_predictions.npz."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def glance_at_predictions(path, dataset):
    """Checks which arrays test_predictions.npz holds, without reading them."""
    file_size(path)
    try:
        _check_arrays(path, dataset)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"no predictions: {error}") from None


def glance_at_keras(path):
    """Checks that model.keras is an archive that holds a network, and unpacks to no more than itself."""
    size = file_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names, members = set(archive.namelist()), archive.infolist()
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"no archive: {error}") from None
    # Keras packs without compressing: what unpacks to far more is a bomb.
    if not names >= _KERAS_MEMBERS or sum(member.file_size for member in members) > 2 * size + 2**20:
        raise ValueError("no network")


def glance_at_tflite(path):
    """Checks that model.tflite begins as one does."""
    if content(path, 4, 4) != b"TFL3":
        raise ValueError("no network")


def _whole_lines(text):
    """Its lines that have an end, and the rest."""
    end = text.rfind(b"\n") + 1
    return text[:end].splitlines(), text[end:]


def _depth(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inside), default=0)


def _check_numbers(values, names, ranges=_RANGES):
    for name in names:
        value = values.get(name)
        kind = name if name in ranges else name.rsplit("_", 1)[-1]
        low, high, whole = ranges[kind]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} is no number")
        # A loss may be anything: that is how a run shows that it diverges.
        if kind == "loss" and isinstance(value, float):
            continue
        if not low <= value <= high or (whole and value != int(value)):
            raise ValueError(f"{name} is out of range")


def _check_arrays(file, dataset):
    found = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                if np.lib.format.read_magic(stream) != (1, 0):
                    raise ValueError("another format")
                shape, _, kind = np.lib.format.read_array_header_1_0(stream)
                if stream.tell() + math.prod(shape) * kind.itemsize != member.file_size:
                    raise ValueError("of another size than it says")
            found[member.filename.removesuffix(".npy")] = (shape, kind.name)
    (count,) = found["labels"][0]
    classes = len(DATASETS[dataset]["classes"])
    wanted = {"probabilities": ((count, classes), "float16"), "labels": ((count,), "uint8")}
    if "epoch_classes" in found:
        epochs = found["epoch_classes"][0][0]
        wanted |= dict.fromkeys(("epoch_classes", "epoch_confidences"), ((epochs, count), "uint8"))
        if epochs > _MOST_EPOCHS:
            raise ValueError("more epochs than any run has")
    if found != wanted or not 1 <= count <= DATASETS[dataset]["test_examples"]:
        raise ValueError("other arrays")
