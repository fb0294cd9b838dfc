"""How large a network is under a RunConfig: counted from its architecture, exactly, and without Keras."""

import functools
import math
from typing import NamedTuple

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import assemble


class Size(NamedTuple):
    """What a network holds and does.

    Attributes:
        parameters: how many numbers it holds, without its preprocessing's.
        not_trainable: how many of those nothing trains: batch normalisation's running means and variances, fixed codes.
        multiply_adds: of its convolutions and dense layers, for one image forward.
    """

    parameters: int
    not_trainable: int
    multiply_adds: int


def size(config):
    """The Size of the network that a RunConfig describes, for its dataset's channels and classes."""
    dataset = DATASETS[config.dataset]
    channels, classes = dataset["image_shape"][2], len(dataset["classes"])
    return _size(config.network, config.image_size, channels, classes, config.batch_normalization)


@functools.lru_cache(maxsize=1000)
def _size(model, image_size, channels, classes, batch_normalization):
    counter = Counter(classes, batch_normalization)
    assemble(model, counter, Shape((None, image_size, image_size, channels)))
    return Size(counter.parameters, counter.not_trainable, counter.multiply_adds)


class Shape(NamedTuple):
    """What a block gives, as far as sizes go: its shape as Keras writes it, (None, side, side, channels) or
    (None, units).
    """

    shape: tuple


class Convolution(NamedTuple):
    """What a convolution may do besides filtering.

    Attributes:
        strides: of so many pixels.
        padding: "same", or "valid": without the pixels at the edge that a filter reaches over.
        initializer: Keras' name of how its filters begin.
        dropout: whether units are dropped after it.
        activate: whether the activation follows.
    """

    strides: int = 1
    padding: str = "same"
    initializer: str = "glorot_uniform"
    dropout: bool = False
    activate: bool = True


class Counter:
    """The blocks of `core.networks.blocks.Blocks`, which here count what they would hold and do; each takes a Shape and
    gives one.
    """

    def __init__(self, classes, batch_normalization):
        self.classes, self.batch_normalization = classes, batch_normalization
        self.parameters = self.not_trainable = self.multiply_adds = 0

    def convolution(self, x, filters, kernel_size, name, **options):
        options = Convolution(**options)
        _, height, width, channels = x.shape
        lost = kernel_size - 1 if options.padding == "valid" else 0
        sides = [-(-(side - lost) // options.strides) for side in (height, width)]
        self._weigh(kernel_size**2 * channels, filters, times=math.prod(sides))
        return Shape((None, *sides, filters))

    def partial_convolution(self, x, connections, kernel_size, name):
        for seen in connections:
            part = Shape((*x.shape[:-1], len(seen)))
            _, height, width, _ = self.convolution(part, 1, kernel_size, name, padding="valid").shape
        return Shape((None, height, width, len(connections)))

    def subsampling(self, x, name):
        _, height, width, channels = x.shape
        sides = (height // 2, width // 2)
        self._weigh(1, channels, times=math.prod(sides), normalised=False)
        return Shape((None, *sides, channels))

    def max_pooling(self, x, name, pool_size=2):
        _, height, width, channels = x.shape
        return Shape((None, -(-height // 2), -(-width // 2), channels))

    def average_pooling(self, x, name):
        return Shape((None, x.shape[-1]))

    def add(self, x, shortcut, name):
        return x

    def flatten(self, x):
        return Shape((None, math.prod(x.shape[1:])))

    def hidden_dense(self, x, units, name, **options):
        self._weigh(x.shape[-1], units)
        return Shape((None, units))

    def classifier(self, x, initializer):
        self._weigh(x.shape[-1], self.classes, normalised=False)
        return Shape((None, self.classes))

    def fixed_classifier(self, x, codes):
        weights = x.shape[-1] * self.classes
        self.parameters += weights
        self.not_trainable += weights
        self.multiply_adds += weights
        return Shape((None, self.classes))

    def _weigh(self, inputs, outputs, times=1, normalised=True):
        self.parameters += (inputs + 1) * outputs
        self.multiply_adds += times * inputs * outputs
        if normalised and self.batch_normalization:
            # Scale and offset, and the running mean and variance, which nothing trains.
            self.parameters += 4 * outputs
            self.not_trainable += 2 * outputs
