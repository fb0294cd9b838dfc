"""Runs that ship with the project: copies without what only training needs, marked, so that nothing changes them."""

import shutil

import numpy as np

from core import files
from core.datasets.loading import load
from core.digits import strokes
from core.results import table as results
from core.results.scores import accuracy
from core.runs.integrity import fingerprints, problems
from core.runs.run import Run, RunError, list_runs
from core.runs.schema import FILES

# Every clone carries what was ever shipped.
SMALL_BYTES = 3_000_000


# What a run that others are compared with can do without, and how finely its logits are told: in nats.
_NOT_THIN = {"progress.jsonl", "map.npz", "log.txt"}
_THIN_STEP = 1 / 64


def ship(run, folder, network=True, thin=False):
    """Copies a completed run into a folder of runs, as one that ships.

    An 8-bit network of less than SMALL_BYTES goes along, and of the others that of the best run of its network on the
    digits that people draw. Its test accuracy, measured here, goes into metrics.json as "quantized".

    Args:
        run: a core.runs.run.Run.
        folder: the artifacts folder of a project; nothing may be there under the run's name.
        network: False to leave the 8-bit network behind even so.
        thin: True for a run of which only its figures and predictions count, as the evidence for a claim: no network,
            no map, no curve within the epochs, and logits in steps of _THIN_STEP below the largest, which change no
            prediction. It takes a fifth of the room.

    Returns:
        The copy, a Run.

    Raises:
        core.runs.run.RunError: the run is not completed or is damaged, or the copy cannot be written.
        core.datasets.loading.DatasetUnavailable: the test images cannot be had.
    """
    for sentence in problems(run).values():
        raise RunError(sentence)
    if run.read_status()["state"] != "completed":
        raise RunError(f"{run.id} is not finished; only finished runs ship.")
    copy = Run(folder / run.id)
    if copy.path.exists():
        raise RunError(f"{folder} has {run.id} already.")
    facts = {}
    if network and not thin and (_is_small(run) or _reads_drawings(run)):
        facts["quantized"] = {"test_accuracy": quantized_accuracy(run)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with files.replacing(copy.path) as new:
            new.mkdir()
            for file in FILES.values():
                # What the pages read. What only training and export need stays behind.
                wanted = file.ships and not (thin and file.name in _NOT_THIN)
                wanted |= bool(facts) and file.name == run.tflite_path.name
                if wanted and (run.path / file.name).exists():
                    shutil.copyfile(run.path / file.name, new / file.name)
            kept = Run(new)
            if thin:
                found = run.read_predictions()
                kept.write_predictions(logits=_in_steps(found["logits"]), labels=found["labels"])
            kept.write_metrics(run.read_metrics() | facts | {"files": fingerprints(kept)})
            kept.shipped_path.touch()
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}.") from None
    return copy


def _in_steps(logits):
    below = np.maximum(logits - logits.max(axis=1, keepdims=True), -16)
    steps = np.round(below / _THIN_STEP)
    # Only the largest is nought, so that it stays the prediction.
    return (np.where((steps == 0) & (below < 0), -1, steps) * _THIN_STEP).astype(np.float32)


def quantized_accuracy(run):
    """The test accuracy, 0..1, of a run's model.tflite with its 8-bit weights."""
    from core.export.litert_reader import Classifier  # LiteRT takes a moment to import

    test = load(run.read_config().dataset)
    return accuracy(Classifier(run).classify(test.test_images), test.test_labels)


def _is_small(run):
    return run.tflite_path.exists() and run.tflite_path.stat().st_size < SMALL_BYTES


def _reads_drawings(run):
    config = run.read_config()
    best = results.best_runs(results.table(list_runs())[0])
    return config.dataset == strokes.DATASET and best[config.network, config.dataset]["run"] == run.id
