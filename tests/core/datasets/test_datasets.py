"""The real datasets, and what happens to the cache when things go wrong."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.datasets import cache, loading
from core.datasets.catalogue import DATASETS
from tests import originals

FIRST_LABELS = {
    "mnist": ([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]),
    "fashion_mnist": ([9, 0, 0, 3, 0, 2, 7, 2, 5, 5], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]),
    "cifar10": ([6, 9, 9, 4, 1, 1, 2, 7, 8, 3], [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]),
}
# A process that runs out of life the moment the second array is put in its place.
DYING = """
import os
from core.datasets import loading
real, calls = os.replace, []
def replace(source, target):
    calls.append(target)
    os._exit(9) if len(calls) == 2 else real(source, target)
os.replace = replace
loading.load("mnist")
"""
REPORTING = """
from core.datasets import loading
loading.load("mnist", progress=lambda message, fraction: print(message))
"""


@pytest.fixture(scope="session", params=DATASETS)
def name(request):
    return request.param


@pytest.fixture
def mnist_originals(original_files):
    return original_files["mnist"]


def python(code):
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def output(process):
    """What it printed, after its end, and its exit status."""
    return process.communicate()[0].strip(), process.returncode


def test_every_dataset_has_the_published_arrays(name):
    facts, arrays = DATASETS[name], loading.load(name)
    for part, array in arrays._asdict().items():
        count = facts["train_examples" if part.startswith("train") else "test_examples"]
        assert array.shape == (count, *(facts["image_shape"] if part.endswith("images") else ()))
        assert array.dtype == np.uint8
        assert hashlib.sha256(array.tobytes()).hexdigest() == facts["sha256"][part]
    assert arrays.train_labels[:10].tolist() == FIRST_LABELS[name][0]
    assert arrays.test_labels[:10].tolist() == FIRST_LABELS[name][1]
    assert sorted(Counter(arrays.train_labels.tolist())) == list(range(len(facts["classes"])))
    assert len(set(facts["classes"])) == 10


def test_mnist_arrays_are_the_four_original_files():
    digests = [hashlib.md5(originals.idx_bytes(array)).hexdigest() for array in loading.load("mnist")]
    assert digests == list(DATASETS["mnist"]["md5"].values())


def test_cifar_colours_have_the_published_means_and_deviations():
    images = loading.load("cifar10").train_images
    pixels, sums, squares = images.size // 3, np.zeros(3), np.zeros(3)
    for start in range(0, len(images), 5_000):
        block = images[start : start + 5_000].reshape(-1, 3).astype(np.float64)
        sums += np.ones(len(block)) @ block
        squares += np.diag(block.T @ block)
    means = sums / pixels / 255
    np.testing.assert_allclose(means, [0.49139968, 0.48215841, 0.44653091], atol=5e-9, rtol=0)
    np.testing.assert_allclose(
        np.sqrt(squares / pixels / 255**2 - means**2), [0.24703223, 0.24348513, 0.26158784], atol=5e-9, rtol=0
    )


def test_the_arrays_cannot_be_written_to(name):
    with pytest.raises(ValueError, match="read-only"):
        loading.load(name).test_labels[0] = 1


def test_importing_the_datasets_brings_in_nothing_heavy():
    heavy = "{'keras', 'tensorflow', 'jax', 'streamlit', 'pooch', 'requests', 'PIL', 'core.config.run_config'}"
    found = python(f"import sys, core.datasets.loading; print(sorted({heavy} & set(sys.modules)))")
    assert output(found) == ("[]", 0)


def test_a_folder_with_the_original_files_fills_the_cache(name, empty_cache, original_files):
    assert not loading.is_cached(name)
    arrays = loading.load(name, folder=original_files[name].parent)
    assert loading.is_cached(name)
    assert arrays.train_labels[:10].tolist() == FIRST_LABELS[name][0]
    facts = loading.verify(name)
    assert facts["source"] == str(original_files[name])
    assert facts["sha256"] == DATASETS[name]["sha256"]


def test_unpacked_files_in_the_folder_of_the_environment_will_do(empty_cache, original_files, monkeypatch):
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(original_files["cifar10"] / "cifar-10-binary.tar.gz") as archive:
            for member in archive:
                (Path(folder) / Path(member.name).name).write_bytes(archive.extractfile(member).read())
        monkeypatch.setenv("LAB_DATA", folder)
        assert loading.load("cifar10").test_labels[:10].tolist() == FIRST_LABELS["cifar10"][1]


def flip_a_byte(path):
    with path.open("r+b") as file:
        file.seek(5_000)
        byte = file.read(1)[0]
        file.seek(5_000)
        file.write(bytes([byte ^ 1]))
    os.utime(path, (1, 1))


DAMAGES = {
    "a changed byte": flip_a_byte,
    "a truncated file": lambda path: os.truncate(path, 6_000),
    "an empty file": lambda path: os.truncate(path, 0),
    "a missing file": lambda path: path.unlink(),
    "a missing marker": lambda path: path.with_name(cache.MARKER).unlink(),
    "a broken marker": lambda path: path.with_name(cache.MARKER).write_text('{"stamps": {}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_noticed_and_fetched_again(damage, empty_cache, mnist_originals):
    loading.load("mnist", folder=mnist_originals)
    DAMAGES[damage](empty_cache / "mnist" / "test_labels.npy")
    with pytest.raises(loading.DatasetUnavailable):
        loading.load("mnist")
    again = loading.load("mnist", folder=mnist_originals)
    assert hashlib.sha256(again.test_labels.tobytes()).hexdigest() == DATASETS["mnist"]["sha256"]["test_labels"]


def test_damage_that_keeps_size_and_time_is_found_by_verify(empty_cache, mnist_originals):
    loading.load("mnist", folder=mnist_originals)
    path = empty_cache / "mnist" / "train_images.npy"
    before = path.stat()
    flip_a_byte(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    facts = loading.verify("mnist", folder=mnist_originals)
    assert facts["sha256"] == DATASETS["mnist"]["sha256"]


def test_a_cache_that_was_copied_is_checked_once_and_kept(empty_cache, mnist_originals):
    loading.load("mnist", folder=mnist_originals)
    os.utime(empty_cache / "mnist" / "train_images.npy", (1, 1))
    messages = []
    loading.load("mnist", progress=lambda message, fraction: messages.append(message))
    assert messages == []
    assert loading.is_cached("mnist")


def test_a_fetch_killed_half_way_is_never_half_used(empty_cache, mnist_originals, monkeypatch):
    monkeypatch.setenv("LAB_DATA", str(mnist_originals))
    assert output(python(DYING)) == ("", 9)
    assert (empty_cache / "mnist" / "train_images.npy").exists()
    assert list(empty_cache.glob(".mnist-*"))
    assert not loading.is_cached("mnist")
    assert loading.load("mnist").test_labels[:10].tolist() == FIRST_LABELS["mnist"][1]
    assert not list(empty_cache.glob(".mnist-*"))


def test_two_processes_at_once_fetch_once(empty_cache, mnist_originals, monkeypatch):
    monkeypatch.setenv("LAB_DATA", str(mnist_originals))
    workers = [python(REPORTING) for _ in range(2)]
    said, statuses = zip(*map(output, workers), strict=True)
    assert statuses == (0, 0)
    assert "".join(said).count("Storing MNIST") == 1
    assert loading.verify("mnist")["sha256"] == DATASETS["mnist"]["sha256"]
