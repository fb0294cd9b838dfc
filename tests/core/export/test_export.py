"""Exporting a run: every format, and that what comes out is of use to somebody who does not have this project."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.__main__ import main
from core.config.recipes import make_config
from core.datasets.catalogue import DATASETS
from core.export import FORMATS, export
from core.export.keras import save_network
from core.export.litert import save_tflite
from core.networks.preprocessing import preprocessing
from core.runs.run import Run, RunError
from core.runs.schema import FILES
from tests.folders import finished_run, started_run
from tests.shallow import untrained

PROJECT = Path(__file__).parents[3]
SHAPE = (28, 28, 1)
IMAGES = np.random.default_rng(1).integers(0, 256, (3, *SHAPE), dtype=np.uint8)


def reader(config):
    """A network with a run's own preprocessing, and nothing but a dense layer after it."""
    images = keras.Input(SHAPE, dtype="uint8", name="images")
    size = config.image_size
    mean = np.random.default_rng(0).uniform(0, 255, (size, size, 1)).astype("float32")
    keras.utils.set_random_seed(3)
    x = keras.layers.Flatten()(preprocessing(config, SHAPE, mean, 78.0)(images))
    return keras.Model(images, keras.layers.Dense(10, name="logits")(x), name=config.network)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run with its networks; nobody changes it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LAB_ARTIFACTS", str(tmp_path_factory.mktemp("artifacts")))
        run = finished_run(image_size=16)
        run.describe(environment={"python": "3.11.7", "keras": "3.15.1", "backend": "jax", "jax": "0.10.2", "cores": 2})
        model = reader(run.read_config())
        save_network(model, run)
        save_tflite(model, run)
    return run, model.predict(IMAGES, verbose=0)


@pytest.fixture
def run(made, artifacts):
    """A copy of it."""
    run = Run(shutil.copytree(made[0].path, artifacts / made[0].id))
    run.write_note("mine", "As good as any.")
    return run


@pytest.fixture
def logits(made):
    return made[1]


