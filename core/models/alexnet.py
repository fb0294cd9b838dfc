"""AlexNet (Krizhevsky, Sutskever and Hinton 2012, section 3.5), in one column, without response normalisation."""

import keras

from core.models.layers import classifier, convolution, hidden_dense, max_pooling

# (filters, kernel size, stride, pooled afterwards)
CONVOLUTIONS = ((96, 11, 4, True), (256, 5, 1, True), (384, 3, 1, False), (384, 3, 1, False), (256, 3, 1, True))
HIDDEN_UNITS = (4096, 4096)


def network(x, config, classes):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    for i, (filters, kernel_size, stride, pooled) in enumerate(CONVOLUTIONS, start=1):
        x = convolution(x, config, filters, kernel_size, f"conv{i}", stride)
        if pooled:
            x = max_pooling(x, f"pool{i}")
    x = keras.layers.Flatten(name="flatten")(x)
    for i, units in enumerate(HIDDEN_UNITS, start=1):
        x = hidden_dense(x, config, units, f"dense{i}")
    return classifier(x, classes, "he_normal")
