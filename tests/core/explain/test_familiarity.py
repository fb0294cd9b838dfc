"""Few test images are called unlike the others, by a threshold from validation images; much of what is no upright digit
is.
"""

from pathlib import Path

import numpy as np
import pytest

from core.datasets.catalogue import DATASETS
from core.datasets.test_images import load_test_images
from core.explain import familiarity
from core.explain.embedding import neighbours
from core.explain.features import OpenNetwork
from core.runs.run import Run

INCLUDED = Path(__file__).parents[3] / "artifacts"
READERS = [Run(path.parent) for path in sorted(INCLUDED.glob("*/model.tflite"))]
CALIBRATION = {"threshold", "validation_images", "validation_beyond"}


@pytest.fixture(scope="module")
def lenet():
    """What tells its last features, and the arrays of its map."""
    (folder,) = INCLUDED.glob("lenet5-mnist-*")
    return OpenNetwork(Run(folder)), Run(folder).read_map()


def older(arrays):
    """A map as it was made without validation images."""
    return {name: array for name, array in arrays.items() if name not in CALIBRATION}


def share(lenet, images):
    """The share of images that are called unlike the others."""
    network, arrays = lenet
    away = np.sqrt(neighbours(arrays, network.last_features(images))[1][:, 0])
    return np.mean(away > familiarity.threshold(arrays))


def test_fewer_test_digits_than_stated_are_flagged(lenet):
    images = load_test_images("mnist")
    # Landmarks are at no distance from themselves.
    others = np.setdiff1d(np.arange(len(images)), lenet[1]["landmark_images"])
    assert 0 < share(lenet, images[others]) <= familiarity.MOST_FLAGGED


def test_digits_that_lie_on_their_side_are_flagged_much_more_often(lenet):
    images = np.rot90(load_test_images("mnist")[:300], axes=(1, 2))
    assert share(lenet, np.ascontiguousarray(images)) > 10 * familiarity.MOST_FLAGGED


@pytest.mark.parametrize("run", READERS, ids=lambda run: run.id)
def test_each_included_network_warns_of_no_more_test_images_than_is_stated_by_its_validation_images(run):
    arrays = run.read_map()
    config = run.read_config()
    assert arrays["validation_images"] == config.split_sizes(DATASETS[config.dataset]["train_examples"])[1]
    # Those on the map, each to the nearest other one, need no network. Three deviations of chance are allowed.
    away = familiarity.between_landmarks(arrays)
    slack = 3 * np.sqrt(familiarity.MOST_FLAGGED * (1 - familiarity.MOST_FLAGGED) / len(away))
    assert 0 < np.mean(away > familiarity.threshold(arrays)) <= familiarity.MOST_FLAGGED + slack


def test_the_threshold_leaves_as_many_validation_images_beyond_as_make_the_stated_share_sure(lenet):
    # Takes longer than all else that is imported for tests but Keras.
    from scipy.stats import binomtest

    arrays, random = lenet[1], np.random.default_rng(0)
    features = random.normal(size=(6_000, len(arrays["basis"]))).astype(np.float32)
    found = familiarity.calibration(arrays, features)
    away = np.sqrt(neighbours(arrays, features)[1][:, 0])
    assert away[7] == pytest.approx(familiarity.distance(arrays, features[7]))
    assert found["validation_beyond"] == np.sum(away > found["threshold"]) == 42
    assert (found["validation_images"], familiarity.threshold(arrays | found)) == (6_000, found["threshold"])
    for beyond, sure in ((42, True), (43, False)):
        test = binomtest(beyond, 6_000, familiarity.MOST_FLAGGED, alternative="less")
        assert (test.pvalue <= 1 - familiarity.CONFIDENCE) == sure


def test_too_few_validation_images_tell_no_threshold(lenet):
    features = np.zeros((familiarity.FEWEST, len(lenet[1]["basis"])), np.float32)
    assert familiarity.calibration(lenet[1], features[1:]) == {}
    assert familiarity.calibration(lenet[1], features)["validation_beyond"] == 0


def test_without_validation_images_the_threshold_is_a_quantile_of_how_far_each_is_from_its_nearest_other(lenet):
    there = lenet[1]["landmarks"] * lenet[1]["landmark_scales"]
    some = there[:400].astype(float)
    alone = older(lenet[1]) | {"landmarks": lenet[1]["landmarks"][:400]}
    between = np.sqrt(((some[:, None] - some) ** 2).sum(-1)) + np.diag(np.full(400, np.inf))
    assert familiarity.threshold(alone) == pytest.approx(np.quantile(between.min(1), 0.995), rel=1e-2)


def test_a_map_of_few_images_or_of_other_features_says_nothing(lenet):
    arrays = older(lenet[1])
    assert familiarity.threshold(arrays | {"landmarks": arrays["landmarks"][:100]}) == np.inf
    assert familiarity.distance(arrays, np.zeros(3, np.float32)) is None
