"""The running app and a real browser, for the journeys that people take through the pages."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from core.datasets.catalogue import DATASETS
from core.results.reference import NETWORKS_OF_REPORT
from core.runs.run import Run
from core.settings import artifacts_folder
from tests.folders import finished_run, interrupted_run, learned, mapped, started_run
from tests.penmanship import teach

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PROJECT = Path(__file__).parents[2]
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
QUIETER = ("--disable-component-update", "--disable-sync")
# A page is open for seconds: to make its code fast costs more than that saves.
UNOPTIMIZED = "--js-flags=--no-turbofan --no-maglev"
# Pages share a process, with the code that it has compiled; half of what a page costs is to compile it, for which
# scripts are not looked through a second time beside.
TOGETHER = ("--process-per-site", "--disable-features=ScriptStreaming")
# What a page can leave behind besides cookies; not the cache, where its scripts are.
STORED = "file_systems,indexeddb,local_storage,websql,service_workers,cache_storage"
# Debian's, whichever there is; a page costs the first of them two thirds of the processor's time.
BROWSERS = ("chromium-headless-shell", "chromium")
OTHER_NAME = "lab.example"
# Stands for another tab in front: a headless browser never hides a page.
LOOK_AWAY = """away => {
  Object.defineProperty(document, "hidden", { get: () => away, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
START_SECONDS = 60
WAIT_MILLISECONDS = 30_000
left_ports = []


@pytest.fixture
def app_url(artifacts, tmp_path):
    """The address of the app, started for this test on its artifacts folder."""
    with served(tmp_path / "streamlit.log") as address:
        yield address


@contextlib.contextmanager
def lab_of(make, tmp_path_factory):
    """For tests that only look, which can share it: (what `make` gives and leaves in the artifacts folder, the address
    of the app on it).
    """
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patched:
        (folder / "artifacts").mkdir()
        patched.setenv("LAB_ARTIFACTS", str(folder / "artifacts"))
        made = make()
        with served(folder / "streamlit.log") as address:
            # What a test makes of its own goes elsewhere.
            patched.undo()
            yield made, address


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """For tests that only look at runs in every state: (the unfinished ones, the address of the app on all)."""
    with lab_of(_runs_in_every_state, tmp_path_factory) as found:
        yield found


def _runs_in_every_state():
    for network in ("alexnet", "vgg16"):
        teach(finished_run(network))
    for dataset in DATASETS:
        finished_run("resnet34", dataset)
    failed = started_run("vgg16", "cifar10")
    failed.write_status(state="failed", phase=None, error="The disk is full.")
    interrupted = interrupted_run(network="resnet34", recipe="modern")
    facts = {"started": 1.8e9, "seconds": 50.0, "first_epoch": 1, "first_step": 0, "cores": 4, "gpus": []}
    interrupted.describe(sessions=[facts])
    return [started_run("alexnet", "cifar10"), failed, interrupted]


@pytest.fixture(scope="session")
def readers_lab(tmp_path_factory):
    """For tests that only look at networks that read digits: ({name: run} of the report's, the address of the app);
    AlexNet has a map.
    """
    with lab_of(_read_by_three, tmp_path_factory) as found:
        yield found


def _read_by_three():
    runs = {network: teach(finished_run(network)) for network in NETWORKS_OF_REPORT}
    mapped(runs["alexnet"])
    return runs


@pytest.fixture(scope="session")
def mistakes_lab(tmp_path_factory):
    """For tests that only look at mistakes: (three runs, the address of the app on them). Of the first a tenth of 400
    predictions are the class after the true one; the others are always right, and differ in nothing but the seed.
    """
    with lab_of(_wrong_and_right, tmp_path_factory) as found:
        yield found


def _wrong_and_right():
    wrong = finished_run("vgg16", "fashion_mnist", examples=400)
    right = [finished_run("alexnet", "fashion_mnist", examples=400, wrong=0, seed=seed) for seed in (0, 1)]
    return [learned(run) for run in (wrong, *right)]


@pytest.fixture(scope="session")
def included_lab(tmp_path_factory):
    """For tests that look into networks: (LeNet-5 and AlexNet as the project ships them, the address of the app)."""
    with lab_of(lambda: (_included("lenet5-mnist-*"), _included("alexnet-mnist-modern-*")), tmp_path_factory) as found:
        yield found


def _included(pattern):
    (folder,) = (PROJECT / "artifacts").glob(pattern)
    return Run(shutil.copytree(folder, artifacts_folder() / folder.name))


@contextlib.contextmanager
def served(log_path, *options):
    """The app, running in this process's environment on a free port with Streamlit's options; gives its address."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    command += options
    with open(log_path, "wb") as log:
        server = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, env=os.environ.copy())
    try:
        _wait_until_healthy(server, f"http://127.0.0.1:{port}/_stcore/health", log_path)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)
        left_ports.append(port)


def _free_port():
    """One that a server has left, if there is any: the browser has compiled the scripts that came from there."""
    for port in [*left_ports, 0]:
        with socket.socket() as free, contextlib.suppress(OSError):
            # Connections of the server before may not be over.
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", port))
            if port:
                left_ports.remove(port)
            return free.getsockname()[1]


def _wait_until_healthy(server, address, log_path):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"The app did not start:\n{log_path.read_text('utf-8', 'replace')}")


@pytest.fixture(scope="session")
def browser():
    """The first of BROWSERS; the tests are skipped where there is none. Expectations wait as long as actions do.

    It finds OTHER_NAME on this machine.
    """
    playwright.expect.set_options(timeout=WAIT_MILLISECONDS)
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is installed (on Debian: apt-get install {BROWSERS[0]})")
    with playwright.sync_playwright() as api:
        running = api.chromium.launch(
            executable_path=found,
            args=[*QUIET, *QUIETER, UNOPTIMIZED, *TOGETHER, f"--host-resolver-rules=MAP {OTHER_NAME} 127.0.0.1"],
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def window(browser):
    """A context for the pages of all tests that need none of their own."""
    with context_in(browser) as context:
        # The process of the pages, and what it has compiled, stay as long as one of them is open.
        stays = context.new_page()
        stays.route("**", lambda route: route.fulfill(body=""))
        stays.goto("http://127.0.0.1/")
        yield context


@contextlib.contextmanager
def context_in(browser):
    """A context, 1440 x 900, of somebody who wants little motion, which costs a sixth of the processor's time."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, accept_downloads=True, reduced_motion="reduce"
    )
    context.set_default_timeout(WAIT_MILLISECONDS)
    yield context
    context.close()


@pytest.fixture
def page(window):
    """A blank page of a test's own."""
    with page_in(window) as opened:
        yield opened
        # pytest shows it where the test has failed.
        with contextlib.suppress(playwright.Error):
            print(opened.url, opened.locator("body").inner_text(timeout=1000), sep="\n")


@contextlib.contextmanager
def page_in(context):
    """A blank page. At its end all that it has opened is closed, what it has stored is forgotten, and an uncaught error
    in it is raised.
    """
    before = context.pages
    opened = context.new_page()
    errors = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    try:
        yield opened
    finally:
        forget = {"origin": "*", "storageTypes": STORED}
        context.new_cdp_session(context.pages[0]).send("Storage.clearDataForOrigin", forget)
        context.clear_cookies()
        for each in set(context.pages) - set(before):
            each.close()
    assert errors == []


def look_away(page, away=True):
    """From now on, or with away=False no longer: a page with a run at work rests meanwhile, which takes the processor
    every second otherwise.
    """
    page.evaluate(LOOK_AWAY, away)
