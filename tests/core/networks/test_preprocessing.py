"""What happens to an image inside the network before its first convolution."""

import keras
import numpy as np
import pytest
from PIL import Image

from core.config.recipes import make_config
from core.networks.build import build_model
from core.networks.older_layers import ResizeAndCentre
from core.networks.preprocessing import pixel_statistics, preprocessing, resizing_matrix
from tests.shallow import shallow

OFF = {"translate": 0.0, "flip": False, "standardize": False}
RANDOM = np.random.default_rng(0)


def block(image_shape, image_size, mean_image=None, deviation=1.0, **options):
    config = make_config("alexnet", "mnist", "report", **OFF | options, image_size=image_size)
    return preprocessing(config, image_shape, mean_image, deviation)


def resized_by_pillow(image, side):
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(image, -1, 0)]
    return np.stack([plane.resize((side, side), Image.Resampling.BICUBIC) for plane in planes], axis=-1)


def expect_close(found, wanted, tolerance):
    """pytest's own comparison takes seconds for so many numbers."""
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("shape", "side"), [((28, 28, 1), 64), ((32, 32, 3), 64), ((32, 32, 3), 32), ((28, 40, 2), 17), ((50, 21, 1), 224)]
)
def test_resizing_is_pillows_bicubic(shape, side):
    images = RANDOM.integers(0, 256, (3, *shape), dtype=np.uint8)
    expected = np.stack([resized_by_pillow(image, side) for image in images])
    expect_close(block(shape, side)(images), expected, 3e-4)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(("shape", "side"), [((28, 28, 1), 64), ((32, 32, 3), 80), ((20, 30, 2), 33)])
def test_stock_layers_do_what_the_projects_own_layer_did(shape, side, precision):
    mean, deviation = RANDOM.uniform(0, 255, (side, side, shape[2])).astype("float32"), 0.7
    images = RANDOM.integers(0, 256, (5, *shape), dtype=np.uint8)
    older = ResizeAndCentre(side, deviation)
    older.build((None, *shape))
    older.set_weights([resizing_matrix(shape[0], side), resizing_matrix(shape[1], side), mean])
    config = make_config(
        "lenet5", "mnist", "report", **OFF | {"standardize": True}, image_size=side, precision=precision
    )
    model = build_model(config, shape, mean_image=mean, deviation=deviation)
    now = keras.Model(model.input, model.get_layer("preprocessing").output)(images)
    assert keras.backend.standardize_dtype(now.dtype) == "float32"
    expect_close(np.asarray(now) * deviation, np.asarray(older(images)) * deviation, 1e-4)
    weights = model.get_weights()
    assert [weight.shape for weight in weights[:3]] == [(side, shape[0]), (side, shape[1]), (side, side, shape[2])]
    assert model.get_layer("preprocessing").trainable_weights == []


def test_copying_the_weights_copies_the_preprocessing(monkeypatch):
    options = {"translate": 0.0, "flip": False, "image_size": 16}
    config = make_config(shallow(monkeypatch, "alexnet"), "mnist", "modern", **options)
    mean = RANDOM.uniform(0, 255, (16, 16, 1)).astype("float32")
    images = RANDOM.integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    model = build_model(config, (28, 28, 1), mean_image=mean, deviation=60.0)
    for copy in (keras.models.clone_model(model), build_model(config, (28, 28, 1))):
        copy.set_weights(model.get_weights())
        assert np.array_equal(copy(images, training=False), model(images, training=False))


def test_the_mean_of_the_resized_training_images_is_subtracted():
    images = RANDOM.integers(0, 256, (50, 28, 28, 3), dtype=np.uint8)
    mean, _ = pixel_statistics(images, 40, chunk=7)
    assert mean.dtype == np.float32
    expect_close(mean, np.mean([resized_by_pillow(image, 40) for image in images], axis=0), 1e-3)
    centred = np.asarray(block((28, 28, 3), 40, mean)(images))
    expect_close(centred.mean(axis=0), np.zeros((40, 40, 3)), 1e-3)
    assert centred.std() > 20


