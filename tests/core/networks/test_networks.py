"""The networks: sizes, options, randomness, and that a saved or exported one answers as the built one does."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from core.config.recipes import make_config
from core.config.run_config import FIELDS
from core.datasets.catalogue import DATASETS
from core.networks.blocks import ACTIVATIONS
from core.networks.build import build_model
from core.networks.catalogue import NETWORKS, TRAITS, characteristics
from core.networks.sizes import size
from core.networks.summary import count_parameters, layer_table, network_layers

SMALL = {"image_size": 16}
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8)
# The parameters of each network under the report's recipe on MNIST: one number for each network.
# LeNet-5 trains 60,000, as its paper says; the other 840 are the fixed codes of the digits.
PARAMETERS = {"alexnet": 24_744_650, "vgg16": 39_928_522, "resnet34": 21_309_066, "lenet5": 60_000 + 840}
OPTIONS = [
    {"activation": "leaky_relu", "batch_normalization": False, "dropout": 0.9},
    {"activation": "relu", "batch_normalization": True, "dropout": 0.0, "l2": 0.1, "standardize": True},
    {"activation": "leaky_relu", "batch_normalization": True, "translate": 0.0, "flip": False},
    {"activation": "relu", "batch_normalization": False, "translate": 0.5, "precision": "mixed_bfloat16"},
]
every_network = pytest.mark.parametrize("name", NETWORKS)


def built(name, image_shape=(28, 28, 1), recipe="report", **options):
    return build_model(make_config(name, "mnist", recipe, **SMALL | options), image_shape)


def of_kind(model, *kinds):
    return [layer for layer in network_layers(model) if isinstance(layer, kinds)]


def logits_of(path, images):
    interpreter = Interpreter(str(path))
    given = interpreter.get_input_details()[0]
    assert given["dtype"] is np.uint8
    interpreter.resize_tensor_input(given["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_every_network_has_the_parameters_that_are_known_of_it():
    assert {name: size(make_config(name, "mnist", "report")).parameters for name in NETWORKS} == PARAMETERS


@pytest.mark.parametrize(
    ("dataset", "options"),
    [
        ("mnist", {"image_size": 64}),
        ("cifar10", {"image_size": 45, "batch_normalization": True}),
        ("mnist", {"image_size": 16, "batch_normalization": False}),
    ],
    ids=str,
)
@every_network
def test_a_size_that_is_counted_without_keras_is_that_of_the_network_built(name, dataset, options):
    config = make_config(name, dataset, "report", **options)
    model = build_model(config, DATASETS[dataset]["image_shape"], len(DATASETS[dataset]["classes"]))
    table, counted = layer_table(model), size(config)
    assert count_parameters(model) == (counted.parameters, counted.not_trainable)
    assert sum(row["parameters"] for row in table) == counted.parameters
    assert sum(row["multiply_adds"] for row in table) == counted.multiply_adds
    assert table[0]["kind"] == "Conv2D"
    assert table[-1]["output_shape"] == (10,)


# In a process of its own, since networks are registered when the program is imported.
ADDED = """
from core.networks import resnet, vgg
from core.networks.catalogue import NETWORKS

vgg.ARCHITECTURES["vgg13"] = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))
resnet.ARCHITECTURES["resnet18"] = ((2, 64), (2, 128), (2, 256), (2, 512))
NETWORKS["vgg13"] = NETWORKS["vgg16"] | {"label": "VGG-13", "layers": 13}
NETWORKS["resnet18"] = NETWORKS["resnet34"] | {"label": "ResNet-18", "layers": 18}

from core.networks.build import build_model
from core.networks.sizes import size
from core.networks.summary import count_parameters
from core.config.recipes import make_config

for name in ("vgg13", "resnet18"):
    config = make_config(name, "mnist", "report")
    print(name, count_parameters(build_model(config, (28, 28, 1))).total, size(config).parameters)
