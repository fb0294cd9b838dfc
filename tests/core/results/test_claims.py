"""Claims as data, and what runs say of them."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from core.cli.parser import parser
from core.results import claims
from core.results.claims import FAILS, HOLDS, OPEN, SCALES, Figures, judge, read_claim
from core.results.paired import compare
from core.results.statistics import mean_interval
from core.settings import SettingError, check
from tests.folders import finished_with


def figures(accuracy, fitted=None, speed=100.0, machine="here", images=1000):
    right = np.arange(images) >= round((1 - accuracy) * images)
    return Figures(accuracy, right, fitted and (fitted, 5000), speed, machine)


def claim(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(f'text = "One is better."\nhow = "They are compared."\n{text}', "utf-8")
    return read_claim(path)


DIFFERENCE = """
[[comparisons]]
statistic = "difference"
of = {network = "resnet34", dataset = "cifar10", activation = "leaky_relu"}
less = {activation = "relu"}
at_least = 3
"""


def judged(found, values, seeds=3):
    """What is found where each seed's arms have these accuracies."""
    known = {}
    for seed, accuracies in enumerate(values):
        configs = found.comparisons[0].configs("quick", seed)
        known |= dict(zip(configs, map(figures, accuracies), strict=True))
    verdict, (one,) = judge(found, "quick", known.get, seeds)
    assert one.verdict == verdict
    return one


def test_the_projects_claims_are_the_reports_eight_and_each_can_be_tested_at_both_scales():
    found, wrong = claims.claims()
    assert wrong == []
    assert [one.name[0] for one in found] == list("12345678")
    for one in found:
        for scale in SCALES:
            verdict, comparisons = judge(one, scale, lambda config: None)
            assert verdict == OPEN
            missing = claims.missing(comparisons)
            # Seed by seed: what is compared trains in turns.
            assert [config.seed for config in missing] == sorted(config.seed for config in missing)
            assert {config.recipe for config in missing} == {SCALES[scale]["recipe"]}
            if scale == "quick":
                assert {(config.train_examples, config.image_size) for config in missing} == {(20_000, 32)}


def test_paired_runs_share_everything_but_the_one_thing():
    for one in claims.claims()[0]:
        for comparison in one.comparisons:
            first, *others = (config.to_dict() for config in comparison.configs("quick", 1))
            for other in others:
                differing = {name for name in first if first[name] != other[name]}
                allowed = set(comparison.arms[0]) | set(comparison.arms[-1])
                # A network brings its own settings under a recipe.
                assert differing <= allowed or "network" in differing
                assert "seed" not in differing


def test_with_one_seed_two_runs_are_compared_image_by_image(tmp_path):
    found = claim(tmp_path, DIFFERENCE)
    one = judged(found, [(0.95, 0.9)])
    expected = compare(figures(0.95).right, figures(0.9).right)
    assert (one.effect, one.low, one.high) == pytest.approx(tuple(100 * share for share in expected[4:7]))
    assert (one.verdict, one.seeds, len(one.missing)) == (HOLDS, 1, 4)


def test_with_several_seeds_the_interval_is_students_over_the_pairs(tmp_path):
    found = claim(tmp_path, DIFFERENCE)
    one = judged(found, [(0.95, 0.9), (0.951, 0.9), (0.949, 0.9)])
    assert (one.effect, one.low, one.high) == pytest.approx(mean_interval([5, 5.1, 4.9]))
    assert (one.verdict, one.seeds, one.missing) == (HOLDS, 3, ())
    assert judged(found, [(0.91, 0.9), (0.911, 0.9), (0.909, 0.9)]).verdict == FAILS
    assert judged(found, [(0.95, 0.9), (0.91, 0.9), (0.97, 0.9)]).verdict == OPEN


def test_a_claim_holds_where_all_its_comparisons_do_and_fails_only_beyond_chance(tmp_path):
    two = DIFFERENCE.replace('"resnet34"', '["resnet34", "vgg16"]')
    found = claim(tmp_path, two)
    assert [one.arms[0]["network"] for one in found.comparisons] == ["resnet34", "vgg16"]

    def verdicts(first, second):
        known = {}
        for comparison, values in zip(found.comparisons, (first, second), strict=True):
            for seed, gain in enumerate(values):
                configs = comparison.configs("quick", seed)
                known |= dict(zip(configs, (figures(0.5 + gain / 100), figures(0.5)), strict=True))
        return judge(found, "quick", known.get)[0]

    sure, unsure, low = (5, 5.1, 4.9), (2, 5, 9), (1, 1.1, 0.9)
    assert verdicts(sure, sure) == HOLDS
    assert verdicts(sure, unsure) == OPEN
    assert verdicts(sure, low) == FAILS
    # At 95 % this one alone would be outside; that one of two is, is less rare.
    barely = (1.4, 2, 2.6)
    assert mean_interval(barely)[2] > 3 or verdicts(sure, barely) == OPEN


