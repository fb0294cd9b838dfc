"""What a Keras network costs, layer by layer: what the counting without Keras must agree with."""

import math

import keras

from core.networks.summary import network_layers

# Multiply-adds of one image, from the layer. Everything else (pooling, normalisation, sums) is left out, as is usual.
MULTIPLY_ADDS = {
    keras.layers.Conv2D: lambda layer: math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape),
    keras.layers.DepthwiseConv2D: lambda layer: math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape),
    keras.layers.EinsumDense: lambda layer: _einsum_multiply_adds(layer),
    keras.layers.Dense: lambda layer: math.prod(layer.kernel.shape),
}


def _einsum_multiply_adds(layer):
    """The product of the sizes of all axes, but for the batch's."""
    inputs, weights = layer.equation.split("->")[0].split(",")
    sizes = dict(zip(inputs, layer.input.shape, strict=True)) | dict(zip(weights, layer.kernel.shape, strict=True))
    return math.prod(size for size in sizes.values() if size is not None)


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
