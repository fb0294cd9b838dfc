"""Changes do to an image what they say, a link keeps them, and the smallest that flips a network is the smallest."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from core.datasets.test_images import load_test_images
from core.digits.strokes import DrawingError
from core.explain import perturbations
from core.explain.features import OpenNetwork
from core.explain.perturbations import (
    CHANGES,
    KINDS,
    MIRROR,
    MOST_PAIRS,
    PAIRS,
    SQUARE,
    Flip,
    changed,
    curve,
    smallest_flips,
)
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


@pytest.fixture(scope="module")
def flips(lenet):
    """The smallest changes of one image, and what was told of the progress."""
    said = []
    return smallest_flips(lenet, load_test_images("mnist")[1], said.append), said


@pytest.fixture
def flipped_image():
    return load_test_images("mnist")[1]


def guess_of(lenet, image, *change):
    return int(lenet.classify(changed(image, *change)[None])[0].argmax())


def test_each_smallest_change_flips_the_network_to_the_class_that_it_names(lenet, flipped_image, flips):
    found, said = flips
    assert list(found) == list(KINDS)
    assert (said == sorted(said), said[-1]) == (True, 1)
    guess = guess_of(lenet, flipped_image, {})
    there = [flip for flip in found.values() if flip]
    assert len(there) >= 6
    for flip in there:
        assert guess_of(lenet, flipped_image, flip.amounts, flip.mirrored, flip.erased) == flip.number != guess
    assert found[MIRROR].mirrored
    # Of this image, pairs are nearer than either change alone.
    assert all(found[pair] for pair in PAIRS)


def test_no_smaller_amount_of_a_curve_flips_the_network_nor_any_whole_number_in_the_step_before(
    lenet, flipped_image, flips
):
    guess, refined = guess_of(lenet, flipped_image, {}), 0
    for name, change in CHANGES.items():
        flip = flips[0][name]
        far = abs(flip.amounts[name] - change.neutral) if flip else np.inf
        refined += far % change.step > 0
        for amount in range(change.low, change.high + 1):
            away = abs(amount - change.neutral)
            if away < far and (away % change.step == 0 or away > far // change.step * change.step):
                assert guess_of(lenet, flipped_image, {name: amount}) == guess, (name, amount)
    # Smaller than what the curves' amounts alone would find.
    assert refined >= 2


def test_no_smaller_square_at_the_positions_that_are_tried_flips_the_network(lenet, flipped_image, flips):
    guess, flip = guess_of(lenet, flipped_image, {}), flips[0][SQUARE]
    rows, columns = np.flatnonzero(flip.erased.any(axis=1)), np.flatnonzero(flip.erased.any(axis=0))
    size = len(rows)
    assert flip.erased.sum() == size**2 == len(columns) ** 2
    assert f"{size}×{size} pixels from row {rows[0] + 1}, column {columns[0] + 1} on" == flip.words
    for smaller in range(1, size):
        for top, left in itertools.product(np.linspace(0, 28 - smaller, 7).round().astype(int), repeat=2):
            erased = np.zeros((28, 28), bool)
            erased[top : top + smaller, left : left + smaller] = True
            assert guess_of(lenet, flipped_image, {}, False, erased) == guess


def test_a_pair_is_nearer_than_either_change_alone_and_the_nearest_of_all(lenet, flipped_image, flips):
    guess = guess_of(lenet, flipped_image, {})

    def steps(amounts):
        return np.hypot(*((at - CHANGES[name].neutral) / CHANGES[name].step for name, at in amounts.items()))

    for pair in PAIRS:
        alone = [float(steps(flips[0][name].amounts | {"noise": 0})) for name in pair if flips[0][name]]
        least = min(alone, default=np.inf)
        flip = flips[0][pair]
        assert flip is None or steps(flip.amounts) < least
        nearest = steps(flip.amounts) if flip else least
        tried = [
            dict(zip(pair, each, strict=True)) for each in itertools.product(*(CHANGES[name].amounts for name in pair))
        ]
        tried = sorted((each for each in tried if steps(each) < nearest), key=steps)
        assert len(tried) < 300
        assert all(guess_of(lenet, flipped_image, each) == guess for each in tried[:MOST_PAIRS])


def test_a_network_that_nothing_changes_has_no_smallest_change(image):
    class Sure:
        def classify(self, images):
            return np.tile(np.float32([0.1, 0.9]), (len(images), 1))

    assert set(smallest_flips(Sure(), image).values()) == {None}


def test_changes_are_said_in_words():
    said = Flip(3, {"right": -2, "down": -3}).words, Flip(3, {"rotate": 7, "scale": 95}).words
    assert said == ("moved left by 2, moved up by 3", "rotated right by 7°, scaled to 95 %")
    assert Flip(3, {}, mirrored=True).words == "mirrored"
