"""How large a network is under a RunConfig, as a whole and layer by layer: counted from its architecture, exactly, and
without Keras.
"""

import functools
import math
import re
from typing import NamedTuple

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import assemble

# How the layers of auxiliary heads are called, before a number and a word: "auxiliary1_pool".
AUXILIARY = "auxiliary"
# What the scaled tanh multiplies by before and after it: 1.7159 tanh(2x/3) (LeCun et al. 1998, appendix A).
TANH_SCALES = {"inner_scale": 2 / 3, "outer_scale": 1.7159}
# The block of a layer is the first part of its name, with its number: conv2_1 of conv2_1_a, inception3a, block1.
_BLOCK = re.compile(r"[^_]+(_\d+)?(?=_|$)")


class Size(NamedTuple):
    """What a network holds and does, without what only its training has.

    Attributes:
        parameters: how many numbers it holds, without its preprocessing's.
        not_trainable: how many of those nothing trains: batch normalisation's running means and variances, fixed codes.
        multiply_adds: of its convolutions, dense layers and capsules, for one image forward.
    """

    parameters: int
    not_trainable: int
    multiply_adds: int


class Layer(NamedTuple):
    """A layer with what follows it at once: normalisation, activation and dropout.

    Attributes:
        name: as in the Keras network. Where a normalisation comes before a layer, both have its name.
        kind: what it does, in words.
        inputs: the numbers of the layers whose output it takes, from 0; -1 for the preprocessed image.
        shape: of its output without the batch, (side, side, maps) or (units,).
        kernel_size, strides: of a convolution or pooling, in pixels; 1 elsewhere.
        parameters, multiply_adds: as in Size.
        receptive_field: the side, in pixels, of the part of the preprocessed image that one number of its output
            follows from; None for all of the image.
        step: how many pixels of that image lie between two neighbouring pixels of its output.
        training_only: whether it is there only while the network trains, and counts nothing in Size.
    """

    name: str
    kind: str
    inputs: tuple
    shape: tuple
    kernel_size: int
    strides: int
    parameters: int
    multiply_adds: int
    receptive_field: int | None
    step: int
    training_only: bool = False

    @property
    def words(self):
        """What it does, with its size: "3×3 convolution, stride 2"."""
        if self.kernel_size == 1 and "convolution" not in self.kind:
            return self.kind
        stride = f", stride {self.strides}" * (self.strides > 1)
        return f"{self.kernel_size}×{self.kernel_size} {self.kind}{stride}"

    @property
    def activation_bytes(self):
        """What its output takes for one image, in float32."""
        return 4 * math.prod(self.shape)


def block_of(name):
    """The block that a layer of this name is in."""
    return _BLOCK.match(name)[0]


def times(shape):
    """A shape as people write it: "28×28×1"."""
    return "×".join(map(str, shape))


def size(config):
    """The Size of the network that a RunConfig describes, for its dataset's channels and classes."""
    return count(*_counted(config))


def layers(config):
    """The Layers of the network that a RunConfig describes, in order, with those that only its training has: a list."""
    return _assembled(*_counted(config)).layers


def _counted(config):
    """What `count` takes, of a RunConfig."""
    dataset = DATASETS[config.dataset]
    channels, classes = dataset["image_shape"][2], len(dataset["classes"])
    return config.network, config.image_size, channels, classes, config.batch_normalization, config.stem


@functools.lru_cache(maxsize=1000)
def count(network, image_size, channels, classes=10, batch_normalization=True, stem="paper"):
    """The Size of a network of the catalogue for images of so many pixels a side and so many channels."""
    counter = _assembled(network, image_size, channels, classes, batch_normalization, stem)
    return Size(counter.parameters, counter.not_trainable, counter.multiply_adds)


def _assembled(network, image_size, channels, classes, batch_normalization, stem):
    """The Counter that has counted it."""
    counter = Counter(classes, batch_normalization, stem)
    assemble(network, counter, Shape((None, image_size, image_size, channels)))
    return counter


class Shape(NamedTuple):
    """What a block gives, as far as sizes go: its shape as Keras writes it, (None, side, side, channels) or
    (None, units), and the number of the layer that gives it, -1 for the image.
    """

    shape: tuple
    layer: int = -1