def test_dividing_by_the_deviation_leaves_a_deviation_of_one():
    images = RANDOM.integers(0, 256, (50, 28, 28, 1), dtype=np.uint8)
    statistics = pixel_statistics(images, 28, chunk=7)
    divided = np.asarray(block((28, 28, 1), 28, *statistics, standardize=True)(images))
    assert divided.std() == pytest.approx(1, abs=1e-4)


def test_a_mean_image_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"The mean image is \(28, 28, 1\); this network needs \(32, 32, 1\)"):
        block((28, 28, 1), 32, np.zeros((28, 28, 1), np.float32))


def test_images_are_augmented_only_while_training():
    images = RANDOM.integers(0, 256, (4, 28, 28, 1), dtype=np.uint8)
    plain, augmenting = block((28, 28, 1), 32), block((28, 28, 1), 32, translate=0.1, flip=True)
    expected = np.asarray(plain(images, training=False))
    assert np.array_equal(augmenting(images, training=False), expected)
    assert np.array_equal(augmenting.predict(images, verbose=0), expected)
    assert np.array_equal(plain(images, training=True), expected)
    assert not np.array_equal(augmenting(images, training=True), expected)


@pytest.mark.parametrize("shift", [0.1, 0.4])
def test_shifts_are_bounded_and_filled_with_the_nearest_pixel(shift):
    side, count = 40, 60
    rows, columns = np.indices((side, side))
    ramps = np.broadcast_to(np.stack([rows, columns], axis=-1).astype(np.uint8), (count, side, side, 2))
    shifted = np.asarray(block((side, side, 2), side, translate=shift)(ramps, training=True))
    # Each pixel of a ramp is its own place, so that the middle one tells how far the image was moved.
    moves = shifted[:, side // 2, side // 2] - side // 2
    expected = np.clip(np.stack([rows, columns], axis=-1) + moves[:, None, None, :], 0, side - 1)
    expect_close(shifted, expected, 1e-3)
    furthest = np.abs(moves).max(axis=0)
    assert (furthest <= shift * side + 1e-3).all()
    assert (furthest > 0.9 * shift * side).all()


def test_half_of_the_images_are_mirrored():
    images = RANDOM.integers(0, 256, (200, 16, 16, 1), dtype=np.uint8)
    flipped = np.asarray(block((16, 16, 1), 16, flip=True)(images, training=True))
    plain = np.isclose(flipped, images).all(axis=(1, 2, 3))
    mirrored = np.isclose(flipped, images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (plain ^ mirrored).all()
    assert 60 < mirrored.sum() < 140


def test_a_square_that_is_erased_shows_the_mean_image_and_lies_anywhere_inside():
    images = RANDOM.integers(0, 256, (300, 20, 20, 1), dtype=np.uint8)
    mean = np.full((20, 20, 1), 0.5, np.float32)
    erased = np.asarray(block((20, 20, 1), 20, mean, erase=0.25)(images, training=True)) == 0
    # No pixel is 0 by itself.
    heights, widths = (erased.any(axis=axis).sum(axis=(1, 2)) for axis in (2, 1))
    assert (heights == 5).all()
    assert (widths == 5).all()
    assert (erased.sum(axis=(1, 2, 3)) == 25).all()
    # But the first row and column, which only a square at exactly 0 would reach.
    assert erased.any(axis=(0, 2))[1:].all()
    assert erased.any(axis=(0, 1))[1:].all()


def test_turns_and_scalings_are_bounded_and_differ_from_image_to_image():
    line = np.zeros((100, 41, 41, 1), np.uint8)
    line[:, 20] = 250
    turned = np.asarray(block((41, 41, 1), 41, rotate=20.0)(line, training=True))[..., 0]
    # Where the line meets the right edge tells the angle.
    ends = turned[:, :, -1].argmax(axis=1) - 20
    assert len(set(ends.tolist())) > 5
    assert (np.abs(ends) <= np.ceil(20 * np.tan(np.radians(20)))).all()
    dots = np.zeros((100, 41, 41, 1), np.uint8)
    dots[:, 20, 30] = 250
    scaled = np.asarray(block((41, 41, 1), 41, scale=0.3)(dots, training=True))[:, 20, :, 0]
    distances = scaled.argmax(axis=1) - 20
    assert 7 <= distances.min() < 9
    assert 12 < distances.max() <= 15
