"""What a run writes and keeps while it trains."""

import math
import time

import keras
import numpy as np

from core.evaluation import softmax
from core.runs import RunError


class StopRequestedError(Exception):
    """Somebody asked the run to stop; raised after the step in hand."""


class DivergedError(RunError):
    """The loss is no longer a number."""


class Recorder(keras.callbacks.Callback):
    """Writes progress.jsonl and status.json about once a second and a row of history.csv an epoch.

    Raises:
        StopRequestedError: after a step, once `stop_requested()` is true.
        DivergedError: the training loss is not finite.
    """

    def __init__(self, run, config, images, steps, stop_requested, interval=1.0):
        super().__init__()
        self.run, self.config, self.images, self.steps = run, config, images, steps
        self.stop_requested, self.interval = stop_requested, interval

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1
        self.started = self.written = time.monotonic()
        self.written_step = 0
        # Inside an epoch the JAX backend holds the optimizer's variables elsewhere, so the rate is read here.
        self.learning_rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._write_status(0)

    def on_train_batch_end(self, batch, logs=None):
        step, now = batch + 1, time.monotonic()
        if not math.isfinite(logs["loss"]):
            raise DivergedError(
                f"The loss stopped being a number in epoch {self.epoch}, step {step}; try a lower learning rate."
            )
        if now - self.written >= self.interval or step == self.steps:
            images = min(step * self.config.batch_size, self.images) - self.written_step * self.config.batch_size
            self.run.append_progress(
                {
                    "time": time.time(),
                    "epoch": self.epoch,
                    "step": step,
                    "steps": self.steps,
                    "loss": float(logs["loss"]),
                    "accuracy": float(logs["accuracy"]),
                    "learning_rate": self._rate_at(step),
                    "images_per_second": images / max(now - self.written, 1e-9),
                }
            )
            self.written, self.written_step = now, step
            self._write_status(step)
        self.trained_seconds = now - self.started
        if self.stop_requested():
            raise StopRequestedError

    def on_epoch_end(self, epoch, logs=None):
        self.run.append_history(
            {
                "epoch": self.epoch,
                "train_loss": float(logs["loss"]),
                "train_accuracy": float(logs["accuracy"]),
                "validation_loss": float(logs["val_loss"]),
                "validation_accuracy": float(logs["val_accuracy"]),
                "learning_rate": self._rate_at(self.steps),
                "seconds": time.monotonic() - self.started,
                "images_per_second": self.images / self.trained_seconds,
            }
        )

    def _rate_at(self, step):
        schedule = self.model.optimizer._learning_rate
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            return self.learning_rate
        return float(keras.ops.convert_to_numpy(schedule((self.epoch - 1) * self.steps + step - 1)))

    def _write_status(self, step):
        self.run.write_status(
            phase="training", epoch=self.epoch, epochs=self.config.epochs, step=step, steps=self.steps
        )


class Keeper(keras.callbacks.Callback):
    """Keeps in memory the weights of the epoch with the lowest validation loss, and those of the last epoch."""

    def __init__(self):
        super().__init__()
        self.best_epoch = self.last_epoch = 0
        self.best_loss = math.inf
        self.best_weights = self.last_weights = None

    def on_epoch_end(self, epoch, logs=None):
        self.last_epoch, self.last_weights = epoch + 1, self.model.get_weights()
        if logs["val_loss"] < self.best_loss:
            self.best_epoch, self.best_loss, self.best_weights = epoch + 1, logs["val_loss"], self.last_weights


class TestAnswers(keras.callbacks.Callback):
    """After each epoch, the class each test image gets and how surely; for looking back, never to choose anything."""

    __test__ = False

    def __init__(self, images, batch_size):
        super().__init__()
        self.images, self.batch_size = images, batch_size
        self.classes, self.confidences = [], []

    def on_epoch_end(self, epoch, logs=None):
        probabilities = softmax(self.model.predict(self.images, batch_size=self.batch_size, verbose=0))
        self.classes.append(probabilities.argmax(axis=1).astype(np.uint8))
        self.confidences.append(np.round(255 * probabilities.max(axis=1)).astype(np.uint8))
