"""Claims, and whether runs bear them out: each is data, a small TOML file, and what decides is written down in it.

A claim holds where every one of its comparisons does, and fails where any does. How a comparison is decided: where its
95 % interval lies wholly within the bounds, it holds; where it lies wholly outside, it does not; else it cannot be told
yet. That a claim of several comparisons fails takes more, so that chance alone fails one in 5 % of cases at most: for
that the interval is of confidence 1 - 0.05 / comparisons (Bonferroni).
"""

import contextlib
import functools
import itertools
import math
import tomllib
from collections.abc import Callable
from typing import NamedTuple

from core.config.recipes import make_config
from core.config.run_config import ConfigError, in_words
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.results.paired import compare
from core.results.scores import predicted_classes
from core.results.statistics import CONFIDENCE, compare_accuracies, mean_interval, wilson_interval
from core.runs.provenance import machines
from core.runs.run import RunError
from core.settings import claims_folders

HOLDS, FAILS, OPEN = VERDICTS = ("holds", "does not hold", "cannot be told yet")
SEEDS = 3
# Name -> what it is on: the two never mix.
SCALES = {
    "quick": {
        "label": "Quick",
        "about": "on 20,000 images at 32 pixels, with the quick recipe",
        "recipe": "quick",
        "settings": {"train_examples": 20_000, "image_size": 32},
    },
    "report": {
        "label": "The report's",
        "about": "on all images at 64 pixels, with the report's recipe",
        "recipe": "report",
        "settings": {},
    },
}


_PAIR = ("network", "dataset")


class ClaimError(ValueError):
    """A claim's file that is none; the message is one sentence for a person."""


class Figures(NamedTuple):
    """What a finished run tells of the claims.

    Attributes:
        accuracy: of the test images, 0..1.
        right: whether it got each test image right, bool (N,).
        fitted: (the accuracy on training images as they are, without augmentation and dropout, how many these were), or
            None where that was not measured.
        speed: images a second while training.
        machine: what trained it, in words; speeds of different machines are not compared.
    """

    accuracy: float
    right: object
    fitted: tuple | None
    speed: float
    machine: str


class Statistic(NamedTuple):
    """What a comparison measures of runs.

    Attributes:
        unit: of its effect and bounds: "%", "points" or "times".
        arms: how many kinds of run it takes: 1, or 2 that share everything but one thing.
        one: the arms' Figures of one seed, and a confidence -> (effect, low, high) in the unit; None where it cannot
            be told of these.
        several: a list of such arms, a seed each, and a confidence -> the same over seeds; None as above.
    """

    unit: str
    arms: int
    one: Callable
    several: Callable


def _over_seeds(value, back=lambda number: number):
    """The interval over seeds of a value of one seed's arms, which is taken back into the unit by `back`."""

    def several(seeds, confidence):
        values = [value(*arms) for arms in seeds]
        return None if None in values else tuple(map(back, mean_interval(values, confidence)))

    return several


def _accuracy(run, confidence):
    images = len(run.right)
    return tuple(100 * share for share in (run.accuracy, *wilson_interval(run.accuracy * images, images, confidence)))


def _difference(run, other, confidence):
    return tuple(100 * share for share in compare(run.right, other.right, confidence)[4:7])


def _gap(run):
    return run.fitted and 100 * (run.fitted[0] - run.accuracy)


def _overfitting(run, confidence):
    if not run.fitted:
        return None
    return tuple(100 * share for share in compare_accuracies(*run.fitted, run.accuracy, len(run.right), confidence)[:3])


def _log_ratio(run, other):
    return math.log(run.speed / other.speed) if run.machine == other.machine else None


def _ratio(run, other, confidence):
    value = _log_ratio(run, other)
    # One ratio does not tell how far the next would be from it.
    return None if value is None else (math.exp(value), math.nan, math.nan)


STATISTICS = {
    "accuracy": Statistic(
        "%", 1, _accuracy, _over_seeds(lambda run: 100 * run.accuracy, lambda share: min(share, 100))
    ),
    "difference": Statistic(
        "points", 2, _difference, _over_seeds(lambda run, other: 100 * (run.accuracy - other.accuracy))
    ),
    "overfitting": Statistic("points", 1, _overfitting, _over_seeds(_gap)),
    "speed": Statistic("times", 2, _ratio, _over_seeds(_log_ratio, math.exp)),
}


