"""What a page costs when there are many runs: starts, page switches and memory with 1,000 run folders beside
the same with 12, and the curves of a hundred runs.

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
import urllib.parse
from pathlib import Path

import psutil
from app_latency import LIMIT_MS, PAGES, switch
from playwright.sync_api import sync_playwright
from serving import PROJECT, serving, wait_until_up

LINKED_BYTES = 100_000
AT_REST_SECONDS = 61
IDLE = '[data-test-script-state="notRunning"]'
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
def open_lab(browser, folder):
    """A server on the runs in a folder and a browser's page that shows its Overview; yields both, and the seconds from
    the start of the server to that.
    """
    started = time.perf_counter()
    with serving("app.py", LAB_ARTIFACTS=str(folder)) as (process, address):
        wait_until_up(address)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(address)
        page.locator("h1").wait_for(timeout=LIMIT_MS)
        page.locator(IDLE).wait_for(timeout=LIMIT_MS)
        yield page, psutil.Process(process.pid), time.perf_counter() - started


def cpu_seconds(process):
    return sum(process.cpu_times()[:2])


def seconds_to_curves(page, ids):
    """Seconds from going back to a Compare page on which these runs are ticked to their curves, in both charts."""
    address = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(page.url))
    page.goto(f"{address}/compare?{urllib.parse.urlencode({'run': ids}, doseq=True)}")
    wait_for_curves(page, len(ids))
    switch(page, "Networks")
    started = time.perf_counter()
    page.go_back()
    wait_for_curves(page, len(ids))
    return time.perf_counter() - started


def wait_for_curves(page, count):
    page.wait_for_function(
        "count => [...document.querySelectorAll('.js-plotly-plot')].filter("
        "chart => chart.querySelectorAll('.scatterlayer .trace').length >= 2 * count).length == 2",
        arg=count,
        timeout=LIMIT_MS,
    )
    page.locator(IDLE).wait_for(timeout=LIMIT_MS)


def with_curves(folder, most):
    """The ids of so many runs that have results, as far as there are so many."""
    return [path.parent.name for path in sorted(folder.glob("*/metrics.json"))[:most]]


def print_row(label, few, many, form, rest=""):
    print(f"{label:<26}{few:11{form}}{many:13{form}}{many / few:8.2f}{rest}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, nargs=2, default=[12, 1000], metavar="N", help="how many (12 and 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="switches to each page (5)")
    parser.add_argument("--ticked", type=int, default=100, help="runs whose curves are drawn (100)")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        stack.callback(browser.close)
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folders = {count: root / str(count) for count in options.runs}
        for count, folder in folders.items():
            folder.mkdir()
            make_runs(folder, count)
        # Only what was made some time ago is remembered for the next server, and is not looked at file by file.
        time.sleep(AT_REST_SECONDS)
        first, labs = {}, {}
        for count, folder in folders.items():
            with open_lab(browser, folder) as (page, _, first[count]):
                for name in PAGES:
                    switch(page, name)
        for count, folder in folders.items():
            labs[count] = stack.enter_context(open_lab(browser, folder))
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
        print(f"{'':<26}{f'{few} runs':>11}{f'{many} runs':>13}{'ratio':>8}   of the rounds   the server's CPU")
        for name, taken in times.items():
            ratios = [slow / fast for fast, slow in zip(taken[few], taken[many], strict=True)]
            medians = {count: statistics.median(seconds) for count, seconds in taken.items()}
            rest = f"   {min(ratios):.2f} to {max(ratios):.2f}   {work[name][few]:.2f} and {work[name][many]:.2f} s"
            print_row(f"switch to {name}", medians[few], medians[many], ".2f", rest)
        print_row("first start, first page", first[few], first[many], ".2f")
        print_row("next start, first page", labs[few][2], labs[many][2], ".2f")
        memory = {count: process.memory_info().rss / 2**20 for count, (_, process, _) in labs.items()}
        print_row("memory of the server, MB", memory[few], memory[many], ".0f")
        ids = with_curves(folders[many], options.ticked)
        drawn = [seconds_to_curves(labs[many][0], ids) for _ in range(options.rounds)]
        print(f"{f'curves of {len(ids)} ticked runs':<26}{'':11}{statistics.median(drawn):13.2f}")


if __name__ == "__main__":
    sys.exit(main())
