"""The augmentation that a page shows is that of the layers which a network is trained with."""

import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.explain.augmented import AUGMENTATIONS, augmented, augments, flipped, translated
from core.networks.augmentation import augmentation

IMAGE = np.random.default_rng(0).uniform(0, 255, (16, 16, 3)).astype("float32")


def layer(name):
    return {layer.name: layer for layer in augmentation(make_config("resnet34", "cifar10", "report"))}[name]


def test_every_layer_of_the_training_has_its_counterpart_in_the_same_order():
    config = make_config("resnet34", "cifar10", "report")
    assert [layer.name for layer in augmentation(config)] == list(AUGMENTATIONS)
    assert augments(config)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1.6, -1.6), (-0.4, 0.7), (-1.25, 1.0), (0.05, -0.999)])
def test_a_translation_is_that_of_keras_for_the_same_draw(down, right):
    move = {"translations": np.array([[right, down]], "float32"), "input_shape": (1, *IMAGE.shape)}
    wanted = layer("translate").transform_images(IMAGE[None], move, training=True)
    np.testing.assert_allclose(translated(IMAGE, down, right), keras.ops.convert_to_numpy(wanted)[0], atol=1e-2)


def test_a_flip_is_that_of_keras_for_the_same_draw():
    draw = {"flips": np.ones((1, 1, 1, 1), bool), "input_shape": (1, *IMAGE.shape)}
    wanted = layer("flip").transform_images(IMAGE[None], draw, training=True)
    np.testing.assert_array_equal(flipped(IMAGE), keras.ops.convert_to_numpy(wanted)[0])


def test_an_image_is_moved_as_far_as_the_setting_allows_and_mirrored_half_of_the_time():
    config, random = make_config("resnet34", "cifar10", "report", translate=0.25), np.random.default_rng(0)
    # Each pixel says where it is.
    place = np.stack(np.meshgrid(np.arange(32.0), np.arange(32.0), indexing="ij"), axis=-1)
    middles, mirrored = [], 0
    for _ in range(200):
        image, said = augmented(place, config, random)
        mirrored += "mirrored" in said
        middles.append(image[16, 15 if "mirrored" in said else 16] - 16)
    furthest = np.abs(middles).max(axis=0)
    assert ((furthest > 7.5) & (furthest <= 8)).all()
    assert 70 < mirrored < 130


def test_without_augmentation_an_image_stays_as_it_is():
    config = make_config("resnet34", "mnist", "report", translate=0.0, flip=False)
    image, said = augmented(IMAGE, config, np.random.default_rng(0))
    np.testing.assert_array_equal(image, IMAGE)
    assert said == "as it is"
    assert not augments(config)
