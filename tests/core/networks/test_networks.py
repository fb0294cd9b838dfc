"""The networks: sizes, options, randomness, and that a saved one learns on as the built one does."""

import contextlib
import functools
import subprocess
import sys

import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.config.run_config import FIELDS
from core.datasets.catalogue import DATASETS
from core.export.keras import save_network
from core.networks import googlenet, lenet, sizes, small_resnet, vgg
from core.networks.blocks import ACTIVATIONS, Blocks
from core.networks.build import build_model
from core.networks.catalogue import FAMILIES, NETWORKS, TRAITS, characteristics
from core.networks.sizes import count, layers, size
from core.networks.summary import count_parameters, network_layers
from core.runs.run import Run
from core.training.train import compile_model
from tests.keras_layers import layer_table
from tests.published import CIFAR, PUBLISHED, SMALL_STEM
from tests.shallow import shallow

SMALL = {"image_size": 16}
# Deeper networks are of a shallower one's family, and take minutes.
DEEPEST_TRAINED = 50
# They differ in their convolutions; with hidden dense layers in full one of them is enough.
SLIM = {name for name, entry in NETWORKS.items() if entry["family"] == "vgg"} - {"vgg16"}
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8)
# The parameters of the report's networks under its recipe on MNIST.
PARAMETERS = {"alexnet": 24_744_650, "vgg16": 39_928_522, "resnet34": 21_309_066}
every_network = pytest.mark.parametrize("name", NETWORKS)


