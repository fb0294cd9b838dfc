"""The journey of somebody who asks what a network mistakes for what: from the matrix to the images, and to a link."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from core.results import scores
from pages.parts.style import interval
from tests.hand_made import hand_made_tab


@pytest.fixture
def lab(mistakes_lab):
    return mistakes_lab


@pytest.fixture
def app_url(lab):
    return lab[1]


@pytest.fixture
def run(lab):
    """That with mistakes."""
    return lab[0][0]


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


def test_each_click_on_the_confusion_matrix_shows_the_images_of_its_cell_and_a_link_holds_it(app_url, page, run):
    page.goto(app_url)
    page.get_by_role("link", name="Gallery of VGG-16 on Fashion-MNIST").click()
    everything, mistaken = errors(run), errors(run, true_class=4, predicted_class=5)
    assert 0 < len(mistaken) < len(everything)
    expect_view(page, len(everything), 0)
    clear = page.get_by_role("button", name="Clear").click
    for leave in (lambda: click_cell(page, "Coat", "Sandal"), clear):
        click_cell(page, "Coat", "Sandal")
        expect_view(page, len(mistaken), 1)
        leave()
        expect_view(page, len(everything), 0)

    click_cell(page, "Bag", "Bag")
    expect(tiles(page).locator("p").first).to_have_text("✓ Bag")
    assert query(page) == {"show": "success", "true": "8", "predicted": "8"}

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

    with hand_made_tab(app_url, "gallery", urlsplit(page.url).query) as friend:
        images = re.findall(r'data-image="(\d+)"', "".join(friend.texts("html")))
    assert [int(number) for number in images] == mistaken


def open_tiles(page):
    return [
        int(number) for number in tiles(page).evaluate_all("all => all.filter(t => t.open).map(t => t.dataset.image)")
    ]


def test_a_mistake_on_the_overview_leads_to_itself_and_each_image_has_a_link_and_every_networks_view(lab, page):
    (run, other, _), app_url = lab
    wrong = errors(run)
    page.goto(app_url)
    page.get_by_role("link", name=f"Test image {wrong[1]}: ").click()
    expect(tiles(page).and_(page.locator("[open]"))).to_be_in_viewport()
    assert open_tiles(page) == [wrong[1]]
    assert query(page) == {"image": str(wrong[1])}

    expect_view(page, len(wrong), 0)
    for position in (-1, 3):
        tiles(page).nth(position).locator("summary").click()
        expect(tiles(page).nth(position).locator(".others a")).to_have_count(3)
        assert query(page) == {"image": str(wrong[position])}
        assert open_tiles(page) == [wrong[position]]
    tiles(page).nth(3).locator("summary").click()
    page.wait_for_function("!location.search.includes('image')")

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/gallery?run={run.id}&image={wrong[-1]}")
    opened = tiles(page).and_(page.locator("[open]"))
    expect(opened).to_be_in_viewport()
    expect(opened.locator(".others")).to_contain_text("Recognised by 2 of 3 runs")
    opened.locator(f"a[data-run='{other.id}']").click()
    page.wait_for_function("id => location.search.includes(id)", arg=other.id)
    expect(opened.locator("p").first).to_contain_text("✓")
    assert query(page) == {"image": str(wrong[-1])}


def test_the_images_come_into_view_after_a_tap_on_a_phone_and_the_matrix_stays_on_a_desktop_with_two_named_pagers(
    app_url, page, run
):
    page.emulate_media(reduced_motion="no-preference")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/gallery?run={run.id}&show=all")
    expect(tiles(page).first).to_be_attached()
    expect(tiles(page).first).not_to_be_in_viewport()
    click_cell(page, "Coat", "Sandal")
    expect(tiles(page).first).to_be_in_viewport()

    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("radio", name="All").click()
    page.get_by_role("button", name="Clear").click()
    expect(tiles(page)).to_have_count(100)
    above = page.get_by_role("navigation", name="Pages of images, above them")
    expect(above).to_have_count(1)
    expect(page.get_by_role("navigation", name="Pages of images, below them")).to_have_count(1)
    above.get_by_role("button", name="Next page").click()
    page.wait_for_function("location.search.includes('page=2')")
    expect(page.get_by_role("navigation", name="Pages of images, below them")).to_have_count(1)
    expect(page.get_by_role("navigation", name="Pagination")).to_have_count(0)
    page.locator("[data-test-script-state=notRunning]").wait_for()
    tiles(page).last.scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="Confusion matrix")).to_be_in_viewport()
    click_cell(page, "Coat", "Sandal")
    expect(tiles(page).first).to_be_in_viewport()


# The counts that can be seen in the matrix, smallest first.
COUNTS = """() => [...document.querySelector(".st-key-matrix svg.marks").querySelectorAll("text")]
  .filter((text) => /^\\d+$/.test(text.textContent) && text.checkVisibility({ checkVisibilityCSS: true }))
  .map((text) => Number(text.textContent)).sort((one, other) => one - other).join()"""


def expect_epoch(page, run, epoch):
    """Slider, figures, matrix and tiles are all of this epoch."""
    arrays = run.read_predictions()
    classes, labels = arrays["epoch_classes"][epoch - 1], arrays["labels"]
    expect(page.get_by_role("slider", name="Epoch")).to_have_value(str(epoch))
    expect(page.get_by_test_id("stMetricValue").nth(1)).to_have_text(str((classes != labels).sum()))
    expect(page.get_by_test_id("stMetricValue").nth(2)).to_have_text(f"{epoch} of 3")
    cells = np.bincount(10 * labels.astype(int) + classes)
    page.wait_for_function(f"said => ({COUNTS})() === said", arg=",".join(map(str, np.sort(cells[cells > 0]))))
    right = [classes[number] == labels[number] for number in numbers(page)]
    expect(tiles(page).locator("p").first).to_have_class("right" if right[0] else "wrong")
    assert tiles(page).locator("p.right").count() == sum(right)


def test_the_epochs_are_played_in_place_and_paused_by_keyboard_and_a_link_holds_the_epoch(app_url, page, run):
    page.emulate_media(reduced_motion="no-preference")
    page.goto(f"{app_url}/gallery?run={run.id}&show=all")
    expect(tiles(page)).to_have_count(100)
    page.get_by_role("slider", name="Epoch").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('epoch=1')")
    expect_epoch(page, run, 1)
    # The server draws the page once more where the slider has come to rest.
    page.locator("[data-test-script-state=notRunning]").wait_for()

    page.evaluate("window.before = document.querySelectorAll('.cases details, .st-key-matrix svg.marks')")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("Epoch 2 of 3")).to_be_visible()
    assert page.evaluate("[...before].every((each) => each.isConnected)")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    # On a slow machine it may have gone on to the last, which the address leaves out.
    page.wait_for_function("!location.search.includes('epoch=1')")
    expect_epoch(page, run, int(query(page).get("epoch", 3)))

    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{app_url}/gallery?run={run.id}&show=all&epoch=1")
    expect_epoch(page, run, 1)
    page.get_by_role("button", name="Next epoch").click()
    expect(page.get_by_text("Epoch 2 of 3")).to_be_visible()
    right = (run.read_predictions()["epoch_classes"][1] == run.read_predictions()["labels"]).sum()
    expect(page.get_by_test_id("stMetricDelta")).to_have_text(interval(int(right), 400))
    page.wait_for_function("location.search.includes('epoch=2')")
    expect_epoch(page, run, 2)
