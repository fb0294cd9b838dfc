"""How large a network is under a RunConfig: counted from its architecture, exactly, and without Keras."""

import functools
import math
from typing import NamedTuple

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import assemble


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


def size(config):
    """The Size of the network that a RunConfig describes, for its dataset's channels and classes."""
    dataset = DATASETS[config.dataset]
    channels, classes = dataset["image_shape"][2], len(dataset["classes"])
    return count(config.network, config.image_size, channels, classes, config.batch_normalization, config.stem)


@functools.lru_cache(maxsize=1000)
def count(network, image_size, channels, classes=10, batch_normalization=True, stem="paper"):
    """The Size of a network of the catalogue for images of so many pixels a side and so many channels."""
    counter = Counter(classes, batch_normalization, stem)
    assemble(network, counter, Shape((None, image_size, image_size, channels)))
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
    """

    def __init__(self, classes, batch_normalization, stem):
        self.classes, self.batch_normalization, self.stem = classes, batch_normalization, stem
        self.parameters = self.not_trainable = self.multiply_adds = 0

    def convolution(self, x, filters, kernel_size, name, **options):
        options = Convolution(**options)
        _, height, width, channels = x.shape
        lost = kernel_size - 1 if options.padding == "valid" else 0
        sides = [-(-(side - lost) // options.strides) for side in (height, width)]
        self._weigh(kernel_size**2 * channels, filters, math.prod(sides), options.bias)
        if options.normalise:
            self._normalise(filters, options.gamma)
        return Shape((None, *sides, filters))

    def grouped_convolution(self, x, filters, kernel_size, groups, name, **options):
        part = Shape((*x.shape[:-1], x.shape[-1] // groups))
        for _ in range(groups):
            found = self.convolution(part, filters // groups, kernel_size, name, **options)
        return Shape((*found.shape[:-1], filters))

    def partial_convolution(self, x, connections, kernel_size, name):
        for seen in connections:
            part = Shape((*x.shape[:-1], len(seen)))
            found = self.convolution(part, 1, kernel_size, name, padding="valid")
        return Shape((*found.shape[:-1], len(connections)))

    def subsampling(self, x, name):
        _, height, width, channels = x.shape
        sides = (height // 2, width // 2)
        self._weigh(1, channels, math.prod(sides))
        return Shape((None, *sides, channels))

    def max_pooling(self, x, name, pool_size=2, strides=2):
        _, height, width, channels = x.shape
        return Shape((None, -(-height // strides), -(-width // strides), channels))

    def mean_pooling(self, x, name, pool_size=2):
        return self.max_pooling(x, name)

    def average_pooling(self, x, name):
        return Shape((None, x.shape[-1]))

    def pad(self, x, side, name):
        _, height, width, channels = x.shape
        return Shape((None, max(height, side), max(width, side), channels))

    def thinned(self, x, filters, name):
        return Shape((*self.max_pooling(x, name).shape[:-1], filters))

    def add(self, x, shortcut, name, depth=0.0, activate=True):
        return x

    def join(self, paths, name):
        return next(iter(paths.values()))

    def choose_column(self, x, columns):
        pass

    def concatenate(self, maps, name):
        return Shape((*maps[0].shape[:-1], sum(x.shape[-1] for x in maps)))

    def flatten(self, x):
        return Shape((None, math.prod(x.shape[1:])))

    def hidden_dense(self, x, units, name, **options):
        self._weigh(x.shape[-1], units)
        self._normalise(units)
        return Shape((None, units))

    def capsules(self, x, name):
        _, height, width, maps = x.shape
        self._weigh(maps * height * width, self.classes, bias=False)
        self._normalise(height * width, gamma=False)
        return Shape((None, self.classes, 1))

    def merged(self, logits):
        self._normalise(len(logits), gamma=False)
        return Shape((None, self.classes))

    def classifier(self, x, initializer, name="logits"):
        self._weigh(x.shape[-1], self.classes)
        return Shape((None, self.classes))

    def convolved_classifier(self, x, name, initializer):
        return self.average_pooling(self.convolution(x, self.classes, 1, name, normalise=False), name)

    def fixed_classifier(self, x, codes):
        self._weigh(x.shape[-1], self.classes, bias=False)
        self.not_trainable += x.shape[-1] * self.classes
        return Shape((None, self.classes))

    def auxiliary_head(self, x, number):
        pass

    def activated(self, x, name):
        self._normalise(x.shape[-1])
        return x

    def activation(self, x, name):
        return x

    def dropout(self, x, name, share=1.0):
        return x

    def _weigh(self, inputs, outputs, times=1, bias=True):
        self.parameters += (inputs + bias) * outputs
        self.multiply_adds += times * inputs * outputs

    def _normalise(self, maps, gamma=True):
        if self.batch_normalization:
            # Scale and offset, and the running mean and variance, which nothing trains.
            self.parameters += (3 + gamma) * maps
            self.not_trainable += 2 * maps
