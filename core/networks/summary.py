"""What a network is made of and what it costs, layer by layer."""

import math
from typing import NamedTuple

import keras

from core.networks import preprocessing

# Multiply-adds of one image, from the layer. Everything else (pooling, normalisation, sums) is left out, as is usual.
MULTIPLY_ADDS = {
    keras.layers.Conv2D: lambda layer: math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape),
    keras.layers.EinsumDense: lambda layer: _einsum_multiply_adds(layer),
    keras.layers.Dense: lambda layer: math.prod(layer.kernel.shape),
}


def _einsum_multiply_adds(layer):
    """The product of the sizes of all axes, but for the batch's."""
    inputs, weights = layer.equation.split("->")[0].split(",")
    sizes = dict(zip(inputs, layer.input.shape, strict=True)) | dict(zip(weights, layer.kernel.shape, strict=True))
    return math.prod(size for size in sizes.values() if size is not None)


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


def layer_table(model):
    """A row for each layer of the network proper, in order.

    Returns:
        A list of dicts: name, kind (the Keras class), output_shape (without the batch), parameters, multiply_adds
        (for one image).
    """
    return [
        {
            "name": layer.name,
            "kind": type(layer).__name__,
            "output_shape": tuple(layer.output.shape[1:]),
            "parameters": layer.count_params(),
            "multiply_adds": MULTIPLY_ADDS.get(type(layer), lambda layer: 0)(layer),
        }
        for layer in network_layers(model)
    ]
