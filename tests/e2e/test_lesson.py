"""The journey of a class through the lesson: the bar leads on, stays wherever they go, and ends with its cross."""

from playwright.sync_api import expect

from tests.e2e.test_every_page import in_a_while, small_texts, violations


def test_the_bar_leads_from_page_to_page_stays_and_ends(lab, page):
    _, app_url = lab
    page.goto(f"{app_url}/lesson?lesson=2")
    bar = page.locator(".lesson-bar summary")
    page.get_by_role("link", name="Open Round").click()
    expect(bar).to_have_text("Lesson: step 2 of 12 · Can you do better?")
    expect(page).to_have_url(f"{app_url}/round?dataset=mnist&lesson=2")
    page.get_by_role("link", name="Next step").click()
    expect(bar).to_contain_text("step 3 of 12")
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    # The next one is on the same page.
    page.get_by_role("link", name="Next step").click()
    expect(bar).to_contain_text("step 4 of 12")
    assert "image=2130" in page.url

    page.get_by_test_id("stTopNavLink").filter(has_text="Overview").click()
    expect(page.get_by_role("heading", name="Deeper Networks Lab", exact=True)).to_be_visible()
    expect(bar).to_contain_text("step 4 of 12")
    page.get_by_role("link", name="Curves").first.click()
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    expect(bar).to_contain_text("step 4 of 12")
    assert "lesson=4" in page.url
    page.go_back()
    page.go_back()
    expect(page.locator("svg.marks").first).to_be_visible()
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
    page.get_by_test_id("stTopNavLink").filter(has_text="Train").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    assert "lesson" not in page.url
    expect(bar).to_have_count(0)


def test_a_step_begins_at_its_heading_however_long_the_page_above_takes_and_its_bar_can_be_read_from_afar(lab, page):
    _, app_url = lab
    page.goto(f"{app_url}/lesson?lesson=11")
    page.get_by_role("link", name="Open Networks").click()
    expect(page.get_by_role("heading", name="Layer by layer", exact=True)).to_be_in_viewport()
    page.locator(".stGraphVizChart svg").first.wait_for()
    expect(page.get_by_role("heading", name="Layer by layer", exact=True)).to_be_in_viewport()

    page.goto(f"{app_url}/round?lesson=2&present=true")
    expect(page.locator(".lesson-bar summary")).to_be_visible()
    assert in_a_while(page, small_texts, is_as_it_should=lambda found: not found) == []
