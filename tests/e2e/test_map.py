"""Journeys over the map of the test images: pointing, a line around some, opening one, and with the keyboard."""

import io
import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from core.datasets.test_images import load_test_images
from tests.e2e.test_every_page import violations
from tests.hand_made import hand_made_tab
from tests.penmanship import address_of, strokes

# What the map leaves empty around it, as a share of its side.
MARGIN = 0.03


@pytest.fixture
def lab(readers_lab):
    """(a run that has a map, the address of the app)."""
    runs, address = readers_lab
    return runs["alexnet"], address


def place(page, right, down):
    """Where a place of the map, in 0..1, is on the canvas."""
    side = page.locator(".above").bounding_box()["width"]
    return {"x": side * (MARGIN + (1 - 2 * MARGIN) * right), "y": side * (MARGIN + (1 - 2 * MARGIN) * down)}


def drag(page, *corners):
    box = page.locator(".above").bounding_box()
    for number, corner in enumerate(corners):
        there = place(page, *corner)
        page.mouse.move(box["x"] + there["x"], box["y"] + there["y"])
        if not number:
            page.mouse.down()
    page.mouse.up()


def query(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items() if name != "run"}


def shown_on(canvas):
    """The pixels of a canvas, (h, w) uint8."""
    pixels, width = canvas.evaluate(
        "c => [[...c.getContext('2d').getImageData(0, 0, c.width, c.height).data], c.width]"
    )
    return np.array(pixels, np.uint8).reshape(-1, width, 4)[..., 0]


def test_pointing_shows_an_image_a_line_around_some_sends_them_to_the_gallery_and_a_click_opens_one(lab, page):
    run, address = lab
    page.set_viewport_size({"width": 1440, "height": 1300})
    page.goto(f"{address}/gallery?run={run.id}")
    page.get_by_text("Map", exact=True).click()
    canvas, tiles = page.locator(".above"), page.locator(".cases details")
    expect(canvas).to_have_attribute("aria-label", "Map of 200 test images")

    # Image 43 is the fifth of class 3.
    canvas.hover(position=place(page, 0.35, 4.5 / 20))
    expect(page.locator(".tip canvas")).to_have_attribute("data-shown", "43")
    expect(page.locator(".tip p")).to_contain_text(re.compile("[✓×] 3"))
    assert (shown_on(page.locator(".tip canvas")) == load_test_images("mnist")[43, ..., 0]).all()

    drag(page, (0.3, 0), (0.5, 0), (0.5, 0.5), (0.3, 0.5), (0.3, 0.1))
    expect(page.get_by_text("20 images in the area")).to_be_visible()
    expect(tiles).to_have_count(20)
    assert query(page)["show"] == "all"
    numbers = {int(number) for number in tiles.evaluate_all("all => all.map(each => each.dataset.image)")}
    assert numbers == {10 * row + column for row in range(10) for column in (3, 4)}

    with hand_made_tab(address, "gallery", urlsplit(page.url).query) as friend:
        assert "".join(friend.texts("html")).count("<details") == 20

    canvas.click(position=place(page, 0.35, 4.5 / 20))
    expect(tiles.and_(page.locator("[open]"))).to_have_attribute("data-image", "43")
    assert (query(page)["image"], "area" in query(page)) == ("43", True)

    page.get_by_role("button", name="Box").click()
    drag(page, (0.0, 0.0), (0.1, 1.0))
    expect(page.get_by_text("20 images in the area")).to_be_visible()
    expect(tiles.first.locator("p")).to_contain_text("0")
    assert len(query(page)["area"].split("_")) == 4

    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 1300})
        page.wait_for_timeout(500)
        assert violations(page, ".above") == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.locator(".legend button").first.click()
    expect(page.locator(".legend button").first).to_have_attribute("aria-pressed", "true")
    assert query(page)["true"] == "0"


def test_the_keyboard_alone_goes_from_image_to_image_opens_one_and_chooses_those_around_it(lab, page):
    run, address = lab
    page.goto(f"{address}/gallery?run={run.id}&view=map&show=all&image=43")
    canvas, tip = page.locator(".above"), page.locator(".tip p")
    canvas.focus()
    for key, image in (("ArrowLeft", 43), ("ArrowRight", 44), ("ArrowDown", 54), ("ArrowLeft", 53), ("ArrowUp", 43)):
        page.keyboard.press(key)
        expect(tip).to_contain_text(f"no. {image}")
        expect(page.locator(".spoken")).to_contain_text(f"no. {image}")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".cases details[open]")).to_have_attribute("data-image", "33")
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("s")
    expect(page.get_by_text(re.compile("^[35] images in the area"))).to_be_visible()
    canvas.focus()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Draw a line around images")).to_be_visible()
    assert "area" not in query(page)


def test_the_pictures_of_a_map_are_there_and_nothing_beside_them(lab, page):
    _, address = lab
    page.goto(f"{address}/draw?map=true&drawing={address_of(strokes(3))}")
    sheet = page.get_by_role("img", name="Map of the test images as AlexNet sees them")
    expect(sheet).to_be_visible()
    assert sheet.evaluate("image => image.decode().then(() => image.naturalWidth)") == 600
    expect(page.locator(".placed .sheet i")).to_be_visible()
    # Whoever draws sees more than an empty pad.
    expect(page.locator(".predictions .verdict")).to_contain_text("All three networks read a 3")
    assert violations(page, "[data-testid=stHtml]:has(.placed)") == []

    nearest = page.locator(".nearest img").first
    page.set_viewport_size({"width": 390, "height": 900})
    spans = page.locator(".placed figure").evaluate_all(
        "all => all.flatMap(each => [...each.querySelectorAll('.nearest img')].map("
        "image => image.getBoundingClientRect().right - each.getBoundingClientRect().right))"
    )
    assert max(spans) <= 0
    number = re.match(r"No\. (\d+):", nearest.get_attribute("alt"))[1]
    nearest.click()
    expect(page.locator(".cases details[open]")).to_have_attribute("data-image", number)
    expect(page.locator(".above")).to_be_visible()

    strip = page.evaluate("performance.getEntriesByType('resource').map(each => each.name).find(n => /maps/.test(n))")
    for part in (strip, f"{address}/test-images/mnist-0/0.png", f"{address}/maps/nothing-here/1.png"):
        answer = page.request.get(part)
        assert answer.ok == (part == strip)
        if answer.ok:
            assert "immutable" in answer.headers["cache-control"]
            assert Image.open(io.BytesIO(answer.body())).size == (600, 600)
        else:
            assert re.fullmatch(r"There is no [^.]+\.", answer.text())
