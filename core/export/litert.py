"""A trained network for LiteRT, which answers without TensorFlow; only this module touches TensorFlow by name."""

import keras

from core.export.keras import write_whole
from core.runs.run import RunError


def save_tflite(model, run):
    """Writes model.tflite, with 8-bit weights: raw uint8 images (batch, h, w, c) to float32 logits (batch, classes).

    Raises:
        core.runs.run.RunError: Keras runs on another backend than TensorFlow, which has LiteRT's converter.
    """
    if keras.backend.backend() != "tensorflow":
        raise RunError(f"{run.id} has no model.tflite; make it with TensorFlow: python -m core export {run.id} FOLDER.")
    import tensorflow as tf

    options = {"format": "litert", "verbose": False, "optimizations": [tf.lite.Optimize.DEFAULT]}
    write_whole(run.tflite_path, lambda path: model.export(path, **options))
