"""ONNX files: onnxruntime predicts with them what Keras does; test_every_family asks that of every family."""

import hashlib
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file

from core.config.recipes import make_config
from core.datasets.catalogue import DATASETS
from core.datasets.test_images import load_test_images
from core.export import export
from core.export import onnx as exporting
from core.export.keras import save_network
from core.export.safetensors import named_weights
from core.networks.build import build_model
from core.runs.run import RunError
from tests.folders import finished_run
from tests.shallow import shallow, untrained

SIZE = 16


def network_of(name, dataset="mnist", **overrides):
    return untrained(make_config(name, dataset, "quick", image_size=SIZE, **overrides))


def difference(model, folder, dataset="mnist", images=1000):
    """How far the logits of so many test images are from Keras' at most."""
    path = folder / exporting.FILE
    path.write_bytes(exporting.convert(model).SerializeToString())
    return exporting.largest_difference(path, model, load_test_images(dataset)[:images])


def test_onnxruntime_predicts_what_keras_does_for_a_deep_network_in_full(tmp_path):
    assert difference(network_of("resnet34"), tmp_path, images=200) < 1e-4


@pytest.mark.parametrize(
    "overrides",
    [
        {"flip": True, "translate": 0.2, "dropout": 0.3, "standardize": False, "activation": "leaky_relu"},
        {"stochastic_depth": 0.4, "stem": "3x3", "batch_normalization": False},
        {"rotate": 15.0, "scale": 0.1, "erase": 0.25},
    ],
    ids=lambda overrides: next(iter(overrides)),
)
def test_what_acts_in_training_alone_is_no_part_of_the_file(overrides, monkeypatch, tmp_path):
    model = network_of(shallow(monkeypatch, "resnet"), "cifar10", **overrides)
    assert difference(model, tmp_path, "cifar10", images=100) < 1e-4
    kinds = {node.op_type for node in onnx.load(tmp_path / exporting.FILE).graph.node}
    assert not [kind for kind in kinds if "Random" in kind or "Dropout" in kind]


def test_a_saved_run_becomes_a_file_that_says_what_it_takes_and_gives_and_is_the_same_each_time(
    artifacts, monkeypatch, tmp_path
):
    run = finished_run(shallow(monkeypatch, "alexnet"), image_size=SIZE)
    model = network_of("alexnet")
    save_network(model, run)
    for folder in ("first", "second"):
        assert export(run, tmp_path / folder, ["onnx"]) == [tmp_path / folder / "model.onnx"]
    first, second = (tmp_path / folder / "model.onnx" for folder in ("first", "second"))
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    session = onnxruntime.InferenceSession(first, providers=["CPUExecutionProvider"])
    (images,), (logits,) = session.get_inputs(), session.get_outputs()
    assert (images.name, images.type, images.shape) == ("images", "tensor(uint8)", ["batch", 28, 28, 1])
    assert (logits.name, logits.type, logits.shape) == ("logits", "tensor(float)", ["batch", 10])
    about = {entry.key: json.loads(entry.value) for entry in onnx.load(first).metadata_props}
    assert about["classes"] == list(DATASETS["mnist"]["classes"])
    assert about["run"] == run.id
    # Of any number of images at once.
    pixels = load_test_images("mnist")[:7]
    expected = model.predict(pixels, verbose=0)
    for count in (1, 7):
        (found,) = session.run(None, {"images": pixels[:count]})
        assert found == pytest.approx(expected[:count], abs=1e-3)


def test_a_network_that_an_earlier_version_saved_becomes_a_file_too(artifacts, tmp_path):
    run = finished_run(image_size=SIZE)
    shutil.copy(Path(__file__).parents[2] / "older_network.keras", run.model_path)
    export(run, tmp_path, ["onnx", "safetensors"])
    images = np.random.default_rng(1).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8)
    # As in the test of the same network as model.keras.
    expected = [0.6323, 0.3873, -2.4124, -0.4466, -0.6674, -1.0092, -1.5366, -4.2887, 0.0073, 0.3999]
    assert exporting.logits(tmp_path / "model.onnx", images)[0] == pytest.approx(expected, abs=2e-4)
    begin = [path for path, _ in named_weights(build_model(run.read_config(), (28, 28, 1)))][:3]
    assert set(begin) <= set(load_file(tmp_path / "model.safetensors"))


def test_a_file_with_which_onnxruntime_predicts_something_else_is_not_written(artifacts, monkeypatch, tmp_path):
    run = finished_run(shallow(monkeypatch, "alexnet"), image_size=SIZE)
    save_network(network_of("alexnet"), run)
    # As if a layer were translated wrongly.
    monkeypatch.setitem(exporting._KINDS, "ReLU", exporting._left_out)
    with pytest.raises(RunError, match=r"onnxruntime does not predict with model\.onnx what Keras does"):
        export(run, tmp_path / "out", ["onnx"])
    assert list((tmp_path / "out").iterdir()) == []


def test_a_layer_that_cannot_be_translated_is_named():
    images = keras.Input((28, 28, 1), dtype="uint8")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1.0)(images))
    model = keras.Model(images, keras.layers.Softmax(name="last")(x))
    with pytest.raises(RunError, match=r"The network's layer last \(Softmax\) cannot be written as ONNX\."):
        exporting.convert(model)
