"""The journey of somebody who trains a network: click a pair, watch its curves grow, look closer, come back later."""

import re

import pytest
from playwright.sync_api import expect

from core.results.reference import REPORT
from core.runs.run import list_runs

TRAINING_MILLISECONDS = 400_000


def points(page):
    """How many points of the curve that follows each step the loss chart shows."""
    return page.locator(".live-chart .js-plotly-plot").first.evaluate("chart => chart.data[0].x.length")


def wait_for_more_points(page, than):
    page.wait_for_function(
        "than => document.querySelector('.live-chart .js-plotly-plot')?.data[0].x.length > than",
        arg=than,
        timeout=TRAINING_MILLISECONDS,
    )


def zoom(page):
    """The accuracy chart's epoch axis, and whether its validation curve is shown."""
    return page.locator(".live-chart .js-plotly-plot").last.evaluate(
        "chart => [chart._fullLayout.xaxis.range, chart._fullData[2].visible]"
    )


@pytest.mark.timeout(900)
def test_a_click_on_a_pair_trains_it_and_its_curves_grow(app_url, page):
    page.goto(app_url)
    page.get_by_role("link", name="Train", exact=True).first.click()
    page.get_by_text("More settings").click()
    for label, value in (("Epochs", 3), ("Image size", 16), ("Training images", 30_000)):
        field = page.get_by_role("textbox", name=label)
        field.fill(str(value))
        field.press("Enter")
    expect(page.get_by_text("epochs 3, training images 30,000, image size 16")).to_be_visible()
    assert "epochs=3" in page.url
    page.get_by_text("More settings").click()

    page.get_by_test_id("stButtonGroup").get_by_text("LeNet-5", exact=True).click()
    button = page.get_by_role("button", name="LeNet-5 on MNIST about")
    place = button.bounding_box()
    button.click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    # Whoever leaves the pointer where it is clicks on nothing else.
    expect(page.locator(".live-chart .js-plotly-plot").first).to_be_visible()
    # But for a rounded pixel.
    assert button.bounding_box() == pytest.approx(place, abs=1.5)
    (run,) = list_runs()
    assert f"run={run.id}" in page.url
    wait_for_more_points(page, than=2)

    # Zoom in and hide a curve; both stay as they are while the curves grow.
    chart = page.locator(".live-chart .js-plotly-plot").last
    chart.scroll_into_view_if_needed()
    area = chart.locator(".nsewdrag").first.bounding_box()
    middle = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 0.1 * area["width"], middle)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], middle, steps=5)
    page.mouse.up()
    chart.locator(".legendtoggle").nth(2).click()
    expect(chart.locator(".traces").nth(2)).to_have_css("opacity", "0.5")
    chosen = zoom(page)
    assert chosen[1] == "legendonly"
    assert 0.1 < chosen[0][0] < chosen[0][1] < 2.5
    wait_for_more_points(page, than=points(page))
    assert zoom(page) == chosen

    # A reload and a second tab show what is on disk.
    page.reload()
    wait_for_more_points(page, than=2)
    tab = page.context.new_page()
    tab.goto(page.url)
    expect(tab.get_by_text(run.id)).to_be_visible()
    tab.close()

    expect(page.get_by_text(re.compile(r"Test accuracy, epoch \d"))).to_be_visible(timeout=TRAINING_MILLISECONDS)
    expect(page.get_by_role("link", name="See what it gets wrong")).to_have_attribute("href", re.compile(run.id))
    assert run.read_status()["state"] == "completed"
    assert len(run.read_history()) == 3
    assert run.read_config().image_size == 16


def test_a_wrong_setting_is_said_and_starts_nothing(lab, page):
    (run, *_), app_url = lab
    before = set(run.path.parent.iterdir())
    page.goto(f"{app_url}/train")
    # Which of the report's figures a line is, is said at it.
    accuracy = 100 * REPORT["alexnet", "cifar10"]["validation_accuracy"]
    expect(page.get_by_text(f"the report’s validation accuracy, {accuracy:.2f} %", exact=True)).to_be_visible()
    page.get_by_text("More settings").click()
    page.get_by_role("textbox", name="Batch size").fill("5000")
    page.get_by_role("button", name="AlexNet on MNIST").click(force=True)
    expect(page.get_by_text("Batch size is between 1 and 1,024, not 5000.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Batch size")).to_have_value("5000")
    assert set(run.path.parent.iterdir()) == before
