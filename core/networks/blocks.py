"""The pieces that every network is made of, as Keras layers; `core.networks.sizes.Counter` has the same, to count."""

import functools
import itertools

import keras
import numpy as np

from core.networks.sizes import Convolution


def _scaled_tanh(name):
    """1.7159 tanh(2x/3): 1 at 1 and -1 at -1 (LeCun et al. 1998, appendix A)."""
    inner, outer = (keras.layers.Rescaling(scale, name=f"{name}_{part}") for part, scale in _SCALES.items())
    return lambda x: outer(keras.layers.Activation("tanh", name=name)(inner(x)))


_SCALES = {"inner_scale": 2 / 3, "outer_scale": 1.7159}
# The slope is the report's; the first two give back the input where it is positive.
ACTIVATIONS = {
    "relu": keras.layers.ReLU,
    "leaky_relu": functools.partial(keras.layers.LeakyReLU, negative_slope=0.3),
    "scaled_tanh": _scaled_tanh,
}


class Blocks:
    """Makes layers with a RunConfig's options; each method takes a Keras tensor and gives one.

    Args:
        config: a RunConfig.
        classes: how many logits the classifier gives.
    """

    def __init__(self, config, classes):
        self.config, self.classes = config, classes

    def convolution(self, x, filters, kernel_size, name, **options):
        """A convolution with L2, then dropout, batch normalisation and activation where asked for; `options` are those
        of `core.networks.sizes.Convolution`.
        """
        options = Convolution(**options)
        x = self._filters(x, filters, kernel_size, name, options)
        x = self._dropout(x, name) if options.dropout else x
        x = self._normalised(x, name)
        return self._activation(x, name) if options.activate else x

    def partial_convolution(self, x, connections, kernel_size, name):
        """A "valid" convolution with a filter for each tuple of `connections`, which sees only the maps that it names;
        then batch normalisation and activation.
        """
        # One grouped convolution for all filters that see as many maps. Each copy of a map is used once: gradients of
        # many uses are summed in an order that is not the same in every process, so no resumed run would be exact.
        parts = [list(part) for _, part in itertools.groupby(connections, len)]
        copies = keras.ops.take(x, [seen for part in parts for maps in part for seen in maps], axis=-1)
        ends = itertools.accumulate(sum(map(len, part)) for part in parts[:-1])
        filtered = [
            self._filters(x, len(part), kernel_size, f"{name}_{number}", Convolution(padding="valid"), groups=len(part))
            for number, (part, x) in enumerate(zip(parts, keras.ops.split(copies, list(ends), axis=-1), strict=True), 1)
        ]
        x = keras.layers.Concatenate(name=name)(filtered)
        return self._activation(self._normalised(x, name), name)

    def subsampling(self, x, name):
        """The mean of each 2 x 2 pixels, times a weight for each map, plus a bias for each, then the activation."""
        x = keras.layers.AveragePooling2D(2, name=f"{name}_mean")(x)
        x = keras.layers.DepthwiseConv2D(1, depthwise_initializer="ones", name=name)(x)
        return self._activation(x, name)

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

    def hidden_dense(self, x, units, name, initializer="he_normal"):
        """A dense layer, then batch normalisation where asked for, the activation and dropout."""
        x = keras.layers.Dense(units, kernel_initializer=initializer, name=name)(x)
        return self._dropout(self._activation(self._normalised(x, name), name), name)

    def classifier(self, x, initializer):
        """Logits, in float32 whatever the precision before them."""
        return keras.layers.Dense(self.classes, kernel_initializer=initializer, dtype="float32", name="logits")(x)

    def fixed_classifier(self, x, codes):
        """Logits, float32, from how close x is to each class's code: less its squared distance, which nothing trains.

        What the squared distances of all classes have in common, the softmax takes out again, so it is left out here:
        of |x - w|² with w of ±1 there remains -2 w·x.
        """
        codes = codes[: self.classes]
        fixed = {"use_bias": False, "trainable": False, "kernel_initializer": "zeros", "dtype": "float32"}
        layer = keras.layers.Dense(len(codes), name="logits", **fixed)
        logits = layer(x)
        layer.set_weights([2.0 * np.transpose(codes)])
        return logits

    def _filters(self, x, filters, kernel_size, name, options, groups=1):
        l2 = self.config.l2
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            options.strides,
            padding=options.padding,
            groups=groups,
            kernel_initializer=options.initializer,
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=name,
        )(x)

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
