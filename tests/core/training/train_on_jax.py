"""Run by test_training in a process whose Keras is on JAX: of each family named, a step of training where something of
this project's own acts in it, and of the others the logits of a network that is left in the run folder. LeNet, which
compiles quickly, does both, with all that happens to images at random.
"""

import sys

import jax
import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.export.keras import save_network
from core.networks.build import build_model
from core.networks.preprocessing import preprocessing, resizing_matrix
from core.runs.run import create_run
from core.training import train
from core.training.batches import Batches
from tests.few_images import few
from tests.shallow import shallow

AT_RANDOM = {"flip": True, "alternating_flip": True, "crop_padding": 3, "rotate": 20.0, "scale": 0.2, "erase": 0.3}
AT_RANDOM |= {"translate": 0.1, "mixup": 0.5, "optimizer": "muon", "schedule": "triangle"}


def random_weights(key, lower, upper, shape, dtype):
    """What JAX' own function gives, which it compiles anew for each shape: that takes a sixth of the time."""
    del key
    return jax.numpy.asarray(np.random.default_rng(0).normal(size=shape).clip(lower, upper), dtype)


def augmentation_is_compiled_with_the_step():
    block = preprocessing(make_config("alexnet", "mnist", "report"), (28, 28, 1))
    assert block.jit_compile
    step = jax.jit(lambda seeds, images: block.stateless_call([], seeds, images, training=True))
    pixels = np.full((2, 28, 28, 1), 7, "uint8")
    moved, _ = step([variable.value for variable in block.non_trainable_variables], pixels)
    assert np.allclose(moved, 7, atol=1e-3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), "uint8")
    rows = resizing_matrix(28, 64)
    expected = np.einsum("bhwc,Hh,Ww->bHWc", pixels, rows, rows)
    assert np.allclose(block(pixels, training=False), expected, atol=1e-4)


assert keras.backend.backend() == "jax"
augmentation_is_compiled_with_the_step()
jax.random.truncated_normal = random_weights
data = few("mnist")
for family in sys.argv[1:]:
    with pytest.MonkeyPatch.context() as patch:
        # Compiling takes all of the time.
        plain = {"translate": 0.0, "flip": False, "optimizer": "sgd", "stochastic_depth": 0.5}
        options = AT_RANDOM if family == "lenet" else plain
        config = make_config(shallow(patch, family), "mnist", "quick", image_size=16, batch_size=20, **options)
        model, run = build_model(config, data.test_images.shape[1:], for_training=True), create_run(config)
        own = any(type(part).__module__.startswith("core.") for part in (model, *model.operations))
        if own or family == "lenet":
            train.compile_model(model, config, 1)
            loss, _ = model.train_on_batch(*Batches(*data[:2], config, 10)[0])
            assert np.isfinite(loss)
        if not own:
            save_network(model, run)
            np.save(run.path / "logits.npy", model(data.test_images, training=False))
