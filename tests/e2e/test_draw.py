"""The journey: draw a 7 with the mouse, read what three networks make of it, and find it again later."""

import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from core.networks.catalogue import NETWORKS
from core.results.reference import NETWORKS_OF_REPORT
from tests.folders import finished_run
from tests.penmanship import DIGITS, teach
from tests.picture_files import PAPER, saved


def open_draw(page, app_url):
    page.goto(app_url)
    go_to(page, "Draw")


def go_to(page, name):
    page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def draw(page, digit):
    box = page.get_by_label("Pad: draw a digit").bounding_box()
    for corners in DIGITS[digit]:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=4)
        page.mouse.up()


def verdict(page):
    return page.get_by_role("status").filter(has_text=re.compile("read|Waiting|disagree"))


def ink(page):
    """How many of the pad's pixels are white."""
    return page.get_by_label("Pad: draw a digit").evaluate(
        "pad => pad.getContext('2d').getImageData(0, 0, pad.width, pad.height).data.filter((v) => v > 200).length / 4"
    )


@pytest.fixture
def three_networks(artifacts):
    return {network: teach(finished_run(network)) for network in NETWORKS_OF_REPORT}


def test_a_drawn_7_is_read_by_three_networks_and_survives_a_visit_elsewhere(three_networks, app_url, page):
    open_draw(page, app_url)
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    draw(page, 7)
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    cards = page.get_by_role("article")
    expect(cards).to_have_count(3)
    for card, (network, run) in zip(cards.all(), three_networks.items(), strict=True):
        expect(card).to_contain_text(NETWORKS[network]["label"])
        expect(card.locator(".reading b")).to_have_text("7")
        expect(card.locator("li.top")).to_contain_text(re.compile("7.*%"))
        expect(card).to_contain_text(run.id[-4:])
    expect(page.get_by_label("The drawing as 28 by 28 pixels")).to_be_visible()

    drawn = ink(page)
    assert drawn > 1000
    go_to(page, "Train")
    go_to(page, "Draw")
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    assert ink(page) == pytest.approx(drawn, rel=0.02)


def test_answers_come_while_the_pen_is_still_down(three_networks, app_url, page):
    open_draw(page, app_url)
    box = page.get_by_label("Pad: draw a digit").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    page.mouse.up()


def test_undo_clear_and_pen_width(three_networks, app_url, page):
    open_draw(page, app_url)
    undo, clear = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Clear")
    expect(undo).to_be_disabled()
    expect(clear).to_be_disabled()
    draw(page, 1)
    draw(page, 0)
    undo.click()
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    thin = ink(page)
    clear.click()
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    assert ink(page) == 0
    page.keyboard.press("Control+z")
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    clear.click()
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    undo.click()
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    clear.click()
    page.get_by_label("Pen width").press("End")
    draw(page, 1)
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    assert ink(page) > 1.3 * thin


def test_with_nothing_trained_the_page_starts_a_quick_run(app_url, page):
    open_draw(page, app_url)
    draw(page, 7)
    expect(page.get_by_label("The drawing as 28 by 28 pixels")).to_be_visible()
    page.get_by_role("button", name="Train AlexNet").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("/train.*run=alexnet-mnist-quick-"))
    go_to(page, "Draw")
    expect(page.get_by_text("AlexNet is learning digits")).to_be_visible()


def choose(page, name, content):
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )


def test_a_chosen_picture_is_read_by_three_networks_until_a_stroke_replaces_it(three_networks, app_url, page):
    open_draw(page, app_url)
    draw(page, 1)
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    choose(page, "<img src=x onerror=alert(7)>.png", saved(PAPER))
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    for card in page.get_by_role("article").all():
        expect(card.locator(".reading b")).to_have_text("7")
    picture = page.locator(".paper img")
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == list(PAPER.size)
    assert ink(page) == 0
    expect(page.get_by_text("<img src=x onerror=alert(7)>.png")).to_be_visible()

    go_to(page, "Train")
    go_to(page, "Draw")
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    expect(picture).to_be_visible()

    draw(page, 1)
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    expect(picture).to_be_hidden()
    choose(page, "again.png", saved(PAPER))
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    assert ink(page) == 0
    page.get_by_role("button", name="Clear").click()
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    choose(page, "again.png", saved(PAPER))
    expect(picture).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    expect(picture).to_be_hidden()
    with urlopen(f"{app_url}/_stcore/metrics") as figures:
        assert b"UploadedFileManager" not in figures.read(), "the server keeps files that were read"


def test_a_file_that_is_no_picture_is_said_so_and_the_drawing_stays(three_networks, app_url, page):
    open_draw(page, app_url)
    draw(page, 1)
    choose(page, "seven.png", b"no picture")
    expect(page.get_by_text("This is no picture that can be read here")).to_be_visible()
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    assert ink(page) > 1000
