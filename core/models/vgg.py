"""VGG (Simonyan and Zisserman 2014, table 1)."""

import keras

from core.models.layers import classifier, convolution, hidden_dense, max_pooling

# Groups of (3x3 convolutions, filters), each pooled at its end; vgg16 is the paper's configuration D.
GROUPS = {"vgg16": ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))}
HIDDEN_UNITS = (4096, 4096)


def network(x, config, classes):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    for group, (count, filters) in enumerate(GROUPS[config.model], start=1):
        for i in range(1, count + 1):
            x = convolution(x, config, filters, 3, f"conv{group}_{i}", initializer="he_normal")
        x = max_pooling(x, f"pool{group}")
    x = keras.layers.Flatten(name="flatten")(x)
    for i, units in enumerate(HIDDEN_UNITS, start=1):
        x = hidden_dense(x, config, units, f"dense{i}")
    return classifier(x, classes, "he_normal")
