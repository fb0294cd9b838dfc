"""What an opened network gives is what Keras gives, and each value sees the part of the image that it is said to."""

import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.explain.features import OpenNetwork, fields, resized, strongest
from core.networks.catalogue import NETWORKS
from core.networks.preprocessing import resizing_matrix
from core.networks.sizes import layers, size
from core.runs.run import RunError
from tests.core.explain.opened import SIDE, in_keras, keras_layer, opened, opened_in_full, some_images
from tests.folders import finished_run
from tests.penmanship import teach

pytestmark = pytest.mark.usefixtures("artifacts")
# Before its weights are rounded, a network differs from Keras' by no more than the order of its sums.
CLOSE = 1e-4
# A chain of layers with another activation, shortcuts, and normalisation that comes before the layers.
FAMILIES = {"lenet": "mnist", "small_resnet": "cifar10", "preactivation": "mnist"}


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("family", "dataset"), FAMILIES.items())
def test_what_each_layer_gives_is_what_keras_gives(monkeypatch, family, dataset):
    network, in_keras_ = opened(monkeypatch, family, dataset)
    inside, names = expect_what_keras_gives(network, in_keras_, dataset)
    check_receptive_fields(network, in_keras_, names, inside.preprocessed)


def test_what_each_layer_of_alexnet_gives_in_full_size_is_what_keras_gives():
    # VGG-16 and ResNet-34 were compared once; to convert them takes half a minute of the processor.
    network, in_keras_ = opened_in_full("alexnet", "cifar10", "report")
    assert size(network.config).parameters > 20e6
    expect_what_keras_gives(network, in_keras_, "cifar10")


def expect_what_keras_gives(network, in_keras_, dataset):
    """Compares all that an OpenNetwork gives of an image with the Keras network; returns its Inside, and the names of
    the Keras layers that its Stages are.
    """
    (image,) = some_images(1, dataset)
    inside = network.open(image, [stage.key for stage in network.stages])
    names = {stage.key: keras_layer(stage, network, in_keras_) for stage in network.stages}
    wanted = in_keras(in_keras_, {"preprocessing", *names.values()}, image)
    assert len(network.stages) > 7
    for key, name in names.items():
        assert inside.outputs[key].shape == wanted[name].shape, key
        scale = max(1, np.abs(wanted[name]).max())
        np.testing.assert_allclose(inside.outputs[key], wanted[name], atol=CLOSE * scale, err_msg=key)
    np.testing.assert_allclose(inside.preprocessed, wanted["preprocessing"], atol=CLOSE)
    np.testing.assert_allclose(inside.logits, wanted["logits"], atol=CLOSE * max(1, np.abs(wanted["logits"]).max()))
    np.testing.assert_allclose(inside.probabilities.sum(), 1, rtol=1e-5)
    np.testing.assert_array_equal(inside.probabilities, network.classify(image[None])[0])
    check_last_features(network, inside)
    check_first_filters(network, inside)
    return inside, names


def check_last_features(network, inside):
    weights, biases = network.last_weights()
    np.testing.assert_allclose(weights @ inside.features + biases, inside.logits, rtol=1e-3, atol=1e-3)


def check_first_filters(network, inside):
    """With its normalisation, a filter of the file gives what the first layer gives before its activation."""
    first = network.first_layer()
    row, column = first.out_side // 3, first.out_side // 2
    side = first.kernels.shape[1]
    padded = np.pad(inside.preprocessed, ((first.padding, side),) * 2 + ((0, 0),))
    patch = padded[row * first.strides :, column * first.strides :][:side, :side]
    made = (first.kernels * patch).sum(axis=(1, 2, 3)) + first.biases
    activated = {
        "relu": np.maximum(made, 0),
        "leaky_relu": np.maximum(made, 0.3 * made),
        "scaled_tanh": 1.7159 * np.tanh(made),
    }[network.config.activation]
    given = inside.outputs[network.stages[0].key][row, column]
    # DenseNet's first layer has no activation.
    np.testing.assert_allclose(made if np.allclose(given, made, atol=1e-3) else activated, given, atol=1e-3)


def check_receptive_fields(network, in_keras_, names, pixels):
    """What lies outside of a value's receptive field does not change it; the first and the last row inside do."""
    stages = [stage for stage in network.stages if stage.has_maps and stage.field.side < SIDE]
    layers_ = {stage.key: in_keras_.get_layer(names[stage.key]).output for stage in stages}
    rest, random = keras.Model(in_keras_.get_layer("preprocessing").output, layers_), np.random.default_rng(0)
    checked = 0
    for stage in stages:
        at = stage.layer.shape[0] // 2
        first, last = stage.field.seen(at)
        if first < 0 or last > SIDE:
            continue
        changed = np.stack([pixels] * 4)
        changed[1] = random.normal(size=pixels.shape)
        changed[1, first:last, first:last] = pixels[first:last, first:last]
        changed[2, first, first:last] += 1
        changed[3, last - 1, first:last] += 1
        given = keras.ops.convert_to_numpy(rest(changed, training=False)[stage.key])[:, at, at]
        np.testing.assert_allclose(given[1], given[0], atol=1e-5, err_msg=stage.key)
        assert np.abs(given[2:] - given[0]).max(axis=1).min() > 1e-5, stage.key
        checked += 1
    assert checked > 2


def test_a_value_of_lenets_maps_sees_as_many_pixels_as_its_paper_says():
    found = layers(make_config("lenet5", "mnist", "paper"))
    seen = dict(zip([layer.name for layer in found], fields(found, 32), strict=True))
    assert {name: (field.start, field.side, field.step) for name, field in seen.items() if field} == {
        "c1": (0, 5, 1),
        "s2": (0, 6, 2),
        "c3": (0, 14, 2),
        "s4": (0, 16, 4),
        "c5": (0, 32, 4),
    }
    assert seen["f6"] is None
    assert seen["c3"].seen(9) == (18, 32)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_receptive_field_is_as_large_as_the_networks_page_says(name):
    config = make_config(name, "cifar10", "paper")
    for layer, field in zip(found := layers(config), fields(found, config.image_size), strict=True):
        if field is None:
            assert layer.receptive_field is None
        else:
            assert field.step == layer.step
            # Ways that meet may see pixels that lie a little apart.
            assert layer.receptive_field <= field.side <= 1.1 * layer.receptive_field + 2


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_a_resized_image_is_what_the_networks_own_matrices_make_of_it(dataset):
    (image,) = some_images(1, dataset)
    matrix = resizing_matrix(image.shape[0], 48)
    wanted = np.einsum("Hh,hwc,Ww->HWc", matrix, image.astype(float), matrix)
    np.testing.assert_allclose(resized(image, 48), wanted, atol=1e-3)


def test_the_strongest_maps_come_first():
    maps = np.zeros((2, 2, 3))
    maps[..., 1], maps[0, 0, 2] = -2, 3
    assert strongest(maps).tolist() == [1, 2, 0]


def test_a_network_that_is_not_what_its_settings_say_opens_with_what_there_is():
    network = OpenNetwork(teach(finished_run()))
    inside = network.open(some_images(1)[0], [stage.key for stage in network.stages])
    assert [stage.key for stage in network.stages] == ["logits"]
    assert (inside.preprocessed, network.first_layer(), network.main_stages()) == (None, None, [])
    np.testing.assert_array_equal(inside.outputs["logits"], inside.logits)


def test_an_image_of_another_shape_is_refused_in_one_sentence():
    with pytest.raises(RunError, match=r"takes images of 28×28×1, not 32×32×3\.$"):
        OpenNetwork(teach(finished_run())).open(some_images(1, "cifar10")[0], [])
