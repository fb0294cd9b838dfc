"""A trained network as ONNX, for the many programs that run such files: raw uint8 images in, float32 logits out.

The layers are translated here, one function for each kind. tf2onnx, which Keras calls, refuses networks with random
layers, changes NumPy while it works, takes a minute where this takes a second, and only knows TensorFlow; this reads
layers of Keras on any backend. What acts in training alone (augmentation, dropout) is left out.
"""

import json
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from core.datasets.test_images import load_test_images
from core.export import description
from core.export.keras import load_todays_network
from core.runs.run import RunError

FILE = "model.onnx"
# What goes in and comes out.
ENDS = IMAGES, LOGITS = "images", "logits"
# What onnxruntime predicts is compared with what Keras does, on the first test images: on so many each time, which is
# done in a second or two, and on more in the tests. With more at once VGG-16 takes gigabytes.
CHECKED_IMAGES, TOLERANCE = 100, 1e-3
_BATCH = 50
# Operations as they were in 2022, which every program of today knows.
_OPSET, _IR = 17, 8
# Keras has the maps of an image last, ONNX first.
_MAPS_FIRST, _MAPS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


class _Tensor(NamedTuple):
    """A tensor of the graph: what it is called, and the shape that it has in Keras, without the batch. One of three
    axes has its maps first in the graph.
    """

    name: str
    shape: tuple

    def has_maps(self):
        return len(self.shape) == 3

    def axis(self, axis):
        """Which of the graph's axes is this one of Keras'."""
        axis %= len(self.shape) + 1
        return _MAPS_FIRST.index(axis) if self.has_maps() else axis


