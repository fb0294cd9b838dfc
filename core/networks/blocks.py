"""The pieces that every network is made of, as Keras layers; `core.networks.sizes.Counter` has the same, to count."""

import functools
import math

import keras
import numpy as np

from core.networks.sizes import AUXILIARY, TANH_SCALES, Convolution, dropped
from core.networks.training_only import DropPath, DropPathChoice


def _scaled_tanh(name):
    """1.7159 tanh(2x/3): 1 at 1 and -1 at -1 (LeCun et al. 1998, appendix A)."""
    inner, outer = (keras.layers.Rescaling(scale, name=f"{name}_{part}") for part, scale in TANH_SCALES.items())
    return lambda x: outer(keras.layers.Activation("tanh", name=name)(inner(x)))


# The slope is the report's; the first two give back the input where it is positive.
ACTIVATIONS = {
    "relu": keras.layers.ReLU,
    "leaky_relu": functools.partial(keras.layers.LeakyReLU, negative_slope=0.3),
    "scaled_tanh": _scaled_tanh,
}
# Keeps the slope of the root finite where a capsule is all zeros.
_SMALL = 1e-6


def _named(tensors, name):
    """Calls the operation that gave these tensors by a name of ours, and gives them back.

    Keras would number it by what was built before in this process. The names decide in which order TensorFlow adds up
    gradients, and so the last digit of each: a run that is resumed has to get the same.
    """
    keras.tree.flatten(tensors)[0]._keras_history.operation.name = name
    return tensors


