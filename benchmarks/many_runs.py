"""What a page costs when there are many runs: every page switch with 300 run folders beside the same with 12.

The folders are copies of the project's own runs, as if trained on this machine; two servers, one for each number, are
asked in turns by a real browser. Run it where nothing trains: python benchmarks/many_runs.py
"""

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from app_latency import LIMIT_MS, PAGES, switch
from playwright.sync_api import sync_playwright
from serving import PROJECT, serving, wait_until_up

LINKED_BYTES = 100_000
HOUR = 3600


def make_runs(folder, count):
    """Fills a folder with so many run folders, an hour apart; large files are links to the originals."""
    originals = sorted(path.parent for path in (PROJECT / "artifacts").glob("*/config.json"))
    here = {"platform": platform.platform(), "cores": psutil.cpu_count()}
    for number in range(count):
        original, created = originals[number % len(originals)], time.time() - HOUR * (count - number)
        stem = re.sub(r"-\d+-\d+-\w+$", "", original.name)
        copy = folder / f"{stem}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(created))}-{number:04x}"
        copy.mkdir()
        for path in original.iterdir():
            if path.name != "shipped":
                copy_or_link(path, copy / path.name)
        config = json.loads((copy / "config.json").read_text("utf-8"))
        config["created"] = created
        # Runs of before there were sessions say once where they were trained.
        for where in config.get("sessions") or [config["environment"]]:
            where.update(here)
        (copy / "config.json").write_text(json.dumps(config), "utf-8")


def copy_or_link(source, target):
    if source.stat().st_size > LINKED_BYTES:
        # Another disk takes no links.
        with contextlib.suppress(OSError):
            return os.link(source, target)
    return shutil.copy2(source, target)


@contextlib.contextmanager
def open_lab(browser, folder, count):
    """A server on so many runs and a browser's page that shows its Overview; yields both, and the first page's
    seconds.
    """
    folder.mkdir()
    make_runs(folder, count)
    with serving("app.py", LAB_ARTIFACTS=str(folder)) as (process, address):
        wait_until_up(address)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        started = time.perf_counter()
        page.goto(address)
        page.locator("h1").wait_for(timeout=LIMIT_MS)
        page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=LIMIT_MS)
        yield page, psutil.Process(process.pid), time.perf_counter() - started


def cpu_seconds(process):
    return sum(process.cpu_times()[:2])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, nargs=2, default=[12, 300], metavar="N", help="how many (12 and 300)")
    parser.add_argument("--rounds", type=int, default=5, help="switches to each page (5)")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        stack.callback(browser.close)
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        labs = {count: stack.enter_context(open_lab(browser, root / str(count), count)) for count in options.runs}
        times = {name: {count: [] for count in labs} for name in PAGES}
        work = {name: dict.fromkeys(labs, 0) for name in PAGES}
        # The first time each page reads what it shows; a person pays that once.
        for number in range(1 + options.rounds):
            for name in PAGES:
                for count, (page, process, _) in labs.items() if number % 2 else reversed(labs.items()):
                    before = cpu_seconds(process)
                    seconds = switch(page, name)
                    if number:
                        times[name][count].append(seconds)
                        work[name][count] += (cpu_seconds(process) - before) / options.rounds
        few, many = options.runs
        print(f"{'':<24}{f'{few} runs':>10}{f'{many} runs':>12}{'ratio':>8}   of the rounds   the server's CPU")
        for name, taken in times.items():
            ratios = [slow / fast for fast, slow in zip(taken[few], taken[many], strict=True)]
            medians = {count: statistics.median(seconds) for count, seconds in taken.items()}
            print(
                f"switch to {name:<14}{medians[few]:8.2f} s{medians[many]:10.2f} s{medians[many] / medians[few]:8.2f}"
                f"   {min(ratios):.2f} to {max(ratios):.2f}   {work[name][few]:.2f} and {work[name][many]:.2f} s"
            )
        print(f"{'first page':<24}{labs[few][2]:8.2f} s{labs[many][2]:10.2f} s{labs[many][2] / labs[few][2]:8.2f}")
        memory = {count: process.memory_info().rss / 2**20 for count, (_, process, _) in labs.items()}
        print(
            f"{'memory of the server':<24}{memory[few]:7.0f} MB{memory[many]:9.0f} MB{memory[many] / memory[few]:8.2f}"
        )


if __name__ == "__main__":
    sys.exit(main())
