"""The journey of a newcomer: a fresh copy of the project, no dataset, and all is there to be looked at."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.networks.catalogue import NETWORKS
from core.results import table as results
from core.runs.run import list_runs
from pages.parts.style import percent
from tests.e2e.conftest import served
from tests.e2e.test_draw import draw, go_to, verdict
from tests.hand_made import hand_made_tab

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def newcomers_url(artifacts, monkeypatch, tmp_path):
    """The app's address, on a copy of what the project ships, where no dataset was ever fetched nor will be."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for marker in (PROJECT / "artifacts").glob("*/shipped"):
        shutil.copytree(marker.parent, artifacts / marker.parent.name)
    with served(tmp_path / "streamlit.log") as address:
        yield address
    assert not (tmp_path / "keras").exists()


def test_a_newcomer_finds_figures_galleries_and_networks_that_read_digits(newcomers_url, page):
    runs = list_runs()
    assert runs
    page.goto(newcomers_url)
    for row in results.best_runs(results.table(runs)[0]).values():
        expect(page.get_by_text(percent(row["test_accuracy"])).first).to_be_visible()
    for run in runs:
        accuracy = run.read_metrics()["best"]["test_accuracy"]
        with hand_made_tab(newcomers_url, "gallery", f"run={run.id}") as tab:
            assert percent(accuracy) in tab.texts("metric")
            images = re.findall("<details.*?<img", "".join(tab.texts("html")), re.DOTALL)
        assert len(images) == min(100, round(10_000 * (1 - accuracy)))
    page.goto(f"{newcomers_url}/gallery?run={runs[0].id}")
    picture = page.locator(".cases details img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") in (28, 32)

    page.goto(f"{newcomers_url}/train?run={runs[0].id}")
    expect(page.locator(f".st-key-title-{runs[0].id}")).to_contain_text("included")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)

    readers = {NETWORKS[run.read_config().network]["label"] for run in runs if run.tflite_path.exists()}
    go_to(page, "Draw")
    expect(page.get_by_role("article")).to_have_count(len(readers))
    draw(page, 7)
    expect(page.locator(".reading b")).to_have_text(["7"] * len(readers))
    expect(verdict(page)).to_contain_text("read")
