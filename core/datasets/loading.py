"""Loading a dataset through one verified cache: fetched once, checked, and memory-mapped."""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core import settings
from core.datasets import cache
from core.datasets.catalogue import DATASETS
from core.datasets.decoding import PARTS, digest
from core.datasets.parts import PartsError


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
    return cache.is_stored(cache_folder() / name, DATASETS[name])


def load(name, folder=None, progress=None):
    """A dataset as memory-mapped arrays, from the cache, else fetched, checked and cached first.

    Args:
        name: a key of DATASETS.
        folder: a folder holding the original files or the parts, itself or under `name`;
            `core.settings.data_folder()` otherwise.
        progress: called with a message and a fraction in 0..1, or None where the end is not known.

    Raises:
        DatasetUnavailable: no source gave the known arrays, or the cache cannot be written.
    """
    arrays = cache.open_stored(cache_folder() / name, DATASETS[name])
    if arrays is None:
        arrays = _fetch(name, folder or settings.data_folder(), progress or (lambda message, fraction: None))
    return Dataset(*arrays)


def verify(name, folder=None, progress=None):
    """Like `load`, but every cached byte is hashed again. Returns {"source", "folder", "sha256": part -> hex digest}.

    Raises:
        DatasetUnavailable: as in `load`.
    """
    place = cache_folder() / name
    if cache.open_stored(place, DATASETS[name], trust_stamps=False) is None:
        cache.discard(place)
    arrays = load(name, folder, progress)
    return {
        "source": cache.source(place, DATASETS[name]),
        "folder": place,
        "sha256": {part: digest(getattr(arrays, part)) for part in PARTS},
    }


def _fetch(name, folder, progress):
    """Fill the cache from the first source that gives the known arrays, and open it."""
    from core.datasets import fetching  # brings in an HTTP client that a warm cache has no use for

    dataset, place = DATASETS[name], cache_folder() / name
    wanted = Path(folder).expanduser() if folder else cache_folder()
    try:
        with cache.locked(place, dataset, progress):
            arrays = cache.open_stored(place, dataset)  # another process may have been faster
            if arrays is None:
                cache.discard(place)
                with tempfile.TemporaryDirectory(prefix=cache.work_prefix(place), dir=place.parent) as work:
                    places = dict.fromkeys((wanted / name, wanted, place))
                    source, arrays = fetching.obtain(dataset, places, Path(work), progress)
                    progress(f"Storing {dataset['label']}", None)
                    cache.store(place, dataset, source, arrays, Path(work))
                arrays = cache.open_stored(place, dataset)
    except PartsError as error:
        raise DatasetUnavailable(f"{dataset['label']}: {error}.") from error
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
