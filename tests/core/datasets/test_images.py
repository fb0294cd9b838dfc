"""The pictures that hold the test images: exact, complete, and distrusted where they are not."""

import numpy as np
import pytest

from core.datasets import test_images as sheets
from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable, load

pytestmark = pytest.mark.parametrize("name", DATASETS)


def test_the_sheet_that_comes_with_the_project_holds_the_very_test_images(name):
    np.testing.assert_array_equal(sheets.read_sheet(name), load(name).test_images)


@pytest.mark.usefixtures("empty_cache")
def test_without_the_dataset_and_without_a_network_the_test_images_come_from_the_sheet(name):
    images = sheets.load_test_images(name)
    assert images.shape == (DATASETS[name]["test_examples"], *DATASETS[name]["image_shape"])


@pytest.mark.parametrize("damage", [lambda text: b"", lambda text: text[: len(text) // 2], lambda text: b"?" + text])
def test_a_damaged_sheet_is_no_sheet(name, damage, tmp_path):
    sheet = tmp_path / f"{name}.webp"
    sheet.write_bytes(damage((sheets.FOLDER / sheet.name).read_bytes()))
    assert sheets.read_sheet(name, tmp_path) is None


def test_the_sheet_of_another_dataset_is_no_sheet(name, tmp_path):
    for other in DATASETS.keys() - {name}:
        (tmp_path / f"{name}.webp").write_bytes((sheets.FOLDER / f"{other}.webp").read_bytes())
        assert sheets.read_sheet(name, tmp_path) is None


def test_with_neither_sheet_nor_dataset_one_sentence_says_what_to_do(name, tmp_path, monkeypatch, empty_cache):
    monkeypatch.setattr(sheets, "read_sheet", lambda name: None)
    with pytest.raises(DatasetUnavailable, match="is not on this computer"):
        sheets.load_test_images(name)
