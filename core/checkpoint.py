"""What a run needs to go on exactly where it was: written while it trains, read when it is resumed."""

import json
import time

import keras
import numpy as np

from core.callbacks import Keeper, Recorder, TestAnswers
from core.checkpoint_files import keep_only, read_arrays, read_weights, state_paths, weights_path, write_state
from core.files import discard_leftovers
from core.runs import RunError

MINUTES_BETWEEN = 3
# The attributes of each callback that decide how training goes on.
STATE = {
    Recorder: ("rows", "elapsed"),
    Keeper: ("best_epoch", "best_score", "last_epoch"),
    TestAnswers: ("classes", "confidences"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    keras.callbacks.EarlyStopping: ("wait", "best", "best_epoch", "stopped_epoch"),
}


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
        keeper = self._callbacks[Keeper.__name__]
        self.kept_epochs = {keeper["best_epoch"], keeper["last_epoch"]} - {0}

    def restore_callbacks(self, callbacks):
        """Gives the callbacks their attributes back."""
        for callback, name in _stateful(callbacks):
            for attribute in STATE[type(callback)]:
                key = f"{name}/{attribute}"
                value = self._arrays[key] if key in self._arrays else self._callbacks[name][attribute]
                setattr(callback, attribute, value)

    def restore_variables(self, kind, variables):
        """Gives variables ("model", "optimizer" or "metrics") their values back."""
        values = [self._arrays[key] for key in self._arrays if key.startswith(f"{kind}/")]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


class Checkpointer(keras.callbacks.Callback):
    """Writes a checkpoint after every epoch, every few minutes inside one, and when training is asked to stop; and
    lets `fit` go on from one. It must be the last of the callbacks, whose state it keeps.

    A checkpoint is taken as an epoch begins and not as one ends: averaged weights are swapped out again by then.

    Args:
        run: the Run.
        batches: the core.batches.Batches that are trained on.
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

    def on_train_begin(self, logs=None):
        self.written = time.monotonic()
        if self.resumed_from:
            self.resumed_from.restore_callbacks(self.callbacks)
            self.resumed_from.restore_variables("model", self.model.variables)
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
        keeper = next(callback for callback in self.callbacks if isinstance(callback, Keeper))
        keep_only(self.run, [path, *(weights_path(self.run, kept) for kept in (keeper.best_epoch, keeper.last_epoch))])
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
    return [(callback, type(callback).__name__) for callback in callbacks if type(callback) in STATE]
