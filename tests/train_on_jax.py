"""Run by test_training in a process whose Keras is on JAX: a few steps of each network named."""

import sys

import keras

from core import training
from core.recipes import make_config
from core.runs import create_run
from tests.few_images import few

assert keras.backend.backend() == "jax"
training.load = few
for model in sys.argv[1:]:
    config = make_config(model, "mnist", "modern", image_size=16, train_examples=40, epochs=1, batch_size=18)
    assert training.train(config, create_run(config).path, verbose=0)["epochs"] == 1
