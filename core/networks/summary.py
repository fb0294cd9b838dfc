"""The layers of a Keras network that are the network proper, and how many numbers they hold."""

import math
from typing import NamedTuple

import keras

from core.networks import preprocessing


class Parameters(NamedTuple):
    """How many numbers a network holds, and how many of those training leaves to batch normalisation's averages."""

    total: int
    not_trainable: int


def network_layers(model):
    """The layers of the network proper: not its input, not its preprocessing."""
    return [
        layer
        for layer in model.layers
        if layer.name != preprocessing.NAME and not isinstance(layer, keras.layers.InputLayer)
    ]


def count_parameters(model):
    """Parameters of the network proper: the mean image and the resizing matrices are no part of it."""
    layers = network_layers(model)
    not_trainable = sum(math.prod(weight.shape) for layer in layers for weight in layer.non_trainable_weights)
    return Parameters(sum(layer.count_params() for layer in layers), not_trainable)