"""


def test_a_network_of_a_known_family_is_a_line_of_data_and_an_entry():
    printed = subprocess.run([sys.executable, "-c", ADDED], capture_output=True, text=True, check=True).stdout
    # With 1000 classes, three colours and 224 pixels a side VGG-13 has 133,047,848. Here there are ten classes and one
    # colour, and its first dense layer sees maps of 2 x 2 and not of 7 x 7.
    vgg13 = 133_047_848 - 990 * 4097 - 2 * 64 * 9 - (49 - 4) * 512 * 4096
    # ResNet-18 has 11,689,512 there, where its convolutions have no bias and running averages are not counted; here
    # each of their 4,800 maps has a bias, a running mean and a running variance.
    resnet18 = 11_689_512 - 990 * 513 - 2 * 64 * 49 + 3 * 4800
    assert printed.splitlines() == [f"vgg13 {vgg13} {vgg13}", f"resnet18 {resnet18} {resnet18}"]


def test_every_trait_is_said_in_words_and_every_entry_names_known_ones():
    for name, entry in NETWORKS.items():
        assert entry["traits"] <= set(TRAITS)
        assert set(characteristics(name)) == {"family", *TRAITS}


@every_network
def test_the_traits_are_true_of_the_network(name):
    plain, traits = built(name), NETWORKS[name]["traits"]
    assert ("hidden_dense" in traits) == (len(of_kind(plain, keras.layers.Dense)) > 1)
    assert ("residual" in traits) == bool(of_kind(plain, keras.layers.Add))
    assert ("deep" in traits) == (NETWORKS[name]["layers"] > 10)


def depth(model):
    """How many layers with weights the longest way through a network leads through."""
    weighted, longest = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense), {}
    for layer in model.operations:
        before = [longest[tensor._keras_history.operation] for tensor in keras.tree.flatten(layer.input)]
        longest[layer] = max(before, default=0) + isinstance(layer, weighted)
    return max(longest.values())


@every_network
def test_a_network_is_as_deep_as_it_says(name):
    assert depth(built(name)) == NETWORKS[name]["layers"]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@every_network
def test_every_option_gives_finite_float32_logits(name, options):
    model = built(name, **options)
    logits = model(IMAGES, training=False)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert logits.shape == (2, 10)
    assert np.isfinite(logits).all()


@every_network
@pytest.mark.parametrize(("side", "channels"), [(17, 2), (45, 3), (96, 1)])
def test_any_image_size_and_channel_count_builds(name, side, channels):
    model = built(name, (20, 30, channels), image_size=side)
    images = np.zeros((1, 20, 30, channels), np.uint8)
    assert np.isfinite(model(images, training=False)).all()
    assert model.get_layer("preprocessing").output.shape[1:] == (side, side, channels)


@every_network
def test_options_reach_every_layer_that_they_are_for(name):
    options = {"activation": "leaky_relu", "batch_normalization": True, "dropout": 0.25, "l2": 0.01}
    model = built(name, **options)
    convolutions = of_kind(model, keras.layers.Conv2D)
    assert of_kind(model, keras.layers.BatchNormalization)
    assert len(model.losses) == len(convolutions)
    assert {layer.rate for layer in of_kind(model, keras.layers.Dropout)} == {0.25}
    activations = of_kind(model, keras.layers.LeakyReLU)
    assert [layer.negative_slope for layer in activations] == pytest.approx([0.3] * len(activations))
    assert not of_kind(model, keras.layers.ReLU)
    assert activations

    plain = built(name, activation="relu", batch_normalization=False, dropout=0.0, l2=0.0)
    assert not of_kind(plain, keras.layers.BatchNormalization, keras.layers.Dropout, keras.layers.LeakyReLU)
    assert not plain.losses


def test_every_activation_on_offer_is_known():
    assert set(FIELDS["activation"].metadata["kind"].names) == set(ACTIVATIONS)


@every_network
def test_mixed_precision_is_for_this_network_alone(name):
    model = built(name, precision="mixed_bfloat16")
    assert {layer.compute_dtype for layer in of_kind(model, keras.layers.Conv2D)} == {"bfloat16"}
    assert model.get_layer("preprocessing").layers[0].compute_dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"


@every_network
def test_the_seed_decides_weights_dropout_and_augmentation(name):
    first, again, other = (built(name, seed=seed) for seed in (1, 1, 2))
    for weight, same in zip(first.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(weight, same)
    kernels = [of_kind(model, keras.layers.Conv2D)[-1].get_weights()[0] for model in (first, other)]
    assert not np.array_equal(*kernels)
    training, repeated, next_batch = (np.asarray(model(IMAGES, training=True)) for model in (first, again, first))
    assert np.array_equal(training, repeated)
    assert not np.array_equal(training, next_batch)


@every_network
def test_a_saved_network_is_read_in_safe_mode_and_answers_the_same(name, tmp_path):
    config = make_config(name, "mnist", "report", **SMALL, standardize=True)
    model = build_model(config, (28, 28, 1), mean_image=np.full((16, 16, 1), 33, np.float32), deviation=78.0)
    model.save(tmp_path / "model.keras")
    read = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(read(IMAGES, training=False), model(IMAGES, training=False))
    assert count_parameters(read) == count_parameters(model)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_saved_network_opens_with_plain_keras_elsewhere_and_predicts_the_same(tmp_path, precision):
    config = make_config("resnet34", "mnist", "quick", **SMALL, precision=precision)
    mean_image = np.random.default_rng(1).uniform(0, 255, (16, 16, 1)).astype("float32")
    model = build_model(config, (28, 28, 1), mean_image=mean_image, deviation=78.0)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", IMAGES)
    program = """
import importlib.util, keras, numpy
assert importlib.util.find_spec("core") is None
model = keras.saving.load_model("model.keras", safe_mode=True)
numpy.save("logits.npy", model.predict(numpy.load("images.npy"), verbose=0))
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert np.load(tmp_path / "logits.npy") == pytest.approx(model.predict(IMAGES, verbose=0), abs=1e-5)


@every_network
def test_an_exported_network_answers_the_same(name, tmp_path):
    config = make_config(name, "mnist", "report", **SMALL, standardize=True)
    model = build_model(config, (28, 28, 1), mean_image=np.full((16, 16, 1), 33, np.float32), deviation=78.0)
    model.export(tmp_path / "model.tflite", format="litert", verbose=False)
    expected = model.predict(IMAGES, verbose=0)
    assert logits_of(tmp_path / "model.tflite", IMAGES) == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_networks_are_listed_configured_and_counted_without_keras():
    program = """
import sys
from core.networks.catalogue import NETWORKS
from core.networks.sizes import size
from core.config.recipes import make_config
for name in NETWORKS:
    size(make_config(name, "mnist"))
sys.exit("keras" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
