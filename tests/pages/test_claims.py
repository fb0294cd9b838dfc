"""The Claims page: what runs say of each claim, what is missing, and the button that trains it."""

import functools
import re

import pytest

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
    labels = [button.label for button in page.button]
    assert len(labels) == 8
    assert all(re.fullmatch(r"Train the \d+ missing runs", label) for label in labels)
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
    assert button.label == "Train the 2 missing runs"
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
