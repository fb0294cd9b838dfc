"""What a run writes and keeps while it trains."""

import math
import time

import keras
import numpy as np

from core.runs.run import RunError
from core.runs.schema import softmax
from core.training.batches import predict


class DivergedError(RunError):
    """The loss is no longer a number."""


class Recorder(keras.callbacks.Callback):
    """Writes progress.jsonl and status.json about once a second and a row of history.csv an epoch.

    Args:
        run: the Run.
        config: its RunConfig.
        batches: the core.training.batches.Batches that are trained on.

    Attributes:
        rows: the rows of history.csv.
        elapsed: seconds that the present epoch has been trained.

    Raises:
        DivergedError: the training loss is not finite.
    """

    def __init__(self, run, config, batches, interval=1.0):
        super().__init__()
        self.run, self.config, self.batches, self.interval = run, config, batches, interval
        self.rows, self.elapsed = [], 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1
        self.written_step = self.batches.first_step
        self.written = time.monotonic()
        if not self.written_step:
            self.elapsed = 0.0
        self.started = self.written - self.elapsed
        # Inside an epoch the JAX backend holds the optimizer's variables elsewhere, so the rate is read here.
        self.learning_rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._write_status(self.written_step)

    def on_train_batch_end(self, batch, logs=None):
        step, steps, now = self.batches.first_step + batch + 1, self.batches.steps, time.monotonic()
        if not math.isfinite(logs["loss"]):
            raise DivergedError(
                f"The loss stopped being a number in epoch {self.epoch}, step {step}; try a lower learning rate."
            )
        if now - self.written >= self.interval or step == steps:
            size, every = self.config.batch_size, len(self.batches.images)
            self.run.append_progress(
                {
                    "time": time.time(),
                    "epoch": self.epoch,
                    "step": step,
                    "steps": steps,
                    "loss": float(logs["loss"]),
                    "accuracy": float(logs["accuracy"]),
                    "learning_rate": self._rate_at(step),
                    "images_per_second": (min(step * size, every) - self.written_step * size)
                    / max(now - self.written, 1e-9),
                }
            )
            self.written, self.written_step = now, step
            self._write_status(step)
        self.elapsed = now - self.started

    def on_epoch_end(self, epoch, logs=None):
        row = {
            "epoch": self.epoch,
            "train_loss": float(logs["loss"]),
            "train_accuracy": float(logs["accuracy"]),
            "validation_loss": float(logs["val_loss"]),
            "validation_accuracy": float(logs["val_accuracy"]),
            "learning_rate": self._rate_at(self.batches.steps),
            "seconds": time.monotonic() - self.started,
            "images_per_second": len(self.batches.images) / self.elapsed,
        }
        self.rows.append(row)
        self.run.append_history(row)

    def _rate_at(self, step):
        schedule = self.model.optimizer._learning_rate
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            return self.learning_rate
        return float(keras.ops.convert_to_numpy(schedule((self.epoch - 1) * self.batches.steps + step - 1)))

    def _write_status(self, step):
        self.run.write_status(
            phase="training", epoch=self.epoch, epochs=self.config.epochs, step=step, steps=self.batches.steps
        )


class TestPredictions(keras.callbacks.Callback):
    """After each epoch, the class each test image gets and how surely; for looking back, never to choose anything. They
    stand in the run's folder at once, so that others can look while it trains.

    Args:
        run: the Run.
        data: the core.datasets.loading.Dataset whose test images they are.
        batch_size: how many images are asked about at once.

    Attributes:
        classes, confidences: (epochs, N) uint8; confidence 255 is certainty.
    """

    __test__ = False

    def __init__(self, run, data, batch_size):
        super().__init__()
        self.run, self.images, self.labels, self.batch_size = run, data.test_images, data.test_labels, batch_size
        self.classes = np.empty((0, len(self.images)), np.uint8)
        self.confidences = self.classes.copy()

    def on_epoch_end(self, epoch, logs=None):
        probabilities = softmax(predict(self.model, self.images, self.batch_size))
        classes = probabilities.argmax(axis=1).astype(np.uint8)
        confidences = np.round(255 * probabilities.max(axis=1)).astype(np.uint8)
        self.classes = np.vstack([self.classes, classes])
        self.confidences = np.vstack([self.confidences, confidences])
        self.run.append_epoch_predictions(self.labels, classes, confidences)

    def rewind(self):
        """Takes the run's file back to the epochs that are known here, after a resume."""
        self.run.write_epoch_predictions(self.labels, self.classes, self.confidences)
