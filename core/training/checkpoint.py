"""What a run needs to go on exactly where it was: when it is written while training, in which files, and how it is
read when the run is resumed.

A checkpoint is the state to go on from, and the weights of the best and of the last whole epoch.
"""

import json
import math
import os
import time

import keras
import numpy as np

from core.config.run_config import MONITORS
from core.files import discard, discard_leftovers, replacing
from core.networks.preprocessing import fixed_weights
from core.networks.training_only import lasting
from core.runs.run import RunError
from core.training.callbacks import Recorder, TestPredictions


class BestWeights(keras.callbacks.Callback):
    """Keeps on disk the weights of the best epoch, by what the RunConfig monitors, and those of the last epoch."""

    def __init__(self, run, config):
        super().__init__()
        self.run, self.monitor = run, config.monitor
        self.best_epoch = self.last_epoch = 0
        self.best_score = -math.inf

    def on_epoch_end(self, epoch, logs=None):
        self.last_epoch = epoch + 1
        write_weights(self.run, self.last_epoch, map(keras.ops.convert_to_numpy, lasting(self.model)))
        score = MONITORS[self.monitor] * float(logs[self.monitor.replace("validation", "val")])
        if score > self.best_score:
            self.best_epoch, self.best_score = self.last_epoch, score


MINUTES_BETWEEN = 3
# The attributes of each callback that decide how training goes on.
STATE = {
    Recorder: ("rows", "elapsed"),
    BestWeights: ("best_epoch", "best_score", "last_epoch"),
    TestPredictions: ("classes", "confidences"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    keras.callbacks.EarlyStopping: ("wait", "best", "best_epoch", "stopped_epoch"),
}
# What a checkpoint calls a callback, where that is not its class: so that those of earlier versions are still read.
_STORED_AS = {BestWeights: "Keeper", TestPredictions: "TestAnswers"}


class StopRequestedError(Exception):
    """Somebody asked the run to stop; raised when its checkpoint is written."""


class PartialEpochOverError(Exception):
    """The rest of an epoch that was begun before is trained and its checkpoint written; whole epochs follow."""


class Checkpoint:
    """One moment of a run, as it was written.

    Attributes:
        epoch, step: how many whole epochs are trained, and how many steps of the next one.
        finished: whether no more training follows.
        kept_epochs: the epochs (from 1) whose weights are kept beside it.
    """

    def __init__(self, arrays):
        self._arrays = arrays
        facts = json.loads(arrays["facts"].tobytes())
        self.epoch, self.step, self.finished, self._callbacks = (
            facts[name] for name in ("epoch", "step", "finished", "callbacks")
        )
        best_weights = self._callbacks[_stored_name(BestWeights)]
        self.kept_epochs = {best_weights["best_epoch"], best_weights["last_epoch"]} - {0}

    def restore_callbacks(self, callbacks):
        """Gives the callbacks their attributes back."""
        for callback, name in _stateful(callbacks):
            for attribute in STATE[type(callback)]:
                key = f"{name}/{attribute}"
                value = self._arrays[key] if key in self._arrays else self._callbacks[name][attribute]
                setattr(callback, attribute, value)

    def restore_variables(self, kind, variables, keep=()):
        """Gives variables ("model", "optimizer" or "metrics") their values back, except those in `keep`.

        Raises:
            core.runs.run.RunError: they are those of another network.
        """
        values = [self._arrays[key] for key in self._arrays if key.startswith(f"{kind}/")]
        check_fit(variables, values)
        kept = set(map(id, keep))
        for variable, value in zip(variables, values, strict=True):
            if id(variable) not in kept:
                variable.assign(value)


class Checkpointer(keras.callbacks.Callback):
    """Writes a checkpoint after every epoch, every few minutes inside one, and when training is asked to stop; and
    lets `fit` go on from one. It must be the last of the callbacks, whose state it keeps.

    A checkpoint is taken as an epoch begins and not as one ends: averaged weights are swapped out again by then.

    Args:
        run: the Run.
        batches: the core.training.batches.Batches that are trained on.
        callbacks: the other callbacks.
        stop_requested: asked after every step.

    Raises:
        StopRequestedError, PartialEpochOverError: out of `fit`.
    """

    def __init__(self, run, batches, callbacks, stop_requested):
        super().__init__()
        self.run, self.batches, self.callbacks, self.stop_requested = run, batches, callbacks, stop_requested
        self.resumed_from, self.finished = None, False

    def go_back(self):
        """Takes the run back to its newest sound checkpoint, or to its beginning: batches, curves and callbacks; the
        network follows when `fit` begins.
        """
        saved = self.resumed_from = latest(self.run)
        self.finished = bool(saved and saved.finished)
        epoch, step = (saved.epoch, saved.step) if saved else (0, 0)
        self.batches.start_at(epoch, step)
        if saved:
            saved.restore_callbacks(self.callbacks)
        recorder = next(callback for callback in self.callbacks if isinstance(callback, Recorder))
        self.run.rewind(recorder.rows, epoch, step)
        for callback in self.callbacks:
            if isinstance(callback, TestPredictions):
                callback.rewind()

    def on_train_begin(self, logs=None):
        self.written = time.monotonic()
        if self.resumed_from:
            self.resumed_from.restore_callbacks(self.callbacks)
            # Preprocessing comes from the images, as when the run began; earlier versions kept it in other terms.
            self.resumed_from.restore_variables("model", self.model.variables, keep=fixed_weights(self.model))
            self.resumed_from.restore_variables("optimizer", self.model.optimizer.variables)

    def on_epoch_begin(self, epoch, logs=None):
        saved = self.resumed_from
        if saved and saved.epoch == epoch:
            if saved.step:
                saved.restore_variables("metrics", self.model.metrics_variables)
        elif epoch:
            self.write(epoch)
            if self.stop_requested():
                raise StopRequestedError
            if saved and saved.step:
                raise PartialEpochOverError

    def on_train_batch_end(self, batch, logs=None):
        step = self.batches.first_step + batch + 1
        # After its last step an epoch has but to be validated; the next one's beginning is the place to stop.
        if step < self.batches.steps:
            asked = self.stop_requested()
            if asked or time.monotonic() - self.written > 60 * MINUTES_BETWEEN:
                self.write(self.batches.epoch, step)
            if asked:
                raise StopRequestedError

    def on_epoch_end(self, epoch, logs=None):
        self.batches.start_at(epoch + 1)

    def write(self, epoch, step=0, finished=False):
        """Writes a checkpoint, and only then deletes those before it."""
        arrays, facts = {}, {"epoch": epoch, "step": step, "finished": finished, "callbacks": {}}
        for callback, name in _stateful(self.callbacks):
            values = {attribute: getattr(callback, attribute) for attribute in STATE[type(callback)]}
            arrays |= {f"{name}/{key}": value for key, value in values.items() if isinstance(value, np.ndarray)}
            facts["callbacks"][name] = {key: value for key, value in values.items() if f"{name}/{key}" not in arrays}
        if not finished:
            kinds = {"model": self.model.variables, "optimizer": self.model.optimizer.variables}
            if step:
                kinds["metrics"] = self.model.metrics_variables
            for kind, variables in kinds.items():
                values = (keras.ops.convert_to_numpy(variable) for variable in variables)
                arrays |= {f"{kind}/{number}": value for number, value in enumerate(values)}
        arrays["facts"] = np.frombuffer(json.dumps(facts, default=float).encode(), np.uint8)
        path = write_state(self.run, epoch, step, arrays)
        best_weights = next(callback for callback in self.callbacks if isinstance(callback, BestWeights))
        keep_only(
            self.run,
            [path, *(weights_path(self.run, kept) for kept in (best_weights.best_epoch, best_weights.last_epoch))],
        )
        self.written, self.finished = time.monotonic(), finished


def latest(run):
    """The run's newest Checkpoint that is whole, weights and all; None where there is none."""
    discard_leftovers(run.checkpoint_path)
    for path in state_paths(run):
        try:
            saved = Checkpoint(read_arrays(path))
            for epoch in saved.kept_epochs:
                read_weights(run, epoch)
            return saved
        except (RunError, KeyError, TypeError, ValueError) as error:
            print(f"{path.name} is left out: {error}", flush=True)
    return None


def _stateful(callbacks):
    """(callback, name) of those that have a state."""
    return [(callback, _stored_name(type(callback))) for callback in callbacks if type(callback) in STATE]


def _stored_name(kind):
    return _STORED_AS.get(kind, kind.__name__)


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


def check_fit(variables, values):
    """Raises RunError where arrays do not fit the variables of a network, in number or in shape."""
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
        raise RunError(
            "The checkpoint does not fit the network; it may come from another version of this program. "
            "Start a new run with the same settings."
        )


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
    except FileNotFoundError:
        why = " is missing"
    except OSError as error:
        why = f" cannot be read ({error.strerror})"
    except Exception:  # Broken archives break in a dozen ways.
        why = ": it was cut short, or is no archive of arrays"
    raise RunError(f"{path.parent.parent.name}: checkpoint/{path.name}{why}.")


def _write(path, arrays):
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
        # What came before is deleted next: this has to be on the disk by then, and not only on its way.
        file.flush()
        os.fsync(file.fileno())
