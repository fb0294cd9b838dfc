"""A checkpoint's arrays on disk: a state to go on from, and the weights of the best and the last whole epoch."""

import os

import numpy as np

from core.files import discard, replacing
from core.runs import RunError


def write_state(run, epoch, step, arrays):
    """Keeps the state after so many whole epochs and so many steps of the next one. Returns its path."""
    path = run.checkpoint_path / f"state-{epoch:03}-{step:06}.npz"
    _write(path, arrays)
    return path


def state_paths(run):
    """Where states are, newest first."""
    return sorted(run.checkpoint_path.glob("state-*.npz"), reverse=True)


def write_weights(run, epoch, weights):
    """Keeps the network's weights, a list of arrays, as they are after an epoch (from 1)."""
    _write(weights_path(run, epoch), {str(number): value for number, value in enumerate(weights)})


def read_weights(run, epoch):
    """The list of arrays. Raises RunError where they are missing or damaged."""
    arrays = read_arrays(weights_path(run, epoch))
    return [arrays[str(number)] for number in range(len(arrays))]


def weights_path(run, epoch):
    return run.checkpoint_path / f"weights-{epoch:03}.npz"


def keep_only(run, paths):
    """Deletes every other array file of the checkpoint."""
    for old in set(run.checkpoint_path.glob("*.npz")) - set(paths):
        discard(old)


def read_arrays(path):
    """Name -> array. Raises RunError where the file is missing or damaged."""
    try:
        # Opened here, because NumPy forgets to close a damaged one.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Exception:
        raise RunError(f"{path.parent.parent.name}: checkpoint/{path.name} is missing or damaged.") from None


def _write(path, arrays):
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
        # What came before is deleted next: this has to be on the disk by then, and not only on its way.
        file.flush()
        os.fsync(file.fileno())
