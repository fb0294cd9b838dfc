"""The networks: sizes, options, randomness, and that a saved or exported one answers as the built one does."""

import functools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.config.run_config import FIELDS
from core.datasets.catalogue import DATASETS
from core.networks import googlenet, lenet
from core.networks.blocks import ACTIVATIONS, Blocks
from core.networks.build import build_model
from core.networks.catalogue import FAMILIES, NETWORKS, TRAITS, characteristics
from core.networks.sizes import count, layers, size
from core.networks.summary import count_parameters, network_layers
from core.training.train import compile_model
from tests.keras_layers import layer_table
from tests.published import CIFAR, PUBLISHED, SMALL_STEM
from tests.shallow import shallow

SMALL = {"image_size": 16}
# Deeper networks are of a shallower one's family, and take minutes.
DEEPEST_TRAINED = 60
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8)
# The parameters of the report's networks under its recipe on MNIST.
PARAMETERS = {"alexnet": 24_744_650, "vgg16": 39_928_522, "resnet34": 21_309_066}
every_network = pytest.mark.parametrize("name", NETWORKS)


# What the networks are that tests look at and do not change: with as little as can be, with everything there is, and
# in half precision.
KEPT = {
    "plain": ((28, 28, 1), {"activation": "relu", "batch_normalization": False, "dropout": 0.0, "l2": 0.0}),
    "rich": (
        (28, 28, 1),
        {"activation": "leaky_relu", "batch_normalization": True, "dropout": 0.25, "l2": 0.01, "standardize": True},
    ),
    "half": (
        (20, 30, 2),
        {
            "precision": "mixed_bfloat16",
            "batch_normalization": False,
            "dropout": 0.9,
            "translate": 0.5,
            "image_size": 17,
        },
    ),
}


@pytest.fixture(params=FAMILIES)
def small(request, monkeypatch):
    """The name of a network of each family in turn, made small."""
    return shallow(monkeypatch, request.param)


@functools.cache
def kept(small, which):
    """One of KEPT, built once; `small` is what the fixture gives."""
    image_shape, options = KEPT[which]
    return built(small, image_shape, **options)


@pytest.fixture(scope="module", autouse=True)
def kept_for_this_file_alone():
    yield
    kept.cache_clear()


def built(name, image_shape=(28, 28, 1), recipe="report", **options):
    return build_model(make_config(name, "mnist", recipe, **SMALL | options), image_shape)


def of_kind(model, *kinds):
    return [layer for layer in network_layers(model) if isinstance(layer, kinds)]


def test_the_reports_networks_have_the_parameters_that_its_program_says():
    assert {name: size(make_config(name, "mnist", "report")).parameters for name in PARAMETERS} == PARAMETERS


@pytest.mark.parametrize(("name", "images", "how", "published"), [row[:4] for row in PUBLISHED])
def test_a_network_has_as_many_trainable_parameters_as_is_published_of_it(name, images, how, published):
    counted = count(name, *images, *how)
    assert counted.parameters - counted.not_trainable == published


def test_a_figure_is_known_of_every_network():
    assert {name for name, *_ in PUBLISHED} | set(PARAMETERS) == set(NETWORKS)


def test_googlenet_for_small_images_differs_from_the_well_known_copy_by_its_filters_of_5_pixels_alone():
    counted = count("googlenet", *CIFAR, *SMALL_STEM)
    # The copy, 6,166,250, filters twice with 3x3 there: from the narrowed maps, and from what that gives.
    five_branches = [inception[2] for stage in googlenet.ARCHITECTURES["googlenet"] for inception, _ in stage]
    instead = sum((9 - 25) * narrow * wide + 9 * wide * wide + 3 * wide for narrow, wide in five_branches)
    assert counted.parameters - counted.not_trainable + instead == 6_166_250


@pytest.mark.parametrize(
    ("dataset", "options"),
    [
        ("mnist", {"image_size": 64, "stem": "3x3"}),
        ("cifar10", {"image_size": 45, "batch_normalization": True, "activation": "leaky_relu", "flip": False}),
    ],
    ids=str,
)
def test_a_size_that_is_counted_without_keras_is_that_of_the_network_built(small, dataset, options):
    config = make_config(small, dataset, "report", **options)
    model = build_model(config, DATASETS[dataset]["image_shape"], len(DATASETS[dataset]["classes"]))
    compare_sizes(model, config)
    gives_logits(model, DATASETS[dataset]["image_shape"])


