"""A picture of one's own becomes an image as a dataset's are, and an address gives back every pixel of it."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from core.datasets.catalogue import DATASETS
from core.datasets.test_images import load_test_images
from core.digits.strokes import DrawingError
from core.explain.pictures import LONGEST_ADDRESS, fitted, in_address, picture_in_address


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("dataset", DATASETS)
def test_an_address_gives_back_every_pixel(dataset):
    for image in load_test_images(dataset)[:20]:
        np.testing.assert_array_equal(picture_in_address(in_address(image), image.shape), image)
    noise = np.random.default_rng(0).integers(0, 256, image.shape, dtype=np.uint8)
    assert len(in_address(noise)) < LONGEST_ADDRESS


@pytest.mark.parametrize(
    "text", ["", "x", "<b>", "A" * (LONGEST_ADDRESS + 1), base64.urlsafe_b64encode(b"RIFF").decode()]
)
def test_what_is_no_picture_is_one_sentence(text):
    with pytest.raises(DrawingError, match=r"cannot be read, so it is ignored: choose the picture again\.$"):
        picture_in_address(text, (28, 28, 1))


def test_a_picture_of_another_size_is_one_sentence():
    text = in_address(np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(DrawingError, match=r"was made for another dataset, whose images are not 28×28 pixels"):
        picture_in_address(text, (28, 28, 1))


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_picture_gets_the_shape_of_the_datasets_images(dataset):
    picture = np.full((60, 90, 3), 255, np.uint8)
    picture[20:40, 40:50] = 30
    image = fitted(png(picture), dataset)
    assert (image.shape, image.dtype) == (DATASETS[dataset]["image_shape"], np.uint8)


def test_the_middle_square_of_a_photograph_is_kept_in_its_colours():
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 20:60] = (200, 100, 50)
    assert (fitted(png(picture), "cifar10") == (200, 100, 50)).all()


@pytest.mark.parametrize("paper", [0, 255])
def test_clothes_become_light_on_dark(paper):
    picture = np.full((56, 56), paper, np.uint8)
    picture[16:40, 16:40] = 255 - paper
    image = fitted(png(picture), "fashion_mnist")[..., 0]
    assert image[0, 0] == 0
    assert image[14, 14] == 255


def test_what_is_transparent_is_white_in_a_photograph():
    picture = np.zeros((40, 40, 4), np.uint8)
    assert (fitted(png(picture), "cifar10") == 255).all()
