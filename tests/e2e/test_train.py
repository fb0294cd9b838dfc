"""The journey of somebody who trains a network: click a pair, watch its curves grow, lose it, resume it, delete it."""

import os
import re
import signal

import pytest
from playwright.sync_api import expect

from core.jobs import liveness
from core.runs.run import list_runs
from tests.e2e.conftest import look_away
from tests.workers import wait_for

TRAINING_MILLISECONDS = 400_000
SEEN_MILLISECONDS = 10_000


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
def test_a_click_on_a_pair_trains_it_its_curves_grow_and_once_killed_it_is_resumed_to_its_end_and_deleted(
    app_url, page
):
    page.goto(app_url)
    page.get_by_role("link", name="Train", exact=True).first.click()
    fill_in_the_settings(page)
    run = click_on_a_pair(page)
    zoom_in_while_the_curves_grow(page)
    # A checkpoint is there, and what follows has the time that it takes.
    look_away(page)
    wait_for(run, lambda status: status.get("epoch", 0) >= 2 and status["phase"] == "training")
    liveness.worker(run).suspend()
    page.reload()
    wait_for_more_points(page, than=2)
    page.evaluate("window.opened_once = true")

    card = page.locator(f".st-key-run-{run.id}")
    os.kill(run.read_status()["pid"], signal.SIGKILL)
    expect(card.get_by_text("Interrupted at epoch ")).to_be_visible(timeout=SEEN_MILLISECONDS)
    expect(card.get_by_text("interrupted", exact=True)).to_be_visible()
    card.get_by_text("The last lines of its log").click()
    expect(card.get_by_text("Epoch 1/3")).to_be_visible()
    card.get_by_role("button", name="Resume").click()
    expect(card.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    look_away(page)
    wait_for(run, lambda status: status["state"] == "completed")
    look_away(page, away=False)
    expect(card.get_by_text("finished", exact=True)).to_be_visible(timeout=SEEN_MILLISECONDS)
    expect(page.get_by_text(re.compile(r"Test accuracy, epoch \d"))).to_be_visible()
    expect(page.get_by_role("link", name="See what it gets wrong")).to_have_attribute("href", re.compile(run.id))
    assert run.read_status()["state"] == "completed"
    assert list(run.read_history()["epoch"]) == [1, 2, 3]
    assert run.read_config().image_size == 16
    assert page.evaluate("window.opened_once")

    # Where it was only greyed out, it is changed for one that can be pressed.
    expect(card.get_by_role("button", name="Delete")).to_have_count(1)
    card.get_by_role("button", name="Delete").click()
    delete = page.get_by_role("button", name="Delete for good")
    expect(delete).to_have_css("background-color", "rgb(179, 38, 30)")
    delete.click()
    expect(card).to_have_count(0)
    assert list_runs() == []
    assert f"run={run.id}" not in page.url


def fill_in_the_settings(page):
    """Small ones, after a wrong one that starts nothing."""
    page.get_by_text("More settings").click()
    batch = page.get_by_role("textbox", name="Batch size")
    usual = batch.input_value()
    batch.fill("5000")
    page.get_by_role("button", name="AlexNet on MNIST").click(force=True)
    expect(page.get_by_text("Batch size is between 1 and 1,024, not 5000.")).to_be_visible()
    expect(batch).to_have_value("5000")
    assert list_runs() == []
    for label, value in (("Batch size", usual), ("Epochs", 3), ("Image size", 16), ("Training images", 15_000)):
        field = page.get_by_role("textbox", name=label)
        field.fill(str(value))
        field.press("Enter")
    expect(page.get_by_text("epochs 3, training images 15,000, image size 16")).to_be_visible()
    assert "epochs=3" in page.url
    page.get_by_text("More settings").click()


def click_on_a_pair(page):
    """The run that it starts."""
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
    return run


def zoom_in_while_the_curves_grow(page):
    """What is zoomed in, and a curve that is hidden, stay as they are."""
    wait_for_more_points(page, than=2)
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
