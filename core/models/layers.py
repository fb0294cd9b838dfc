"""The three pieces every network is made of: a convolution, a hidden dense layer, and the classifier at the end."""

import functools

import keras

# The slope is the report's; both give back the input where it is positive.
ACTIVATIONS = {
    "relu": keras.layers.ReLU,
    "leaky_relu": functools.partial(keras.layers.LeakyReLU, negative_slope=0.3),
}


def activation(x, config, name):
    """The activation that the RunConfig names."""
    return ACTIVATIONS[config.activation](name=f"{name}_{config.activation}")(x)


def convolution(
    x, config, filters, kernel_size, name, strides=1, initializer="glorot_uniform", dropout=0.0, activate=True
):
    """A "same" convolution with bias and L2, then dropout, batch normalisation and activation where asked for."""
    x = keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        kernel_initializer=initializer,
        kernel_regularizer=keras.regularizers.L2(config.l2) if config.l2 else None,
        name=name,
    )(x)
    x = _dropout(x, dropout, name)
    x = _normalised(x, config, name)
    return activation(x, config, name) if activate else x


def hidden_dense(x, config, units, name, initializer="he_normal"):
    """A dense layer, then batch normalisation where asked for, the activation and dropout."""
    x = keras.layers.Dense(units, kernel_initializer=initializer, name=name)(x)
    x = activation(_normalised(x, config, name), config, name)
    return _dropout(x, config.dropout, name)


def classifier(x, classes, initializer):
    """Logits, in float32 whatever the precision before them."""
    return keras.layers.Dense(classes, kernel_initializer=initializer, dtype="float32", name="logits")(x)


def max_pooling(x, name, pool_size=2):
    """Stride 2. "same" pads odd sizes only, so that images as small as 16 pixels a side get through every network."""
    return keras.layers.MaxPooling2D(pool_size, strides=2, padding="same", name=name)(x)


def _normalised(x, config, name):
    if not config.batch_normalization:
        return x
    momentum = config.batch_normalization_momentum
    return keras.layers.BatchNormalization(momentum=momentum, name=f"{name}_normalisation")(x)


def _dropout(x, rate, name):
    return keras.layers.Dropout(rate, name=f"{name}_dropout")(x) if rate else x
