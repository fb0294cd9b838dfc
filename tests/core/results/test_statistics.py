"""Intervals and verdicts against statsmodels, and how often equal networks look different."""

import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from core.datasets.catalogue import DATASETS
from core.results.reference import REPORT, TEST_IMAGES
from core.results.statistics import (
    BETTER,
    NO_CLEAR_DIFFERENCE,
    WORSE,
    compare_accuracies,
    joint_verdicts,
    wilson_interval,
)

IMAGES = 10_000
SHARES = (0.0, 0.0001, 0.1, 0.5, 0.7386, 0.9086, 0.9922, 0.9999, 1.0)


def equal_networks(truth, shape, seed=0):
    """Accuracies that networks of the same true accuracy reach on 10,000 images each."""
    return np.random.default_rng(seed).binomial(IMAGES, truth, shape) / IMAGES


def p_value(pair):
    """One less the largest confidence at which Newcombe's interval does not contain zero, by statsmodels."""
    ours, our_images, theirs, their_images = pair
    counts = ours * our_images, our_images, theirs * their_images, their_images
    smallest, largest = -200.0, 0.0  # of its logarithm
    for _ in range(30):
        middle = (smallest + largest) / 2
        low, high = confint_proportions_2indep(*counts, method="newcomb", alpha=math.exp(middle))
        smallest, largest = (middle, largest) if low <= 0 <= high else (smallest, middle)
    return math.exp(middle)


@pytest.mark.parametrize("trials", [1, 10, 200, IMAGES])
@pytest.mark.parametrize("share", SHARES)
def test_the_interval_of_an_accuracy_is_wilsons(share, trials):
    expected = proportion_confint(share * trials, trials, method="wilson")
    assert wilson_interval(share * trials, trials) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 10), (11, 10), (math.nan, 10)])
def test_what_is_not_a_share_has_no_interval(successes, trials):
    with pytest.raises(ValueError, match="not a share"):
        wilson_interval(successes, trials)


@pytest.mark.parametrize("our_images", [1, 10, 200, IMAGES])
@pytest.mark.parametrize("their_images", [10, IMAGES])
@pytest.mark.parametrize("confidence", [0.95, 1 - 0.05 / 9])
def test_the_interval_of_a_difference_is_newcombes(our_images, their_images, confidence):
    for ours in SHARES:
        for theirs in SHARES:
            compared = compare_accuracies(ours, our_images, theirs, their_images, confidence)
            expected = confint_proportions_2indep(
                ours * our_images,
                our_images,
                theirs * their_images,
                their_images,
                method="newcomb",
                alpha=1 - confidence,
            )
            assert compared.difference == ours - theirs
            assert compared[1:3] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("truth", [0.99, 0.92, 0.75])
def test_two_equal_networks_are_rarely_called_different(truth):
    pairs = equal_networks(truth, (10_000, 2)).tolist()
    verdicts = [compare_accuracies(ours, IMAGES, theirs, IMAGES).verdict for ours, theirs in pairs]
    assert 0.04 <= np.mean([verdict != NO_CLEAR_DIFFERENCE for verdict in verdicts]) <= 0.06


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (0.9958, 0.9922, BETTER),
        (0.9920, 0.9922, NO_CLEAR_DIFFERENCE),
        # The report's figure is outside the interval of ours, but it is not exact either.
        (0.9902, 0.9922, NO_CLEAR_DIFFERENCE),
        (0.9880, 0.9922, WORSE),
    ],
)
def test_a_difference_that_chance_explains_is_not_clear(ours, theirs, expected):
    assert compare_accuracies(ours, IMAGES, theirs, IMAGES).verdict == expected


def test_a_comparison_the_other_way_round_is_the_same_with_its_signs_turned():
    better = compare_accuracies(0.9958, IMAGES, 0.9922, 200)
    worse = compare_accuracies(0.9922, 200, 0.9958, IMAGES)
    assert (worse.difference, worse.low, worse.high) == (-better.difference, -better.high, -better.low)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_two_perfect_or_two_hopeless_scores_do_not_differ(share):
    compared = compare_accuracies(share, 10, share, IMAGES)
    assert compared.verdict == NO_CLEAR_DIFFERENCE
    assert compared.low < 0 < compared.high


