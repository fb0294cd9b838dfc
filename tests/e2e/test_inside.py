"""The journey of somebody who looks into a network: from an image in the Gallery to its maps, a sum and a heat map."""

import re
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from core.explain.perturbations import erased_in_address
from core.runs.run import Run
from core.settings import artifacts_folder
from tests.e2e.conftest import lab_of
from tests.e2e.test_every_page import violations

INCLUDED = Path(__file__).parents[2] / "artifacts"


def lenet():
    (folder,) = INCLUDED.glob("lenet5-mnist-*")
    return Run(shutil.copytree(folder, artifacts_folder() / folder.name))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with lab_of(lenet, tmp_path_factory) as found:
        yield found


def test_from_an_image_in_the_gallery_to_what_its_maps_see(lab, page):
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
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(500)
        assert violations(page) == [], theme
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(300)
    assert violations(page) == [], "on a phone"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_erased_with_the_brush_and_turned_by_a_slider_is_in_the_link(lab, page):
    run, app_url = lab
    page.goto(f"{app_url}/inside?run={run.id}&image=7")
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
