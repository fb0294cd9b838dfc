"""Weights as safetensors: a network built from the settings beside them predicts what the run's does."""

import hashlib
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from core.datasets.test_images import load_test_images
from core.export import export
from core.export.keras import save_network
from core.export.safetensors import named_weights
from core.networks.build import build_model
from tests.folders import finished_run
from tests.shallow import shallow

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def run_and_predictions(artifacts, monkeypatch):
    """A run whose network has weights of every kind, and its logits of some test images."""
    run = finished_run(shallow(monkeypatch, "small_resnet"), image_size=16, batch_normalization=True)
    mean = np.random.default_rng(0).uniform(0, 255, (16, 16, 1)).astype("float32")
    model = build_model(run.read_config(), (28, 28, 1), mean_image=mean, deviation=78.0)
    save_network(model, run)
    return run, model.predict(load_test_images("mnist")[:50], verbose=0)


def test_a_network_built_anew_with_the_lines_of_the_guide_predicts_the_same(run_and_predictions, tmp_path, monkeypatch):
    run, expected = run_and_predictions
    export(run, tmp_path, ["safetensors"])
    (lines,) = re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / "command-line.md").read_text("utf-8"), re.S)
    monkeypatch.chdir(tmp_path)
    exec(lines, made := {})
    images = load_test_images("mnist")[:50]
    assert made["network"].predict(images, verbose=0) == pytest.approx(expected, abs=1e-5)
    # Each weight is also where its path says.
    anew = build_model(run.read_config(), (28, 28, 1))
    for path, variable in named_weights(anew):
        variable.assign(made["weights"][path])
    assert all(map(np.array_equal, anew.get_weights(), made["network"].get_weights()))


def test_the_list_tells_of_every_weight_what_is_in_the_file(run_and_predictions, tmp_path):
    run, _ = run_and_predictions
    export(run, tmp_path, ["safetensors"])
    rows = json.loads((tmp_path / "weights.json").read_text("utf-8"))["weights"]
    weights = load_file(tmp_path / "model.safetensors")
    assert {row["path"]: (tuple(row["shape"]), row["dtype"]) for row in rows} == {
        path: (array.shape, array.dtype.name) for path, array in weights.items()
    }
    model = keras.saving.load_model(run.model_path)
    assert len(rows) == len(model.weights)
    assert sum(row["trainable"] for row in rows) == len(model.trainable_weights)
    assert "preprocessing/resize_rows/kernel" in weights


def test_the_same_run_gives_the_same_bytes(run_and_predictions, tmp_path):
    run, _ = run_and_predictions
    for folder in ("first", "second"):
        export(run, tmp_path / folder, ["safetensors"])
    for name in ("model.safetensors", "weights.json"):
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("first", "second"))
        assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    with safe_open(tmp_path / "first" / "model.safetensors", framework="numpy") as file:
        assert file.metadata() == {"format": "keras"}
