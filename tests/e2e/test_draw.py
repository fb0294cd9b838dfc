"""The journey: draw a 7 with the mouse, read what three networks make of it, and find it again later."""

import math
import re
import shutil
import time
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from core.digits.strokes import strokes_in_address
from core.networks.catalogue import NETWORKS
from core.runs.run import list_runs
from tests.e2e.conftest import served
from tests.folders import complete, finished_run, started_run
from tests.hand_made import hand_made_tab
from tests.penmanship import DIGITS, teach
from tests.picture_files import PAPER, saved
from tests.workers import end_workers


def go_to(page, name):
    page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def settled_box(page):
    """Where the pad is, once the page that has just come no longer moves it."""
    pad, before = page.get_by_label("Pad: draw a digit"), None
    while (box := pad.bounding_box()) != before:
        before = box
        page.wait_for_timeout(150)
    return box


def draw(page, digit):
    box = settled_box(page)
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
def three_networks(readers_lab):
    return readers_lab[0]


@pytest.fixture
def app_url(readers_lab):
    return readers_lab[1]


def test_digits_are_read_while_the_pen_is_down_and_survive_a_visit_elsewhere_on_a_phone_directly_under_the_pad(
    three_networks, app_url, page
):
    page.goto(f"{app_url}/draw")
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    box = settled_box(page)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    page.mouse.up()

    page.get_by_role("button", name="Clear").click()
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
    expect(page).to_have_url(re.compile("/draw.drawing="))
    link = page.url
    go_to(page, "Train")
    assert "drawing" not in page.url
    go_to(page, "Draw")
    expect(page).to_have_url(link)
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    assert ink(page) == pytest.approx(drawn, rel=0.02)

    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Clear").click()
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    draw(page, 7)
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    expect(verdict(page)).to_be_in_viewport()
    pad, said = page.locator(".paper").bounding_box(), verdict(page).bounding_box()
    assert pad["y"] + pad["height"] < said["y"] < pad["y"] + pad["height"] + 130
    assert said["y"] < page.get_by_test_id("stFileUploader").bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_undo_clear_and_pen_width(three_networks, app_url, page):
    page.goto(f"{app_url}/draw")
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


def test_with_nothing_trained_a_quick_run_is_started_on_the_projector_too_and_what_is_trained_answers_when_it_is_done(
    artifacts, tmp_path, page
):
    with served(tmp_path / "streamlit.log") as address:
        page.goto(f"{address}/draw?present=true")
        draw(page, 7)
        expect(page.get_by_label("The drawing as 28 by 28 pixels")).to_be_visible()
        page.get_by_role("button", name="Train AlexNet").click()
        expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
        expect(page.get_by_role("switch", name="Presenter mode")).to_be_checked()
        expect(page).to_have_url(re.compile("/train.*present=true"))
        expect(page).to_have_url(re.compile("run=alexnet-mnist-quick-"))
        go_to(page, "Draw")
        expect(page.get_by_text("AlexNet is learning digits")).to_be_visible()
        # To train it takes minutes.
        end_workers()
        (begun,) = list_runs()
        shutil.rmtree(begun.path)

        included = teach(finished_run(recipe="modern"))
        included.shipped_path.touch()
        # Runs are told apart by their second.
        time.sleep(1)
        run = started_run()
        page.locator(".st-key-presenter label").first.click()
        expect(page).not_to_have_url(re.compile("present"))
        card = page.get_by_role("article")
        expect(card).to_contain_text("modern, included")
        page.set_viewport_size({"width": 390, "height": 844})
        learning = page.get_by_text("It answers here when it is done.")
        expect(learning).to_be_visible()
        assert learning.evaluate("text => text.scrollWidth <= text.clientWidth + 1")
        complete(teach(run))
        expect(card).to_contain_text(re.compile(r"AlexNet\s*quick, \d\d:\d\d"))
        expect(card).to_contain_text(run.id[-4:])
        expect(verdict(page)).to_have_text("AlexNet reads a 7.")
        page.get_by_role("radio", name="Best").click()
        expect(page).to_have_url(re.compile("answer=best"))
        expect(page).to_have_url(re.compile("drawing="))


def choose(page, name, content):
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )


def test_a_chosen_picture_is_read_until_a_stroke_replaces_it_and_what_is_none_is_said_so(three_networks, app_url, page):
    page.goto(f"{app_url}/draw")
    draw(page, 1)
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    choose(page, "seven.png", b"no picture")
    expect(page.get_by_text("This file is not a picture that can be read here")).to_be_visible()
    expect(verdict(page)).to_have_text("All three networks read a 1.")
    assert ink(page) > 1000
    choose(page, "<img src=x onerror=alert(7)>.png", saved(PAPER))
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    for card in page.get_by_role("article").all():
        expect(card.locator(".reading b")).to_have_text("7")
    picture = page.locator(".paper img")
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == list(PAPER.size)
    assert ink(page) == 0
    expect(page.get_by_text("<img src=x onerror=alert(7)>.png")).to_be_visible()

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
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.get_by_role("button", name="Remove").click()
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    expect(picture).to_be_hidden()
    with urlopen(f"{app_url}/_stcore/metrics") as figures:
        assert b"UploadedFileManager" not in figures.read(), "the server keeps files that were read"


