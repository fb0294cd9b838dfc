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
    expect(tiles(page).first).to_contain_text("Loss 3.91")  # -log(0.02)

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


def open_tiles(page):
    return [
        int(number) for number in tiles(page).evaluate_all("all => all.filter(t => t.open).map(t => t.dataset.image)")
    ]


def test_an_opened_image_has_a_link_and_is_shown_as_every_network_sees_it(app_url, page, run):
    other = finished_run("alexnet", "fashion_mnist", examples=400, wrong=0)
    page.goto(f"{app_url}/gallery?run={run.id}")
    wrong = errors(run)
    expect_view(page, len(wrong), 0)
    for position in (-1, 3):
        tiles(page).nth(position).locator("summary").click()
        expect(tiles(page).nth(position).locator(".others a")).to_have_count(2)
        assert query(page) == {"image": str(wrong[position])}
        assert open_tiles(page) == [wrong[position]]
    tiles(page).nth(3).locator("summary").click()
    page.wait_for_function("!location.search.includes('image')")

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/gallery?run={run.id}&image={wrong[-1]}")
    opened = tiles(page).and_(page.locator("[open]"))
    expect(opened).to_be_in_viewport()
    expect(opened.locator(".others")).to_contain_text("Recognised by 1 of 2 runs")
    opened.locator(f"a[data-run='{other.id}']").click()
    page.wait_for_function("id => location.search.includes(id)", arg=other.id)
    expect(opened.locator("p").first).to_contain_text("✓")
    assert query(page) == {"image": str(wrong[-1])}


def test_the_images_come_into_view_after_a_tap_on_a_phone_and_the_matrix_stays_on_a_desktop(app_url, page, run):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/gallery?run={run.id}&show=all")
    expect(tiles(page).first).to_be_attached()
    expect(tiles(page).first).not_to_be_in_viewport()
    click_cell(page, "Coat", "Sandal")
    expect(tiles(page).first).to_be_in_viewport()

    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{app_url}/gallery?run={run.id}&show=all")
    expect(tiles(page)).to_have_count(100)
    tiles(page).last.scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="Confusion matrix")).to_be_in_viewport()
    click_cell(page, "Coat", "Sandal")
    expect(tiles(page).first).to_be_in_viewport()


def test_a_mistake_on_the_overview_leads_to_itself_in_the_gallery(app_url, page, run):
    page.goto(app_url)
    page.get_by_role("link", name=f"Test image {errors(run)[1]}: ").click()
    opened = tiles(page).and_(page.locator("[open]"))
    expect(opened).to_be_in_viewport()
    assert open_tiles(page) == [errors(run)[1]]
    assert query(page) == {"image": str(errors(run)[1])}