class Comparison(NamedTuple):
    """One comparison of a claim.

    Attributes:
        statistic: a key of STATISTICS.
        arms: the settings of each kind of run, dicts with "network" and "dataset" among them.
        at_least, at_most: the bounds of the effect that is claimed, in the statistic's unit; None for no bound.
        scales: names of SCALES.
    """

    statistic: str
    arms: tuple
    at_least: float | None
    at_most: float | None
    scales: tuple

    def label(self):
        """ "ResNet-34, activation leaky_relu minus ResNet-34, activation relu on CIFAR-10"."""
        words = []
        for arm in self.arms:
            own = {
                name: arm[name]
                for name in arm
                if name not in _PAIR and any(o.get(name) != arm[name] for o in self.arms)
            }
            words.append(NETWORKS[arm["network"]]["label"] + (f", {in_words(own)}" if own else ""))
        between = " to " if self.statistic == "speed" else " minus "
        return f"{between.join(words)} on {DATASETS[self.arms[0]['dataset']]['label']}"

    def bounds(self):
        """ "at least 3 points", "between 1.5 and 2.5 times"."""
        low, high = self.at_least, self.at_most
        unit = STATISTICS[self.statistic].unit
        if low is not None and high is not None:
            return f"between {low:g} and {high:g} {unit}"
        end, bound = ("at least", low) if high is None else ("at most", high)
        return f"{end} {bound:g} {'point' if (unit, bound) == ('points', 1) else unit}"

    def configs(self, scale, seed):
        """The RunConfig of each arm."""
        entry = SCALES[scale]
        return tuple(
            make_config(
                *(arm["network"], arm["dataset"], entry["recipe"]),
                **entry["settings"] | {name: arm[name] for name in arm if name not in _PAIR},
                seed=seed,
            )
            for arm in self.arms
        )


class Claim(NamedTuple):
    """A claim: what it says, who says so, how it is tested, and its Comparisons."""

    name: str
    text: str
    source: str
    how: str
    comparisons: tuple


class Found(NamedTuple):
    """What the runs say of one comparison.

    Attributes:
        comparison: the Comparison.
        effect, low, high: in the statistic's unit, with the 95 % interval; nan where it is not known.
        seeds: of how many seeds.
        verdict: one of VERDICTS.
        missing: the RunConfigs of which there is no finished run yet.
    """

    comparison: Comparison
    effect: float
    low: float
    high: float
    seeds: int
    verdict: str
    missing: tuple


def claims():
    """The Claims of the project, and those of $LAB_CLAIMS after them, in the order of their files' names.

    Returns:
        (the Claims, one sentence for each file that is none).
    """
    found, wrong = [], []
    for folder in claims_folders():
        for path in sorted(folder.glob("*.toml")):
            try:
                found.append(read_claim(path))
            except ClaimError as error:
                wrong.append(str(error))
    return found, wrong


def read_claim(path):
    """The Claim in a file. Raises ClaimError."""
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ClaimError(
            f"{path.name} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ClaimError(f"{path.name} is not TOML: {str(error).rstrip('.')}.") from None
    try:
        known = {"text": str, "source": str, "how": str, "comparisons": list}
        _only(said, known)
        for name in ("text", "how", "comparisons"):
            if not said.get(name):
                raise ClaimError(f"{name} is missing")
        for name, kind in known.items():
            if not isinstance(said.get(name, kind()), kind):
                raise ClaimError(f"{name} is not {'text' if kind is str else 'a list of tables, [[comparisons]]'}")
        comparisons = tuple(itertools.chain.from_iterable(map(_comparisons, said["comparisons"])))
    except (ClaimError, ConfigError) as error:
        raise ClaimError(f"{path.name}: {str(error).rstrip('.')}.") from None
    return Claim(path.stem, said["text"].strip(), said.get("source", "").strip(), said["how"].strip(), comparisons)


def _only(table, known):
    if unknown := sorted(set(table) - set(known)):
        raise ClaimError(f"there is no {unknown[0]!r}; there are {', '.join(known)}")


def _comparisons(said):
    """Those that a table [[comparisons]] makes: where a setting in `of` is a list, one for each of its values."""
    if not isinstance(said, dict):
        raise ClaimError("a comparison is not a table, [[comparisons]]")
    _only(said, ("statistic", "of", "less", "to", "at_least", "at_most", "scales"))
    name = said.get("statistic")
    if name not in STATISTICS:
        raise ClaimError(f"statistic is {name!r}; it is one of {', '.join(STATISTICS)}")
    of, other = said.get("of"), said.get("less", said.get("to"))
    if not isinstance(of, dict) or not {"network", "dataset"} <= set(of):
        raise ClaimError('of is a table with network and dataset, as {network = "resnet34", dataset = "mnist"}')
    if (STATISTICS[name].arms == 2) != isinstance(other, dict):
        two = STATISTICS[name].arms == 2
        raise ClaimError(
            f"{name} is {'of two kinds of run: add less, or to' if two else 'of one kind of run: leave out less'}"
        )
    bounds = [said.get(end) for end in ("at_least", "at_most")]
    if all(bound is None for bound in bounds):
        raise ClaimError("at_least or at_most is missing")
    if any(bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)) for bound in bounds):
        raise ClaimError("at_least and at_most are numbers")
    scales = said.get("scales", list(SCALES))
    if not isinstance(scales, list) or not scales or set(scales) - set(SCALES):
        raise ClaimError(f"scales is a list of {', '.join(SCALES)}")
    values = [value if isinstance(value, list) else [value] for value in of.values()]
    for chosen in itertools.product(*values):
        one = dict(zip(of, chosen, strict=True))
        arms = (one, one | other) if other is not None else (one,)
        found = Comparison(name, arms, *bounds, tuple(scales))
        for scale in scales:
            found.configs(scale, 0)  # which refuses what is no setting
        yield found