class Blocks:
    """Makes layers with a RunConfig's options; each method takes a Keras tensor and gives one.

    Args:
        config: a RunConfig.
        classes: how many logits the classifier gives.
        for_training: with the parts that act only in training: auxiliary heads, and paths that are dropped.

    Attributes:
        stem: the RunConfig's.
        auxiliary_logits: those of the auxiliary heads so far.
    """

    def __init__(self, config, classes, for_training=False):
        self.config, self.classes, self.for_training = config, classes, for_training
        self.stem = config.stem
        self.auxiliary_logits = []
        self._choice = None

    def convolution(self, x, filters, kernel_size, name, **options):
        """A convolution with L2, then dropout, batch normalisation and activation where asked for; `options` are those
        of `core.networks.sizes.Convolution`.
        """
        options = Convolution(**options)
        return self._finished(self._filters(x, filters, kernel_size, name, options), name, options)

    def grouped_convolution(self, x, filters, kernel_size, groups, name, **options):
        """A convolution in equal groups of maps, each of which sees only its own group; `options` as above.

        One small convolution a group: TensorFlow computes groups in one layer on GPUs only, or through XLA.
        """
        options = Convolution(**options)
        parts = _named(keras.ops.split(x, groups, axis=-1), f"{name}_groups")
        filtered = [
            self._filters(part, filters // groups, kernel_size, f"{name}_{number}", options)
            for number, part in enumerate(parts, start=1)
        ]
        return self._finished(self.concatenate(filtered, name), name, options)

    def partial_convolution(self, x, connections, kernel_size, name):
        """A "valid" convolution with a filter for each tuple of `connections`, which sees only the maps that it names;
        then batch normalisation and activation.
        """
        first = [seen[0] for seen in connections]
        more = [(number, i) for number, seen in enumerate(connections) for i in seen[1:]]
        # The first map that each filter sees brings the filter's bias; what it makes of the others is added up.
        filtered = self._map_by_map(x, first, kernel_size, f"{name}_first", connections)
        others = self._map_by_map(x, [i for _, i in more], kernel_size, f"{name}_others", connections, bias=False)
        owners = np.eye(len(connections))[[number for number, _ in more]]
        summed = _named(keras.ops.matmul(others, keras.ops.cast(owners, others.dtype)), f"{name}_summed")
        return self._finished(_named(filtered + summed, name), name, Convolution(padding="valid"))

    def _map_by_map(self, x, chosen, kernel_size, name, connections, bias=True):
        """Each of the chosen maps under a filter of its own, which is a part of a filter of `connections`."""
        maps = _named(keras.ops.take(x, np.array(chosen), axis=-1), f"{name}_seen")
        seen = sum(map(len, connections)) / len(connections)
        limit = math.sqrt(6 / ((seen + 1) * kernel_size**2))
        return keras.layers.DepthwiseConv2D(
            kernel_size,
            use_bias=bias,
            # Glorot's, for the whole filter.
            depthwise_initializer=keras.initializers.RandomUniform(-limit, limit),
            depthwise_regularizer=self._l2(),
            name=name,
        )(maps)

    def subsampling(self, x, name):
        """The mean of each 2 x 2 pixels, times a weight for each map, plus a bias for each, then the activation."""
        x = keras.layers.AveragePooling2D(2, name=f"{name}_mean")(x)
        scale = keras.layers.EinsumDense(
            "bhwc,c->bhwc", x.shape[1:], bias_axes="c", kernel_initializer="ones", name=name
        )
        x = scale(x)
        return self.activation(x, name)

    def max_pooling(self, x, name, pool_size=2, strides=2):
        """ "same" pads odd sizes only, so that images of 16 pixels a side get through every network."""
        return keras.layers.MaxPooling2D(pool_size, strides=strides, padding="same", name=name)(x)

    def mean_pooling(self, x, name, pool_size=2):
        """The mean of so many pixels a side, at every second one."""
        return keras.layers.AveragePooling2D(pool_size, strides=2, padding="same", name=name)(x)

    def average_pooling(self, x, name):
        """The mean of each map."""
        return keras.layers.GlobalAveragePooling2D(name=name)(x)

    def pad(self, x, side, name):
        """Zeros around images that are smaller, up to so many pixels a side."""
        missing = side - x.shape[1]
        if missing <= 0:
            return x
        before, after = missing // 2, missing - missing // 2
        return keras.layers.ZeroPadding2D(((before, after), (before, after)), name=name)(x)

    def thinned(self, x, filters, name):
        """Every second pixel, and maps of zeros up to so many filters: a shortcut without weights."""
        x = keras.layers.MaxPooling2D(1, strides=2, name=f"{name}_thinned")(x)
        missing = filters - x.shape[-1]
        wide = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (missing // 2, missing - missing // 2)))
        return _named(wide, f"{name}_widened")

    def add(self, x, shortcut, name, depth=0.0, activate=True):
        """The sum of two tensors of one shape, then the activation where asked for.

        Stochastic depth, where the RunConfig has it, drops x for a whole batch at random, the more often the larger
        `depth` is, from 0 for the first block to 1 for the last; in prediction x counts as often as it was kept.
        """
        if rate := self.config.stochastic_depth * depth:
            x = keras.layers.Dropout(rate, noise_shape=(1, 1, 1, 1), name=f"{name}_stochastic_depth")(x)
            # Dropout divides by what is kept; the paper leaves that to the prediction.
            x = keras.layers.Rescaling(1 - rate, name=f"{name}_kept")(x)
        x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
        return self.activation(x, name) if activate else x

    def join(self, paths, name):
        """The mean of paths, a dict: column -> tensor; in training, of those that are not dropped."""
        rate = self.config.stochastic_depth
        if len(paths) == 1:
            return next(iter(paths.values()))
        if not (self.for_training and rate):
            return keras.layers.Average(name=name)(list(paths.values()))
        return DropPath(tuple(paths), rate, self._seed(), name=name)([self._choice, *paths.values()])

    def choose_column(self, x, columns):
        """Has the joins that follow keep, in half of all batches, a single one of so many columns; x: any tensor."""
        if self.for_training and self.config.stochastic_depth:
            self._choice = DropPathChoice(columns, self._seed(), name="drop_path_choice")(x)

    def concatenate(self, maps, name):
        """Tensors of one size, one behind the other."""
        return keras.layers.Concatenate(name=name)(maps) if len(maps) > 1 else maps[0]

    def flatten(self, x):
        return keras.layers.Flatten(name="flatten")(x)

    def hidden_dense(self, x, units, name, initializer="he_normal"):
        """A dense layer, then batch normalisation where asked for, the activation and dropout."""
        x = keras.layers.Dense(units, kernel_initializer=initializer, name=name)(x)
        return self.dropout(self.activated(x, name), name)

    def capsules(self, x, name):
        """Each map as a capsule, times weights of its own for each class, element by element; the sum over the maps is
        the class's capsule, and how long it is, the logit: (batch, classes, 1).
        """
        _, height, width, maps = x.shape
        x = keras.layers.Reshape((height * width, maps), name=f"{name}_maps")(x)
        x = keras.layers.EinsumDense("bdm,kdm->bkd", (self.classes, height * width), name=name)(x)
        x = self.activation(self._normalised(x, name, gamma=False), name)
        squares = _named(
            keras.ops.sum(_named(keras.ops.square(x), f"{name}_squares"), axis=-1, keepdims=True), f"{name}_sum"
        )
        return _named(keras.ops.sqrt(_named(squares + _SMALL, f"{name}_offset")), f"{name}_length")

    def merged(self, logits):
        """Logits, float32, of several branches' logits, each (batch, classes, 1): their normalised sum."""
        x = keras.layers.Concatenate(dtype="float32", name="branches")(logits)
        return _named(keras.ops.sum(self._normalised(x, "branches", gamma=False, dtype="float32"), axis=-1), "logits")

    def classifier(self, x, initializer, name="logits"):
        """Logits, in float32 whatever the precision before them."""
        return keras.layers.Dense(self.classes, kernel_initializer=initializer, dtype="float32", name=name)(x)

    def convolved_classifier(self, x, name, initializer):
        """Logits, float32, as the mean of a map for each class."""
        options = Convolution(initializer=initializer)
        x = self._filters(x, self.classes, 1, name, options, dtype="float32")
        return keras.layers.GlobalAveragePooling2D(dtype="float32", name="logits")(x)

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

    def auxiliary_head(self, x, number):
        """A classifier inside the network that helps it to learn, and is no part of it afterwards (Szegedy et al. 2014,
        section 5). Gives nothing back.
        """
        if not self.for_training:
            return
        name = f"{AUXILIARY}{number}"
        size = min(5, x.shape[1])
        x = keras.layers.AveragePooling2D(size, strides=3, name=f"{name}_pool")(x)
        x = self.convolution(x, 128, 1, f"{name}_convolution", initializer="he_normal")
        x = keras.layers.Flatten(name=f"{name}_flatten")(x)
        x = self.activated(keras.layers.Dense(1024, kernel_initializer="he_normal", name=f"{name}_dense")(x), name)
        # The paper drops 70 % here and 40 % before the classifier itself.
        x = self.dropout(x, name, 0.7 / 0.4)
        self.auxiliary_logits.append(self.classifier(x, "glorot_uniform", f"{name}_logits"))

    def activated(self, x, name):
        """Batch normalisation where the RunConfig has it, then the activation."""
        return self.activation(self._normalised(x, name), name)

    def activation(self, x, name):
        return ACTIVATIONS[self.config.activation](name=f"{name}_{self.config.activation}")(x)

    def dropout(self, x, name, share=1.0):
        """Drops units at a share of the RunConfig's rate."""
        rate = dropped(self.config.dropout, share)
        return keras.layers.Dropout(rate, name=f"{name}_dropout")(x) if rate else x

    def _filters(self, x, filters, kernel_size, name, options, dtype=None):
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            options.strides,
            padding=options.padding,
            use_bias=options.bias,
            kernel_initializer=options.initializer,
            kernel_regularizer=self._l2(),
            dtype=dtype,
            name=name,
        )(x)

    def _l2(self):
        return keras.regularizers.L2(self.config.l2) if self.config.l2 else None

    def _finished(self, x, name, options):
        x = self.dropout(x, name) if options.dropout else x
        x = self._normalised(x, name, options.gamma) if options.normalise else x
        return self.activation(x, name) if options.activate else x

    def _normalised(self, x, name, gamma=True, dtype=None):
        if not self.config.batch_normalization:
            return x
        options = {"momentum": self.config.batch_normalization_momentum, "scale": gamma, "dtype": dtype}
        return keras.layers.BatchNormalization(name=f"{name}_normalisation", **options)(x)

    def _seed(self):
        """What a layer draws from; it follows from the RunConfig's seed, as all that begins at random here does."""
        return keras.random.SeedGenerator()
