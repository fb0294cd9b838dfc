"""The journey of a teacher with a projector: one switch for every page, which stays in the address."""

import re

from playwright.sync_api import expect

from tests.every_page import DRAWN


def switch(page):
    return page.get_by_role("switch", name="Presenter mode")


def gap(page):
    """Pixels between the names of the pages and the switch."""
    names, box = page.get_by_test_id("stTopNav").bounding_box(), page.locator(".st-key-presenter").bounding_box()
    return box["x"] - names["x"] - names["width"]


def drawn(page, name):
    title, last = DRAWN[name]
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.locator(last).first.wait_for()
    page.wait_for_timeout(500)


def test_one_switch_enlarges_every_page_and_the_address_keeps_it_or_is_said_to_be_wrong(lab, page):
    (running, *_), app_url = lab
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{app_url}/compare?run={running.id}&present=loud")
    drawn(page, "compare")
    expect(
        page.get_by_text("“Presenter mode” in the link is neither true nor false, so it is ignored.")
    ).to_be_visible()
    expect(switch(page)).not_to_be_checked()
    chart = page.locator(".js-plotly-plot").first
    height = chart.bounding_box()["height"]
    page.locator(".st-key-presenter label").first.click()
    expect(switch(page)).to_be_checked()
    expect(page).to_have_url(re.compile(r"/compare\?.*present=true"))
    assert f"run={running.id}" in page.url
    page.wait_for_function("least => document.querySelector('.js-plotly-plot').clientHeight > least", arg=1.3 * height)

    for name in ("train", "networks", "overview", "gallery", "draw"):
        page.get_by_test_id("stTopNavLink").filter(has_text=name.capitalize()).click()
        drawn(page, name)
        expect(switch(page)).to_be_checked()
        assert page.url.endswith("?present=true")
    page.go_back()
    drawn(page, "gallery")
    expect(switch(page)).to_be_checked()
    page.get_by_test_id("stTopNavLink").filter(has_text="Overview").click()
    drawn(page, "overview")
    page.get_by_role("link", name="Curves").first.click()
    drawn(page, "compare")
    assert re.search(r"\?run=.+&present=true", page.url)

    page.locator(".st-key-presenter label").first.click()
    expect(switch(page)).not_to_be_checked()
    assert "present" not in page.url
    page.get_by_test_id("stTopNavLink").filter(has_text="Train").click()
    drawn(page, "train")
    assert "present" not in page.url

    # A smaller projector has it too, beside the names of the pages.
    for width, is_on in ((1024, True), (800, False)):
        page.set_viewport_size({"width": width, "height": 768})
        assert gap(page) >= 0
        page.locator(".st-key-presenter label").first.click()
        expect(switch(page)).to_be_checked(checked=is_on)
        page.wait_for_timeout(500)
        assert gap(page) >= 0
