"""Few test digits are called unlike the others, and much of what is no upright digit is."""

from pathlib import Path

import numpy as np
import pytest

from core.datasets.test_images import load_test_images
from core.explain import familiarity
from core.explain.features import OpenNetwork
from core.runs.run import Run

INCLUDED = Path(__file__).parents[3] / "artifacts"


@pytest.fixture(scope="module")
def lenet():
    """What tells its last features, and the arrays of its map."""
    (folder,) = INCLUDED.glob("lenet5-mnist-*")
    return OpenNetwork(Run(folder)), Run(folder).read_map()


def share(lenet, images):
    """The share of images that are called unlike the others."""
    network, arrays = lenet
    limit = familiarity.threshold(arrays)
    return np.mean([familiarity.distance(arrays, each) > limit for each in network.last_features(images)])


def test_fewer_test_digits_than_stated_are_flagged(lenet):
    images = load_test_images("mnist")
    # Landmarks are at no distance from themselves.
    others = np.setdiff1d(np.arange(len(images)), lenet[1]["landmark_images"])
    assert 0 < share(lenet, images[others]) <= familiarity.MOST_FLAGGED


def test_digits_that_lie_on_their_side_are_flagged_much_more_often(lenet):
    images = np.rot90(load_test_images("mnist")[:300], axes=(1, 2))
    assert share(lenet, np.ascontiguousarray(images)) > 10 * familiarity.MOST_FLAGGED


def test_the_threshold_is_a_quantile_of_how_far_each_is_from_its_nearest_other(lenet):
    there = lenet[1]["landmarks"] * lenet[1]["landmark_scales"]
    some = there[:400].astype(float)
    alone = lenet[1] | {"landmarks": lenet[1]["landmarks"][:400]}
    between = np.sqrt(((some[:, None] - some) ** 2).sum(-1)) + np.diag(np.full(400, np.inf))
    assert familiarity.threshold(alone) == pytest.approx(np.quantile(between.min(1), 0.995), rel=1e-2)


def test_a_map_of_few_images_or_of_other_features_says_nothing(lenet):
    arrays = lenet[1]
    assert familiarity.threshold(arrays | {"landmarks": arrays["landmarks"][:100]}) == np.inf
    assert familiarity.distance(arrays, np.zeros(3, np.float32)) is None
