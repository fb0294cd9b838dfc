"""The journey of somebody who plays against the networks: with the keyboard, and Back undoes."""

from playwright.sync_api import expect


def answers(page):
    return page.evaluate("new URLSearchParams(location.search).get('answers') ?? ''")


def box(page, name):
    return page.locator(f".st-key-{name} button").bounding_box()


def test_a_round_is_played_with_keys_nothing_moves_and_back_takes_a_choice_back(lab, page):
    _, app_url = lab
    page.goto(f"{app_url}/round")
    lead_on = page.locator(".st-key-go-on button")
    expect(lead_on).to_be_enabled()
    position = box(page, "go-on")
    page.keyboard.press("ArrowRight")
    verdict = page.locator(".round-verdict")
    expect(verdict).to_have_text("Image 1 of 10: what is it?")
    assert page.locator(".round-picture img").bounding_box()["width"] >= 280
    expect(lead_on).to_be_disabled()
    buttons = box(page, "class-3")
    assert box(page, "go-on") == position

    page.keyboard.press("3")
    expect(verdict).to_contain_text("network")
    expect(page.locator(".round-board .says small").first).to_be_visible()
    assert (box(page, "class-3"), box(page, "go-on")) == (buttons, position)
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.go_back()
    expect(verdict).to_have_text("Image 1 of 10: what is it?")
    page.locator(".st-key-class-5 button").click()
    page.wait_for_function("new URLSearchParams(location.search).get('answers') === '5'")
    for number in range(1, 10):
        expect(lead_on).to_be_enabled()
        page.keyboard.press("ArrowRight")
        expect(verdict).to_have_text(f"Image {number + 1} of 10: what is it?")
        expect(page.locator(f".st-key-class-{number} button")).to_be_enabled()
        page.locator("[data-test-script-state=notRunning]").wait_for()
        page.keyboard.press(str(number))
        expect(verdict).not_to_contain_text("what is it?")
    assert answers(page) == "5123456789"
    lead_on.click()
    table = page.locator(".round-table")
    expect(table.locator("tbody tr")).to_have_count(10)

    page.get_by_role("link", name="Play the same round").click()
    expect(verdict).to_have_text("You name each image, then the networks do.")
    page.wait_for_function("!location.search.includes('answers')")
    page.go_back()
    address = table.locator("a.inner").first.get_attribute("href")
    table.locator("a.inner").first.click()
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    assert page.url == f"{app_url}/{address}"


def test_on_a_phone_the_image_is_large_and_everybody_is_on_the_board(lab, page):
    _, app_url = lab
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/round?answers=123&since=1000000")
    picture = page.locator(".round-picture img")
    expect(picture).to_be_in_viewport(ratio=1)
    assert picture.bounding_box()["width"] >= 280
    expect(page.locator(".st-key-class-9 button")).to_be_in_viewport()
    page.goto(f"{app_url}/round?answers=1234567890&since=1000000")
    rows = page.locator(".round-board.over > div")
    expect(rows).to_have_count(4)
    for row in rows.all():
        expect(row).to_be_visible()
        expect(row.locator(".points")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_focus_stays_in_the_round_for_whoever_plays_with_tab_and_enter(lab, page):
    _, app_url = lab
    page.goto(f"{app_url}/round")
    lead_on, verdict = page.locator(".st-key-go-on button"), page.locator(".round-verdict")
    expect(lead_on).to_be_enabled()
    lead_on.focus()
    for number in range(1, 4):
        page.keyboard.press("Enter")
        expect(verdict).to_have_text(f"Image {number} of 10: what is it?")
        expect(page.locator(f".st-key-class-{2 if number > 1 else 0} button")).to_be_focused()
        if number == 1:
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_function("n => new URLSearchParams(location.search).get('answers')?.length === n", arg=number)
        expect(lead_on).to_be_focused()
