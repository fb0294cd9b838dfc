"""How long people wait for the app, in a real browser: the first page, page switches, pen-up to the networks' answers.

Run it with the runs at hand, of which the Draw page needs networks trained on MNIST: python benchmarks/app_latency.py
"""

import argparse
import importlib.util
import shutil
import time
from pathlib import Path

import psutil
from medians import median
from playwright.sync_api import sync_playwright
from serving import LIMIT_SECONDS, serving, wait_until_up

PAGES = ("Networks", "Train", "Compare", "Claims", "Gallery", "Inside", "Draw", "Round", "Lesson", "Overview")
LIMIT_MS = 1000 * LIMIT_SECONDS
# Resolves with the milliseconds from the next pen-up to the next change of the verdict.
WAIT_FOR_ANSWER = """(verdict) => {
  window.answered = new Promise((resolve) => addEventListener("pointerup", () => {
    const started = performance.now();
    const observer = new MutationObserver(() => { observer.disconnect(); resolve(performance.now() - started); });
    observer.observe(verdict, { childList: true, characterData: true, subtree: true });
  }, { once: true, capture: true }));
}"""


def first_page(browser, script):
    """Seconds from starting the server to the first page's heading in a new browser context."""
    started = time.perf_counter()
    with serving(script) as (_, address):
        wait_until_up(address)
        page = browser.new_context().new_page()
        page.goto(address)
        page.locator("h1").first.wait_for(timeout=LIMIT_MS)
        taken = time.perf_counter() - started
        page.context.close()
    return taken


def switch(page, name):
    """Seconds from clicking a page's link to its heading and the end of its script."""
    started = time.perf_counter()
    page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
    heading = "Deeper Networks Lab" if name == "Overview" else name
    page.get_by_role("heading", name=heading, level=1).wait_for(timeout=LIMIT_MS)
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=LIMIT_MS)
    taken = time.perf_counter() - started
    page.wait_for_timeout(1000)
    return taken


def pen_up_to_answer(page):
    """Seconds from the end of a stroke to the verdict on it."""
    verdict = page.locator(".verdict")
    clear = page.get_by_role("button", name="Clear")
    if clear.is_enabled():
        clear.click()
    verdict.filter(has_text="Waiting").wait_for(timeout=LIMIT_MS)
    page.wait_for_timeout(600)
    box = page.locator(".paper canvas").bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    verdict.evaluate(WAIT_FOR_ANSWER)
    page.mouse.move(*at(0.3, 0.25))
    page.mouse.down()
    page.mouse.move(*at(0.7, 0.25), steps=2)
    page.mouse.move(*at(0.45, 0.8), steps=2)
    page.mouse.up()
    return page.evaluate("() => window.answered") / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with sync_playwright() as api:
        browser = api.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        hello = Path(importlib.util.find_spec("streamlit").origin).parent / "hello" / "streamlit_app.py"
        scripts = {"first page": "app.py", "first page of Streamlit's hello app": hello}
        times = {label: [] for label in scripts}
        for _ in range(rounds):
            for label, script in scripts.items():
                times[label].append(first_page(browser, script))
        ours, peers = (median(label, seconds) for label, seconds in times.items())
        print(f"{'ratio to the hello app':<44} {ours / peers:6.2f}")

        with serving("app.py") as (process, address):
            wait_until_up(address)
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.goto(address)
            page.locator("h1").wait_for(timeout=LIMIT_MS)
            switches = {name: [] for name in PAGES}
            for _ in range(rounds):
                for name in PAGES:
                    switches[name].append(switch(page, name))
            for name, seconds in switches.items():
                median(f"switch to {name}", seconds)
            switch(page, "Draw")
            networks = page.locator(".cards article").count()
            if networks:
                answers = [pen_up_to_answer(page) for _ in range(3 * rounds)]
                median(f"pen-up to the answers of {networks} networks", answers)
            else:
                print("No network is trained on MNIST: python -m core train alexnet mnist")
            server = psutil.Process(process.pid)
            print(f"{'memory of the server':<44} {server.memory_info().rss / 2**20:6.0f} MB")
            loaded = any("tensorflow" in mapped.path for mapped in server.memory_maps())
            print(f"{'TensorFlow in the server':<44} {'yes' if loaded else 'no':>6}")
        browser.close()


if __name__ == "__main__":
    main()
