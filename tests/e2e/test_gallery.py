"""The journey of somebody who asks what a network mistakes for what: from the matrix to the images, and to a link."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from core.results import scores
from tests.folders import finished_run


@pytest.fixture
def run(artifacts):
    """A run of which a tenth of 400 answers are the class after the true one."""
    return finished_run("vgg16", "fashion_mnist", examples=400)


def errors(run, **filters):
    predictions = run.read_predictions()
    return scores.cases(predictions["probabilities"], predictions["labels"], correct=False, **filters).tolist()


def tiles(page):
    return page.locator(".cases details")


def click_cell(page, true, predicted):
    # In its corner, because its count is written over its middle.
    page.locator(f"svg.marks [aria-label^='{true} taken for {predicted}:']").click(position={"x": 6, "y": 8})


def query(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items() if name != "run"}


def numbers(page):
    alts = tiles(page).locator("img").evaluate_all("images => images.map(image => image.alt)")
    return [int(re.search(r"image (\d+):", alt)[1]) for alt in alts]


def expect_view(page, tiles_shown, cells_outlined):
    expect(tiles(page)).to_have_count(tiles_shown)
    expect(page.locator("svg.marks path[stroke=currentColor]")).to_have_count(cells_outlined)


def test_a_click_on_the_confusion_matrix_shows_the_images_of_its_cell(app_url, page, run):
    page.goto(app_url)
    page.get_by_role("link", name="Gallery").first.click()
    everything, mistaken = errors(run), errors(run, true_class=4, predicted_class=5)
    assert 0 < len(mistaken) < len(everything)
    expect_view(page, len(everything), 0)

    click_cell(page, "Coat", "Sandal")
    expect_view(page, len(mistaken), 1)
    expect(tiles(page).locator("p")).to_have_text(["× Coat → Sandal"] * len(mistaken))
    assert query(page) == {"show": "errors", "true": "4", "predicted": "5"}
    assert numbers(page) == mistaken
    picture = tiles(page).locator("img").first
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [28, 28]
    expect(picture).to_have_css("image-rendering", "pixelated")

    tiles(page).first.locator("summary").click()
    expect(tiles(page).first.locator("li:visible")).to_have_count(10)
    expect(tiles(page).first).to_contain_text("Loss 3.91 nats")  # -log(0.02)

    friend = page.context.new_page()
    friend.goto(page.url)
    expect_view(friend, len(mistaken), 1)
    assert numbers(friend) == mistaken


def test_the_same_cell_can_be_chosen_and_left_again_and_again(app_url, page, run):
    page.goto(f"{app_url}/gallery?run={run.id}")
    everything, mistaken = errors(run), errors(run, true_class=4, predicted_class=5)
    expect_view(page, len(everything), 0)
    clear = page.get_by_role("button", name="Clear").click
    for leave in (lambda: click_cell(page, "Coat", "Sandal"), clear) * 2:
        click_cell(page, "Coat", "Sandal")
        expect_view(page, len(mistaken), 1)
        leave()
        expect_view(page, len(everything), 0)

    click_cell(page, "Bag", "Bag")
    expect(tiles(page).locator("p").first).to_have_text("✓ Bag")
    assert query(page) == {"show": "success", "true": "8", "predicted": "8"}
