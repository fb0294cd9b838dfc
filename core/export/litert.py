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
    write_whole(run.tflite_path, lambda path: path.write_bytes(_converted(model)))


def _converted(model):
    """The bytes of the file. Keras' own export writes a SavedModel first and reads it twice, which takes five times as
    long for the same network: here its graph goes to the converter as it is.
    """
    import tensorflow as tf

    (images,) = model.inputs
    wanted = tf.TensorSpec(images.shape, images.dtype, name=images.name)
    function = tf.function(lambda images: model(images, training=False), autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function(wanted)], model)
    converter.experimental_lower_to_saved_model = False
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()