def judge(claim, scale, figures_of, seeds=SEEDS):
    """What the runs say of a claim.

    Args:
        claim: a Claim.
        scale: one of SCALES.
        figures_of: a RunConfig -> the Figures of a finished run that has it, or None.
        seeds: how many are asked for.

    Returns:
        (one of VERDICTS, a list with a Found for each comparison that is made at this scale).
    """
    comparisons = [comparison for comparison in claim.comparisons if scale in comparison.scales]
    found = [_found(comparison, scale, figures_of, seeds, len(comparisons)) for comparison in comparisons]
    verdicts = {one.verdict for one in found}
    return next((word for word in (FAILS, OPEN) if word in verdicts), HOLDS if found else OPEN), found


def missing(found):
    """The RunConfigs that the comparisons of one claim, or of several, lack: each once, seed by seed, so that what is
    compared is trained in turns.
    """
    every = dict.fromkeys(config for one in found for config in one.missing)
    return sorted(every, key=lambda config: config.seed)


def newest_finished(runs):
    """RunConfig -> the newest finished Run that has it, of runs that stand newest first. Damaged ones are left out."""
    found = {}
    for run in runs:
        # `runs` on the command line says which files are damaged.
        with contextlib.suppress(RunError):
            if run.read_status()["state"] == "completed":
                found.setdefault(run.read_config(), run)
    return found


def figures_among(finished):
    """A function of a RunConfig for `judge`, which reads a run when it is asked for it, and once.

    Args:
        finished: what `newest_finished` gives.
    """

    @functools.cache
    def find(config):
        with contextlib.suppress(RunError):
            return figures(finished[config]) if config in finished else None

    return find


def effect_in_words(found):
    """ "+3.20 points (95 %: +1.10 to +5.30, 3 seeds), holds", or why there is none."""
    if not found.seeds:
        # Of a pair one run may be there, which alone tells nothing.
        return (
            "not yet enough finished runs" if STATISTICS[found.comparison.statistic].arms > 1 else "no finished run yet"
        )
    if math.isnan(found.effect):
        return "these runs do not tell: they are from before it was measured, or were trained on several machines"
    form = "{:+.2f}" if STATISTICS[found.comparison.statistic].unit == "points" else "{:.2f}"
    unit = STATISTICS[found.comparison.statistic].unit
    seeds = "1 seed" if found.seeds == 1 else f"{found.seeds} seeds"
    interval = "" if math.isnan(found.low) else f"95 %: {form.format(found.low)} to {form.format(found.high)}, "
    return f"{form.format(found.effect)} {unit} ({interval}{seeds}), {found.verdict}".replace("-", "−")


def _found(comparison, scale, figures_of, seeds, comparisons):
    there, lacking = [], []
    for seed in range(seeds):
        configs = comparison.configs(scale, seed)
        arms = [figures_of(config) for config in configs]
        if all(arms):
            there.append(arms)
        lacking += [config for config, arm in zip(configs, arms, strict=True) if not arm]
    effect = low = high = math.nan
    verdict, statistic = OPEN, STATISTICS[comparison.statistic]

    def interval(confidence):
        if not there:
            return None
        return statistic.one(*there[0], confidence) if len(there) == 1 else statistic.several(there, confidence)

    if known := interval(CONFIDENCE):
        effect, low, high = known
        _, surely_low, surely_high = interval(1 - (1 - CONFIDENCE) / comparisons)
        least = -math.inf if comparison.at_least is None else comparison.at_least
        most = math.inf if comparison.at_most is None else comparison.at_most
        if least <= low and high <= most:
            verdict = HOLDS
        elif surely_high < least or surely_low > most:
            verdict = FAILS
    return Found(comparison, effect, low, high, len(there), verdict, tuple(lacking))


def figures(run):
    """The Figures of a finished run. Raises core.runs.run.RunError."""
    best, predictions = run.read_metrics()["best"], run.read_predictions()
    fitted = (best["fitted_accuracy"], best["fitted_images"]) if "fitted_accuracy" in best else None
    return Figures(
        accuracy=best["test_accuracy"],
        right=predicted_classes(predictions["logits"]) == predictions["labels"],
        fitted=fitted,
        speed=float(run.read_history()["images_per_second"].median()),
        machine=machines(run.read_record()),
    )
