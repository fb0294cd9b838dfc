"""The journey of somebody who presses Back: one click is one entry in the browser's history, and Back undoes it."""

import functools
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_gallery import click_cell, tiles
from tests.e2e.test_map import drag


@pytest.fixture
def lab(mistakes_lab):
    return mistakes_lab


# What stands on a page only when it is drawn.
DRAWN = ".js-plotly-plot, .cases, .stGraphVizChart svg, .st-key-network_alexnet, .claim .picture"
# What is under a table's own buttons, of that which is clicked.
COVERED = """toolbar => {
  const over = toolbar.getBoundingClientRect();
  return [...document.querySelectorAll("[data-testid=stMain] :is(label, button, a, summary)")].filter((each) => {
    const { left, right, top, bottom, width } = each.getBoundingClientRect();
    const apart = right <= over.left || over.right <= left || bottom <= over.top || over.bottom <= top;
    return width && !apart && !toolbar.contains(each);
  }).map((each) => each.innerText);
}"""
# Page -> what Back leaves of its clicks: the choices that are made, what fields say, and how many there are of what.
AFTER_ONE_BACK = {
    "compare": (
        ("Last epoch", "One by one", "Logarithmic", "Curves"),
        {"Differences from": re.compile("^VGG-16 ")},
        {"[data-testid=stDataFrame]": 1},
    ),
    "claims": (("The report's",), {}, {"[role=switch]:checked": 0}),
    "gallery": (
        ("All",),
        {},
        {"[aria-pressed=true]:has-text('AlexNet')": 1, "[aria-pressed=false]:has-text('Fashion')": 1},
    ),
    "networks": ((), {"Network": "ResNet-20", "Beside it": "ResNet-18", "Image size": "As it is trained here"}, {}),
    "train": (("Modern",), {"Epochs": "3", "Horizontal flips": "on"}, {".st-key-network_nin": 1}),
}
UNTOUCHED = {
    "compare": (
        ("Best epoch", "Together", "Linear", "Curves"),
        {"Differences from": "The report"},
        {"[data-testid=stDataFrame]": 1},
    ),
    "claims": (("Quick",), {}, {"[role=switch]:checked": 0}),
    "gallery": (("Errors",), {}, {".cases details[open]": 0}),
    "networks": ((), {"Network": "ResNet-34", "Beside it": "No other", "Block": "All blocks"}, {}),
    "train": (("Quick",), {"Epochs": "", "Horizontal flips": ""}, {".st-key-network_nin, .st-key-network_lenet5": 0}),
}