# What the networks are that tests look at and do not change: with as little as can be; with everything there is, also
# what acts in training alone; and in half precision. Name -> dataset or image shape, options.
KEPT = {
    "plain": (
        "mnist",
        {
            "image_size": 64,
            "stem": "3x3",
            "activation": "relu",
            "batch_normalization": False,
            "dropout": 0.0,
            "l2": 0.0,
        },
    ),
    "rich": (
        "cifar10",
        {
            "image_size": 45,
            "activation": "leaky_relu",
            "batch_normalization": True,
            "dropout": 0.25,
            "stochastic_depth": 0.2,
            "l2": 0.01,
            "standardize": True,
        },
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


def of_kept(small, which):
    """The RunConfig and the image shape of one of KEPT; `small` is what the fixture gives."""
    images, options = KEPT[which]
    if images in DATASETS:
        return make_config(small, images, "report", **options), DATASETS[images]["image_shape"]
    return make_config(small, "mnist", "report", **options), images


def build(small, which):
    return build_model(*of_kept(small, which), for_training=which == "rich")


kept = functools.cache(build)


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


@pytest.mark.parametrize("which", ["plain", "rich"])
def test_a_size_that_is_counted_without_keras_is_that_of_the_network_built(small, which):
    model = kept(small, which)
    # Auxiliary heads are no part of it.
    compare_sizes(keras.Model(model.input, model.outputs[0]), of_kept(small, which)[0])


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


def test_a_network_of_a_known_family_is_a_line_of_data_and_an_entry(monkeypatch):
    monkeypatch.setitem(vgg.ARCHITECTURES, "vgg_slim", ((1, 64), (1, 128)))
    monkeypatch.setitem(small_resnet.ARCHITECTURES, "resnet8", 1)
    monkeypatch.setitem(NETWORKS, "vgg_slim", NETWORKS["vgg16"] | {"label": "VGG, slim", "layers": 5})
    monkeypatch.setitem(NETWORKS, "resnet8", NETWORKS["resnet20"] | {"label": "ResNet-8", "layers": 8})
    # Which names are known is settled as the program is imported, and here it is already.
    monkeypatch.setitem(vars(FIELDS["network"].metadata["kind"]), "names", tuple(NETWORKS))
    counted = {}
    for name in ("vgg_slim", "resnet8"):
        config = make_config(name, "mnist", "report", image_size=16)
        counted[name] = count_parameters(build_model(config, (28, 28, 1))).total, size(config).parameters
    slim = 64 * (9 + 1) + 128 * (9 * 64 + 1) + 4096 * (4 * 4 * 128 + 1) + 4096 * 4097 + 10 * 4097
    # 6n + 2 layers of 16, 32 and 64 filters, each with a scale, an offset and two running averages.
    resnet8 = 9 * (16 + 2 * 256 + 16 * 32 + 1024 + 32 * 64 + 4096) + 4 * (3 * 16 + 2 * 32 + 2 * 64) + 650
    assert counted == {"vgg_slim": (slim, slim), "resnet8": (resnet8, resnet8)}


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
def test_a_network_is_built_as_its_entry_says_and_learns_the_same_after_it_was_saved(name, monkeypatch, tmp_path):
    """At its own size: that it is as deep, as large and as it is said to be, and that after a step of training it is
    saved and read whole: with the same weights, and the next step finds the same loss.
    """
    entry = NETWORKS[name]
    assert ("costly" in entry["traits"]) == (count(name, 32, 3, batch_normalization=True).multiply_adds > 150e6)
    if name in SLIM:
        monkeypatch.setattr(vgg, "HIDDEN_UNITS", (64, 64))
        # Otherwise the sizes counted here would be those of another test.
        monkeypatch.setattr(sizes, "count", count.__wrapped__)
    config = make_config(name, "cifar10", "quick", image_size=16, translate=0.0, optimizer="sgd")
    images, targets = np.tile(IMAGES[:, :16, :16], 3), np.eye(10, dtype="float32")[:2]
    trains = entry["layers"] <= DEEPEST_TRAINED
    with contextlib.nullcontext() if trains else weights_without_values():
        model = build_model(config, images.shape[1:])
    counted = size(config)
    assert count_parameters(model) == (counted.parameters, counted.not_trainable)
    assert sum(row["multiply_adds"] for row in layer_table(model)) == counted.multiply_adds
    longest, shortest = ways(model)
    assert longest == CALLED.get(name, entry["layers"])
    assert ("deep" in entry["traits"]) == (entry["layers"] > 10)
    # Less than three eighths; GoogLeNet and the capsules only branch.
    assert ("residual" in entry["traits"]) == (8 * shortest < 3 * longest)
    assert ("hidden_dense" in entry["traits"]) == (len(of_kind(model, keras.layers.Dense)) > 1)
    if not trains:
        return
    compile_model(model, config, 2)
    # Operation by operation: making a graph of the step takes far longer than the step.
    model.run_eagerly = True
    first_loss = model.train_on_batch(images, targets)[0]
    run = Run(tmp_path)
    save_network(model, run)
    with monkeypatch.context() as patched:
        # What is read takes the place of what a network begins with, and to draw that takes most of the time.
        patched.setattr(keras.initializers.VarianceScaling, "__call__", no_weights)
        read = keras.saving.load_model(run.model_path, safe_mode=True)
    for weight, saved in zip(model.weights, read.weights, strict=True):
        assert np.array_equal(weight, saved), weight.path
    # A file holds no seeds.
    for seed, other in zip(seeds(model), seeds(read), strict=True):
        other.assign(seed)
    assert not model.losses
    # What a step returns is the loss that it finds; the rest of the step would only take longer.
    loss, its_loss = (float(model.compute_loss(images, targets, one(images, training=True))) for one in (model, read))
    assert its_loss == pytest.approx(loss, rel=1e-4)
    assert np.isfinite([first_loss, loss]).all()
    assert loss != pytest.approx(first_loss, rel=1e-4)


@contextlib.contextmanager
def weights_without_values():
    """Builds networks with which nothing is computed: to give each weight its value takes two thirds of the time."""
    with keras.StatelessScope(initialize_variables=False):
        yield
    # Else Keras would make up for it.
    keras.utils.clear_session(free_memory=False)


def no_weights(initializer, shape, dtype=None):
    return keras.ops.zeros(shape, dtype)


def seeds(model):
    """What decides the next units to drop."""
    return [variable for variable in model.variables if not any(variable is weight for weight in model.weights)]


def test_options_reach_every_layer_that_they_are_for(small):
    plain, rich = kept(small, "plain"), kept(small, "rich")
    convolutions = of_kind(rich, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D))
    assert of_kind(rich, keras.layers.BatchNormalization)
    assert len(rich.losses) == len(convolutions)
    # Auxiliary heads drop more.
    dropping = [layer for layer in of_kind(rich, keras.layers.Dropout) if not layer.name.startswith("auxiliary")]
    assert max((layer.rate for layer in dropping), default=0.25) == 0.25
    activations = of_kind(rich, keras.layers.LeakyReLU)
    assert [layer.negative_slope for layer in activations] == pytest.approx([0.3] * len(activations))
    assert not of_kind(rich, keras.layers.ReLU)
    assert activations
    gives_logits(rich, (32, 32, 3))

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
    first, again = kept(small, "rich"), build(small, "rich")
    # FractalNet draws in prediction too, which changes nothing, but counts.
    for seed in seeds(first):
        seed.assign([seed[0], 0])
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
    images = np.random.default_rng(0).integers(0, 256, (2, *model.input_shape[1:]), dtype=np.uint8)
    return np.asarray(keras.tree.flatten(model(images, training=True))[0])


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
