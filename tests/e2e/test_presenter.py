"""The journey of a teacher with a projector and a lesson: one switch and one bar for every page, which stay and end."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from core.results.reference import REPORT
from tests.e2e.test_every_page import in_a_while, small_texts, violations
from tests.every_page import DRAWN


def switch(page):
    return page.get_by_role("switch", name="Presenter mode")


def gap(page):
    """Pixels between the names of the pages and the switch."""
    names, box = page.get_by_test_id("stTopNav").bounding_box(), page.locator(".st-key-presenter").bounding_box()
    return box["x"] - names["x"] - names["width"]


def turn(page):
    page.locator(".st-key-presenter label").first.click()


def query(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def drawn(page, name):
    title, last = DRAWN[name]
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.locator(last).first.wait_for()
    page.wait_for_timeout(500)


def go_to(page, name):
    page.get_by_test_id("stTopNavLink").filter(has_text=name.capitalize()).click()
    drawn(page, name)


def test_one_switch_enlarges_every_page_the_lessons_bar_leads_from_page_to_page_and_both_stay_and_end(lab, page):
    (running, *_), app_url = lab
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{app_url}/compare?run={running.id}&present=loud")
    the_switch_enlarges_and_stays(page, running)
    bar = page.locator(".lesson-bar summary")
    the_bar_leads_on_and_both_stay(page, bar)
    both_end(page, bar)


def the_switch_enlarges_and_stays(page, running):
    drawn(page, "compare")
    expect(
        page.get_by_text("“Presenter mode” in the link is neither true nor false, so it is ignored.")
    ).to_be_visible()
    expect(switch(page)).not_to_be_checked()
    chart = page.locator(".js-plotly-plot").first
    height = chart.bounding_box()["height"]
    turn(page)
    expect(switch(page)).to_be_checked()
    expect(page).to_have_url(re.compile(r"/compare\?.*present=true"))
    assert f"run={running.id}" in page.url
    page.wait_for_function("least => document.querySelector('.js-plotly-plot').clientHeight > least", arg=1.3 * height)
    for name in ("train", "networks", "lesson"):
        go_to(page, name)
        expect(switch(page)).to_be_checked()
        assert query(page) == {"present": "true"}


def the_bar_leads_on_and_both_stay(page, bar):
    page.get_by_role("link", name="Next ›").click()
    page.get_by_role("link", name="Open Round").click()
    drawn(page, "round")
    expect(bar).to_have_text("Lesson: step 2 of 12 · Can you do better?")
    assert query(page) == {"dataset": "mnist", "lesson": "2", "present": "true"}
    # The bar too can be read from afar.
    assert in_a_while(page, small_texts, is_as_it_should=lambda found: not found) == []
    page.get_by_role("link", name="Next step").click()
    drawn(page, "gallery")
    expect(bar).to_contain_text("step 3 of 12")
    # The next one is on the same page.
    page.get_by_role("link", name="Next step").click()
    expect(bar).to_contain_text("step 4 of 12")
    assert query(page)["image"] == "2130"

    go_to(page, "overview")
    expect(bar).to_contain_text("step 4 of 12")
    page.get_by_role("link", name="Curves").first.click()
    drawn(page, "compare")
    expect(bar).to_contain_text("step 4 of 12")
    expect(switch(page)).to_be_checked()
    assert query(page).keys() == {"run", "lesson", "present"}
    page.go_back()
    page.go_back()
    drawn(page, "gallery")
    expect(bar).to_contain_text("step 4 of 12")
    expect(switch(page)).to_be_checked()


def both_end(page, bar):
    turn(page)
    expect(switch(page)).not_to_be_checked()
    page.wait_for_function("!location.search.includes('present')")
    bar.click()
    expect(page.locator(".lesson-bar blockquote")).to_be_visible()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(300)
        assert violations(page, ".st-key-lesson-bar") == []
        box = page.locator(".st-key-lesson-bar").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 844
    page.set_viewport_size({"width": 1440, "height": 844})
    page.get_by_role("button", name="×").click()
    expect(bar).to_have_count(0)
    page.wait_for_function("!location.search.includes('lesson')")
    go_to(page, "train")
    assert query(page) == {}
    expect(bar).to_have_count(0)
    expect(switch(page)).not_to_be_checked()
    # Which of the report's figures a line is, is said at it.
    accuracy = 100 * REPORT["alexnet", "cifar10"]["validation_accuracy"]
    expect(page.get_by_text(f"the report’s validation accuracy, {accuracy:.2f} %", exact=True)).to_be_visible()

    # A smaller projector has it too, beside the names of the pages.
    for width, is_on in ((1024, True), (800, False)):
        page.set_viewport_size({"width": width, "height": 768})
        assert gap(page) >= 0
        turn(page)
        expect(switch(page)).to_be_checked(checked=is_on)
        page.wait_for_timeout(500)
        assert gap(page) >= 0


def test_a_step_of_the_lesson_begins_at_its_heading_however_long_the_page_above_takes(lab, page):
    _, app_url = lab
    page.goto(f"{app_url}/lesson?lesson=11")
    page.get_by_role("link", name="Open Networks").click()
    expect(page.get_by_role("heading", name="Layer by layer", exact=True)).to_be_in_viewport()
    page.locator(".stGraphVizChart svg").first.wait_for()
    expect(page.get_by_role("heading", name="Layer by layer", exact=True)).to_be_in_viewport()
