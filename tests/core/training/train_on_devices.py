"""Run by test_devices in a process whose Keras is on JAX: each argument is a run of a small network to train, or
RUN:STEPS for one that is stopped after so many steps.
"""

import sys

import keras
import pytest

from core.runs.run import open_run
from core.training import train
from tests.few_images import few
from tests.shallow import shallow

read = []


class Watched(train.Batches):
    """Batches that tell which were read."""

    def __getitem__(self, index):
        read.append((self.epoch, index))
        return super().__getitem__(index)


assert keras.backend.backend() == "jax"
train.load, train.Batches = few, Watched
# As many as the test images: for another number, predicting is compiled anew.
train.FITTED_IMAGES = 20
with pytest.MonkeyPatch.context() as patch:
    shallow(patch, "alexnet")
    for argument in sys.argv[1:]:
        name, _, steps = argument.partition(":")
        run, left = open_run(name), [True] * int(steps or 10_000)
        begun = run.checkpoint_path.exists()
        read.clear()
        # Asked after every step.
        train.train(run.read_config(), run.path, stop_requested=lambda left=left: not (left and left.pop()), verbose=0)
        # Keras would try the first batch, and read it and those after it again in every epoch.
        assert steps or begun or sorted(read) == [(epoch, step) for epoch in range(2) for step in range(3)], read
