"""The formats that a finished run can be exported in. Each is an entry here, and a module where it takes some code.

Importing this brings in no heavy library; writing a format may.
"""

import contextlib
import dataclasses
import importlib.util
import os
import shutil
from collections.abc import Callable

from core.config.recipes import training_command
from core.export import card, description, predictions
from core.runs.integrity import check_fingerprint, fingerprints, problems
from core.runs.run import RunError
from core.runs.schema import FILES


@dataclasses.dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        about: what it is and who reads it, for a person.
        sources: the files of the run that it is made of, which have to be sound.
        files: the names of the files that it consists of.
        write: called with a Run and a folder (a Path): writes those files.
        needs: packages that write it and that not everybody has: those of requirements-export.txt. Whoever serves
            pages leaves such a format to a process of its own.
        missing: called with a Run: why the run cannot be had in it, in a sentence; None where it can.
        check: called with a Run, before anything is written: reads its source whole, as the format's reader would, and
            raises RunError where that fails.
    """

    about: str
    sources: tuple
    files: tuple
    write: Callable
    needs: tuple = ()
    missing: Callable = lambda run: None
    check: Callable = lambda run: None


def export(run, folder, names=None):
    """Writes a finished run into a folder.

    Args:
        run: a Run.
        folder: a Path; made if it is not there.
        names: which of FORMATS; all if None, without those of `not_installed`, and without the networks that a run that
            ships does not have.

    Returns:
        The paths of the files that were written.

    Raises:
        core.runs.run.RunError: the run is not finished, a file of it is damaged, it cannot be had in a format that was
            named, or needs what is not installed, or the folder cannot be written.
    """
    if run.read_metrics() is None:
        raise RunError(f"{run.id} has no network yet; train it to its end first.")
    absent = not_installed()
    for sentence in (absent[name] for name in names or () if name in absent):
        raise RunError(sentence)
    missing = {name: FORMATS[name].missing(run) for name in names or FORMATS if name not in absent}
    if names or not run.is_shipped:
        for sentence in filter(None, missing.values()):
            raise RunError(sentence)
    chosen = [FORMATS[name] for name, sentence in missing.items() if not sentence]
    damaged = problems(run)
    for sentence in (damaged[source] for format in chosen for source in format.sources if source in damaged):
        raise RunError(sentence)
    for format in chosen:
        format.check(run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for format in chosen:
            format.write(run, folder)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}.") from None
    return [folder / name for format in chosen for name in format.files if os.path.lexists(folder / name)]


def not_installed():
    """The formats that cannot be written here: name -> what to install for it, in a sentence."""
    absent = {
        name: [package for package in format.needs if importlib.util.find_spec(package) is None]
        for name, format in FORMATS.items()
    }
    return {
        name: f"{name}: {' and '.join(packages)} not installed; pip install -r requirements-export.txt"
        for name, packages in absent.items()
        if packages
    }


def _copies(*names):
    """Writes these files of a run as they are; a file that a run need not have may be missing."""

    def write(run, folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(run.path / name, folder / FILES[name].exported)

    return write


def _without_network(run):
    """Why a run has no model.keras, in a sentence, or None."""
    if os.path.lexists(run.model_path):
        return None
    if run.is_shipped:
        return f"{run.id} came without its network; train it yourself: {training_command(run.read_config())}"
    return f"{run.id}: model.keras is missing."


def _without_litert(run):
    """Why a run neither has a model.tflite nor can be given one, in a sentence, or None."""
    return None if os.path.lexists(run.tflite_path) else _without_network(run)


def without_any_network(run):
    """Why a run has no network file at all, in a sentence, or None."""
    return _without_litert(run) and _without_network(run)


def _write_keras(run, folder):
    from core.export.keras import write

    write(run, folder)


def _write_onnx(run, folder):
    from core.export.onnx import write

    write(run, folder)


def _write_safetensors(run, folder):
    from core.export.safetensors import write

    write(run, folder)


def _write_tensorboard(run, folder):
    from core.export.tensorboard import write

    write(run, folder)


def _check_keras(run):
    run.check(run.model_path, lambda path: check_fingerprint(path, run.read_metrics()))


def _check_litert(run):
    """Makes model.tflite where it is missing, as it is after a training on JAX, and predicts with it once."""
    if not os.path.lexists(run.tflite_path):
        from core.export.keras import load_network
        from core.export.litert import save_tflite

        save_tflite(load_network(run), run)
        run.write_metrics(run.read_metrics() | {"files": fingerprints(run)})
    from core.export.litert_reader import Classifier

    Classifier(run)


FORMATS = {
    "keras": Format(
        about="the network as Keras keeps it; keras.saving.load_model reads it wherever Keras is installed",
        sources=("model.keras",),
        files=("model.keras",),
        write=_write_keras,
        missing=_without_network,
        check=_check_keras,
    ),
    "litert": Format(
        about="the network for LiteRT, with 8-bit weights: a quarter of the size, for telephones and browsers",
        sources=("model.tflite",),
        files=("model.tflite",),
        write=_copies("model.tflite"),
        missing=_without_litert,
        check=_check_litert,
    ),
    "onnx": Format(
        about="the network as ONNX, which many programs and languages run: uint8 images in, logits out",
        sources=("model.keras",),
        files=("model.onnx",),
        write=_write_onnx,
        needs=("onnx", "onnxruntime"),
        missing=_without_network,
    ),
    "safetensors": Format(
        about="the weights alone, by their Keras paths, for any framework; and a list of them, as JSON, with the "
        "settings that build the network",
        sources=("model.keras",),
        files=("model.safetensors", "weights.json"),
        write=_write_safetensors,
        needs=("safetensors",),
        missing=_without_network,
    ),
    "description": Format(
        about="what the network takes and gives, as JSON, and a Python script of ten lines that uses it",
        sources=("config.json", "metrics.json"),
        files=("model.json", "example.py"),
        write=description.write,
        missing=without_any_network,
    ),
    "card": Format(
        about="the model card, as Markdown: data, recipe, figures with their intervals, how to use it, and its limits",
        sources=("config.json", "history.csv", "metrics.json", "note.json", "test_predictions.npz"),
        files=("README.md",),
        write=card.write,
    ),
    "predictions": Format(
        about="what the network makes of each test image, as CSV: label, prediction and all probabilities",
        sources=("test_predictions.npz",),
        files=("test_predictions.csv",),
        write=predictions.write,
    ),
    "tables": Format(
        about="the settings, the curves and the figures of the run, and what people noted of it, as JSON and CSV",
        sources=("config.json", "history.csv", "metrics.json", "note.json"),
        files=("config.json", "history.csv", "metrics.json", "note.json"),
        write=_copies("config.json", "history.csv", "metrics.json", "note.json"),
    ),
    "tensorboard": Format(
        about="the curves by epoch and by step, the settings and the test figures, as an event file for TensorBoard",
        sources=("config.json", "history.csv", "progress.jsonl", "metrics.json", "note.json"),
        files=("events.out.tfevents",),
        write=_write_tensorboard,
        needs=("tensorboardX",),
        check=lambda run: run.read_progress(),
    ),
}