def elsewhere(folder, *command):
    """What a Python prints that runs in a folder and does not have this project."""
    finished = subprocess.run(
        [sys.executable, *command], cwd=folder, env=os.environ | {"PYTHONPATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]
    return finished.stdout


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_every_format_writes_its_files_and_all_together_write_all(run, tmp_path):
    for name, format in FORMATS.items():
        written = export(run, tmp_path / name, [name])
        assert names_in(tmp_path / name) == set(format.files) == {path.name for path in written}
    export(run, tmp_path / "all")
    assert names_in(tmp_path / "all") == {file for format in FORMATS.values() for file in format.files}


def test_every_file_of_a_run_that_is_exported_is_in_a_format():
    exported = {file.name: file.exported for file in FILES.values() if file.exported}
    assert set(exported) <= {source for format in FORMATS.values() for source in format.sources}
    assert set(exported.values()) <= {file for format in FORMATS.values() for file in format.files}


def test_what_is_written_about_a_network_is_true_of_it(run, tmp_path):
    export(run, tmp_path, ["description", "keras"])
    about = json.loads((tmp_path / "model.json").read_text("utf-8"))
    network = keras.saving.load_model(tmp_path / "model.keras")
    assert about["input"]["shape"] == list(network.input_shape)
    assert about["input"]["dtype"] == network.input.dtype
    assert about["output"]["shape"] == list(network.output_shape)
    assert about["output"]["dtype"] == network.output.dtype
    assert about["classes"] == list(DATASETS["mnist"]["classes"])
    assert (about["network"], about["dataset"], about["run"]) == ("alexnet", "mnist", run.id)
    assert about["test_accuracy"] == run.read_metrics()["best"]["test_accuracy"]
    assert about["versions"] == {"python": "3.11.7", "keras": "3.15.1", "jax": "0.10.2"}


def test_the_example_runs_with_the_8_bit_network_where_this_project_is_not(run, logits, tmp_path):
    run.model_path.unlink()
    run.shipped_path.touch()
    export(run, tmp_path / "out")
    assert run.model_path.name not in names_in(tmp_path / "out")
    for image, its_logits in zip(IMAGES, logits, strict=True):
        Image.fromarray(image[..., 0]).save(tmp_path / "picture.png")
        # Eight bits move a probability by a point or two.
        expect_the_three_surest(elsewhere(tmp_path, "out/example.py", "picture.png").splitlines(), its_logits, 3)


def expect_the_three_surest(printed, logits, points):
    """What the example prints of an image: its classes, and their probabilities give or take so many points."""
    probabilities = np.exp(logits) / np.exp(logits).sum()
    best = np.argsort(-probabilities)[:3]
    assert [line.split(":")[0] for line in printed] == [DATASETS["mnist"]["classes"][place] for place in best]
    shares = [float(line.split(":")[1].strip("% ")) for line in printed]
    assert shares == pytest.approx(100 * probabilities[best], abs=points)


# To import Keras takes longest, so that one process opens all there is to open.
OPENING = """
import importlib.util, json, keras, numpy, runpy, sys
assert importlib.util.find_spec("core") is None
for folder in ("older", "half"):
    network = keras.saving.load_model(f"{folder}/model.keras", safe_mode=True)
    print(json.dumps(network.predict(numpy.load("images.npy"), verbose=0).tolist()))
sys.argv = ["example.py", "picture.png"]
runpy.run_path("out/example.py", run_name="__main__")
"""


def test_saved_networks_open_with_plain_keras_where_this_project_is_not_and_the_example_runs(run, logits, tmp_path):
    """The network of an exported run, one that an earlier version saved with a layer of its own, and one in half
    precision.
    """
    export(run, tmp_path / "out")
    Image.fromarray(IMAGES[0, ..., 0]).save(tmp_path / "picture.png")
    np.save(tmp_path / "images.npy", IMAGES[:2])
    older = finished_run(image_size=16)
    shutil.copy(Path(__file__).parents[2] / "older_network.keras", older.model_path)
    export(older, tmp_path / "older", ["keras"])
    config = make_config("lenet5", "mnist", "quick", precision="mixed_bfloat16", batch_normalization=True)
    half = untrained(config)
    (tmp_path / "half").mkdir()
    half.save(tmp_path / "half" / "model.keras")

    older_said, half_said, *example_said = elsewhere(tmp_path, "-c", OPENING).splitlines()
    expected = [0.6323, 0.3873, -2.4124, -0.4466, -0.6674, -1.0092, -1.5366, -4.2887, 0.0073, 0.3999]
    assert json.loads(older_said)[0] == pytest.approx(expected, abs=2e-4)
    expected = np.asarray(half(IMAGES[:2], training=False))
    np.testing.assert_allclose(json.loads(half_said), expected, rtol=1e-2, atol=1e-2)
    expect_the_three_surest(example_said, logits[0], 0.02)


def test_the_table_of_predictions_has_a_row_an_image(run, tmp_path):
    export(run, tmp_path, ["predictions"])
    table, predictions = pd.read_csv(tmp_path / "test_predictions.csv"), run.read_predictions()
    assert list(table["test_image"]) == list(range(len(predictions["labels"])))
    assert list(table["predicted"]) == list(predictions["probabilities"].argmax(axis=1))
    assert table["probability of 3"].to_numpy() == pytest.approx(predictions["probabilities"][:, 3])


def test_a_run_that_came_without_networks_gives_its_tables_and_says_why_there_is_no_more(run, tmp_path):
    run.shipped_path.touch()
    for path in (run.model_path, run.tflite_path):
        path.unlink()
    export(run, tmp_path / "out")
    whole = ("card", "predictions", "tables", "tensorboard")
    assert names_in(tmp_path / "out") == {file for name in whole for file in FORMATS[name].files}
    for name in FORMATS.keys() - set(whole):
        with pytest.raises(
            RunError, match=r"came without its network; train it yourself: python -m core train alexnet"
        ):
            export(run, tmp_path / name, [name])


def test_a_format_whose_library_is_missing_is_left_out_of_all_and_says_what_to_install(
    run, tmp_path, monkeypatch, capsys
):
    # As if they were not installed.
    for package in ("onnxruntime", "tensorboardX"):
        monkeypatch.setitem(sys.modules, package, None)
    assert main(["export", run.id, str(tmp_path / "all")]) == 0
    left_out = {*FORMATS["onnx"].files, *FORMATS["tensorboard"].files}
    assert names_in(tmp_path / "all") == {file for format in FORMATS.values() for file in format.files} - left_out
    sentences = {
        name: f"{name}: {package} not installed; pip install -r requirements-export.txt"
        for name, package in (("onnx", "onnxruntime"), ("tensorboard", "tensorboardX"))
    }
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [f"Left out: {sentence}" for sentence in sentences.values()]
    for name, sentence in sentences.items():
        assert main(["export", run.id, str(tmp_path / name), "--formats", name]) == 2
        assert capsys.readouterr().err == f"{sentence}\n"
        assert not (tmp_path / name).exists()


def test_what_a_format_needs_is_pinned_and_is_not_loaded_by_who_reads_the_registry():
    lines = (PROJECT / "requirements-export.txt").read_text("utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if not line.startswith("#")}
    needed = {package for format in FORMATS.values() for package in format.needs}
    assert {package.lower() for package in needed} == pinned
    program = f"import sys, core.export, pages.parts.run.downloads; print({needed!r} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_nothing_is_written_of_a_run_that_is_damaged_or_unfinished(run, tmp_path):
    run.model_path.write_bytes(run.model_path.read_bytes()[:-100])
    with pytest.raises(RunError, match=r"model\.keras"):
        export(run, tmp_path / "out")
    with pytest.raises(RunError, match=r"train it to its end first"):
        export(started_run(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
