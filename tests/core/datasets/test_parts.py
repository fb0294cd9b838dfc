"""A dataset in parts that are carried one by one."""

import numpy as np
import pytest

from core.datasets import parts
from core.datasets.catalogue import DATASETS
from core.datasets.decoding import DamagedError, decode
from core.datasets.loading import Dataset, DatasetUnavailable, load


def few(name):
    data = load(name)
    return Dataset(data.train_images[:300], data.train_labels[:300], data.test_images[:200], data.test_labels[:200])


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_the_parts_are_no_larger_than_asked_and_give_the_very_images(name, tmp_path):
    written = parts.write(few(name), tmp_path / name, 20_000)
    assert len(written) > 2
    assert {path.stat().st_size for path in written[:-1]} == {20_000}
    for array, original in zip(parts.read(tmp_path / name, DATASETS[name]), few(name), strict=True):
        np.testing.assert_array_equal(array, original)


def test_missing_and_damaged_parts_are_asked_for_by_name_and_no_host_is_asked(tmp_path, monkeypatch):
    first, second, *_ = parts.write(few("mnist"), tmp_path / "mnist", 20_000)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("LAB_DATA", str(tmp_path))
    count = len(list((tmp_path / "mnist").glob("mnist.*")))
    first.unlink()
    content = bytearray(second.read_bytes())
    content[100] ^= 1
    second.write_bytes(content)
    with pytest.raises(DatasetUnavailable) as raised:
        load("mnist")
    where = f"MNIST: of its {count} parts in {tmp_path / 'mnist'}"
    assert str(raised.value) == f"{where}, mnist.001 is missing, mnist.002 is damaged; copy them there again."
    (tmp_path / "mnist" / parts.MANIFEST).write_text("[]")
    with pytest.raises(DatasetUnavailable, match=r"parts\.json in .* is damaged; copy it there again\.$"):
        load("mnist")


def test_parts_of_something_else_are_refused(tmp_path):
    """They are whole, but the images are not the dataset's."""
    data = few("mnist")
    parts.write(data._replace(train_labels=data.train_labels[::-1]), tmp_path / "mnist", 10**6)
    with pytest.raises(DamagedError):
        decode("parts", tmp_path / "mnist", DATASETS["mnist"])
