"""Heat maps are what they say they are: exact ones add up to the logit, and occlusion is what covering does."""

from pathlib import Path

import numpy as np
import pytest

from core.datasets.test_images import load_test_images
from core.explain import heat_maps
from core.explain.features import OpenNetwork
from core.runs.run import Run
from tests.core.explain.opened import opened, some_images
from tests.folders import finished_run
from tests.penmanship import teach

pytestmark = pytest.mark.usefixtures("artifacts")
INCLUDED = Path(__file__).parents[3] / "artifacts"


@pytest.fixture(scope="module")
def lenet():
    (folder,) = INCLUDED.glob("lenet5-mnist-*")
    return OpenNetwork(Run(folder))


@pytest.mark.timeout(120)
def test_the_mean_of_an_exact_map_is_the_logit_of_its_class(monkeypatch):
    network, _ = opened(monkeypatch, "all_convolutional")
    (image,) = some_images(1)
    logits = network.open(image, []).logits
    for number in range(10):
        found = heat_maps.class_activation(network, image, number)
        assert found.stage.layer.shape[:2] == found.values.shape
        assert found.values.mean() == pytest.approx(logits[number], abs=1e-3, rel=1e-4)


def test_through_a_dense_layer_the_mean_of_an_exact_map_and_its_bias_are_the_logit():
    (folder,) = INCLUDED.glob("resnet34-mnist-modern-20261122-*")
    network, image = OpenNetwork(Run(folder)), load_test_images("mnist")[7]
    logits, (_, biases) = network.open(image, []).logits, network.last_weights()
    for number in range(10):
        found = heat_maps.class_activation(network, image, number)
        assert found.stage.key == "conv5_3_add"
        # The network rounds what goes into its last layer to eight bits.
        assert found.values.mean() + biases[number] == pytest.approx(logits[number], abs=0.05)


def test_a_network_with_hidden_dense_layers_has_no_exact_map(lenet):
    assert heat_maps.exact_stage(lenet) is None
    assert heat_maps.estimate_stage(lenet).key == "s4"
    assert heat_maps.exact_stage(OpenNetwork(teach(finished_run()))) is None


def test_occlusion_is_what_covering_each_square_by_hand_does(lenet):
    image = load_test_images("mnist")[7]
    after = heat_maps.occluded(lenet, image)
    assert after.shape == (7, 7, 10)
    before = lenet.classify(image[None])[0]
    odds = lambda p: np.log(p / (1 - p))  # noqa: E731
    falls = np.zeros((28, 28, 0)).tolist()
    for row in range(7):
        for column in range(7):
            covered = image.copy()
            top, left = round(row * 21 / 6), round(column * 21 / 6)
            covered[top : top + 7, left : left + 7] = round(float(image.mean()))
            wanted = lenet.classify(covered[None])[0]
            np.testing.assert_allclose(after[row, column], wanted, atol=1e-6)
            for y in range(top, top + 7):
                for x in range(left, left + 7):
                    falls[y][x].append(odds(float(before[9])) - odds(float(wanted[9])))
    wanted = np.array([[np.mean(each) for each in line] for line in falls])
    found = heat_maps.occlusion(before, after, image.shape, 9)
    np.testing.assert_allclose(found.values, wanted, atol=1e-3)


def test_progress_goes_from_the_first_squares_to_all(lenet):
    said = []
    heat_maps.occluded(lenet, load_test_images("mnist")[0], progress=said.append)
    assert said == sorted(said)
    assert (len(said), said[-1]) == (7, 1.0)


@pytest.mark.parametrize(("side", "starts"), [(28, [0, 4, 7, 10, 14, 18, 21]), (32, [0, 4, 8, 12, 16, 20, 24])])
def test_the_squares_reach_from_edge_to_edge(side, starts):
    found, covered = heat_maps.windows(side)
    assert found == starts
    assert found[-1] + covered == side


def test_scores_find_where_the_digit_is_and_differ_between_classes(lenet):
    image = np.zeros((28, 28, 1), np.uint8)
    image[4:24] = load_test_images("mnist")[7][4:24]
    maps = [heat_maps.score_activation(lenet, image, number).values for number in (9, 4)]
    assert all(each.shape == (5, 5) and each.min() >= 0 for each in maps)
    assert not np.allclose(maps[0] / maps[0].max(), maps[1] / maps[1].max(), atol=1e-3)


def test_what_the_maps_have_in_common_is_their_first_singular_vector(lenet):
    image = load_test_images("mnist")[7]
    found = heat_maps.eigen_activation(lenet, image)
    maps = lenet.open(image, ["s4"]).outputs["s4"].reshape(25, -1)
    left, _, _ = np.linalg.svd(maps)
    assert abs(left[:, 0] @ found.values.ravel()) == pytest.approx(1, abs=1e-4)
    assert found.values.sum() >= 0