def test_overfitting_and_speed_are_told_where_they_were_measured(tmp_path):
    gap = claim(
        tmp_path, DIFFERENCE.replace('"difference"', '"overfitting"').replace('less = {activation = "relu"}\n', "")
    )
    (comparison,) = gap.comparisons
    runs = {comparison.configs("quick", seed)[0]: figures(0.9, fitted=0.95 + seed / 100) for seed in range(3)}
    _, (one,) = judge(gap, "quick", runs.get)
    assert (one.effect, one.verdict) == (pytest.approx(6), HOLDS)
    older = {config: run._replace(fitted=None) for config, run in runs.items()}
    _, (one,) = judge(gap, "quick", older.get)
    assert (math.isnan(one.effect), one.verdict) == (True, OPEN)
    assert "from before it was measured" in claims.effect_in_words(one)
    speed = claim(
        tmp_path, DIFFERENCE.replace('"difference"', '"speed"').replace("at_least = 3", "at_least = 1.5\nat_most = 2.5")
    )
    (comparison,) = speed.comparisons

    def ratio(machine="here"):
        runs = {}
        for seed, times in enumerate((1.9, 2.0, 2.1)):
            fast, slow = comparison.configs("quick", seed)
            runs |= {fast: figures(0.9, speed=50 * times), slow: figures(0.9, speed=50, machine=machine)}
        return judge(speed, "quick", runs.get)[1][0]

    assert ratio().effect == pytest.approx((1.9 * 2 * 2.1) ** (1 / 3))
    assert ratio().verdict == HOLDS
    assert ratio("elsewhere").verdict == OPEN


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "comparisons is missing"),
        ("more = 1\n" + DIFFERENCE, "there is no 'more'; there are text, source, how, comparisons"),
        (DIFFERENCE.replace("difference", "luck"), "statistic is 'luck'; it is one of accuracy, difference"),
        (DIFFERENCE.replace("at_least = 3", ""), "at_least or at_most is missing"),
        (DIFFERENCE.replace("at_least = 3", "at_least = true"), "at_least and at_most are numbers"),
        (DIFFERENCE.replace('less = {activation = "relu"}', ""), "difference is of two kinds of run: add less, or to"),
        (DIFFERENCE.replace("difference", "accuracy"), "accuracy is of one kind of run: leave out less"),
        (DIFFERENCE.replace("leaky_relu", "gelu"), "not 'gelu'"),
        (DIFFERENCE.replace("activation =", "activations ="), "There is no setting called 'activations'"),
        (DIFFERENCE.replace("cifar10", "cifar100"), "cifar100"),
        (DIFFERENCE.replace('dataset = "cifar10", ', ""), "of is a table with network and dataset"),
        (DIFFERENCE + 'scales = ["huge"]\n', "scales is a list of quick, report"),
        ("[[comparisons]\n", "is not TOML"),
        ("comparisons = [1]\n", "a comparison is not a table"),
    ],
)
def test_a_mistake_in_a_claim_gets_one_sentence_that_names_the_file(tmp_path, text, sentence):
    with pytest.raises(claims.ClaimError) as told:
        claim(tmp_path, text)
    assert str(told.value).startswith("mine.toml")
    assert sentence in str(told.value)
    assert str(told.value).endswith(".")
    assert "\n" not in str(told.value)


def test_anybodys_claims_come_after_the_projects_and_a_wrong_one_is_named(tmp_path, monkeypatch):
    claim(tmp_path, DIFFERENCE)
    (tmp_path / "other.toml").write_text("text = 7\n")
    monkeypatch.setenv("LAB_CLAIMS", str(tmp_path))
    found, (wrong,) = claims.claims()
    assert found[-1].name == "mine"
    assert len(found) == 9
    assert wrong.startswith("other.toml: ")
    monkeypatch.setenv("LAB_CLAIMS", str(tmp_path / "nowhere"))
    with pytest.raises(SettingError, match=r"LAB_CLAIMS is .*; there is no such folder"):
        check()


def test_the_command_says_what_finished_runs_say_and_what_is_missing(artifacts, capsys):
    (comparison,) = next(one for one in claims.claims()[0] if one.name == "4-leaky-relu").comparisons
    leaky, plain = comparison.configs("quick", 0)
    for config, wrong in ((leaky, 0.1), (plain, 0.3)):
        finished_with(config, wrong=wrong)
    asked = vars(parser().parse_args(["claims", "4-leaky-relu"]))
    run = asked.pop("run")
    assert run(**asked) == 0
    said = capsys.readouterr().out
    assert said.startswith("4-leaky-relu: holds. LeakyReLU")
    assert "1 seed), holds; claimed is at least 3 points" in said
    assert "4 runs are missing." in said
    for config in [*comparison.configs("quick", 1), comparison.configs("quick", 2)[0]]:
        finished_with(config, wrong=0.1)
    assert run(**asked) == 0
    assert "1 run is missing." in capsys.readouterr().out
    asked = vars(parser().parse_args(["claims", "9-nothing"]))
    assert asked.pop("run")(**asked) == 2
    assert "There is no claim called 9-nothing; there are 1-mnist" in capsys.readouterr().out


def test_the_guides_example_is_a_claim(tmp_path):
    guide = (Path(__file__).parents[3] / "docs" / "claims" / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / "example.toml"
    path.write_text(example, "utf-8")
    (comparison,) = read_claim(path).comparisons
    assert comparison.label().startswith("ResNet-34")
    assert comparison.label().endswith(" minus ResNet-34, translation 0 on Fashion-MNIST")
    assert set(claims.STATISTICS) == set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