class Convolution(NamedTuple):
    """What a convolution may do besides filtering.

    Attributes:
        strides: of so many pixels.
        padding: "same", or "valid": without the pixels at the edge that a filter reaches over.
        bias: whether each filter has one.
        initializer: Keras' name of how its filters begin.
        dropout: whether units are dropped after it.
        normalise: whether batch normalisation follows where the RunConfig has it.
        gamma: whether that scales what it normalised.
        activate: whether the activation follows.
    """

    strides: int = 1
    padding: str = "same"
    bias: bool = True
    initializer: str = "glorot_uniform"
    dropout: bool = False
    normalise: bool = True
    gamma: bool = True
    activate: bool = True


def dropped(rate, share):
    """A share of a dropout rate, at most 0.9, rounded so that it is a number people can read."""
    return rate if share == 1 else min(0.9, round(rate * share, 4))


class Counter:
    """The blocks of `core.networks.blocks.Blocks`, which here count what they would hold and do; each takes a Shape and
    gives one.

    Attributes:
        parameters, not_trainable, multiply_adds: as in Size, so far.
        layers: the Layers so far, a list.
    """

    def __init__(self, classes, batch_normalization, stem):
        self.classes, self.batch_normalization, self.stem = classes, batch_normalization, stem
        self.parameters = self.not_trainable = self.multiply_adds = 0
        self.layers = []
        self._noted = (0, 0)

    def convolution(self, x, filters, kernel_size, name, **options):
        sides, strides = self._filter(x, filters, kernel_size, Convolution(**options))
        return self._layer("convolution", name, [x], (*sides, filters), kernel_size, strides)

    def grouped_convolution(self, x, filters, kernel_size, groups, name, **options):
        part = Shape((*x.shape[:-1], x.shape[-1] // groups))
        for _ in range(groups):
            sides, strides = self._filter(part, filters // groups, kernel_size, Convolution(**options))
        return self._layer(f"convolution in {groups} groups", name, [x], (*sides, filters), kernel_size, strides)

    def partial_convolution(self, x, connections, kernel_size, name):
        for seen in connections:
            part = Shape((*x.shape[:-1], len(seen)))
            sides, _ = self._filter(part, 1, kernel_size, Convolution(padding="valid"))
        return self._layer("partial convolution", name, [x], (*sides, len(connections)), kernel_size)

    def subsampling(self, x, name):
        _, height, width, channels = x.shape
        sides = (height // 2, width // 2)
        self._weigh(1, channels, math.prod(sides))
        return self._layer("subsampling", name, [x], (*sides, channels), 2, 2)

    def max_pooling(self, x, name, pool_size=2, strides=2):
        return self._pool("max pooling", x, name, pool_size, strides)

    def mean_pooling(self, x, name, pool_size=2):
        return self._pool("mean pooling", x, name, pool_size, 2)

    def average_pooling(self, x, name):
        return self._layer("mean of each map", name, [x], (x.shape[-1],))

    def pad(self, x, side, name):
        _, height, width, channels = x.shape
        if height >= side:
            return x
        return self._layer("border of zeros", name, [x], (max(height, side), max(width, side), channels))

    def thinned(self, x, filters, name):
        _, height, width, _ = x.shape
        shape = (-(-height // 2), -(-width // 2), filters)
        return self._layer("every second pixel", f"{name}_widened", [x], shape, 1, 2)

    def add(self, x, shortcut, name, depth=0.0, activate=True):
        return self._layer("sum", f"{name}_add", [x, shortcut], x.shape[1:])

    def join(self, paths, name):
        first, *others = paths.values()
        return self._layer("mean of paths", name, [first, *others], first.shape[1:]) if others else first

    def choose_column(self, x, columns):
        pass

    def concatenate(self, maps, name):
        if len(maps) == 1:
            return maps[0]
        return self._layer("joined maps", name, maps, (*maps[0].shape[1:-1], sum(x.shape[-1] for x in maps)))

    def flatten(self, x):
        return self._layer("in one row", "flatten", [x], (math.prod(x.shape[1:]),))

    def hidden_dense(self, x, units, name, **options):
        self._weigh(x.shape[-1], units)
        self._normalise(units)
        return self._layer("dense", name, [x], (units,))

    def capsules(self, x, name):
        _, height, width, maps = x.shape
        self._weigh(maps * height * width, self.classes, bias=False)
        self._normalise(height * width, gamma=False)
        return self._layer("capsules", name, [x], (self.classes, 1))

    def merged(self, logits):
        self._normalise(len(logits), gamma=False)
        return self._layer("sum of branches", "branches", logits, (self.classes,))

    def classifier(self, x, initializer, name="logits"):
        self._weigh(x.shape[-1], self.classes)
        return self._layer("dense", name, [x], (self.classes,))

    def convolved_classifier(self, x, name, initializer):
        return self.average_pooling(self.convolution(x, self.classes, 1, name, normalise=False), "logits")

    def fixed_classifier(self, x, codes):
        self._weigh(x.shape[-1], self.classes, bias=False)
        self.not_trainable += x.shape[-1] * self.classes
        return self._layer("distance to fixed codes", "logits", [x], (self.classes,))

    def auxiliary_head(self, x, number):
        first, whole = len(self.layers), (self.parameters, self.not_trainable, self.multiply_adds)
        name, side = f"{AUXILIARY}{number}", min(5, x.shape[1])
        sides = [(pixels - side) // 3 + 1 for pixels in x.shape[1:3]]
        x = self._layer("mean pooling", f"{name}_pool", [x], (*sides, x.shape[-1]), side, 3)
        x = self.convolution(x, 128, 1, f"{name}_convolution")
        x = self._layer("in one row", f"{name}_flatten", [x], (math.prod(x.shape[1:]),))
        x = self.hidden_dense(x, 1024, f"{name}_dense")
        self.classifier(x, "glorot_uniform", f"{name}_logits")
        self.layers[first:] = [layer._replace(training_only=True) for layer in self.layers[first:]]
        # A network that is tested and saved has none of it.
        self.parameters, self.not_trainable, self.multiply_adds = whole
        self._noted = self.parameters, self.multiply_adds

    def activated(self, x, name):
        self._normalise(x.shape[-1])
        kind = "normalisation, activation" if self.batch_normalization else "activation"
        return self._layer(kind, name, [x], x.shape[1:])

    def activation(self, x, name):
        return x

    def dropout(self, x, name, share=1.0):
        return x

    def _filter(self, x, filters, kernel_size, options):
        """Counts a convolution; gives the sides of its output and its stride."""
        _, height, width, channels = x.shape
        lost = kernel_size - 1 if options.padding == "valid" else 0
        sides = [-(-(side - lost) // options.strides) for side in (height, width)]
        self._weigh(kernel_size**2 * channels, filters, math.prod(sides), options.bias)
        if options.normalise:
            self._normalise(filters, options.gamma)
        return sides, options.strides

    def _pool(self, kind, x, name, pool_size, strides):
        _, height, width, channels = x.shape
        shape = (-(-height // strides), -(-width // strides), channels)
        return self._layer(kind, name, [x], shape, pool_size, strides)

    def _weigh(self, inputs, outputs, times=1, bias=True):
        self.parameters += (inputs + bias) * outputs
        self.multiply_adds += times * inputs * outputs

    def _normalise(self, maps, gamma=True):
        if self.batch_normalization:
            # Scale and offset, and the running mean and variance, which nothing trains.
            self.parameters += (3 + gamma) * maps
            self.not_trainable += 2 * maps

    def _layer(self, kind, name, inputs, shape, kernel_size=1, strides=1):
        """Notes a layer, which has what was counted since the one before it; gives its Shape."""
        parameters, multiply_adds = self._noted
        self._noted = self.parameters, self.multiply_adds
        before = [self.layers[x.layer] if x.layer >= 0 else None for x in inputs]
        fields = [1 if layer is None else layer.receptive_field for layer in before]
        step = max(1 if layer is None else layer.step for layer in before)
        sees_all = len(shape) < 3 or None in fields
        field = None if sees_all else max(fields) + (kernel_size - 1) * step
        counts = (self.parameters - parameters, self.multiply_adds - multiply_adds)
        numbers = tuple(x.layer for x in inputs)
        layer = Layer(name, kind, numbers, tuple(shape), kernel_size, strides, *counts, field, step * strides)
        self.layers.append(layer)
        return Shape((None, *shape), len(self.layers) - 1)
