"""Fixtures that more than one test file needs."""

import functools
import gc
import itertools
import os
import sys
import tempfile
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager

from core.datasets import catalogue, loading
from core.environment import leave_out, worker_environment
from tests import originals
from tests.workers import end_workers

# Before any test imports Keras: training here runs as it does in a worker, and quickly begins to.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.update(worker_environment())
leave_out()
# Each AppTest looks for components in every installed package, which takes as long as a page. What it finds stays.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


def pytest_collection_modifyitems(items):
    """The longest first, as far as a mark tells: begun last, they would run alone at the end. Each process begins with
    a part of the list in one piece. In a run of everything the first has all tests with a browser at the head of its
    part, as each browser compiles every script anew; the others share what else is long.
    """
    limits = {item: max((mark.args[0] for mark in item.iter_markers("timeout")), default=0) for item in items}
    longest_first = sorted(items, key=lambda item: -limits[item])
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    browsing = [item for item in longest_first if item.path.parent.name == "e2e"]
    heads = [browsing] if processes > 1 and len(browsing) <= len(items) // processes else []
    long = [item for item in longest_first if limits[item] and not (heads and item in browsing)]
    sharing = processes - len(heads)
    heads += [long[number::sharing] for number in range(sharing)]
    placed, ordered = set(itertools.chain(*heads)), []
    others = iter([item for item in items if item not in placed])
    for number, head in enumerate(heads):
        size = (len(items) - len(ordered)) // (processes - number)
        ordered += [*head, *itertools.islice(others, size - len(head))]
    items[:] = ordered


def pytest_collection_finish():
    _settle()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    if nextitem is None or nextitem.path != item.path:
        _settle()


def _settle():
    """Takes what is there by now out of the garbage collector's sight. What networks leave behind are millions of
    objects; to look through them again and again made the tests of pages five times as long.
    """
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session(free_memory=False)
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def as_after_the_first_request(monkeypatch):
    """AppTest forgets at every run that app.py has called st.navigation; a server knows, see app.py."""
    make = PagesManager.__init__

    def make_and_remember(self, *arguments, **options):
        make(self, *arguments, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", make_and_remember)


@pytest.fixture
def artifacts(tmp_path, monkeypatch):
    """An empty artifacts folder; what other processes train in it ends with the test."""
    folder = tmp_path / "artifacts"
    folder.mkdir()
    monkeypatch.setenv("LAB_ARTIFACTS", str(folder))
    yield folder
    end_workers()


@pytest.fixture(scope="session")
def original_files():
    """Folder for each dataset, with the files one would download, written from the real arrays."""
    with tempfile.TemporaryDirectory() as folder:
        yield {name: originals.write(name, loading.load(name), Path(folder) / name) for name in catalogue.DATASETS}


@pytest.fixture
def empty_cache(original_files, monkeypatch):
    """A cache of our own with nothing in it, no way out to any network and no package manager."""
    with tempfile.TemporaryDirectory() as home:
        monkeypatch.setenv("KERAS_HOME", home)
        monkeypatch.setenv("PATH", home)
        for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, "http://127.0.0.1:9")
        for variable in ("LAB_DATA", "no_proxy", "NO_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        yield loading.cache_folder()
