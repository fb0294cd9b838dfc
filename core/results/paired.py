"""Runs on the same test images, compared image by image."""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from core.results.statistics import BETTER, CONFIDENCE, NO_CLEAR_DIFFERENCE, WORSE


class Paired(NamedTuple):
    """Two runs on the same images.

    Attributes:
        both, only_first, only_second, neither: how many images both got right, one alone did, and none did.
        difference, low, high: the first one's accuracy less the second's, and its confidence interval; shares.
        p: how often two equal networks would differ on so many images at least so unevenly, 0..1.
        verdict: one of core.results.statistics.VERDICTS on the first one.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    difference: float
    low: float
    high: float
    p: float
    verdict: str


def compare(first, second, confidence=CONFIDENCE):
    """Compares two runs by the images that only one of them got right; of those that both did nothing is learned.

    The test is McNemar's, Note on the sampling error of the difference between correlated proportions (1947), in its
    exact form. The interval is that of Bonett and Price, Adjusted Wald confidence interval for a difference of
    binomial proportions based on paired data (2012).

    Args:
        first, second: whether each run got each image right, bool (N,), N at least 1.

    Returns:
        A Paired. Its verdict is that of the test: "no clear difference" where p is 1 - confidence or more.

    Raises:
        ValueError: there are no images, or not as many of both.
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f"{len(first)} and {len(second)} images are not the same ones.")
    # Here, as it takes a tenth of a second.
    from scipy.special import bdtr

    images = len(first)
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    differing, fewer = only_first + only_second, min(only_first, only_second)
    p = min(1.0, 2 * float(bdtr(fewer, differing, 0.5))) if differing else 1.0
    share, other = (only_first + 1) / (images + 2), (only_second + 1) / (images + 2)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    half = z * math.sqrt((share + other - (share - other) ** 2) / (images + 2))
    verdict = NO_CLEAR_DIFFERENCE if p >= 1 - confidence else BETTER if only_first > only_second else WORSE
    return Paired(
        int(np.sum(first & second)),
        only_first,
        only_second,
        int(np.sum(~first & ~second)),
        (only_first - only_second) / images,
        share - other - half,
        share - other + half,
        p,
        verdict,
    )


def by_who_errs(right):
    """Which images each set of runs, and no other run, got wrong.

    Args:
        right: whether each run got each image right, bool (runs, N).

    Returns:
        The positions of the runs in the set, a tuple -> the images, (M,) int64; only sets that got any wrong, those
        with the most images first.
    """
    wrong = ~np.asarray(right)
    codes = (wrong * (1 << np.arange(len(wrong)))[:, None]).sum(axis=0)
    found = {}
    for code in np.unique(codes[codes > 0]).tolist():
        who = tuple(position for position in range(len(wrong)) if code >> position & 1)
        found[who] = np.flatnonzero(codes == code)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))
