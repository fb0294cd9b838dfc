"""Every page, opened once and looked at in several ways.

Axe finds nothing, the keyboard shows where it is, the last row can read it, and it asks nobody outside for anything.
"""

from importlib.resources import files
from operator import not_
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from pages.parts.presenter import LEAST_LINE
from tests.e2e.conftest import look_away, page_in
from tests.every_page import DRAWN, PAGES

HERE = ("127.0.0.1", "localhost")
# Streamlit's place to drop a file into is a section with the role "presentation" and a name. None of its options takes
# the name or the role away. People use the button in it.
EXCLUDED = ("presentation-role-conflict", 'data-testid="stFileUploaderDropzone"')
CHECK = """async (element, options) => {
  // Axe finds its way into a component, but does not begin in one.
  const whole = element.getRootNode().host ?? element;
  const { violations } = await axe.run(whole, { resultTypes: ["violations"], ...options });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, any, all, none }) =>
    ({ id, target: target.flat().join(" "), html: html.slice(0, 200), why: [...any, ...all, ...none][0]?.message })));
}"""
# What differs between the light and the dark theme, and what nothing else does.
COLOURS = ("color-contrast", "link-in-text-block")
IN_COLOURS_ALONE = {"runOnly": {"type": "rule", "values": COLOURS}}
BUT_COLOURS = {"rules": {rule: {"enabled": False} for rule in COLOURS}}
# The least contrast of a text on a chart's axes or in its legend, which axe does not measure; 21 where there is none.
LEAST_CONTRAST = """() => {
  const numbers = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number);
    return colour.startsWith("color(") ? [...parts.slice(0, 3).map((part) => 255 * part), parts[3] ?? 1] : parts;
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const contrast = (text) => {
    const { fill, fillOpacity } = getComputedStyle(text);
    const [red, green, blue, alpha = 1] = numbers(fill);
    let share = alpha * fillOpacity, back;
    for (let up = text; up && !back; up = up.parentElement) {
      share *= getComputedStyle(up).opacity;
      const behind = numbers(getComputedStyle(up).backgroundColor);
      if ((behind[3] ?? 1) > 0.99) back = behind;
    }
    back ??= [255, 255, 255];
    const seen = [red, green, blue].map((value, index) => share * value + (1 - share) * back[index]);
    const pair = [light(seen), light(back.slice(0, 3))];
    return Math.max(...pair) / Math.min(...pair);
  };
  const texts = ".xtick text, .ytick text, .xtitle, .ytitle, .legendtext, .role-axis-label text, .role-axis-title text";
  return Math.min(21, ...[...document.querySelectorAll(texts)].map(contrast));
}"""
# What of the focused element, of what is around it and of what is in it changes when the focus leaves.
FOCUS = """() => {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  if (!focused || focused === document.body) return null;
  const near = [focused, ...[...focused.querySelectorAll("*")].slice(0, 8)];
  for (let up = focused.parentElement, steps = 0; up && steps < 3; up = up.parentElement, steps++)
    near.push(up, ...up.children);
  const look = () => near.map((each) => {
    const { outlineStyle, outline, boxShadow, borderColor } = getComputedStyle(each);
    return [outlineStyle === "none" ? "" : outline, boxShadow, borderColor].join();
  }).join(";");
  const before = look();
  focused.blur();
  const seen = before !== look();
  focused.focus({ preventScroll: true });
  return { name: (focused.ariaLabel || focused.textContent.trim() || focused.tagName).slice(0, 80), seen };
}"""
# At least so many stops; the rows of a table are many.
STOPS = {
    "overview": 15,
    "networks": 30,
    "train": 20,
    "compare": 20,
    "claims": 16,
    "gallery": 20,
    "inside": 16,
    "draw": 13,
    "round": 14,
    "lesson": 14,
}
MOST_STOPS = 90
# What a page shows besides where the address asks for it, and after further clicks -> what is clicked first, and what
# stands there only then.
VIEWS = {
    "compare?look=images": (
        (None, ".who"),
        ("Calibration", ".js-plotly-plot .js-line"),
        ("Settings that differ", ".stDataFrame >> nth=1"),
    ),
    "train?run={interrupted}&details=environment": ((None, ".about-run"),),
    "inside?heat=occlusion&flips=true": ((None, "table.flips"),),
    "draw?drawing=qF8Q8QoLpBoQV1FoLxHwMtEwM.qF4XkhBwR9B&map=true": ((None, ".predictions article"),),
    "round?answers=3141592653": ((None, ".round-verdict"), ("See the result", ".round-table")),
}
LEAST_TEXT = 16
# A row has 2.5 times the height of its letters.
LEAST_ROW_PROJECTED = 45
# Every text that can be seen, those in charts and in components too: [pixels, text].
TEXTS = """() => {
  const found = [], roots = [document.body];
  while (roots.length) {
    const walker = document.createTreeWalker(roots.pop(), NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.shadowRoot) roots.push(node.shadowRoot);
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
      const element = node.parentElement, range = document.createRange();
      if (element.closest("style, script, canvas, template")) continue;
      range.selectNodeContents(node);
      const { width, height } = range.getBoundingClientRect();
      if (width > 1 && height > 1 && element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }))
        found.push([parseFloat(getComputedStyle(element).fontSize), node.data.trim().slice(0, 60)]);
    }
  }
  return found;
}"""
# The lines of all charts, of their legends and of drawings, without those of the charts' axes: pixels.
LINES = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const strokes = ".js-line, .legendlines path, .role-mark:is(.mark-line, .mark-rule) > *, .stGraphVizChart .edge path";
  // In pictures of lines, which are images: as wide as those are shown.
  const drawn = all("img[src^='data:image/svg+xml;base64,']").flatMap((image) => {
    const text = atob(image.src.split(",")[1]), svg = new DOMParser().parseFromString(text, "image/svg+xml").firstChild;
    const lines = [...svg.querySelectorAll("[stroke-width]")];
    const scale = image.clientWidth / (svg.viewBox.baseVal?.width || svg.width.baseVal.value);
    return lines.map((line) =>
      line.getAttribute("stroke-width") * (line.hasAttribute("vector-effect") ? 1 : scale));
  });
  // The lines of claims are borders and backgrounds.
  const edges = all(".claim .picture .interval, .claim .picture .bound")
    .map((each) => parseFloat(getComputedStyle(each).borderLeftWidth));
  const layers = all(".claim .picture, .claim .picture .interval")
    .map((each) => parseFloat(getComputedStyle(each).backgroundSize.split(" ")[1]));
  const stroked = all(strokes).map((line) => parseFloat(getComputedStyle(line).strokeWidth));
  return [...stroked, ...drawn, ...edges, ...layers];
}"""
# The least number of pixels that a row of a table has, whose letters are painted; 99 where there is no table.
LEAST_ROW = """() => Math.min(99, ...[...document.querySelectorAll(".stDataFrame")].map((table) =>
  table.getBoundingClientRect().height / table.querySelectorAll("[role=row]").length))"""
# Of each card of a finished run: how many lines of text it shows.
LINES_OF_CARDS = """() => [...document.querySelectorAll("[class*='st-key-cell-']:has(.curve)")].map((card) => {
  const lines = [];
  for (const part of card.querySelectorAll(".score, .links")) {
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(node);
      if (!node.parentElement.checkVisibility({ checkVisibilityCSS: true, contentVisibilityAuto: true })) continue;
      for (const { top, bottom, height } of range.getClientRects()) {
        const middle = (top + bottom) / 2;
        if (height && !lines.some((line) => line.top < middle && middle < line.bottom)) lines.push({ top, bottom });
      }
    }
  }
  return lines.length;
})"""
# What can be pushed sideways: pixels.
WIDTH = """() => Math.max(document.documentElement.scrollWidth,
  document.querySelector("[data-testid=stMain]").scrollWidth)"""


@pytest.fixture(scope="module", params=PAGES)
def opened(lab, window, request):
    """(name, page, the addresses that it asked for): one page of the lab, on Train with its unfinished runs."""
    runs, app_url = lab
    name, asked = request.param, []
    chosen = "?" + "&".join(f"run={run.id}" for run in runs) if name == "train" else ""
    with page_in(window) as page:
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("websocket", lambda websocket: asked.append(websocket.url))
        page.goto(f"{app_url}/{'' if name == 'overview' else name}{chosen}")
        drawn(page, name)
        yield name, page, asked


def drawn(page, name):
    title, last = DRAWN[name]
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.locator(last).first.wait_for()
    page.wait_for_timeout(1000)
    expect(page.get_by_role("dialog")).to_have_count(0)


def in_a_while(page, look, is_as_it_should, seconds=5):
    """What `look` finds on the page: as soon as it is as it should be, else at last."""
    for _ in range(5 * seconds):
        if is_as_it_should(found := look(page)):
            break
        page.wait_for_timeout(200)
    return found


def focus(page):
    return page.evaluate(FOCUS)


def small_texts(page):
    return [(size, text) for size, text in page.evaluate(TEXTS) if size < LEAST_TEXT]


def thin_lines(page):
    return [width for width in page.evaluate(LINES) if width < LEAST_LINE]


def violations(page, within="html", options=None):
    """What axe finds with its options, in what one selector finds; a page that it is not on yet gets it."""
    if page.evaluate("!window.axe"):
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.locator(within).evaluate(CHECK, options)
    return [each for each in found if (each["id"] != EXCLUDED[0] or EXCLUDED[1] not in each["html"])]


def look_in_both_themes(page, within="html"):
    """Axe finds nothing in what the selector finds, in either theme, nor is a text of a chart hard to read."""
    for theme, options in (("light", None), ("dark", IN_COLOURS_ALONE)):
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(500)
        assert violations(page, within, options) == [], theme
        assert page.evaluate(LEAST_CONTRAST) >= 4.5, theme


def test_the_keyboard_reaches_a_page_and_shows_where_it_is(opened):
    name, page, _ = opened
    still = page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    stops = []
    while len(stops) < MOST_STOPS:
        page.keyboard.press("Tab")
        # A table draws its frame a moment after it has the focus.
        stop = in_a_while(page, focus, lambda stop: stop is None or stop["seen"])
        if stop is None:
            break
        stops.append(stop)
    still.evaluate("style => style.remove()")
    assert len(stops) >= STOPS[name]
    assert [stop["name"] for stop in stops if not stop["seen"]] == []


def test_axe_finds_nothing_on_any_page(opened):
    name, page, _ = opened
    look_away(page)
    # In the gallery one tile is open at a time, and what others take its image for comes from the server.
    most = 1 if name == "gallery" else 9
    page.evaluate("most => document.querySelectorAll('details').forEach((each, at) => each.open = at < most)", most)
    if name == "gallery":
        page.locator(".others a").first.wait_for()
    look_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(500)
    assert violations(page, options=BUT_COLOURS) == [], "on a phone"
    assert page.evaluate(WIDTH) <= 390


def test_nothing_on_a_projected_page_is_small_or_thin(opened):
    name, page, _ = opened
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.locator(".st-key-presenter label").first.click()
    expect(page.get_by_role("switch", name="Presenter mode")).to_be_checked()
    page.locator("[data-test-script-state=notRunning]").wait_for()
    drawn(page, name)
    assert len(page.evaluate(TEXTS)) > 10
    # Charts are drawn anew after the rest.
    assert in_a_while(page, small_texts, is_as_it_should=not_) == []
    assert in_a_while(page, thin_lines, is_as_it_should=not_) == []
    assert bool(page.evaluate(LINES)) == (name not in ("draw", "round", "lesson"))
    assert page.evaluate(WIDTH) <= 1920
    assert (
        in_a_while(page, lambda page: page.evaluate(LEAST_ROW), lambda row: row >= LEAST_ROW_PROJECTED)
        >= LEAST_ROW_PROJECTED
    )


def look_on_a_desk_and_a_phone(page):
    page.set_viewport_size({"width": 1440, "height": 900})
    look_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 800})
    assert in_a_while(page, lambda page: page.evaluate(WIDTH), lambda width: width <= 390) <= 390


def look_on_a_projector(page):
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert in_a_while(page, small_texts, is_as_it_should=not_) == []
    assert in_a_while(page, thin_lines, is_as_it_should=not_) == []
    assert in_a_while(page, lambda page: page.evaluate(WIDTH), lambda width: width <= 1920) <= 1920


@pytest.mark.parametrize("address", VIEWS)
def test_what_an_address_shows_besides_is_as_readable_as_the_page(lab, page, address):
    (*_, interrupted), app_url = lab
    page.goto(f"{app_url}/{address.format(interrupted=interrupted.id)}")
    looks = [look_on_a_desk_and_a_phone, look_on_a_projector]
    for control, drawn_last in VIEWS[address]:
        if control:
            page.get_by_test_id("stMain").get_by_text(control, exact=True).first.click()
        for look in looks:
            if look is looks[1]:
                before = page.url
                # On a phone it is in a list that is closed.
                page.set_viewport_size({"width": 1920, "height": 1080})
                page.locator(".st-key-presenter label").first.click()
                expect(page).not_to_have_url(before)
            page.locator(drawn_last).first.wait_for()
            page.locator("[data-test-script-state=notRunning]").wait_for()
            page.wait_for_timeout(500)
            expect(page.get_by_test_id("stException")).to_have_count(0)
            look(page)
        # The next is first looked at as this one was last: to switch back would draw it once more.
        looks.reverse()


def test_no_page_asks_an_outside_host_for_anything(opened):
    _, _, asked = opened
    assert len([url for url in asked if url.startswith("ws:")]) == 1
    assert len(asked) > 5
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} <= set(HERE)


def test_on_a_phone_the_keyboard_skips_the_closed_list_of_pages_and_enters_the_open_one(lab, page):
    _, app_url = lab
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/round")
    drawn(page, "round")
    within = "document.activeElement.closest('[data-testid=stSidebar]') !== null"
    for _ in range(6):
        page.keyboard.press("Tab")
        assert not page.evaluate(within)
    page.get_by_role("button", name="Expand sidebar").click()
    link = page.get_by_role("link", name="Claims")
    expect(link).to_be_visible()
    link.focus()
    assert page.evaluate(within)


def test_no_card_of_the_overview_is_cut_off(lab, page):
    _, app_url = lab
    page.goto(app_url)
    for width in (1100, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        drawn(page, "overview")
        cut = page.locator(".doors a").evaluate_all(
            "links => links.filter(link => [link, ...link.querySelectorAll('*')]"
            ".some(each => each.scrollWidth > each.clientWidth + 1 && each.clientWidth)).map(link => link.innerText)"
        )
        assert cut == [], width
    # The guide is seen without scrolling, and each card says three lines: the figure, the difference, where to go on.
    guide = page.locator(".doors").bounding_box()
    assert guide["y"] + guide["height"] <= 900
    assert set(page.evaluate(LINES_OF_CARDS)) == {3}
