"""Runs compared image by image."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from core.results.paired import by_who_errs, compare
from core.results.statistics import BETTER, NO_CLEAR_DIFFERENCE, WORSE


def rights(both, only_first, only_second, neither):
    """Two runs' images, as many of each kind."""
    kinds = np.repeat(
        [[True, True], [True, False], [False, True], [False, False]], [both, only_first, only_second, neither], axis=0
    )
    return kinds[:, 0], kinds[:, 1]


@pytest.mark.parametrize(
    "counts", [(90, 5, 5, 0), (9000, 30, 60, 910), (9800, 12, 2, 186), (50, 0, 9, 1), (3, 1, 0, 0)]
)
def test_the_test_is_mcnemars_as_another_library_has_it(counts):
    found = compare(*rights(*counts))
    both, only_first, only_second, neither = counts
    assert found[:4] == counts
    assert found.p == pytest.approx(mcnemar([[both, only_first], [only_second, neither]], exact=True).pvalue)
    assert found.difference == pytest.approx((only_first - only_second) / sum(counts))
    assert found.low < found.difference < found.high


def test_the_verdict_is_about_the_first_of_the_two():
    assert compare(*rights(900, 60, 20, 20)).verdict == BETTER
    assert compare(*rights(900, 20, 60, 20)).verdict == WORSE
    assert compare(*rights(900, 41, 39, 20)).verdict == NO_CLEAR_DIFFERENCE
    assert compare(*rights(100, 0, 0, 0)).p == 1


def test_equal_networks_are_rarely_called_different_and_the_interval_holds():
    draw = np.random.default_rng(0)
    found = []
    for _ in range(1000):
        # On hard images both err more often: what one gets wrong, the other does as well, but no more often.
        chances = draw.choice([0.999, 0.6], p=[0.9, 0.1], size=2000)
        found.append(compare(draw.random(2000) < chances, draw.random(2000) < chances))
    assert sum(one.verdict != NO_CLEAR_DIFFERENCE for one in found) <= 60
    assert sum(one.low <= 0 <= one.high for one in found) >= 940


def test_runs_on_other_images_cannot_be_compared():
    with pytest.raises(ValueError, match="not the same ones"):
        compare(np.ones(3, bool), np.ones(4, bool))


def test_every_image_that_any_run_got_wrong_is_in_exactly_one_set():
    right = np.array([[1, 0, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1], [1, 1, 0, 0, 1, 1]], bool)
    found = by_who_errs(right)
    assert {who: images.tolist() for who, images in found.items()} == {
        (0,): [1],
        (0, 1, 2): [2],
        (2,): [3],
        (0, 1): [4],
    }
    assert by_who_errs(np.ones((2, 5), bool)) == {}
