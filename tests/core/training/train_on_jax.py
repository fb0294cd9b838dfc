"""Run by test_training in a process whose Keras is on JAX: a whole run of the first family named, of the others a step
of training where something of this project's own acts in it, and of the rest the logits of a network that is left in
the run folder.
"""

import sys

import jax
import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.export.keras import save_network
from core.networks.build import build_model
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
# As many as the test images: for another number, predicting is compiled anew.
train.FITTED_IMAGES = 20
images, whole, *others = few("mnist").test_images, *sys.argv[1:]
with pytest.MonkeyPatch.context() as patch:
    tiny = {"image_size": 16, "train_examples": 40, "epochs": 1, "batch_size": 18}
    tiny |= {"flip": True, "alternating_flip": True, "crop_padding": 3, "rotate": 20.0, "scale": 0.2, "erase": 0.3}
    tiny |= {"mixup": 0.5, "optimizer": "muon", "schedule": "triangle"}
    config = make_config(shallow(patch, whole), "mnist", "modern", **tiny)
    assert train.train(config, create_run(config).path, verbose=0)["epochs"] == 1
    assert sorted(read) == [(0, 0), (0, 1)], read


def random_weights(key, lower, upper, shape, dtype):
    """What JAX' own function gives, which it compiles anew for each shape: that takes a sixth of the time."""
    del key
    return jax.numpy.asarray(np.random.default_rng(0).normal(size=shape).clip(lower, upper), dtype)


jax.random.truncated_normal = random_weights
for family in others:
    with pytest.MonkeyPatch.context() as patch:
        # Compiling takes all of the time: nothing that the whole run has compiled already.
        plain = {"image_size": 16, "translate": 0.0, "flip": False, "optimizer": "sgd", "stochastic_depth": 0.5}
        config = make_config(shallow(patch, family), "mnist", "quick", **plain)
        model, run = build_model(config, images.shape[1:], for_training=True), create_run(config)
        if any(type(part).__module__.startswith("core.") for part in (model, *model.operations)):
            train.compile_model(model, config, 1)
            loss, _ = model.train_on_batch(images, np.eye(10, dtype="float32")[np.arange(len(images)) % 10])
            assert np.isfinite(loss)
        else:
            save_network(model, run)
            np.save(run.path / "logits.npy", model(images, training=False))