class _Graph:
    """The operations and weights so far."""

    def __init__(self):
        self.nodes, self.weights, self._names = [], [], {*ENDS}

    def add(self, kind, inputs, name, outputs=1, **attributes):
        """Adds an operation; returns the name of what it gives, or a list of so many names."""
        from onnx import helper

        name = self._own(name)
        given = [name] if outputs == 1 else [f"{name}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, given, name, **attributes))
        return name if outputs == 1 else given

    def weight(self, array, name):
        """Adds weights; returns their name."""
        from onnx import numpy_helper

        name = self._own(name)
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def maps_last(self, x, name):
        """The name of a tensor with its axes in Keras' order."""
        return self.add("Transpose", [x.name], f"{name}_maps_last", perm=_MAPS_LAST) if x.has_maps() else x.name

    def _own(self, name):
        number, own = 1, name
        while own in self._names:
            number += 1
            own = f"{name}_{number}"
        self._names.add(own)
        return own


def write(run, folder):
    """Writes a run's model.onnx into a folder, and compares it with the run's network.

    Raises:
        RunError: the network holds what cannot be written as ONNX, or onnxruntime does not predict what Keras does.
    """
    network = load_todays_network(run)
    proto = convert(network, description.describe(run))
    path = folder / FILE
    path.write_bytes(proto.SerializeToString(deterministic=True))
    images = load_test_images(run.read_config().dataset)[:CHECKED_IMAGES]
    if not largest_difference(path, network, images) <= TOLERANCE:
        path.unlink()
        raise RunError(f"{run.id}: onnxruntime does not predict with {FILE} what Keras does; it is not written.")


def largest_difference(path, network, images):
    """How far the logits of a file, as onnxruntime computes them, are from a Keras network's at most, as a share of the
    largest logit where that is more than 1.

    Args:
        path: the Path of the file.
        network: the keras.Model.
        images: uint8 (N, h, w, c).
    """
    import keras

    starts = tqdm(range(0, len(images), _BATCH), desc=path.name)
    # Without a graph, whose making takes longer than these images.
    expected = np.concatenate(
        [keras.ops.convert_to_numpy(network(images[start : start + _BATCH], training=False)) for start in starts]
    )
    return float(np.abs(logits(path, images) - expected).max() / max(1.0, np.abs(expected).max()))


def logits(path, images):
    """float32 (N, classes) of uint8 (N, h, w, c), as onnxruntime computes them."""
    import onnxruntime

    # It would say on every machine without a GPU that it looked for one.
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    starts = range(0, len(images), _BATCH)
    return np.concatenate([session.run(None, {IMAGES: images[start : start + _BATCH]})[0] for start in starts])


def convert(network, about=None):
    """A Keras network of this project as an onnx.ModelProto.

    Args:
        network: a keras.Model from uint8 (batch, h, w, c) to float32 (batch, classes).
        about: what else the file is to say of it: name -> value that JSON can hold.

    Raises:
        RunError: a layer is of a kind that is not in the table.
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph()
    floats = graph.add("Cast", [IMAGES], "floats", to=TensorProto.FLOAT)
    images = _Tensor(graph.add("Transpose", [floats], "maps_first", perm=_MAPS_FIRST), network.input_shape[1:])
    (found,) = _functional(graph, network, [images])
    graph.nodes.append(helper.make_node("Identity", [found.name], [LOGITS], "give"))
    ends = [
        helper.make_tensor_value_info(name, kind, ["batch", *shape[1:]])
        for name, kind, shape in (
            (IMAGES, TensorProto.UINT8, network.input_shape),
            (LOGITS, TensorProto.FLOAT, network.output_shape),
        )
    ]
    proto = helper.make_model(
        helper.make_graph(graph.nodes, network.name, ends[:1], ends[1:], graph.weights),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="deeper networks lab",
    )
    helper.set_model_props(
        proto, {name: json.dumps(value, ensure_ascii=False) for name, value in (about or {}).items()}
    )
    checker.check_model(proto)
    return proto


def _functional(graph, model, inputs):
    """Adds a model whose layers form a graph; returns what it gives."""
    import keras

    known = {id(tensor): own for tensor, own in zip(model.inputs, inputs, strict=True)}
    # In this order Keras itself runs them.
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if node.is_input:
                continue
            arguments = [
                known[id(value)] if isinstance(value, keras.KerasTensor) else keras.ops.convert_to_numpy(value)
                for argument in (*node.arguments.args, *node.arguments.kwargs.values())
                for value in (argument if isinstance(argument, list | tuple) else [argument])
                if not isinstance(value, bool | str | None)
            ]
            outputs = keras.tree.flatten(node.output_tensors)
            given = _operation(graph, node.operation, arguments, [tuple(tensor.shape[1:]) for tensor in outputs])
            known |= zip(map(id, outputs), given, strict=True)
    return [known[id(tensor)] for tensor in model.outputs]


def _operation(graph, operation, arguments, shapes):
    """Adds one layer, one operation, or one block of layers; returns what it gives: a _Tensor of each of the shapes."""
    import keras

    if isinstance(operation, keras.Sequential):
        for layer in operation.layers:
            arguments = _operation(graph, layer, arguments, [tuple(layer.output.shape[1:])])
        return arguments
    kind = type(operation).__name__
    if kind not in _KINDS:
        raise RunError(f"The network's layer {operation.name} ({kind}) cannot be written as ONNX.")
    names = _KINDS[kind](graph, operation, *arguments)
    names = [names] if isinstance(names, str) else names
    return [_Tensor(name, shape) for name, shape in zip(names, shapes, strict=True)]


def _left_out(graph, layer, x):
    return x.name


def _rescaling(graph, layer, x):
    name = x.name
    for kind, factor, nothing in (("Mul", layer.scale, 1), ("Add", layer.offset, 0)):
        if factor != nothing:
            weight = graph.weight(np.float32(factor), f"{layer.name}_{kind.lower()}")
            name = graph.add(kind, [name, weight], layer.name)
    return name


def _einsum_dense(graph, layer, x):
    inputs, rest = layer.equation.split(",")
    kernel, output = rest.split("->")
    # The letters of axes change places as the axes do.
    given = _maps_first(inputs) if x.has_maps() else inputs
    wanted = _maps_first(output) if len(output) == 4 else output
    weights = graph.weight(_array(layer.kernel), f"{layer.name}_kernel")
    name = graph.add("Einsum", [x.name, weights], layer.name, equation=f"{given},{kernel}->{wanted}")
    if layer.bias is None:
        return name
    bias = _array(layer.bias)
    bias = bias.reshape((1,) * (len(output) - bias.ndim) + bias.shape)
    bias = bias.transpose(_MAPS_FIRST) if len(output) == 4 else bias
    return graph.add("Add", [name, graph.weight(bias, f"{layer.name}_bias")], f"{layer.name}_with_bias")


def _convolution(graph, layer, x):
    return _filters(graph, layer, x, _array(layer.kernel).transpose(3, 2, 0, 1), groups=1)


def _depthwise(graph, layer, x):
    height, width, maps, each = layer.kernel.shape
    kernel = _array(layer.kernel).transpose(2, 3, 0, 1).reshape(maps * each, 1, height, width)
    return _filters(graph, layer, x, kernel, groups=maps)


def _filters(graph, layer, x, kernel, groups):
    inputs = [x.name, graph.weight(kernel, f"{layer.name}_kernel")]
    if layer.use_bias:
        inputs.append(graph.weight(_array(layer.bias), f"{layer.name}_bias"))
    sizes = kernel.shape[2:]
    window = _window(layer, x, sizes, layer.strides)
    return graph.add("Conv", inputs, layer.name, group=groups, dilations=layer.dilation_rate, **window)


def _max_pooling(graph, layer, x):
    return graph.add("MaxPool", [x.name], layer.name, **_window(layer, x, layer.pool_size, layer.strides))


def _mean_pooling(graph, layer, x):
    # Zeros around the image do not count, here as in Keras: ONNX leaves them out by itself.
    return graph.add("AveragePool", [x.name], layer.name, **_window(layer, x, layer.pool_size, layer.strides))


def _window(layer, x, sizes, strides):
    """The attributes of what is moved over an image; "same" puts an odd zero behind it."""
    missing = [0, 0]
    if layer.padding == "same":
        steps = zip(x.shape, sizes, strides, strict=False)
        missing = [max(0, (-(-side // stride) - 1) * stride + size - side) for side, size, stride in steps]
    pads = [zeros // 2 for zeros in missing] + [zeros - zeros // 2 for zeros in missing]
    return {"kernel_shape": list(sizes), "strides": list(strides), "pads": pads}


def _mean_of_maps(graph, layer, x):
    return graph.add("Flatten", [graph.add("GlobalAveragePool", [x.name], f"{layer.name}_maps")], layer.name)


def _zero_padding(graph, layer, x):
    (top, bottom), (left, right) = layer.padding
    return _padded(graph, layer.name, x, [(0, 0), (top, bottom), (left, right), (0, 0)])


def _pad(graph, operation, x):
    return _padded(graph, operation.name, x, operation.pad_width)


def _padded(graph, name, x, widths):
    """Zeros around a tensor: so many before and after each axis, in Keras' order."""
    widths = [widths[axis] for axis in _MAPS_FIRST] if x.has_maps() else widths
    zeros = graph.weight(np.array(widths, np.int64).T.ravel(), f"{name}_widths")
    return graph.add("Pad", [x.name, zeros], name)


def _batch_normalization(graph, layer, x):
    # Two operations, as ONNX's own knows no tensor of which the last axis is normalised.
    scale = 1 / np.sqrt(_array(layer.moving_variance).astype(np.float64) + layer.epsilon)
    scale = scale * _array(layer.gamma) if layer.scale else scale
    offset = -scale * _array(layer.moving_mean)
    offset = offset + _array(layer.beta) if layer.center else offset
    name = x.name
    for kind, factors in (("Mul", scale), ("Add", offset)):
        factors = factors.astype(np.float32).reshape(-1, 1, 1) if x.has_maps() else factors.astype(np.float32)
        name = graph.add(kind, [name, graph.weight(factors, f"{layer.name}_{kind.lower()}")], layer.name)
    return name


def _relu(graph, layer, x):
    return graph.add("Relu", [x.name], layer.name)


def _leaky_relu(graph, layer, x):
    return graph.add("LeakyRelu", [x.name], layer.name, alpha=float(layer.negative_slope))


def _activation(graph, layer, x):
    return graph.add(_ACTIVATIONS[layer.get_config()["activation"]], [x.name], layer.name)


def _dense(graph, layer, x):
    inputs = [x.name, graph.weight(_array(layer.kernel), f"{layer.name}_kernel")]
    if layer.use_bias:
        inputs.append(graph.weight(_array(layer.bias), f"{layer.name}_bias"))
    return graph.add("Gemm", inputs, layer.name)


def _flatten(graph, layer, x):
    return graph.add("Flatten", [graph.maps_last(x, layer.name)], layer.name)


def _reshape(graph, layer, x):
    shape = graph.weight(np.array((-1, *layer.target_shape), np.int64), f"{layer.name}_shape")
    return graph.add("Reshape", [graph.maps_last(x, layer.name), shape], layer.name)


def _concatenate(graph, layer, *tensors):
    return graph.add("Concat", [x.name for x in tensors], layer.name, axis=tensors[0].axis(layer.axis))


def _sum(graph, layer, *tensors):
    """Of tensors, or of one and a number."""
    names = [x.name if isinstance(x, _Tensor) else graph.weight(np.float32(x), f"{layer.name}_number") for x in tensors]
    return graph.add("Sum", names, layer.name)


def _mean(graph, layer, *tensors):
    return graph.add("Mean", [x.name for x in tensors], layer.name)


def _split(graph, operation, x):
    parts, axis = operation.indices_or_sections, x.axis(operation.axis)
    return graph.add("Split", [x.name], operation.name, outputs=parts, axis=axis)


def _take(graph, operation, x, numbers):
    numbers = graph.weight(numbers.astype(np.int64), f"{operation.name}_numbers")
    return graph.add("Gather", [x.name, numbers], operation.name, axis=x.axis(operation.axis))


def _product(graph, operation, x, matrix):
    """Of the maps at each pixel with a matrix, which is a convolution of one pixel."""
    kernel = graph.weight(matrix.astype(np.float32).T[:, :, None, None], f"{operation.name}_kernel")
    return graph.add("Conv", [x.name, kernel], operation.name)


def _square(graph, operation, x):
    return graph.add("Mul", [x.name, x.name], operation.name)


def _sum_of_axis(graph, operation, x):
    axes = np.array([x.axis(axis) for axis in np.atleast_1d(operation.axis)], np.int64)
    axes = graph.weight(axes, f"{operation.name}_axes")
    return graph.add("ReduceSum", [x.name, axes], operation.name, keepdims=int(operation.keepdims))


def _root(graph, operation, x):
    return graph.add("Sqrt", [x.name], operation.name)


def _array(variable):
    import keras

    return keras.ops.convert_to_numpy(variable)


def _maps_first(letters):
    return "".join(letters[axis] for axis in _MAPS_FIRST)


_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "linear": "Identity"}
# Kind of a layer, or of an operation between layers, by the name of Keras' class -> what adds it to the graph: called
# with the graph, the layer and what goes into it (a _Tensor, or an array where that never changes), it returns the name
# of what comes out.
_KINDS = {
    "Activation": _activation,
    "Add": _sum,
    "Average": _mean,
    "AveragePooling2D": _mean_pooling,
    "BatchNormalization": _batch_normalization,
    "Concatenate": _concatenate,
    "Conv2D": _convolution,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "Dropout": _left_out,
    "EinsumDense": _einsum_dense,
    "Flatten": _flatten,
    "GlobalAveragePooling2D": _mean_of_maps,
    "LeakyReLU": _leaky_relu,
    "Matmul": _product,
    "MaxPooling2D": _max_pooling,
    "Pad": _pad,
    "RandomErasing": _left_out,
    "RandomFlip": _left_out,
    "RandomRotation": _left_out,
    "RandomTranslation": _left_out,
    "RandomZoom": _left_out,
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "Split": _split,
    "Sqrt": _root,
    "Square": _square,
    "Sum": _sum_of_axis,
    "Take": _take,
    "ZeroPadding2D": _zero_padding,
}
