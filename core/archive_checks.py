"""What a run's archives must look like, test predictions and networks: strictly, and without believing their sizes."""

import hashlib
import io
import math
import zipfile
from pathlib import Path

import numpy as np

from core.datasets import DATASETS
from core.run_checks import content, file_size

_MOST_EPOCHS = 10**4
_KERAS_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}


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
