"""What a network makes of images just before its classifier, as Keras computes it."""

import keras

from core.training.batches import predict


def last_features(model, images, batch_size, bar=None):
    """The last features of raw images, float32 (N, F): what goes into the last layer with weights, as the mean of each
    map where that is a convolution. Where several paths with weights end in the logits, it is the logits of each.

    They are those that model.tflite has, too. So scales before that layer are left out: the converter puts them into
    its weights.

    Args:
        model: a Keras model from raw images to logits.
        images, batch_size, bar: as in `core.training.batches.predict`.
    """
    x = model.outputs[0]
    while True:
        operation, *_ = x._keras_history
        if isinstance(operation.input, list):
            break
        if hasattr(operation, "kernel"):
            x = _unscaled(operation.input)
            break
        x = operation.input
    if len(x.shape) == 4:
        x = keras.ops.mean(x, axis=(1, 2))
    found = predict(keras.Model(model.input, x), images, batch_size, bar)
    return found.reshape(len(found), -1).astype("float32")


def _unscaled(x):
    """The tensor before the layers that only multiply it, or change nothing in prediction."""
    while isinstance(x._keras_history.operation, (keras.layers.Rescaling, keras.layers.Dropout)):
        x = x._keras_history.operation.input
    return x
