"""The test images of each dataset as one lossless picture, shipped with the project: galleries need no download."""

from pathlib import Path

from core.datasets.catalogue import DATASETS
from core.datasets.decoding import digest
from core.datasets.loading import is_cached, load
from core.datasets.sheets import to_images, to_picture

FOLDER = Path(__file__).parents[2] / "artifacts" / "test_images"


def load_test_images(name, progress=None):
    """A dataset's test images, uint8 (N, h, w, c): from the cache, else from its sheet; else the dataset is fetched.

    Raises:
        core.datasets.loading.DatasetUnavailable: there is no sound sheet, and no source gave the dataset.
    """
    images = None if is_cached(name) else read_sheet(name)
    return load(name, progress=progress).test_images if images is None else images


def at_hand(name):
    """Whether a dataset's test images can be had without asking anybody, as far as names of files tell."""
    return is_cached(name) or (FOLDER / f"{name}.webp").exists()


def write_sheet(name, folder=FOLDER):
    """Writes a dataset's test images as a sheet, a hundred in a row; returns its path.

    Raises:
        core.datasets.loading.DatasetUnavailable: no source gave the dataset.
    """
    picture = to_picture(load(name).test_images)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.webp"
    picture.save(path, lossless=True)
    return path


def read_sheet(name, folder=FOLDER):
    """The images of a sheet, or None where there is none, or one that does not hold the dataset's very images."""
    dataset = DATASETS[name]
    try:
        images = to_images(folder / f"{name}.webp", dataset["image_shape"])
    except (OSError, ValueError, SyntaxError):
        return None
    return images if digest(images) == dataset["sha256"]["test_images"] else None
