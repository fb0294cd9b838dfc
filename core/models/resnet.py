"""Residual networks of basic blocks (He, Zhang, Ren and Sun 2015, table 1 and section 3.3, option B)."""

import keras

from core.models.layers import activation, classifier, convolution, max_pooling

# Stages of (blocks, filters).
STAGES = {"resnet34": ((3, 64), (4, 128), (6, 256), (3, 512))}


def network(x, config, classes):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    x = convolution(x, config, 64, 7, "conv1", strides=2, dropout=config.dropout)
    x = max_pooling(x, "pool1", pool_size=3)
    for stage, (blocks, filters) in enumerate(STAGES[config.model], start=2):
        for i in range(1, blocks + 1):
            x = _basic_block(x, config, filters, f"conv{stage}_{i}", strides=2 if stage > 2 and i == 1 else 1)
    x = keras.layers.GlobalAveragePooling2D(name="pool5")(x)
    return classifier(x, classes, "glorot_uniform")


def _basic_block(x, config, filters, name, strides):
    shortcut = x
    if strides > 1 or x.shape[-1] != filters:
        shortcut = convolution(
            x, config, filters, 1, f"{name}_shortcut", strides, dropout=config.dropout, activate=False
        )
    x = convolution(x, config, filters, 3, f"{name}_a", strides, dropout=config.dropout)
    x = convolution(x, config, filters, 3, f"{name}_b", dropout=config.dropout, activate=False)
    return activation(keras.layers.Add(name=f"{name}_add")([x, shortcut]), config, name)