def test_a_size_that_is_counted_without_keras_is_that_of_a_network_without_batch_normalization(small):
    compare_sizes(kept(small, "plain"), make_config(small, "mnist", "report", **SMALL | KEPT["plain"][1]))


def compare_sizes(model, config):
    table, counted = layer_table(model), size(config)
    assert count_parameters(model) == (counted.parameters, counted.not_trainable)
    assert sum(row["parameters"] for row in table) == counted.parameters
    assert sum(row["multiply_adds"] for row in table) == counted.multiply_adds
    # Each layer of Keras' that costs anything belongs to the one with the longest name that begins its own.
    counted, costs = layers(config), {}
    for row in table:
        cost = np.array([row["parameters"], row["multiply_adds"]])
        if cost.any():
            name = max((one.name for one in counted if f"{row['name']}_".startswith(f"{one.name}_")), key=len)
            costs[name] = costs.get(name, 0) + cost
    for name, cost in costs.items():
        layer = [one for one in counted if one.name == name]
        assert [sum(one.parameters for one in layer), sum(one.multiply_adds for one in layer)] == list(cost), name
    for row in table:
        shapes = [one.shape for one in counted if one.name == row["name"]]
        # The last steps of capsules and of their sum are no layers of Keras'.
        assert row["output_shape"] in shapes or not shapes or row["name"].startswith(("capsules", "branches"))


def test_auxiliary_heads_are_counted_apart_as_the_network_that_trains_has_them():
    config = make_config("googlenet", "mnist", "report", image_size=64, batch_normalization=True)
    model = build_model(config, (28, 28, 1), for_training=True)
    heads = [row for row in layer_table(model) if row["name"].startswith("auxiliary")]
    counted = [layer for layer in layers(config) if layer.training_only]
    assert len(counted) == 10
    for layer in counted:
        (row,) = [row for row in heads if row["name"] == layer.name]
        assert row["output_shape"] == layer.shape, layer.name
        assert row["multiply_adds"] == layer.multiply_adds, layer.name
    assert sum(row["parameters"] for row in heads) == sum(layer.parameters for layer in counted)
    assert sum(layer.parameters for layer in layers(config) if not layer.training_only) == size(config).parameters


def gives_logits(model, image_shape):
    images = np.random.default_rng(0).integers(0, 256, (2, *image_shape), dtype=np.uint8)
    logits = model(images, training=False)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert logits.shape == (2, 10)
    assert np.isfinite(logits).all()


# In a process of its own, since networks are registered when the program is imported.
ADDED = """
from core.networks import small_resnet, vgg
from core.networks.catalogue import NETWORKS

vgg.ARCHITECTURES["vgg_slim"] = ((1, 64), (1, 128))
small_resnet.ARCHITECTURES["resnet8"] = 1
NETWORKS["vgg_slim"] = NETWORKS["vgg16"] | {"label": "VGG, slim", "layers": 5}
NETWORKS["resnet8"] = NETWORKS["resnet20"] | {"label": "ResNet-8", "layers": 8}

from core.networks.build import build_model
from core.networks.sizes import size
from core.networks.summary import count_parameters
from core.config.recipes import make_config

for name in ("vgg_slim", "resnet8"):
    config = make_config(name, "mnist", "report", image_size=16)
    print(name, count_parameters(build_model(config, (28, 28, 1))).total, size(config).parameters)
"""


def test_a_network_of_a_known_family_is_a_line_of_data_and_an_entry():
    printed = subprocess.run([sys.executable, "-c", ADDED], capture_output=True, text=True, check=True).stdout
    slim = 64 * (9 + 1) + 128 * (9 * 64 + 1) + 4096 * (4 * 4 * 128 + 1) + 4096 * 4097 + 10 * 4097
    # 6n + 2 layers of 16, 32 and 64 filters, each with a scale, an offset and two running averages.
    resnet8 = 9 * (16 + 2 * 256 + 16 * 32 + 1024 + 32 * 64 + 4096) + 4 * (3 * 16 + 2 * 32 + 2 * 64) + 650
    assert printed.splitlines() == [f"vgg_slim {slim} {slim}", f"resnet8 {resnet8} {resnet8}"]


def test_every_trait_is_said_in_words_and_every_entry_names_known_ones():
    for name, entry in NETWORKS.items():
        assert entry["traits"] <= set(TRAITS)
        assert set(characteristics(name)) == {"family", *TRAITS}


