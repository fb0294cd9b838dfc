"""The journey of somebody who looks into a network: from an image in the Gallery to its maps, a sum and a heat map."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from core.explain.perturbations import erased_in_address
from tests.e2e.test_every_page import BUT_COLOURS, look_in_both_themes, violations


@pytest.fixture
def lab(included_lab):
    (lenet, _), app_url = included_lab
    return lenet, app_url


def is_in_sight(locator):
    """Whether all of an element lies within the width of the page and of what holds it."""
    return locator.evaluate(
        "e => { const at = e.getBoundingClientRect(), holds = e.parentElement.getBoundingClientRect();"
        " return at.right <= Math.min(holds.right + 1, innerWidth) && at.left >= 0; }"
    )


def test_from_an_image_in_the_gallery_to_what_its_maps_see_and_what_is_erased_and_turned_is_in_the_link(lab, page):
    run, app_url = lab
    page.goto(f"{app_url}/gallery?run={run.id}&show=all&image=7")
    page.locator(".cases details[open] a.inner").click()
    page.wait_for_url(re.compile(rf"/inside\?run={run.id}&image=7$"))
    conv = page.locator(".filmstrip .frame", has_text="c3").first
    conv.locator(".map").nth(1).hover()
    expect(page.locator(".filmstrip .pointed")).to_contain_text(re.compile(r"^c3, map \d+: .*14×14 pixels"))
    expect(page.locator(".filmstrip .raw .seen")).to_be_visible()
    # By keyboard: one stop, the arrows go on, and Enter enlarges.
    conv.locator(".map").first.focus()
    page.keyboard.press("ArrowRight")
    expect(conv.locator(".map").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".filmstrip dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".filmstrip dialog")).not_to_be_visible()
    conv.get_by_role("button", name="All 16 maps of c3").click()
    expect(page.locator(".filmstrip .sheet .map")).to_have_count(16)
    page.wait_for_url(re.compile("stage=c3"))
    assert "image=7" in page.url
    page.locator("[data-test-script-state=notRunning]").wait_for()
    canvas = page.locator(".eraser canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=6)
    page.mouse.up()
    page.wait_for_url(re.compile("erased="))
    expect(page.get_by_role("button", name="Undo all changes")).to_be_visible()
    before = page.url
    canvas.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.wait_for_url(lambda url: "erased=" in url and url != before)
    (text,) = parse_qs(urlsplit(page.url).query)["erased"]
    erased = erased_in_address(text, (28, 28))
    assert erased[14, 8:20].all()
    assert erased[17, 14]
    assert not erased[:11].any()
    page.get_by_role("slider", name="Rotate").press("ArrowRight")
    page.wait_for_url(re.compile(r"rotate=1\b"))
    assert f"erased={text}" in page.url
    assert "image=7" in page.url


def test_a_sum_can_be_followed_step_by_step_and_axe_finds_nothing(lab, page):
    run, app_url = lab
    page.goto(f"{app_url}/inside?run={run.id}&image=7&stage=c3")
    said = page.locator(".convolution .said")
    expect(said).to_contain_text("Row 15, column 15: the 25 products add up to")
    page.get_by_role("button", name="One step on").click()
    expect(said).to_contain_text("Row 15, column 16")
    numbers = page.locator(".convolution .products span").all_text_contents()
    total = sum(float(number.replace("−", "-")) for number in numbers)
    (sum_,) = re.findall(r"add up to (−?[\d.]+)", said.text_content())
    assert total == pytest.approx(float(sum_.replace("−", "-")), abs=0.15)
    page.get_by_role("button", name="Play").click()
    expect(said).not_to_contain_text("Row 15, column 16")
    page.get_by_role("button", name="Pause").click()
    page.locator(".look img").first.wait_for()
    page.locator(".stVegaLiteChart .mark-line path").first.wait_for()
    look_in_both_themes(page, within=".convolution")
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(300)
    assert violations(page, ".convolution", BUT_COLOURS) == [], "on a phone"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    buttons = page.get_by_role("radio").filter(has_text=re.compile("Class activation|Occlusion|Common to its maps"))
    buttons = [*buttons.all(), *page.get_by_role("toolbar", name="Classes").get_by_role("button").all()]
    assert len(buttons) == 3 + 10
    assert all(is_in_sight(button) for button in buttons)
    # What explains the curves does not take their room.
    plot = page.locator(".stVegaLiteChart .mark-line").first.bounding_box()
    assert plot["width"] > 250


def test_the_numbers_of_a_large_filter_can_be_read_on_a_phone(included_lab, page):
    (_, alexnet), app_url = included_lab
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{app_url}/inside?run={alexnet.id}&image=7")
    kernel, products, said = (page.locator(f".convolution .{name}") for name in ("kernel", "products", "said"))
    expect(kernel.locator("span")).to_have_count(11 * 11)
    expect(page.locator(".convolution .cell")).to_have_text("Point at a cell, or tap it, for its product.")
    kernel.locator("span").nth(3 * 11 + 7).click()
    told = page.locator(".convolution .cell")
    expect(told).to_contain_text("Row 4, column 8 of the filter: the pixel")

    def figures():
        return [float(each) for each in re.findall(r"-?\d+\.?\d*(?:e-\d+)?", told.text_content().replace("−", "-"))[2:]]

    pixel, weight, product = figures()
    assert product == pytest.approx(pixel * weight, rel=0.02)
    assert weight != 0
    kernel.press("ArrowDown")
    expect(told).to_contain_text("Row 5, column 8")
    expect(kernel.locator(".chosen")).to_have_count(1)

    assert kernel.locator("span").first.text_content() == ""
    # The numbers move the cells, so that another may come under the pointer.
    weight = figures()[1]
    page.get_by_label("Numbers in the cells").check()
    weights = [float(each.replace("−", "-")) for each in kernel.locator("span").all_text_contents()]
    # Of weights this small two decimals would be nothing but zeros.
    assert max(map(abs, weights)) > 0.1
    expect(kernel.locator("+ figcaption")).to_have_text("The filter, in thousandths")
    assert weights[4 * 11 + 7] == pytest.approx(1000 * weight, abs=0.01)
    numbers = products.locator("span").all_text_contents()
    (sum_,) = re.findall(r"add up to (−?[\d.]+)", said.text_content())
    total = sum(float(number.replace("−", "-")) for number in numbers)
    assert total == pytest.approx(float(sum_.replace("−", "-")), abs=0.7)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page, ".convolution") == []
