"""The pieces that every network is made of, as Keras layers; `core.networks.sizes.Counter` has the same, to count."""

import functools

import keras

# The slope is the report's; both give back the input where it is positive.
ACTIVATIONS = {
    "relu": keras.layers.ReLU,
    "leaky_relu": functools.partial(keras.layers.LeakyReLU, negative_slope=0.3),
}


class Blocks:
    """Makes layers with a RunConfig's options; each method takes a Keras tensor and gives one.

    Args:
        config: a RunConfig.
        classes: how many logits the classifier gives.
    """

    def __init__(self, config, classes):
        self.config, self.classes = config, classes

    def convolution(
        self, x, filters, kernel_size, name, strides=1, initializer="glorot_uniform", dropout=False, activate=True
    ):
        """A "same" convolution with bias and L2, then dropout, batch normalisation and activation where asked for."""
        l2 = self.config.l2
        x = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides,
            padding="same",
            kernel_initializer=initializer,
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=name,
        )(x)
        x = self._dropout(x, name) if dropout else x
        x = self._normalised(x, name)
        return self._activation(x, name) if activate else x

    def max_pooling(self, x, name, pool_size=2):
        """Stride 2. "same" pads odd sizes only, so that images of 16 pixels a side get through every network."""
        return keras.layers.MaxPooling2D(pool_size, strides=2, padding="same", name=name)(x)

    def average_pooling(self, x, name):
        """The mean of each map."""
        return keras.layers.GlobalAveragePooling2D(name=name)(x)

    def add(self, x, shortcut, name):
        """The sum of two tensors of one shape, then the activation."""
        return self._activation(keras.layers.Add(name=f"{name}_add")([x, shortcut]), name)

    def flatten(self, x):
        return keras.layers.Flatten(name="flatten")(x)

    def hidden_dense(self, x, units, name):
        """A dense layer, then batch normalisation where asked for, the activation and dropout."""
        x = keras.layers.Dense(units, kernel_initializer="he_normal", name=name)(x)
        return self._dropout(self._activation(self._normalised(x, name), name), name)

    def classifier(self, x, initializer):
        """Logits, in float32 whatever the precision before them."""
        return keras.layers.Dense(self.classes, kernel_initializer=initializer, dtype="float32", name="logits")(x)

    def _activation(self, x, name):
        return ACTIVATIONS[self.config.activation](name=f"{name}_{self.config.activation}")(x)

    def _normalised(self, x, name):
        if not self.config.batch_normalization:
            return x
        momentum = self.config.batch_normalization_momentum
        return keras.layers.BatchNormalization(momentum=momentum, name=f"{name}_normalisation")(x)

    def _dropout(self, x, name):
        rate = self.config.dropout
        return keras.layers.Dropout(rate, name=f"{name}_dropout")(x) if rate else x
