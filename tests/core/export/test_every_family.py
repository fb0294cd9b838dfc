"""A network of every family answers the same in every form that it is saved in: Keras' own, LiteRT's and ONNX."""

import json
import zipfile

import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.datasets.test_images import load_test_images
from core.export import onnx
from core.export.keras import save_network
from core.export.litert import save_tflite
from core.export.litert_reader import Classifier
from core.networks.catalogue import FAMILIES
from core.runs.run import create_run
from core.runs.schema import softmax
from tests.core.training.filled import TRAINED, expect_the_same_last_features
from tests.few_images import eager
from tests.shallow import shallow, untrained

# What acts only in training is in no file.
OPTIONS = {"image_size": 16, "stochastic_depth": 0.5, "dropout": 0.5, "standardize": True}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_of_each_family_answers_the_same_in_every_form(artifacts, monkeypatch, tmp_path, family):
    eager(monkeypatch)
    config = make_config(shallow(monkeypatch, family), "mnist", "quick", **OPTIONS)
    network, run, images = untrained(config), create_run(config), load_test_images("mnist")[:100]
    logits = np.asarray(network(images, training=False))

    save_network(network, run)
    assert {module.split(".")[0] for module in modules(run.model_path)} == {"keras"}
    read = keras.saving.load_model(run.model_path, safe_mode=True)
    np.testing.assert_allclose(read(images, training=False), logits, rtol=1e-5, atol=1e-5)

    path = tmp_path / onnx.FILE
    path.write_bytes(onnx.convert(network).SerializeToString())
    assert onnx.largest_difference(path, network, images) < 1e-4

    # The others are converted where they are trained.
    if family not in TRAINED:
        save_tflite(network, run)
        # What has learned nothing is moved by more than what has.
        np.testing.assert_allclose(Classifier(run).classify(images), softmax(logits), atol=0.25)
        expect_the_same_last_features(run, network, images[:20])


def modules(path):
    """Where a saved network's layers and all that belongs to them come from."""
    with zipfile.ZipFile(path) as archive:
        todo = [json.loads(archive.read("config.json"))]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            if part.get("module"):
                yield part["module"]
            todo += part.values()
        elif isinstance(part, list):
            todo += part