def test_one_image_proves_nothing_and_ten_thousand_prove_what_they_can():
    assert compare_accuracies(1.0, 1, 0.0, 1).verdict == NO_CLEAR_DIFFERENCE
    certain = compare_accuracies(1.0, IMAGES, 0.0, IMAGES)
    assert certain.verdict == BETTER
    assert certain.high == 1


@pytest.mark.parametrize(("ours", "theirs"), [(0.9, math.nan), (math.nan, 0.9)])
def test_an_accuracy_that_is_not_known_is_compared_with_nothing(ours, theirs):
    compared = compare_accuracies(ours, IMAGES, theirs, IMAGES)
    assert all(map(math.isnan, compared[:3]))
    assert compared.verdict is None


@pytest.mark.parametrize("arguments", [(1.1, 10, 0.5, 10), (0.5, 10, -0.1, 10), (0.5, 0, 0.5, 10)])
def test_what_is_no_accuracy_is_refused(arguments):
    with pytest.raises(ValueError, match="not a share"):
        compare_accuracies(*arguments)


def test_verdicts_counted_together_are_holms():
    random = np.random.default_rng(3)
    stricter, in_steps = 0, 0
    for _ in range(12):
        theirs = random.uniform(0.7, 0.999, 9)
        ours = np.clip(theirs + random.normal(0, 3, 9) * np.sqrt(2 * theirs * (1 - theirs) / IMAGES), 0, 1)
        pairs = [(mine, IMAGES, other, IMAGES) for mine, other in zip(ours.tolist(), theirs.tolist(), strict=True)]
        values = [p_value(pair) for pair in pairs]
        different = multipletests(values, method="holm")[0]
        stricter += sum(different) < sum(value <= 0.05 for value in values)
        in_steps += sum(different) > sum(value <= 0.05 / 9 for value in values)
        expected = [
            NO_CLEAR_DIFFERENCE if not differs else BETTER if mine > other else WORSE
            for differs, (mine, _, other, _) in zip(different, pairs, strict=True)
        ]
        assert joint_verdicts(pairs) == expected
    # Else these rounds would not tell Holm's correction from none, or from Bonferroni's.
    assert stricter > 0 < in_steps


def test_nine_pairs_of_equal_networks_are_rarely_counted_as_different_when_judged_together():
    alone = together = 0
    rounds = 2_000
    for ours, theirs in equal_networks(0.99, (rounds, 2, 9)).tolist():
        pairs = [(mine, IMAGES, other, IMAGES) for mine, other in zip(ours, theirs, strict=True)]
        alone += any(compare_accuracies(*pair).verdict != NO_CLEAR_DIFFERENCE for pair in pairs)
        together += any(verdict != NO_CLEAR_DIFFERENCE for verdict in joint_verdicts(pairs))
    assert alone / rounds > 0.3
    assert together / rounds <= 0.06


def test_one_pair_is_judged_as_if_it_were_alone_and_no_pair_not_at_all():
    pair = (0.9948, IMAGES, 0.9922, IMAGES)
    assert joint_verdicts([pair]) == [BETTER]
    assert joint_verdicts([]) == []
    # Clear alone, but not among eight that do not differ.
    assert joint_verdicts([pair] + 8 * [(0.9, IMAGES, 0.9, IMAGES)]) == 9 * [NO_CLEAR_DIFFERENCE]


def test_a_pair_without_the_reports_figure_is_not_counted():
    pair, unknown = (0.9948, IMAGES, 0.9922, IMAGES), (0.9, IMAGES, math.nan, IMAGES)
    assert joint_verdicts([unknown, pair, unknown]) == [None, BETTER, None]


def test_the_report_was_measured_on_the_whole_test_set_of_each_dataset():
    assert {DATASETS[dataset]["test_examples"] for _, dataset in REPORT} == {TEST_IMAGES}
