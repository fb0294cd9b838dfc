"""Run by test_training in a process whose Keras is on JAX: a few steps of a small network of each family named."""

import sys

import keras
import pytest

from core.config.recipes import make_config
from core.runs.run import create_run
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
for family in sys.argv[1:]:
    patch = pytest.MonkeyPatch()
    config = make_config(
        shallow(patch, family), "mnist", "modern", image_size=16, train_examples=40, epochs=1, batch_size=18
    )
    read.clear()
    assert train.train(config, create_run(config).path, verbose=0)["epochs"] == 1
    assert sorted(read) == [(0, 0), (0, 1)], read
    patch.undo()