def press(page, *keys):
    for key, times in keys:
        for _ in range(times):
            page.keyboard.press(key)


def shown_beside(word):
    """A word's meaning as the page knows it, and how it is displayed."""
    return word.evaluate("word => ['content', 'display'].map(name => getComputedStyle(word, '::after')[name])")


def test_a_7_is_drawn_and_a_word_of_the_trade_explained_with_the_keyboard_alone(three_networks, app_url, page):
    page.goto(f"{app_url}/draw")
    pad = page.get_by_label("Pad: draw a digit")
    while not pad.evaluate("pad => pad.getRootNode().activeElement === pad"):
        page.keyboard.press("Tab")
    expect(page.locator(".cursor")).to_be_visible()
    assert "arrow keys move the pen" in page.locator("#how").inner_text()
    press(page, ("ArrowLeft", 10), ("ArrowUp", 14), ("Space", 1))
    expect(page.get_by_role("status").filter(has_text="Pen down")).to_be_attached()
    press(page, ("ArrowRight", 20))
    for _ in range(15):
        page.keyboard.down("ArrowLeft")
        page.keyboard.up("ArrowLeft")
        press(page, ("ArrowDown", 2))
    press(page, ("Space", 1))
    expect(page.get_by_role("status").filter(has_text="Pen up")).to_be_attached()
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    assert ink(page) > 1000
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Delete")
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    page.keyboard.press("Control+z")
    expect(verdict(page)).to_have_text("All three networks read a 7.")

    word = page.locator(".predictions header .term")
    assert shown_beside(word)[1] == "none"
    word.focus()
    meaning, display = shown_beside(word)
    assert display == "block"
    assert "balance point" in meaning


def predictions(page):
    return page.get_by_role("article").locator("li span").all_inner_texts()


def scribble(page):
    """One long stroke, faster than a mouse that is moved from here step by step."""
    box = settled_box(page)
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    positions = [
        (box["x"] + 200 + 150 * math.cos(n / 7), box["y"] + 200 + (120 + n / 12) * math.sin(n / 5)) for n in range(500)
    ]
    page.get_by_label("Pad: draw a digit").evaluate(
        """(pad, positions) => positions.forEach(([clientX, clientY]) =>
          pad.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, clientX, clientY })))""",
        positions,
    )
    page.mouse.up()


def test_a_link_holds_the_drawing_and_opens_with_the_same_predictions(three_networks, app_url, page):
    page.goto(f"{app_url}/draw?drawing=nonsense")
    expect(page.get_by_text("The drawing in the link cannot be read")).to_be_visible()
    expect(page).to_have_url(re.compile("/draw$"))

    entries = page.evaluate("history.length")
    draw(page, 1)
    draw(page, 0)
    page.get_by_role("button", name="Undo").click()
    draw(page, 7)
    page.get_by_role("button", name="Clear").click()
    draw(page, 7)
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    expect(page).to_have_url(re.compile(r"/draw\?drawing=[\w.-]{20,400}$"))
    assert page.evaluate("history.length") == entries, "the Back button would go through the strokes"
    link, read, drawn = page.url, predictions(page), ink(page)

    page.goto("about:blank")
    page.goto(link)
    expect(verdict(page)).to_have_text("All three networks read a 7.")
    assert (predictions(page), ink(page)) == (read, drawn)
    assert page.url == link

    scribble(page)
    expect(page).to_have_url(re.compile(r"drawing=[\w.-]{1000}"))
    assert len(page.url) < 4100
    with hand_made_tab(app_url, "draw", urlsplit(page.url).query) as tab:
        assert not any("cannot be read" in text for text in tab.texts("alert"))


def test_what_is_drawn_or_cleared_while_the_page_changes_its_size_for_a_projector_stays_so(
    three_networks, app_url, page
):
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{app_url}/draw")
    pad = page.locator(".pad canvas")
    pad.wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for()
    box = pad.bounding_box()
    pad.evaluate("canvas => { window.before = canvas; }")
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.locator(".st-key-presenter input").evaluate("box => box.click()")
    for part in range(1, 40):
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + (0.2 + 0.015 * part) * box["height"])
        page.wait_for_timeout(40)
    page.mouse.up()
    page.wait_for_function("document.documentElement && getComputedStyle(document.documentElement).fontSize === '24px'")
    page.wait_for_timeout(1500)
    # It is a new pad by now, since the page is drawn into another container.
    assert not page.evaluate("before.isConnected")
    (stroke,) = strokes_in_address(parse_qs(urlsplit(page.url).query)["drawing"][0])
    assert len(stroke["points"]) > 20

    page.locator(".st-key-presenter input").evaluate("box => box.click()")
    # The old pad is still there, and the server has begun to draw the page anew.
    page.wait_for_timeout(150)
    page.get_by_role("button", name="Clear").evaluate("button => button.click()")
    expect(page).to_have_url(re.compile(r"/draw$"))
    expect(verdict(page)).to_have_text("Waiting for a digit.")
    page.locator("[data-test-script-state=notRunning]").wait_for()
    assert ink(page) == 0
    expect(page).to_have_url(re.compile(r"/draw$"))