def test_each_map_of_lenets_c3_is_the_convolution_of_the_maps_that_table_1_connects_it_to():
    blocks = Blocks(make_config("lenet5", "mnist", "paper"), 10)
    blocks.activation = lambda x, name: x
    inputs = keras.Input((9, 9, 6))
    connections = lenet.ARCHITECTURES["lenet5"]["c3"]
    model = keras.Model(inputs, blocks.partial_convolution(inputs, connections, 5, "c3"))
    (first, _), (others,) = (model.get_layer(f"c3_{part}").get_weights() for part in ("first", "others"))
    bias = np.arange(16, dtype="float32")
    model.get_layer("c3_first").set_weights([first, bias])
    kernel, number = np.zeros((5, 5, 6, 16)), 0
    for filter_, seen in enumerate(connections):
        kernel[:, :, seen[0], filter_] = first[:, :, filter_, 0]
        for i in seen[1:]:
            kernel[:, :, i, filter_] = others[:, :, number, 0]
            number += 1
    maps = np.random.default_rng(0).normal(size=(2, 9, 9, 6)).astype("float32")
    expected = keras.ops.conv(maps, kernel.astype("float32")) + bias
    np.testing.assert_allclose(model(maps), expected, atol=1e-5)


def ways(model):
    """How many layers with weights the longest and the shortest way through a network lead through."""
    weighted = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense, keras.layers.EinsumDense)
    longest, shortest = {}, {}
    for layer in model.operations:
        before = {tensor._keras_history.operation for tensor in keras.tree.flatten(layer.input)} - {layer}
        longest[layer] = max((longest[other] for other in before), default=0) + isinstance(layer, weighted)
        shortest[layer] = min((shortest[other] for other in before), default=0) + isinstance(layer, weighted)
    end = model.output._keras_history.operation
    return longest[end], shortest[end]


# Networks that are called after something else than the layers on the longest way through them.
CALLED = {
    # The last dense layer is not counted, but the shortcuts that widen are.
    "wrn16_4": 14,
    "wrn28_10": 26,
    # The last dense layer is not counted.
    "fractalnet20": 21,
}


@every_network
def test_a_network_is_built_as_its_entry_says_and_learns_the_same_after_it_was_saved(name):
    """At its own size: that it is as deep, as large and as it is said to be, two steps of training, the second of them
    twice, with all that a checkpoint holds put back in between, and what is written of it answers the same.
    """
    entry, config = NETWORKS[name], make_config(name, "cifar10", "quick", image_size=16, translate=0.0, optimizer="sgd")
    images, targets = np.tile(IMAGES[:, :16, :16], 3), np.eye(10, dtype="float32")[:2]
    model, counted = build_model(config, images.shape[1:]), size(config)
    assert count_parameters(model) == (counted.parameters, counted.not_trainable)
    assert sum(row["multiply_adds"] for row in layer_table(model)) == counted.multiply_adds
    longest, shortest = ways(model)
    assert longest == CALLED.get(name, entry["layers"])
    assert ("deep" in entry["traits"]) == (entry["layers"] > 10)
    # Less than three eighths; GoogLeNet and the capsules only branch.
    assert ("residual" in entry["traits"]) == (8 * shortest < 3 * longest)
    assert ("hidden_dense" in entry["traits"]) == (len(of_kind(model, keras.layers.Dense)) > 1)
    assert ("costly" in entry["traits"]) == (count(name, 32, 3, batch_normalization=True).multiply_adds > 150e6)
    if entry["layers"] > DEEPEST_TRAINED:
        return
    compile_model(model, config, 2)
    # Operation by operation: making a graph of the step takes far longer than the step.
    model.run_eagerly = True
    losses = [model.train_on_batch(images, targets)[0]]
    held = [*model.variables, *model.optimizer.variables]
    kept = [keras.ops.convert_to_numpy(variable) for variable in held]
    losses.append(model.train_on_batch(images, targets)[0])
    for variable, value in zip(held, kept, strict=True):
        variable.assign(value)
    # What a step returns is the loss that it finds; the rest of the step would only take longer.
    again = model.compute_loss(images, targets, model(images, training=True))
    assert float(again) == pytest.approx(losses[1], rel=1e-4)
    assert np.isfinite(losses).all()
    read = keras.models.model_from_json(keras.Model(model.input, model.output).to_json())
    read.set_weights(model.get_weights())
    assert np.asarray(read(images, training=False)) == pytest.approx(
        np.asarray(model(images, training=False)), abs=1e-3
    )


