"""A trained run's exported network, answering through LiteRT: TensorFlow stays out of this process."""

import os
import threading
import warnings

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from core.config.fields import UnsoundError
from core.datasets.catalogue import DATASETS
from core.networks.sizes import times
from core.runs.integrity import check_fingerprint
from core.runs.run import RunError
from core.runs.schema import glance_at_tflite, softmax

# Images. LiteRT keeps room for all that a network makes of as many as it was ever asked about at once; with more they
# go no faster.
AT_ONCE = 16
_ANEW = "delete the file and export the run again, or train it again"


class Classifier:
    """A run's model.tflite, loaded once; threads may share it, and take turns.

    Args:
        run: a core.runs.run.Run.
        keeps_all: whether what each of its operations gave last can be read afterwards, which costs no time.

    Attributes:
        image_shape: (h, w, c) of the images it takes.

    Raises:
        RunError: model.tflite is missing, or damaged, or does not take the dataset's images, uint8, and give a row of
            logits, one a class, for each.
    """

    def __init__(self, run, keeps_all=False):
        if not os.path.lexists(run.tflite_path):
            why = "it came without, to keep the download small" if run.is_shipped else "it was not trained to its end"
            raise RunError(f"{run.id} has no model.tflite: {why}.")
        self._name = run.id
        self._lock = threading.Lock()
        dataset = DATASETS[run.read_config().dataset]
        metrics = run.read_metrics()
        run.check(run.tflite_path, lambda path: check_fingerprint(path, metrics))
        run.check(run.tflite_path, glance_at_tflite)
        try:
            self._interpreter = _interpreter(run.tflite_path, keeps_all)
            (images,), (logits,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
            self.image_shape = tuple(int(side) for side in images["shape"][1:])
            if images["dtype"] is not np.uint8 or self.image_shape != dataset["image_shape"]:
                here = f"{times(self.image_shape)} ({np.dtype(images['dtype']).name})"
                raise UnsoundError(f"it takes images of {here}, not {times(dataset['image_shape'])} (uint8)")
            self._interpreter.allocate_tensors()
            self._input, self._output, self._batch = images["index"], logits["index"], 1
            # Some damage shows only in use; besides, the first answer is the slowest.
            classes = self.classify(np.zeros((1, *self.image_shape), np.uint8)).shape[1:]
            if classes != (len(dataset["classes"]),):
                raise UnsoundError(f"it tells {times(classes)} classes apart, not {len(dataset['classes'])}")
        except RunError:
            raise
        except UnsoundError as error:
            raise RunError(f"{run.id}: model.tflite: {error}.") from None
        except (ValueError, RuntimeError):
            raise RunError(f"{run.id}: model.tflite: it cannot be loaded as a network; {_ANEW}.") from None

    def classify(self, images):
        """What the network makes of raw images.

        Args:
            images: uint8 (n, h, w, c) of `image_shape`, n at least 1.

        Returns:
            float32 (n, classes) probabilities, each row adding up to 1.

        Raises:
            RunError: the images have another shape, or the network's answers are no numbers.
        """
        self._check_images(images)
        with self._lock:
            parts = [self._logits(images[start : start + AT_ONCE]) for start in range(0, len(images), AT_ONCE)]
        logits = np.concatenate(parts)
        self._check_logits(logits)
        return softmax(logits).astype(np.float32)

    def _check_images(self, images):
        if images.shape[1:] != self.image_shape:
            here, wanted = times(images.shape[1:]), times(self.image_shape)
            raise RunError(f"{self._name} takes images of {wanted}, not {here}.")

    def _check_logits(self, logits):
        if not np.isfinite(logits).all():
            raise RunError(f"{self._name}: model.tflite: what it predicts is not a number; {_ANEW}.")

    def _logits(self, images):
        """float32 (n, classes) of uint8 (n, h, w, c), under the lock."""
        if len(images) != self._batch:
            self._interpreter.resize_tensor_input(self._input, images.shape)
            self._interpreter.allocate_tensors()
            self._batch = len(images)
        self._interpreter.set_tensor(self._input, images)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)


def _interpreter(path, keeps_all):
    options = {"num_threads": os.cpu_count(), "experimental_preserve_all_tensors": keeps_all}
    with warnings.catch_warnings():
        # That all is kept takes memory, which is what is asked for here.
        warnings.filterwarnings("ignore", "Warning: Enabling `experimental_preserve_all_tensors`")
        return Interpreter(str(path), **options)