def pressed(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def chosen(page, name):
    page.get_by_role("radio", name=name, exact=True).first.click()


def choose(page, label, option, which=0):
    page.get_by_role("combobox", name=re.compile(label)).nth(which).click()
    # Long lists are drawn as far as they are seen. What lies behind an open one has no role, so that this box is no
    # longer the second.
    page.locator("input:focus").fill(option)
    page.get_by_role("option", name=option).first.click()


def type_epochs(page):
    page.get_by_text("More settings").click()
    field = page.get_by_role("textbox", name="Epochs")
    field.fill("3")
    field.press("Enter")


def expect_choices(page, on, fields, counts):
    for name in on:
        expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()
    for label, value in fields.items():
        expect(page.locator(f"input[aria-label='{label}']")).to_have_value(value)
    for selector, count in counts.items():
        expect(page.locator(selector)).to_have_count(count)


def test_each_click_is_one_entry_and_back_undoes_it(lab, page):
    runs, app_url = lab
    clicks = {
        f"compare?run={runs[0].id}": (
            lambda: pressed(page, "AlexNet"),
            lambda: chosen(page, "Last epoch"),
            lambda: page.get_by_text("Report's figures and differences").click(),
            lambda: chosen(page, "Logarithmic"),
            lambda: chosen(page, "One by one"),
            lambda: choose(page, "Differences from", "VGG-16"),
            lambda: chosen(page, "Settings that differ"),
        ),
        "claims": (
            lambda: chosen(page, "The report's"),
            lambda: page.locator(".st-key-presenter label").first.click(),
        ),
        f"gallery?run={runs[0].id}": (
            lambda: click_cell(page, "Coat", "Sandal"),
            lambda: chosen(page, "All"),
            lambda: pressed(page, "Clear"),
            lambda: page.get_by_role("button", name="Next page").first.click(),
            lambda: tiles(page).first.locator("summary").click(),
            lambda: tiles(page).first.locator(".others a:not([aria-current])").first.click(),
            lambda: pressed(page, "AlexNet"),
            lambda: pressed(page, "Fashion-MNIST"),
        ),
        "networks": (
            lambda: choose(page, "Network", "ResNet-20"),
            lambda: choose(page, "Block", "conv3_1"),
            lambda: choose(page, "Beside it", "ResNet-18"),
            lambda: choose(page, "Block", "conv4_1", which=1),
            lambda: chosen(page, "MNIST"),
            lambda: choose(page, "Image size", "64 pixels"),
        ),
        "train": (
            lambda: pressed(page, "LeNet-5"),
            lambda: pressed(page, "NiN"),
            lambda: pressed(page, "LeNet-5"),
            lambda: chosen(page, "Modern"),
            lambda: type_epochs(page),
            lambda: choose(page, "Horizontal flips", "on"),
            lambda: page.get_by_role("link", name="Reset to the recipe").click(),
        ),
    }
    for address, each in clicks.items():
        name = address.partition("?")[0]
        page.goto(f"{app_url}/{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(DRAWN).first).to_be_visible()
        click_each_and_go_back(page, each, functools.partial(expect_choices, page, *AFTER_ONE_BACK[name]))
        expect_choices(page, *UNTOUCHED[name])


def test_who_goes_back_twice_at_once_gets_the_page_and_no_connection_error(lab, page):
    runs, app_url = lab
    for _ in range(2):
        page.goto(f"{app_url}/gallery?run={runs[0].id}")
        expect(page.locator("svg.marks").first).to_be_visible()
        page.locator("[data-test-script-state=notRunning]").wait_for()
        for name, heading in (("Overview", "Deeper Networks Lab"), ("Compare", "Compare")):
            page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
            expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        page.go_back()
        page.go_back()
        expect(page.locator("svg.marks").first).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)


def click_each_and_go_back(page, clicks, there):
    """Each click is one entry in the browser's history; Back undoes the last, and then, at once, all of them.

    Args:
        there: a function that expects what all clicks but the last have made of the page.
    """
    seen, entries = [page.url], page.evaluate("history.length")
    for click in clicks:
        click()
        page.wait_for_function("url => location.href !== url", arg=seen[-1])
        # What would be a second entry has time to come.
        page.wait_for_timeout(500)
        seen.append(page.url)
        assert page.evaluate("history.length") == entries + len(seen) - 1, (seen[-2], page.url)
    page.go_back()
    page.wait_for_function("url => location.href === url", arg=seen[-2])
    there()
    page.evaluate("steps => history.go(-steps)", len(clicks) - 1)
    page.wait_for_function("url => location.href === url", arg=seen[0])


@pytest.fixture
def looked_into(included_lab):
    (lenet, _), app_url = included_lab
    return lenet, app_url


def test_each_click_inside_a_network_is_one_entry_and_back_undoes_it(looked_into, page):
    run, app_url = looked_into
    page.goto(f"{app_url}/inside?run={run.id}&image=1")
    expect(page.locator(".stVegaLiteChart .mark-line").first).to_be_visible()

    def erase():
        page.locator(".eraser canvas").focus()
        page.keyboard.press("Space")

    click_each_and_go_back(
        page,
        (
            lambda: page.get_by_test_id("stNumberInputStepUp").first.click(),
            lambda: page.get_by_role("button", name="All 16 maps of c3").click(),
            lambda: page.get_by_role("radio", name="Occlusion").click(),
            lambda: page.get_by_role("slider", name="Rotate").press("ArrowRight"),
            erase,
            lambda: page.get_by_role("button", name="Undo all changes").click(),
            lambda: page.get_by_text("Find the smallest change").click(),
            lambda: page.locator(".flips a").last.click(),
            lambda: page.get_by_text("Hide the answer").click(),
            lambda: page.get_by_role("button", name="Reveal").click(),
        ),
        lambda: expect(page.get_by_role("button", name="Reveal")).to_be_visible(),
    )
    expect(page.get_by_text("Test image 1:")).to_be_visible()
    expect(page.get_by_role("radio", name="Class activation")).to_be_checked()
    expect(page.locator(".filmstrip .sheet")).to_be_hidden()
    expect(page.locator(".flips")).to_have_count(0)


def test_each_click_on_the_map_is_one_entry_and_back_undoes_it(looked_into, page):
    run, app_url = looked_into
    page.set_viewport_size({"width": 1440, "height": 1300})
    page.goto(f"{app_url}/gallery?run={run.id}&show=all")
    expect(tiles(page).first).to_be_visible()
    click_each_and_go_back(
        page,
        (
            lambda: page.get_by_role("radio", name="Map", exact=True).click(),
            lambda: drag(page, (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.35)),
            lambda: page.get_by_role("radio", name="Predicted class").click(),
            lambda: page.locator(".legend button").first.click(),
            lambda: tiles(page).first.locator("summary").click(),
            lambda: page.get_by_role("button", name="Clear the area").click(),
        ),
        lambda: expect(page.get_by_role("button", name="Clear the area")).to_be_enabled(),
    )
    expect(page.locator(".above")).to_have_count(0)
    expect(tiles(page).and_(page.locator("[open]"))).to_have_count(0)
    page.goto(f"{app_url}/draw")
    expect(page.locator(".predictions article").first).to_be_visible()
    click_each_and_go_back(
        page,
        (lambda: chosen(page, "Best"), lambda: chosen(page, "Newest")),
        lambda: expect(page.get_by_role("radio", name="Best")).to_be_checked(),
    )
    expect(page.get_by_role("radio", name="Newest")).to_be_checked()


def test_a_switch_under_the_tables_own_buttons_can_be_clicked(lab, page):
    _, app_url = lab
    page.goto(f"{app_url}/compare")
    table = page.get_by_test_id("stDataFrame")
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        expect(table).to_be_visible()
        expect(page.locator(".js-plotly-plot .js-line").first).to_be_visible()
        table.hover()
        toolbar = page.get_by_test_id("stElementToolbar").first
        expect(toolbar).to_have_css("opacity", "1")
        expect(toolbar.get_by_role("button", name="Download as CSV")).to_be_hidden()
        # Whatever is clicked above the table is reached by a click on any part of its label.
        for name in ("Report's figures and differences", "Last epoch", "Fashion-MNIST", "Download CSV"):
            label = page.get_by_test_id("stMain").get_by_text(name, exact=True).first
            covered = label.evaluate(
                """label => {
                  const box = label.getBoundingClientRect();
                  return [0.03, 0.25, 0.5, 0.75, 0.97].map((share) =>
                    document.elementFromPoint(box.x + share * box.width, box.y + box.height / 2)
                  ).filter((hit) => !label.closest("label, button").contains(hit)).length;
                }"""
            )
            assert covered == 0, (width, name)
    # The charts are under one another on a phone.
    first, second = (page.locator(".js-plotly-plot").nth(number).bounding_box() for number in (0, 1))
    assert second["y"] >= first["y"] + first["height"]
    page.get_by_text("Report's figures and differences").click()
    expect(page).to_have_url(f"{app_url}/compare?report=true")
    for look in ("Calibration", "Settings that differ"):
        chosen(page, look)
        expect(page.get_by_role("heading", name=look)).to_be_visible()
        expect(table).to_have_count(2)
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            table.last.hover()
            toolbar = page.get_by_test_id("stElementToolbar").last
            expect(toolbar).to_have_css("opacity", "1")
            assert toolbar.evaluate(COVERED) == [], (look, width)
