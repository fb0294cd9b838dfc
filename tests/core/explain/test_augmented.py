"""The augmentation that a page shows is that of the layers which a network is trained with."""

import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.explain.augmented import (
    AUGMENTATIONS,
    RAW_AUGMENTATIONS,
    augmented,
    augments,
    erased,
    flipped,
    rotated,
    scaled,
    translated,
)
from core.networks.augmentation import augmentation

IMAGE = np.random.default_rng(0).uniform(0, 255, (16, 16, 3)).astype("float32")
ALL = {"rotate": 20.0, "scale": 0.2, "translate": 0.1, "flip": True, "erase": 0.3}
OFF = dict.fromkeys(ALL, 0.0) | {"flip": False}


def layer(name):
    return {layer.name: layer for layer in augmentation(make_config("resnet34", "cifar10", "report", **ALL))}[name]


def keras_does(name, drawn):
    """What the layer makes of the image where this is what it draws."""
    changed = layer(name).transform_images(IMAGE[None], drawn, training=True)
    return keras.ops.convert_to_numpy(changed)[0]


def test_every_layer_of_the_training_has_its_counterpart_in_the_same_order():
    config = make_config("resnet34", "cifar10", "report", **ALL)
    assert [layer.name for layer in augmentation(config)] == list(AUGMENTATIONS)
    assert augments(config)
    alternating = make_config("resnet34", "cifar10", "report", **ALL, alternating_flip=True)
    assert [layer.name for layer in augmentation(alternating)] == [name for name in AUGMENTATIONS if name != "flip"]


@pytest.mark.parametrize("changes", [*({name: value} for name, value in ALL.items()), {"crop_padding": 2}])
def test_one_setting_alone_is_augmentation(changes):
    assert augments(make_config("resnet34", "cifar10", "report", **OFF | changes))
    assert not augments(make_config("resnet34", "cifar10", "report", **OFF, alternating_flip=True))


@pytest.mark.parametrize("name", ["rotate", "scale"])
def test_turns_and_scalings_are_those_of_keras_for_the_same_draw(name):
    images = np.repeat(IMAGE[None], 4, axis=0)
    drawn = layer(name).get_random_transformation(images, training=True)
    wanted = keras.ops.convert_to_numpy(layer(name).transform_images(images, drawn, training=True))
    done = {"rotate": (rotated, "angle"), "scale": (scaled, "height_zoom")}[name]
    draws = keras.ops.convert_to_numpy(drawn[done[1]]).ravel()
    assert len(set(draws.tolist())) == 4
    for draw, image in zip(draws, wanted, strict=True):
        np.testing.assert_allclose(done[0](IMAGE, float(draw)), image, atol=2e-2)


def test_an_erased_square_is_that_of_keras_for_the_same_draw():
    drawn = layer("erase").get_random_transformation(IMAGE[None], training=True)
    assert keras.ops.convert_to_numpy(drawn["apply_erasing"]).all()
    mask = keras.ops.convert_to_numpy(drawn["batch_masks"])[0, ..., 0]
    side = 0.3 * 16
    assert mask.any(axis=0).sum() in (4, 5)
    # Where the square begins, to a pixel: any beginning that covers the same pixels will do.
    top, left = (max(first.argmax() - 0.5, 0) for first in (mask.any(axis=1), mask.any(axis=0)))
    top, left = (
        next(begin for begin in np.arange(at - 0.5, at + 1.01, 0.05) if _covered(begin, side) == _pixels(line))
        for at, line in ((top, mask.any(axis=1)), (left, mask.any(axis=0)))
    )
    np.testing.assert_array_equal(erased(IMAGE, top, left, 0.3), keras_does("erase", drawn))


def _covered(begin, side):
    return [at for at in range(16) if begin <= at < begin + side]


def _pixels(line):
    return np.flatnonzero(line).tolist()


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1.6, -1.6), (-0.4, 0.7), (-1.25, 1.0), (0.05, -0.999)])
def test_a_translation_is_that_of_keras_for_the_same_draw(down, right):
    move = {"translations": np.array([[right, down]], "float32"), "input_shape": (1, *IMAGE.shape)}
    np.testing.assert_allclose(translated(IMAGE, down, right), keras_does("translate", move), atol=1e-2)


def test_a_flip_is_that_of_keras_for_the_same_draw():
    draw = {"flips": np.ones((1, 1, 1, 1), bool), "input_shape": (1, *IMAGE.shape)}
    np.testing.assert_array_equal(flipped(IMAGE), keras_does("flip", draw))


def test_to_the_left_is_to_the_left_and_smaller_is_smaller():
    image = np.zeros((17, 17, 1), np.float32)
    image[8, 14] = 1
    # From three o'clock to noon.
    assert rotated(image, 90)[2, 8, 0] == pytest.approx(1, abs=1e-4)
    assert scaled(image, 2)[8, 11, 0] == pytest.approx(1)


def test_an_image_is_moved_as_far_as_the_setting_allows_and_mirrored_half_of_the_time():
    config, random = make_config("resnet34", "cifar10", "report", translate=0.25), np.random.default_rng(0)
    # Each pixel says where it is.
    place = np.stack(np.meshgrid(np.arange(32.0), np.arange(32.0), indexing="ij"), axis=-1)
    middles, mirrored = [], 0
    for _ in range(200):
        image, said = augmented(place, np.asarray, config, random)
        mirrored += "mirrored" in said
        middles.append(image[16, 15 if "mirrored" in said else 16] - 16)
    furthest = np.abs(middles).max(axis=0)
    assert ((furthest > 7.5) & (furthest <= 8)).all()
    assert 70 < mirrored < 130


def test_without_augmentation_an_image_stays_as_it_is():
    config = make_config("resnet34", "mnist", "report", translate=0.0, flip=False)
    image, said = augmented(IMAGE, np.asarray, config, np.random.default_rng(0))
    np.testing.assert_array_equal(image, IMAGE)
    assert said == "as it is"
    assert not augments(config)


def test_crops_and_alternating_flips_are_made_of_the_stored_image_before_it_is_preprocessed():
    config = make_config("resnet34", "cifar10", "report", **OFF | {"flip": True}, alternating_flip=True, crop_padding=2)
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    bordered = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    parts = [bordered[y : y + 8, x : x + 8] for y in range(5) for x in range(5)]
    known = [part.tobytes() for part in (*parts, *(part[:, ::-1] for part in parts))]
    random, seen = np.random.default_rng(0), {}
    for _ in range(100):
        stored = []
        pixels, said = augmented(
            image, lambda stored_one, s=stored: s.append(stored_one) or stored_one / 2, config, random
        )
        (raw,) = stored
        np.testing.assert_array_equal(pixels, raw / 2)
        assert raw.tobytes() in known
        seen[raw.tobytes()] = said
    assert len(seen) > 30
    assert seen.get(image.tobytes(), "as it is") == "as it is"
    assert set(RAW_AUGMENTATIONS) == {"alternating_flip", "crop_padding"}
    assert any(said.startswith("mirrored, cropped, 2 pixels down") for said in seen.values())
