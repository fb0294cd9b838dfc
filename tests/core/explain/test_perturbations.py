"""Changes do to an image what they say, a link keeps them, and the smallest that flips a network is the smallest."""

from pathlib import Path

import numpy as np
import pytest

from core.datasets.test_images import load_test_images
from core.digits.strokes import DrawingError
from core.explain import perturbations
from core.explain.features import OpenNetwork
from core.explain.perturbations import CHANGES, changed, curve, smallest_flips
from core.runs.run import Run

INCLUDED = Path(__file__).parents[3] / "artifacts"


@pytest.fixture(scope="module")
def lenet():
    (folder,) = INCLUDED.glob("lenet5-mnist-*")
    return OpenNetwork(Run(folder))


@pytest.fixture
def image():
    return load_test_images("mnist")[7]


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_neutral_amounts_change_nothing(dataset):
    image = load_test_images(dataset)[7]
    np.testing.assert_array_equal(changed(image, {}), image)
    for name, change in CHANGES.items():
        assert change.neutral in change.amounts, name
        np.testing.assert_array_equal(changed(image, {name: change.neutral}), image)
        assert (changed(image, {name: change.high}) != image).any(), name


def test_whole_pixels_and_quarter_turns_keep_every_pixel(image):
    inside = np.zeros_like(image)
    inside[8:20, 8:20] = image[8:20, 8:20]
    np.testing.assert_array_equal(changed(inside, {"right": 3, "down": -2}), np.roll(inside, (-2, 3), axis=(0, 1)))
    np.testing.assert_array_equal(changed(inside, {"rotate": 90}), np.rot90(inside, -1))
    np.testing.assert_array_equal(changed(inside, {"rotate": 180}), inside[::-1, ::-1])
    np.testing.assert_array_equal(changed(inside, {}, mirrored=True), inside[:, ::-1])


def test_twice_the_scale_is_four_times_the_ink():
    image = np.zeros((28, 28, 1), np.uint8)
    image[11:17, 11:17] = 200
    assert changed(image, {"scale": 200}).sum() == pytest.approx(4 * image.sum(), rel=0.05)
    assert changed(image, {"scale": 50}).sum() == pytest.approx(image.sum() / 4, rel=0.05)


def test_levels_are_lifted_stretched_and_made_noisy_by_the_same_noise(image):
    lifted = changed(image, {"brightness": 50}).astype(int)
    assert (lifted == np.minimum(image.astype(int) + 50, 255)).all()
    assert (changed(image, {"contrast": 0}) == 128).all()
    noisy = changed(np.full((28, 28, 1), 128, np.uint8), {"noise": 30})
    assert noisy.std() == pytest.approx(30, rel=0.1)
    np.testing.assert_array_equal(noisy, changed(np.full((28, 28, 1), 128, np.uint8), {"noise": 30}))


def test_what_is_erased_has_the_colour_of_the_edge_and_is_in_the_link():
    image = load_test_images("cifar10")[3].copy()
    image[[0, -1]], image[:, [0, -1]] = (10, 20, 30), (10, 20, 30)
    erased = np.zeros((32, 32), bool)
    erased[5:9, 5:9] = True
    after = changed(image, {"brightness": 100}, erased=erased)
    assert (after[5:9, 5:9] == (10, 20, 30)).all()
    text = perturbations.in_address(erased)
    np.testing.assert_array_equal(perturbations.erased_in_address(text, (32, 32)), erased)


@pytest.mark.parametrize("text", ["", "AAAA", "<b>", "é", "A" * 5000])
def test_a_mask_that_is_none_is_one_sentence(text):
    with pytest.raises(DrawingError, match=r"cannot be read, so it is ignored: erase it again\.$"):
        perturbations.erased_in_address(text, (28, 28))


def test_a_curve_is_what_the_network_makes_of_each_changed_image(lenet, image):
    found = curve(lenet, image, {"blur": 4}, "rotate", mirrored=True)
    amounts = CHANGES["rotate"].amounts
    assert found.shape == (len(amounts), 10)
    for at in (0, 20, len(amounts) - 1):
        wanted = lenet.classify(changed(image, {"blur": 4, "rotate": amounts[at]}, mirrored=True)[None])[0]
        np.testing.assert_allclose(found[at], wanted, atol=1e-5)


def test_the_smallest_change_flips_the_network_and_no_smaller_one_does(lenet, image):
    said = []
    found = smallest_flips(lenet, image, said.append)
    assert said[-1] == 1
    assert set(found) == set(CHANGES)
    guess = lenet.classify(image[None])[0].argmax()
    for name, flip in found.items():
        change = CHANGES[name]
        most = abs(flip[0] - change.neutral) if flip else np.inf
        if flip:
            assert lenet.classify(changed(image, {name: flip[0]})[None])[0].argmax() == flip[1] != guess
        for amount in change.amounts:
            if abs(amount - change.neutral) < most:
                assert lenet.classify(changed(image, {name: amount})[None])[0].argmax() == guess
    assert sum(flip is not None for flip in found.values()) >= 4
