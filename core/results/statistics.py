"""How sure a measured accuracy is, and whether two of them differ by more than chance."""

import math
from statistics import NormalDist, stdev
from typing import NamedTuple

BETTER, NO_CLEAR_DIFFERENCE, WORSE = VERDICTS = ("better", "no clear difference", "worse")
CONFIDENCE = 0.95


class Comparison(NamedTuple):
    """Our accuracy less theirs.

    Attributes:
        difference, low, high: shares in -1..1; low and high are the ends of the interval. All nan where one of the
            two accuracies is not known.
        verdict: one of VERDICTS, or None where one of the two accuracies is not known.
    """

    difference: float
    low: float
    high: float
    verdict: str | None


def wilson_interval(successes, trials, confidence=CONFIDENCE):
    """The confidence interval of a share, (low, high) in 0..1.

    Wilson, Probable inference, the law of succession, and statistical inference (1927). Unlike the plain normal
    interval it stays inside 0..1 and is right near the ends, where accuracies on MNIST are.

    Raises:
        ValueError: no trials, or not 0 <= successes <= trials.
    """
    if trials <= 0 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials are not a share.")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # At the ends the bound is exact; rounding would leave a perfect score's own accuracy outside its interval.
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == trials else centre + half)


def wilson_intervals(successes, trials, confidence=CONFIDENCE):
    """The same of several shares: a list of (low, high), nan where there are no trials."""
    none = math.nan, math.nan
    return [
        wilson_interval(int(right), int(all_), confidence) if all_ else none
        for right, all_ in zip(successes, trials, strict=True)
    ]


def mean_interval(values, confidence=CONFIDENCE):
    """The mean of several measurements, and the confidence interval of what it would be of ever more of them.

    Student, The probable error of a mean (1908). Of accuracies of runs that differ in their seeds it says how far the
    mean over seeds is known, on these very test images; of other images it says nothing.

    Args:
        values: numbers, at least one.

    Returns:
        (mean, low, high); low and high are nan for one value, which does not tell how far others would be from it.
    """
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, math.nan, math.nan
    # Here, as it takes a tenth of a second and few labs have several seeds of one run.
    from scipy.special import stdtrit

    half = stdtrit(len(values) - 1, (1 + confidence) / 2) * stdev(values) / math.sqrt(len(values))
    return mean, mean - float(half), mean + float(half)


def compare_accuracies(ours, our_images, theirs, their_images, confidence=CONFIDENCE):
    """Compares two accuracies that were measured independently of each other.

    The interval is Newcombe's, Interval estimation for the difference between independent proportions (1998), method
    10. It takes ten lines here and is tested against statsmodels, which would cost the server 62 MB and a second.

    Args:
        ours, theirs: accuracies in 0..1, or nan where one is not known.
        our_images, their_images: how many images each was measured on.
        confidence: how often such intervals contain the true difference, 0..1.

    Returns:
        A Comparison. Its verdict is "no clear difference" where the interval contains zero.

    Raises:
        ValueError: an accuracy is not in 0..1, or was measured on no images.
    """
    if math.isnan(ours) or math.isnan(theirs):
        return Comparison(math.nan, math.nan, math.nan, None)
    our_low, our_high = wilson_interval(ours * our_images, our_images, confidence)
    their_low, their_high = wilson_interval(theirs * their_images, their_images, confidence)
    difference = ours - theirs
    low = difference - math.hypot(ours - our_low, their_high - theirs)
    high = difference + math.hypot(our_high - ours, theirs - their_low)
    verdict = BETTER if low > 0 else WORSE if high < 0 else NO_CLEAR_DIFFERENCE
    return Comparison(difference, low, high, verdict)


def joint_verdicts(pairs, confidence=CONFIDENCE):
    """The verdicts on several comparisons that one sentence counts together.

    Of ten pairs of equal networks, one or more would otherwise be called different in 40 % of cases. With Holm's
    correction, A simple sequentially rejective multiple test procedure (1979), that happens in 5 % at most: n pairs
    are first judged by intervals of confidence 1 - 0.05 / n; those that differ are set aside, and the rest are judged
    again as so many fewer, until no more of them differ.

    Args:
        pairs: for each comparison the first four arguments of `compare_accuracies`.

    Returns:
        A list with one of VERDICTS for each pair, or None where one of the two accuracies is not known; such a pair
        does not count.
    """
    undecided = {position: pair for position, pair in enumerate(pairs) if not any(map(math.isnan, pair))}
    verdicts = [NO_CLEAR_DIFFERENCE if position in undecided else None for position in range(len(pairs))]
    while undecided:
        each = 1 - (1 - confidence) / len(undecided)
        found = {
            position: verdict
            for position, pair in undecided.items()
            if (verdict := compare_accuracies(*pair, each).verdict) != NO_CLEAR_DIFFERENCE
        }
        if not found:
            break
        for position, verdict in found.items():
            verdicts[position] = verdict
            del undecided[position]
    return verdicts
