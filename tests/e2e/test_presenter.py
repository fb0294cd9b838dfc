"""The journey of a teacher with a projector: one switch, and the last row can read every page."""

import re

import pytest
from playwright.sync_api import expect

from core.datasets.catalogue import DATASETS
from pages.parts.presenter import LEAST_LINE
from tests.e2e.conftest import lab_of
from tests.every_page import DRAWN, PAGES
from tests.folders import finished_run, started_run
from tests.penmanship import teach

LEAST_TEXT = 16
# Every text that can be seen, those in charts and in components too: [pixels, text].
TEXTS = """() => {
  const found = [], roots = [document.body];
  while (roots.length) {
    const walker = document.createTreeWalker(roots.pop(), NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.shadowRoot) roots.push(node.shadowRoot);
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
      const element = node.parentElement, range = document.createRange();
      if (element.closest("style, script, canvas, template")) continue;
      range.selectNodeContents(node);
      const { width, height } = range.getBoundingClientRect();
      if (width > 1 && height > 1 && element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }))
        found.push([parseFloat(getComputedStyle(element).fontSize), node.data.trim().slice(0, 60)]);
    }
  }
  return found;
}"""
# The lines of all charts, without those of their axes: pixels.
LINES = """() =>
  [...document.querySelectorAll(".js-line, .legendlines path, .role-mark:is(.mark-line, .mark-rule) > *")]
  .map((line) => parseFloat(getComputedStyle(line).strokeWidth))"""


def some_runs():
    for network in ("alexnet", "vgg16"):
        teach(finished_run(network))
    for dataset in DATASETS:
        finished_run("resnet34", dataset)
    return started_run("alexnet", "cifar10")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with lab_of(some_runs, tmp_path_factory) as found:
        yield found


def switch(page):
    return page.get_by_role("switch", name="Presenter mode")


def drawn(page, name):
    title, last = DRAWN[name]
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.locator(last).first.wait_for()
    page.wait_for_timeout(500)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_on_a_projected_page_is_small_or_thin(lab, page, name):
    _, app_url = lab
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{app_url}/{name}?present=true")
    drawn(page, name)
    texts = page.evaluate(TEXTS)
    assert len(texts) > 10
    assert [(size, text) for size, text in texts if size < LEAST_TEXT] == []
    lines = page.evaluate(LINES)
    assert [width for width in lines if width < LEAST_LINE] == []
    assert bool(lines) == (name in ("networks", "train", "compare"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920


def test_one_switch_enlarges_every_page_and_stays_in_the_address(lab, page):
    running, app_url = lab
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{app_url}/compare?run={running.id}")
    drawn(page, "compare")
    chart = page.locator(".js-plotly-plot").first
    height = chart.bounding_box()["height"]
    page.locator(".st-key-presenter label").first.click()
    expect(switch(page)).to_be_checked()
    expect(page).to_have_url(re.compile(r"/compare\?.*present=true"))
    assert f"run={running.id}" in page.url
    page.wait_for_function("least => document.querySelector('.js-plotly-plot').clientHeight > least", arg=1.3 * height)

    for name in ("train", "networks", "overview", "gallery", "draw"):
        page.get_by_test_id("stTopNavLink").filter(has_text=name.capitalize()).click()
        drawn(page, name)
        expect(switch(page)).to_be_checked()
        assert page.url.endswith("?present=true")
    page.go_back()
    drawn(page, "gallery")
    expect(switch(page)).to_be_checked()
    page.get_by_test_id("stTopNavLink").filter(has_text="Overview").click()
    drawn(page, "overview")
    page.get_by_role("link", name="Curves").first.click()
    drawn(page, "compare")
    assert re.search(r"\?present=true&run=", page.url)

    page.locator(".st-key-presenter label").first.click()
    expect(switch(page)).not_to_be_checked()
    assert "present" not in page.url
    page.get_by_test_id("stTopNavLink").filter(has_text="Train").click()
    drawn(page, "train")
    assert "present" not in page.url


def test_a_started_run_is_shown_on_the_projector_too(artifacts, app_url, page):
    page.goto(f"{app_url}/draw?present=true")
    page.get_by_role("button", name="Train AlexNet").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(switch(page)).to_be_checked()
    expect(page).to_have_url(re.compile("/train.*present=true"))
    expect(page).to_have_url(re.compile("run=alexnet-mnist-quick-"))


def test_a_switch_in_the_link_that_means_nothing_is_said(artifacts, app_url, page):
    page.goto(f"{app_url}/train?present=loud")
    expect(
        page.get_by_text("“Presenter mode” in the link is neither true nor false, so it is ignored.")
    ).to_be_visible()
    expect(switch(page)).not_to_be_checked()
