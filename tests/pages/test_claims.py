"""The Claims page: what runs say of each claim, what is missing, and the button that trains it."""

import functools
import re

import pytest

from core.jobs import estimate
from core.results import claims
from core.runs.run import list_runs
from tests.every_page import opened as opened_page
from tests.folders import finished_with

opened = functools.partial(opened_page, "claims")
pytestmark = pytest.mark.usefixtures("artifacts")
LEAKY = next(claim for claim in claims.claims()[0] if claim.name == "4-leaky-relu")


def card(page, claim):
    """The HTML of a claim's card."""
    (text,) = [
        element.proto.body for element in page.get("html") if claim.text.replace("'", "&#x27;") in element.proto.body
    ]
    return text


def test_every_claim_of_the_report_has_a_card_which_says_what_is_missing():
    page = opened()
    for claim in claims.claims()[0]:
        assert "Cannot be told yet" in card(page, claim)
    buttons = [button for button in page.button if button.key.startswith("train ")]
    assert len(buttons) == 8
    # Those who hear the page are told of which claim; those who see it see its card.
    names = [button.label.partition(" *of the claim: ") for button in buttons if button.label.startswith("Train")]
    asked = [popover.proto.popover.label.partition(" *of the claim: ") for popover in page.get("popover")]
    assert all(re.fullmatch(r"Train the \d+ missing runs", name) for name, *_ in names + asked)
    texts = {re.sub(r"\\", "", text.removesuffix("*")) for *_, text in names + asked}
    assert texts == {claim.text for claim in claims.claims()[0]}
    assert all(" takes about " in caption.value for caption in page.caption if "missing" in caption.value)


def test_a_claim_is_judged_by_finished_runs_and_its_button_queues_exactly_the_missing_ones():
    (comparison,) = LEAKY.comparisons
    for seed in range(2):
        for config, wrong in zip(comparison.configs("quick", seed), (0.1, 0.3), strict=True):
            finished_with(config, wrong=wrong + seed / 100)
    page = opened()
    assert "Does not hold" not in card(page, LEAKY)
    assert "95 %:" in card(page, LEAKY)
    there = set(list_runs())
    (button,) = [button for button in page.button if button.key == "train 4-leaky-relu quick"]
    assert button.label.startswith("Train the 2 missing runs *of the claim: ")
    button.click().run()
    assert not page.exception
    started = {run.read_config() for run in set(list_runs()) - there}
    assert started == set(comparison.configs("quick", 2))
    assert any("4 of 6 runs are there, 2 train or wait." in caption.value for caption in page.caption)
    assert not [button for button in page.button if button.key == "train 4-leaky-relu quick"]


def test_the_two_scales_never_mix_and_a_lab_that_is_read_only_trains_nothing(monkeypatch):
    (comparison,) = LEAKY.comparisons
    for seed in range(3):
        for config, wrong in zip(comparison.configs("quick", seed), (0.1, 0.3), strict=True):
            finished_with(config, wrong=wrong)
    assert "✓ Holds" in card(opened(), LEAKY)
    page = opened(scale="report")
    assert "Cannot be told yet" in card(page, LEAKY)
    assert any("on all images at 64 pixels" in caption.value for caption in page.caption)
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    page = opened()
    assert "✓ Holds" in card(page, LEAKY)
    assert not page.button


def test_a_claim_of_ones_own_is_a_card_and_a_wrong_one_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_CLAIMS", str(tmp_path))
    (tmp_path / "wide.toml").write_text(
        'text = "Wider is better."\nhow = "By a point."\n[[comparisons]]\nstatistic = "difference"\n'
        'of = {network = "wrn16_4", dataset = "mnist"}\nless = {network = "resnet20"}\nat_least = 1\n'
    )
    (tmp_path / "wrong.toml").write_text('text = "?"\n')
    page = opened()
    assert not page.exception
    assert "Wider is better." in "".join(element.proto.body for element in page.get("html"))
    assert "wrong.toml: how is missing." in page.warning[0].value.replace("\\", "")


def test_what_takes_more_than_a_day_is_asked_first_with_what_it_costs(monkeypatch):
    slow = estimate.Estimate(3 * 24 * 3600, measured=False, at_most=False)
    monkeypatch.setattr(estimate, "estimate", lambda *about: slow)
    page = opened()
    there = set(list_runs())
    (popover,) = [each for each in page.get("popover") if "leaky" in each.proto.popover.label.lower()]
    told = " ".join(each.value for each in popover.markdown)
    assert "**6 runs**" in told
    assert "about **18 days**" in told
    assert not [each for each in page.button if each.label.startswith("Train the")]
    page.button(key="train 4-leaky-relu quick").click().run()
    assert not page.exception
    assert len(set(list_runs()) - there) == 6


def test_a_card_says_that_the_interval_of_one_seed_leaves_out_how_trainings_differ():
    (comparison,) = LEAKY.comparisons
    words = "One seed tells nothing of how much two trainings differ"
    assert words not in card(opened(), LEAKY)
    for seed in range(2):
        for config, wrong in zip(comparison.configs("quick", seed), (0.1, 0.3), strict=True):
            finished_with(config, wrong=wrong)
        assert (words in card(opened(), LEAKY)) == (seed == 0)


def test_a_single_missing_run_is_missing_and_then_trains():
    (comparison,) = LEAKY.comparisons
    for config in [config for seed in range(3) for config in comparison.configs("quick", seed)][:5]:
        finished_with(config, wrong=0.1)
    page = opened()
    assert any("5 of 6 runs are there, 1 is missing, which takes" in caption.value for caption in page.caption)
    (button,) = [button for button in page.button if button.key == "train 4-leaky-relu quick"]
    button.click().run()
    assert any("5 of 6 runs are there, 1 trains or waits." in caption.value for caption in page.caption)
