"""A trained network opened: what each of its layers makes of an image, and which part of the image each value sees."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from core.export.litert_reader import AT_ONCE, Classifier
from core.networks.sizes import TANH_SCALES, Layer, block_of, layers
from core.runs.schema import softmax

# More blocks than this are not shown one by one: of those with maps of one size, the last stands for all.
MOST_STAGES = 12
# What Keras calls the block of preprocessing; its last operation gives what the first layer sees.
_PREPROCESSING = "preprocessing"
_OUTER = "outer_scale"


class Field(NamedTuple):
    """Which part of the preprocessed image the values of a layer's maps see, along one side.

    Attributes:
        start: the first pixel that the first value sees; negative where the image was padded.
        side: how many pixels each value sees.
        step: how many pixels lie between what two neighbours see.
    """

    start: int
    side: int
    step: int

    def seen(self, index):
        """The first pixel that the value with this index sees, and the one after the last."""
        return self.start + index * self.step, self.start + index * self.step + self.side


def fields(found, image_side):
    """The Field of each of a network's layers, None where a value sees all of the image: a list.

    Args:
        found: as from `core.networks.sizes.layers`.
        image_side: of the preprocessed image, in pixels.
    """
    seen = []
    for layer in found:
        before = [Field(0, 1, 1) if at < 0 else seen[at] for at in layer.inputs]
        if len(layer.shape) < 3 or None in before:
            seen.append(None)
            continue
        first, last = min(field.start for field in before), max(field.start + field.side for field in before)
        step, source = max(field.step for field in before), layer.inputs[0]
        padded = _padded(layer, image_side if source < 0 else found[source].shape[0])
        side = last - first + (layer.kernel_size - 1) * step
        seen.append(Field(first - padded * step, side, step * layer.strides))
    return seen


def _padded(layer, side):
    """How many pixels a layer adds before the first of its input, which has so many pixels a side."""
    out = layer.shape[0]
    if out > side:
        return (out - side) // 2
    valid = -(-(side - layer.kernel_size + 1) // layer.strides)
    if out == valid and out != -(-side // layer.strides):
        return 0
    return max((out - 1) * layer.strides + layer.kernel_size - side, 0) // 2


class Stage(NamedTuple):
    """A layer whose output can be read.

    Attributes:
        key: its name, or "NAME_before" for a normalisation that stands before a layer of the same name.
        layer: the core.networks.sizes.Layer.
        field: its Field, or None.
    """

    key: str
    layer: Layer
    field: Field | None

    @property
    def has_maps(self):
        return len(self.layer.shape) == 3


class _Tensor(NamedTuple):
    """Where a stage's output is in the file, and what it is multiplied by there: the converter may have left a factor
    to the next layer.
    """

    index: int
    factor: float


class Inside(NamedTuple):
    """What a network makes of one image; every array is float32 and a copy.

    Attributes:
        preprocessed: (side, side, channels), what the first layer sees; None where the file does not have it.
        outputs: key of a Stage -> (side, side, maps) or (units,); of those that were asked for.
        features: (n,), as from `OpenNetwork.last_features`.
        logits, probabilities: (classes,).
    """

    preprocessed: np.ndarray
    outputs: dict
    features: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray


class FirstLayer(NamedTuple):
    """The filters of a network's first convolution.

    Attributes:
        kernels: float32 (maps, side, side, channels), as the file has them: with its normalisation, where it has one.
        biases: float32 (maps,).
        strides: in pixels.
        padding: how many pixels of zeros stand before the image's first row, and as many before its first column.
        out_side: how many values a side its maps have.
    """

    kernels: np.ndarray
    biases: np.ndarray
    strides: int
    padding: int
    out_side: int


class OpenNetwork(Classifier):
    """A run's network that also tells what its layers give. Threads may share it.

    Args and errors as for `core.export.litert_reader.Classifier`.

    Attributes:
        config: the run's RunConfig.
        layers: the Layers, as from `core.networks.sizes.layers`.
        stages: the Stages, in the network's order: every layer whose output can be read.
        is_standardized: whether what the first layer sees was divided by the standard deviation; earlier versions of
            the project leave that to the first filters.
    """

    def __init__(self, run):
        super().__init__(run, keeps_all=True)
        self.config = run.read_config()
        self.layers = every = layers(self.config)
        seen = fields(every, self.config.image_size)
        lasting = [number for number, layer in enumerate(every) if not layer.training_only]
        found = [every[number] for number in lasting]
        self._first = found[0]
        # With "DELEGATE" stand operations that are listed before already.
        operations = [each for each in self._interpreter._get_ops_details() if each["op_name"] != "DELEGATE"]
        self._details = {each["index"]: each for each in self._interpreter.get_tensor_details()}
        self._operations = operations
        self._preprocessed = self._find_preprocessed()
        preprocessed = self._details.get(self._preprocessed, {"name": ""})
        self.is_standardized = self.config.standardize and "standardize" in preprocessed["name"]
        self._tensors, self.stages = {}, []
        self._decided_by = self._find_last_features()
        names = [layer.name for layer in found]
        for number, layer, tensor in zip(lasting, found, self._find(found), strict=True):
            if tensor is not None:
                # A normalisation before a layer has its name.
                key = f"{layer.name}_before" if names.count(layer.name) > 1 and _activates(layer) else layer.name
                self._tensors[key] = tensor
                self.stages.append(Stage(key, layer, seen[number]))

    def stage(self, key):
        """The Stage with this key, or None."""
        return next((stage for stage in self.stages if stage.key == key), None)

    def stage_of(self, number):
        """The Stage of the layer with this number, or None."""
        return next((stage for stage in self.stages if stage.layer is self.layers[number]), None)

    def main_stages(self):
        """The Stages with maps that tell the network's story: the last of each block; of a network of many blocks, the
        first of all and the last with maps of each size.
        """
        maps = [stage for stage in self.stages if stage.has_maps]
        last = {block_of(stage.layer.name): stage for stage in maps}
        if len(last) > MOST_STAGES:
            last = {"first": maps[0]} | {stage.layer.shape[0]: stage for stage in maps}
        keys = {stage.key for stage in last.values()}
        return [stage for stage in maps if stage.key in keys]

    def open(self, image, keys):
        """What the network makes of an image: an Inside.

        Args:
            image: uint8 (h, w, c) of `image_shape`.
            keys: of the Stages whose outputs are wanted.

        Raises:
            core.runs.run.RunError: as `classify` does.
        """
        self._check_images(image[None])
        with self._lock:
            logits = self._logits(image[None])
            outputs = {key: self._read(self._tensors[key].index) * self._tensors[key].factor for key in keys}
            preprocessed = None if self._preprocessed is None else self._read(self._preprocessed)
            features = self._read_last_features()[0]
        self._check_logits(logits)
        return Inside(preprocessed, outputs, features, logits[0], softmax(logits).astype(np.float32)[0])

    def last_features(self, images):
        """What the network makes its decision of, for each image, float32 (n, F): what goes into the last layer with
        weights, as the mean of each map where that is a convolution. Where several paths with weights end in the
        logits, it is the logits of each.

        Args:
            images: uint8 (n, h, w, c) of `image_shape`, n at least 1.

        Raises:
            core.runs.run.RunError: the images have another shape.
        """
        self._check_images(images)
        parts = []
        for start in range(0, len(images), AT_ONCE):
            with self._lock:
                self._logits(images[start : start + AT_ONCE])
                parts.append(self._read_last_features())
        return np.concatenate(parts)

    def first_layer(self):
        """The FirstLayer; None where a network begins otherwise."""
        for operation in self._operations:
            inputs = self._inputs(operation)
            if self._preprocessed in inputs[:1]:
                if operation["op_name"] != "CONV_2D":
                    return None
                with self._lock:
                    kernels, biases = self._constant(inputs[1]), self._constant(inputs[2])
                padding = _padded(self._first, self.config.image_size)
                return FirstLayer(kernels, biases, self._first.strides, padding, self._first.shape[0])
        return None

    def last_weights(self):
        """Weights and biases of the dense layer that gives the logits, float32 (classes, n) and (classes,); None where
        another operation does.
        """
        last = self._operations[-1]
        if last["op_name"] != "FULLY_CONNECTED":
            return None
        inputs = self._inputs(last)
        with self._lock:
            weights = self._constant(inputs[1])
            biases = self._constant(inputs[2]) if len(inputs) > 2 else np.zeros(len(weights), np.float32)
        return weights, biases

    def _read_last_features(self):
        """Those of the images that were asked about last, under the lock."""
        found = np.array(self._interpreter.get_tensor(self._decided_by), np.float32)
        return (found.mean((1, 2)) if found.ndim == 4 else found).reshape(len(found), -1)

    def _find_last_features(self):
        """The tensor that goes into the last operation with weights, or comes out of where several paths meet."""
        made_by = {int(index): operation for operation in self._operations for index in operation["outputs"]}
        tensor = self._output
        while tensor in made_by and made_by[tensor]["op_name"] != "CONCATENATION":
            inputs = self._inputs(made_by[tensor])
            if made_by[tensor]["op_name"] in ("FULLY_CONNECTED", "CONV_2D"):
                return inputs[0]
            made = [index for index in inputs if index in made_by]
            if not made:
                break
            tensor = made[0]
        return tensor

    def _find_preprocessed(self):
        shape = (1, self.config.image_size, self.config.image_size, self.image_shape[2])
        found = None
        for operation in self._operations:
            for index in operation["outputs"]:
                tensor = self._details[index]
                if tuple(tensor["shape"]) == shape and _PREPROCESSING in tensor["name"]:
                    found = index
        return found

    def _find(self, found):
        """The _Tensor of each layer, or None where the file does not have it: a list."""
        names = [layer.name for layer in found]
        twice = {name for name in names if names.count(name) > 1}
        owners = {}
        for number, layer in enumerate(found):
            owners |= dict.fromkeys(self._names_of(layer, layer.name in twice), number)
        tensors = [None] * len(found)
        for operation in self._operations:
            for index in operation["outputs"]:
                tensor = self._details[index]
                called = _keras_names(tensor["name"])
                # What follows at once may have been merged with a layer, whose own output is then nowhere.
                number = max((owners.get(name, -1) for name in called), default=-1)
                if number >= 0 and tensor["dtype"] is np.float32 and tuple(tensor["shape"][1:]) == found[number].shape:
                    tensors[number] = _Tensor(index, self._factor(found[number], operation, called))
        # The last one has the name of the whole network.
        tensors[-1] = _Tensor(self._output, 1.0)
        return tensors

    def _factor(self, layer, operation, called):
        """What the converter left to the next layer to multiply by."""
        if layer.kind == "mean of paths" and operation["op_name"] == "ADD":
            return 1 / len(layer.inputs)
        if any(name.endswith("scaled_tanh") for name in called) and not any(name.endswith(_OUTER) for name in called):
            return TANH_SCALES[_OUTER]
        return 1.0

    def _names_of(self, layer, is_twice):
        """What Keras calls the layers that a Layer stands for, a set."""
        activation, base = self.config.activation, layer.name.removesuffix("_add")
        after = {f"{base}_{activation}", f"{base}_{activation}_{_OUTER}", f"{base}_normalisation"}
        if is_twice:
            return after if _activates(layer) else {layer.name}
        return {layer.name} | after

    def _inputs(self, operation):
        return [int(index) for index in operation["inputs"] if index >= 0]

    def _read(self, index):
        return np.array(self._interpreter.get_tensor(index)[0], np.float32)

    def _constant(self, index):
        """A weight, in floats whatever the file has."""
        values = self._interpreter.get_tensor(index)
        if values.dtype == np.float32:
            return np.array(values)
        how = self._details[index]["quantization_parameters"]
        along = [1] * values.ndim
        along[how["quantized_dimension"]] = -1
        return values.astype(np.float32) * np.reshape(how["scales"], along)


def _activates(layer):
    """Whether all that a layer does is to normalise and to activate."""
    return "activation" in layer.kind


def _keras_names(name):
    """The Keras layers in a tensor's name, such as "alexnet_1/conv1_relu_1/Relu;alexnet_1/conv1_1/convolution"."""
    parts = [part.split("/") for part in name.split(";")]
    # Exporting numbers each.
    return {part[1].rpartition("_")[0] for part in parts if len(part) > 2}


def resized(image, side):
    """A raw image as the network's own resizing makes it, without what it subtracts.

    Args:
        image: uint8 (h, w, c).

    Returns:
        float32 (side, side, c), about 0..255: bicubic interpolation may overshoot.
    """
    channels = [Image.fromarray(image[..., at].astype(np.float32)) for at in range(image.shape[2])]
    return np.stack([np.asarray(each.resize((side, side), Image.Resampling.BICUBIC)) for each in channels], axis=-1)


def strongest(maps):
    """The numbers of a stage's maps (side, side, n), those with the largest mean magnitude first."""
    return np.argsort(-np.abs(maps).mean(axis=(0, 1)), kind="stable")