def test_options_reach_every_layer_that_they_are_for(small):
    plain, rich = kept(small, "plain"), kept(small, "rich")
    convolutions = of_kind(rich, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D))
    assert of_kind(rich, keras.layers.BatchNormalization)
    assert len(rich.losses) == len(convolutions)
    assert max((layer.rate for layer in of_kind(rich, keras.layers.Dropout)), default=0.25) == 0.25
    activations = of_kind(rich, keras.layers.LeakyReLU)
    assert [layer.negative_slope for layer in activations] == pytest.approx([0.3] * len(activations))
    assert not of_kind(rich, keras.layers.ReLU)
    assert activations
    gives_logits(rich, (28, 28, 1))

    assert not of_kind(plain, keras.layers.BatchNormalization, keras.layers.Dropout, keras.layers.LeakyReLU)
    assert not plain.losses
    gives_logits(plain, (28, 28, 1))


def test_every_activation_on_offer_is_known():
    assert set(FIELDS["activation"].metadata["kind"].names) == set(ACTIVATIONS)


def test_mixed_precision_is_for_this_network_alone(small):
    half = kept(small, "half")
    hidden = [layer for layer in of_kind(half, keras.layers.Conv2D) if layer.name != "class_maps"]
    assert {layer.compute_dtype for layer in hidden} == {"bfloat16"}
    assert half.get_layer("preprocessing").layers[0].compute_dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_any_image_size_and_channel_count_builds(small):
    half = kept(small, "half")
    gives_logits(half, (20, 30, 2))
    assert half.get_layer("preprocessing").output.shape[1:] == (17, 17, 2)


def test_the_seed_decides_weights_dropout_and_augmentation_and_names_depend_on_nothing_built_before(small):
    """Names decide in which order TensorFlow adds up gradients: a resumed run would depart in the last digit."""
    options = {"batch_normalization": True, "dropout": 0.2, "stochastic_depth": 0.2, "activation": "scaled_tanh"}
    first, again = (
        build_model(make_config(small, "mnist", "report", **SMALL | options, seed=1), (28, 28, 1), for_training=True)
        for _ in range(2)
    )
    names = [operation.name for operation in first.operations]
    assert names == [operation.name for operation in again.operations]
    assert len(set(names)) == len(names)
    for weight, same in zip(first.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(weight, same)
    training, repeated, next_batch = (logits_in_training(model) for model in (first, again, first))
    assert np.array_equal(training, repeated)
    assert not np.array_equal(training, next_batch)


def test_another_seed_gives_every_layer_other_weights():
    layers = (of_kind(built("lenet5", seed=seed), keras.layers.Conv2D, keras.layers.Dense) for seed in (1, 2))
    compared = [
        np.array_equal(one.get_weights()[0], other.get_weights()[0])
        for one, other in zip(*layers, strict=True)
        if one.trainable
    ]
    assert len(compared) > 2
    assert not any(compared)


def logits_in_training(model):
    """Those of the end of the network, the first of its outputs where it has auxiliary heads."""
    return np.asarray(keras.tree.flatten(model(IMAGES, training=True))[0])


def test_saved_networks_of_every_family_open_with_plain_keras_elsewhere_and_predict_the_same(tmp_path, monkeypatch):
    mean_image, predicted = np.random.default_rng(1).uniform(0, 255, (16, 16, 1)).astype("float32"), {}
    for number, family in enumerate(FAMILIES):
        # Also one of each precision, and with what acts only in training.
        precision = ("float32", "mixed_bfloat16")[number % 2]
        options = {"precision": precision, "stochastic_depth": 0.5, "dropout": 0.5, "standardize": True}
        config = make_config(shallow(monkeypatch, family), "mnist", "quick", **SMALL | options)
        model = build_model(config, (28, 28, 1), mean_image=mean_image, deviation=78.0)
        model.save(tmp_path / f"{family}.keras")
        exactness = {"float32": 1e-5, "mixed_bfloat16": 1e-2}[precision]
        predicted[family] = pytest.approx(np.asarray(model(IMAGES, training=False)), rel=exactness, abs=exactness)
    np.save(tmp_path / "images.npy", IMAGES)
    program = """
import importlib.util, keras, numpy, pathlib
assert importlib.util.find_spec("core") is None
images = numpy.load("images.npy")
for path in pathlib.Path().glob("*.keras"):
    model = keras.saving.load_model(path, safe_mode=True)
    numpy.save(path.with_suffix(".npy"), model(images, training=False))
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-2000:]
    for family, expected in predicted.items():
        assert np.load(tmp_path / f"{family}.npy") == expected, family


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
