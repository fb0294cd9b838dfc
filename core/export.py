"""A trained network as files: Keras' own format, and LiteRT's for answering without TensorFlow."""

import os
import tempfile
from pathlib import Path

import keras

from core.datasets import DATASETS
from core.integrity import check_fingerprint
from core.runs import RunError
from core.schema import glance_at_keras


def save_network(model, run):
    """Writes model.keras, without the optimizer, and, on the TensorFlow backend, model.tflite."""
    # A model of its own, never compiled: Keras would save the optimizer with the other, three times the size.
    _write(run.model_path, keras.Model(model.input, model.output, name=model.name).save)
    if keras.backend.backend() == "tensorflow":
        save_tflite(model, run)


def save_tflite(model, run):
    """Writes model.tflite, with 8-bit weights: raw uint8 images (batch, h, w, c) to float32 logits (batch, classes).

    Raises:
        core.runs.RunError: Keras runs on another backend than TensorFlow, which has LiteRT's converter.
    """
    if keras.backend.backend() != "tensorflow":
        raise RunError(f"{run.id} has no model.tflite; make it with TensorFlow: python -m core export {run.id} FOLDER.")
    import tensorflow as tf

    options = {"format": "litert", "verbose": False, "optimizations": [tf.lite.Optimize.DEFAULT]}
    _write(run.tflite_path, lambda path: model.export(path, **options))


def load_network(run):
    """The Keras model of a run, read in safe mode: nothing in the file is executed.

    Raises:
        core.runs.RunError: model.keras is missing or damaged, holds code, or is no network for the run's dataset.
    """
    import core.models.older_layers  # noqa: F401 - registers what networks of earlier versions hold

    dataset = DATASETS[run.read_config().dataset]
    metrics = run.read_metrics()
    run.check(run.model_path, lambda path: check_fingerprint(path, metrics))
    run.check(run.model_path, glance_at_keras)
    try:
        model = keras.saving.load_model(run.model_path, compile=False, safe_mode=True)
        shapes = model.input_shape, model.output_shape
    except Exception as error:  # Damage takes Keras by surprise in a dozen ways.
        if "safe_mode" in str(error):
            raise RunError(f"{run.id}: model.keras is refused, because it holds code.") from None
        raise RunError(f"{run.id}: model.keras: Keras cannot load it as a network; train the run again.") from None
    wanted = (None, *dataset["image_shape"]), (None, len(dataset["classes"]))
    if shapes != wanted:
        here, there = (f"{_shape(images)} to {_shape(classes)}" for images, classes in (shapes, wanted))
        raise RunError(f"{run.id}: model.keras: it leads from {here}, not from {there}.")
    return model


def _shape(sides):
    """ "28×28×1", without the number of images."""
    return "×".join(map(str, sides[1:])) if isinstance(sides, tuple) else "something else"


def _write(path, write):
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        write(temporary)
        os.replace(temporary, path)
