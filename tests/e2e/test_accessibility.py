"""Every page for those who see little, or use the keyboard alone: axe finds nothing, and the focus can be seen."""

from importlib.resources import files

import pytest
from playwright.sync_api import expect

from core.datasets.catalogue import DATASETS
from tests.e2e.conftest import lab_of
from tests.every_page import DRAWN, PAGES
from tests.folders import finished_run, interrupted_run, started_run
from tests.penmanship import teach

# Streamlit's place to drop a file into is a section with the role "presentation" and a name. None of its options takes
# the name or the role away. People use the button in it.
EXCLUDED = ("presentation-role-conflict", 'data-testid="stFileUploaderDropzone"')
CHECK = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, any, all, none }) =>
    ({ id, target: target.flat().join(" "), html: html.slice(0, 200), why: [...any, ...all, ...none][0]?.message })));
}"""
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
STOPS = {"overview": 15, "networks": 30, "train": 20, "compare": 20, "gallery": 20, "draw": 13}
MOST_STOPS = 90


def some_runs():
    for network in ("alexnet", "vgg16"):
        teach(finished_run(network))
    for dataset in DATASETS:
        finished_run("resnet34", dataset)
    failed = started_run("vgg16", "cifar10")
    failed.write_status(state="failed", phase=None, error="The disk is full.")
    return [started_run("alexnet", "cifar10"), failed, interrupted_run(network="resnet34", recipe="modern")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with lab_of(some_runs, tmp_path_factory) as found:
        yield found


def opened(page, lab, name):
    """The page; on Train with the lab's unfinished runs, on the others as it opens."""
    runs, app_url = lab
    chosen = "?" + "&".join(f"run={run.id}" for run in runs) if name == "train" else ""
    page.goto(f"{app_url}/{name}{chosen}")
    title, last = DRAWN[name]
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.locator(last).first.wait_for()
    page.wait_for_timeout(1000)


def violations(page):
    found = page.evaluate(CHECK)
    return [each for each in found if (each["id"] != EXCLUDED[0] or EXCLUDED[1] not in each["html"])]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_any_page(lab, page, name):
    opened(page, lab, name)
    # In the gallery one tile is open at a time, and what others take its image for comes from the server.
    most = 1 if name == "gallery" else 9
    page.evaluate("most => document.querySelectorAll('details').forEach((each, at) => each.open = at < most)", most)
    if name == "gallery":
        page.locator(".others a").first.wait_for()
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(1000)
        assert violations(page) == [], theme
        assert page.evaluate(LEAST_CONTRAST) >= 4.5, theme
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(500)
    assert violations(page) == [], "on a phone"


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_a_page_and_shows_where_it_is(lab, page, name):
    opened(page, lab, name)
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    stops = []
    while len(stops) < MOST_STOPS:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None:
            break
        if not stop["seen"]:
            # A table draws its frame a moment after it has the focus.
            page.wait_for_timeout(300)
            stop = page.evaluate(FOCUS)
        stops.append(stop)
    assert len(stops) >= STOPS[name]
    assert [stop["name"] for stop in stops if not stop["seen"]] == []
