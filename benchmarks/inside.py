"""How long people wait on the Inside page, in a real browser: the filmstrip, heat maps, a slider's curve, the search
for small changes. At the end, the memory of the server when every page and every map was used once.

Run it with the networks that are at hand, and run folders from elsewhere: python benchmarks/inside.py --also FOLDER
"""

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil
from app_latency import PAGES, pen_up_to_answer, switch
from medians import median
from playwright.sync_api import sync_playwright
from serving import LIMIT_SECONDS, serving, wait_until_up

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.datasets.test_images import load_test_images
from core.explain.features import OpenNetwork
from core.explain.heat_maps import GRID, occluded
from core.runs.run import RunError, list_runs
from core.settings import artifacts_folder, set_artifacts_folder

LIMIT_MS = 1000 * LIMIT_SECONDS
MEMORY_LIMIT_MB = 400
BROWSERS = ("chromium-headless-shell", "chromium")
CURVE_MOVED = (
    "before => (document.querySelector('.stVegaLiteChart .mark-line path')?.getAttribute('d') ?? before) !== before"
)
# The first image of a strip is painted anew, and with it the whole strip.
REMEMBER = "canvas => { window.strip = [canvas, canvas.toDataURL()]; }"
CHANGED = "() => window.strip[0].toDataURL() !== window.strip[1]"
ACTIVATION, OCCLUSION = ("Class activation", "An estimate|Exact"), ("Occlusion", "A square of")


@contextlib.contextmanager
def beside(folders):
    """Has the lab show these run folders beside its own, by links in a folder of its own."""
    with tempfile.TemporaryDirectory() as place:
        for folder in [*artifacts_folder().iterdir(), *folders]:
            if folder.is_dir():
                Path(place, folder.name).symlink_to(folder.absolute())
        set_artifacts_folder(place)
        yield


def networks():
    """A run for each network that is here, the newest on its dataset: "lenet5 on mnist" -> Run."""
    found = {}
    for run in list_runs():
        try:
            config = run.read_config()
            if run.tflite_path.exists():
                found.setdefault(f"{config.network} on {config.dataset}", run)
        except RunError:
            continue
    return found


def beside_one_by_one(name, run, rounds):
    """Prints the ratio of covering all places at once to covering one after another, in this process."""
    network = OpenNetwork(run)
    image = load_test_images(network.config.dataset)[0]

    class OneByOne:
        def classify(self, images):
            return [network.classify(each[None])[0] for each in images]

    times = {}
    for label, asked in (("in batches", network), ("one by one", OneByOne())):
        for _ in range(rounds):
            started = time.perf_counter()
            occluded(asked, image)
            times.setdefault(label, []).append(time.perf_counter() - started)
    batches, alone = (median(f"{name}, {GRID}×{GRID} {label}", taken) for label, taken in times.items())
    print(f"{'ratio to one by one':<44} {batches / alone:6.2f}")


def next_image(page):
    """Seconds from the click that takes the next test image to its filmstrip; then all else is drawn too."""
    page.locator(".filmstrip .raw canvas").evaluate(REMEMBER)
    started = time.perf_counter()
    page.get_by_test_id("stNumberInputStepUp").first.click()
    page.wait_for_function(CHANGED, polling=10)
    taken = time.perf_counter() - started
    settled(page)
    return taken


def settled(page):
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=LIMIT_MS)
    page.wait_for_timeout(1000)


def heat_map(page, label, says):
    """Seconds from the choice of a heat map to that map, of an image whose map is not known yet."""
    started = time.perf_counter()
    page.get_by_text(label, exact=True).click()
    page.wait_for_function(
        f"() => [...document.querySelectorAll('.look p')].some((each) => /{says}/.test(each.textContent))"
    )
    taken = time.perf_counter() - started
    settled(page)
    return taken


def curve(page):
    """Seconds from a step of a slider to the curves, of which every point is asked for anew."""
    slider = page.get_by_role("slider", name="Move right")
    before = page.locator(".stVegaLiteChart .mark-line path").first.get_attribute("d")
    started = time.perf_counter()
    slider.press("ArrowRight")
    page.wait_for_function(CURVE_MOVED, arg=before, polling=10)
    taken = time.perf_counter() - started
    settled(page)
    return taken


def use_everything(page, address, found):
    """Opens every page, the map of each network that has one, and draws a digit that is placed on all of them."""
    page.goto(address)
    page.get_by_role("heading", level=1).first.wait_for(timeout=LIMIT_MS)
    for name in PAGES:
        switch(page, name)
    for run in found.values():
        if run.map_path.exists():
            page.goto(f"{address}/gallery?run={run.id}&view=map")
            page.locator(".above").wait_for(timeout=LIMIT_MS)
            settled(page)
    page.goto(f"{address}/draw?map=true")
    pen_up_to_answer(page)
    page.locator(".placed .nearest img").first.wait_for(timeout=LIMIT_MS)
    settled(page)


def look_inside(page, address, name, run, rounds):
    page.goto(f"{address}/inside?run={run.id}")
    page.locator(".stVegaLiteChart .mark-line").first.wait_for(timeout=LIMIT_MS)
    settled(page)
    times = {"filmstrip": [], "class activation": [], "occlusion": [], "slider to curve": []}
    for _ in range(rounds):
        times["filmstrip"].append(next_image(page))
        times["occlusion"].append(heat_map(page, *OCCLUSION))
        times["filmstrip"].append(next_image(page))
        times["class activation"].append(heat_map(page, *ACTIVATION))
        times["slider to curve"].append(curve(page))
    for what, taken in times.items():
        median(f"{name}: {what}", taken)
    started = time.perf_counter()
    page.get_by_text("Find the smallest change that flips each network").click()
    page.locator(".flips").wait_for(timeout=LIMIT_MS)
    median(f"{name}: smallest changes", [time.perf_counter() - started])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="run folders besides those that are here")
    arguments = parser.parse_args()
    with beside(arguments.also):
        measure(arguments.rounds)


def measure(rounds):
    here = networks()
    for name, run in here.items():
        beside_one_by_one(name, run, rounds)
    with sync_playwright() as api, serving("app.py") as (process, address):
        browser = api.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS)), None),
            args=["--no-sandbox", "--disable-gpu", "--no-first-run"],
        )
        wait_until_up(address)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        for name, run in here.items():
            look_inside(page, address, name, run, rounds)
        use_everything(page, address, here)
        taken = psutil.Process(process.pid).memory_info().rss / 2**20
        print(f"{'memory of the server, all of it used once':<44} {taken:6.0f} MB, of {MEMORY_LIMIT_MB} MB allowed")
        browser.close()


if __name__ == "__main__":
    main()
