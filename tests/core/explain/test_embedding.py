"""The map of the test images, and where an image lies on it that was not there when it was made."""

import numpy as np
import pytest

from core.explain.embedding import NoMapError, fit, inside, place, positions, strangers

KINDS, EACH, FEATURES = 4, 50, 30


def features_of(kinds, seed=0):
    """Images of some kinds, each kind alike."""
    centres = np.random.default_rng(9).normal(0, 6, (KINDS, FEATURES))
    return (centres[kinds] + np.random.default_rng(seed).normal(0, 1, (len(kinds), FEATURES))).astype(np.float32)


@pytest.fixture(scope="module")
def kinds():
    return np.repeat(np.arange(KINDS), EACH)


@pytest.fixture(scope="module")
def arrays(kinds):
    return fit(features_of(kinds))


def middles(arrays, kinds):
    return np.array([positions(arrays)[kinds == kind].mean(0) for kind in range(KINDS)])


def nearest(places, middles):
    return np.hypot(*(places[:, None] - middles).T).argmin(0)


def test_images_that_are_alike_are_neighbours_on_the_map(arrays, kinds):
    places = positions(arrays)
    assert (nearest(places, middles(arrays, kinds)) == kinds).all()
    # The map is as large as its longer side.
    assert np.ptp(places, axis=0).max() == pytest.approx(1, abs=1e-4)
    assert strangers(places, kinds).max() < 0.3


def test_an_image_that_the_map_has_not_seen_lies_among_those_that_are_like_it(arrays, kinds):
    found = place(arrays, features_of(kinds, seed=1))
    assert ((found >= 0) & (found <= 1)).all()
    assert (nearest(found, middles(arrays, kinds)) == kinds).all()
    # One that the map has lies where it was.
    assert place(arrays, features_of(kinds)) == pytest.approx(positions(arrays), abs=0.01)


def test_the_map_is_as_good_whatever_the_features_are_measured_in(kinds):
    for scale in (1e-6, 1e6):
        arrays = fit(features_of(kinds[::5]) * np.float32(scale))
        found = place(arrays, features_of(kinds[::5], seed=1) * np.float32(scale))
        assert (nearest(found, middles(arrays, kinds[::5])) == kinds[::5]).all()


@pytest.mark.parametrize("count", [10, 20])
@pytest.mark.parametrize("width", [1, 5000])
def test_a_handful_of_images_makes_a_map_however_many_features_they_have(count, width):
    features = np.random.default_rng(0).normal(size=(count, width))
    arrays = fit(features)
    assert arrays["points"].shape == (count, 2)
    assert sum(array.nbytes for array in arrays.values()) < 80_000
    away = place(arrays, features) - positions(arrays)
    assert np.median(np.hypot(*away.T)) < 0.05


@pytest.mark.parametrize(
    ("features", "why"),
    [
        (np.random.default_rng(0).normal(size=(9, 5)), "it takes 10 of them, not 9"),
        (np.ones((50, 5)), "they are all alike to the network"),
        (np.full((50, 5), np.inf), "what the network makes of them is not a number"),
    ],
)
def test_images_without_a_map_are_told_in_a_sentence(features, why):
    with pytest.raises(NoMapError, match=why):
        fit(features)


def test_a_map_does_not_place_the_features_of_another_network(arrays):
    with pytest.raises(ValueError, match="mismatch"):
        place(arrays, np.zeros((1, FEATURES + 1)))


def test_an_image_among_those_of_another_class_is_a_stranger():
    places = np.concatenate([np.full((20, 2), 0.1), np.full((20, 2), 0.9), [[0.1, 0.1], [0.5, 0.02]]])
    labels = np.repeat([0, 1, 1], [20, 20, 2])
    found = strangers(places, labels)
    assert found[20:40] == pytest.approx(0)
    assert found[:20] == pytest.approx(1 / 20)
    assert found[40] == 1
    # Around it there is nobody at all.
    assert found[41] == 0.5


def test_what_lies_inside_an_area_is_told_also_where_it_is_not_convex():
    corners = np.array([[0, 0], [1, 0], [1, 1], [0.5, 0.2], [0, 1]])
    places = [[0.1, 0.5], [0.9, 0.5], [0.5, 0.5], [0.5, 0.1], [1.1, 0.5], [-0.1, 0.0]]
    assert inside(places, corners).tolist() == [True, True, False, True, False, False]
