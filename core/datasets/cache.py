"""One dataset's folder in the cache: arrays that were checked when stored and are checked again when they change."""

import contextlib
import json
import os
import shutil

import numpy as np

from core.datasets.decoding import PARTS, digest, shapes

MARKER = "verified.json"  # written last: a folder without it holds nothing


def is_stored(folder, dataset):
    """Whether the marker and files of the recorded sizes are there; reads no array."""
    marker = _read_marker(folder, dataset)
    return marker is not None and all(_stamp(folder, part)[:1] == marker["stamps"][part][:1] for part in PARTS)


def source(folder, dataset):
    """Where the stored arrays came from, in words, or None where none are stored."""
    marker = _read_marker(folder, dataset)
    return marker and marker["source"]


def open_stored(folder, dataset, trust_stamps=True):
    """The stored arrays, memory-mapped and read-only in the order of PARTS, or None where any is missing or differs.

    A file is hashed again when its size or time is not the one noted at the last check, or with `trust_stamps` off.
    """
    marker = _read_marker(folder, dataset)
    if marker is None:
        return None
    arrays, stamps = [], {}
    for part in PARTS:
        stamps[part] = _stamp(folder, part)
        try:
            array = np.load(folder / f"{part}.npy", mmap_mode="r")
        except (OSError, ValueError, EOFError):
            return None
        if array.shape != shapes(dataset)[part] or array.dtype != np.uint8:
            return None
        if not (trust_stamps and stamps[part] == marker["stamps"][part]) and digest(array) != dataset["sha256"][part]:
            return None
        arrays.append(array)
    if stamps != marker["stamps"]:
        with contextlib.suppress(OSError):  # a cache that someone else owns can still be read
            _write_marker(folder, marker | {"stamps": stamps})
    return tuple(arrays)


def store(folder, dataset, source, arrays, work):
    """Put checked arrays, in the order of PARTS, in place of whatever is there; `work` is a folder on the same disk."""
    discard(folder)
    for part, array in zip(PARTS, arrays, strict=True):
        np.save(work / f"{part}.npy", array)
        os.replace(work / f"{part}.npy", folder / f"{part}.npy")
    stamps = {part: _stamp(folder, part) for part in PARTS}
    _write_marker(folder, {"source": source, "sha256": dataset["sha256"], "stamps": stamps})


def discard(folder):
    """Make the folder count as empty."""
    (folder / MARKER).unlink(missing_ok=True)


def work_prefix(folder):
    """How the names of this dataset's temporary folders beside `folder` begin."""
    return f".{folder.name}-"


@contextlib.contextmanager
def locked(folder, dataset, progress):
    """Hold the only right to fill the folder, which is made if need be; clears what interrupted fetches left."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(f"Waiting for another process to fetch {dataset['label']}", None)
        lock.acquire()
    try:
        for leftover in folder.parent.glob(f"{work_prefix(folder)}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    finally:
        lock.release()


def _stamp(folder, part):
    """[size, modification time] of an array's file, or [None, None] where there is none."""
    try:
        facts = (folder / f"{part}.npy").stat()
    except OSError:
        return [None, None]
    return [facts.st_size, facts.st_mtime_ns]


def _read_marker(folder, dataset):
    """The marker, or None where it is missing, damaged or about other arrays."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        whole = marker["source"] and all(len(marker["stamps"][part]) == 2 for part in PARTS)
        return marker if whole and marker["sha256"] == dataset["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_marker(folder, marker):
    temporary = folder / f"{MARKER}.{os.getpid()}"
    temporary.write_text(json.dumps(marker, indent=2), encoding="utf-8")
    os.replace(temporary, folder / MARKER)
