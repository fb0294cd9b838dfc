"""Predictions and networks that are damaged, hold code, or unpack to more than they should: one sentence each."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from core.__main__ import main
from core.export.keras import load_network
from core.export.litert_reader import Classifier
from core.results.scores import accuracy, predicted_classes
from core.runs.integrity import fingerprints, problems
from core.runs.run import RunError, open_run
from core.runs.schema import softmax
from tests.damages import WAYS, damaged
from tests.folders import finished_run, kept_arrays
from tests.penmanship import build_reader, teach


@pytest.fixture
def run(artifacts):
    return finished_run()


def arrays_of(run, **changes):
    run.write_predictions(**(kept_arrays(run) | changes))


ARRAYS = {
    "fewer classes": {"logits": np.zeros((200, 9), "float32")},
    "other images": {"labels": np.zeros(199, "uint8")},
    "another type": {"logits": np.zeros((200, 10), "float64")},
    "logits and probabilities": {"probabilities": np.zeros((200, 10), "float16")},
    "text": {"labels": np.full(200, "seven")},
    "more images than there are": {
        "logits": np.zeros((10_001, 10), "float32"),
        "labels": np.zeros(10_001, "uint8"),
        "epoch_classes": np.zeros((3, 10_001), "uint8"),
        "epoch_confidences": np.zeros((3, 10_001), "uint8"),
    },
    "epochs of their own": {"epoch_classes": np.zeros((2, 200), "uint8")},
    "an array more": {"more": np.zeros(3)},
    "no end of epochs": {
        "epoch_classes": np.zeros((10_001, 200), "uint8"),
        "epoch_confidences": np.zeros((10_001, 200), "uint8"),
    },
}
ARRAY = r"test_predictions\.npz: (there is no array called|\w+ (holds|has)) .*\.$"
VALUES = {
    "no class": {"labels": np.full(200, 10, "uint8")},
    "no class in an epoch": {"epoch_classes": np.full((3, 200), 10, "uint8")},
    "no number": {"logits": np.full((200, 10), np.nan, "float32")},
    "no end": {"logits": np.full((200, 10), np.inf, "float32")},
}


@pytest.mark.parametrize("changes", ARRAYS | VALUES)
def test_predictions_that_no_network_made_are_damage(run, changes):
    arrays_of(run, **(ARRAYS | VALUES)[changes])
    with pytest.raises(RunError, match=ARRAY):
        run.read_predictions()
    assert list(problems(run)) == ["test_predictions.npz"] * (changes in ARRAYS)


OLDER = {
    "no number": np.full((200, 10), np.nan, "float16"),
    "no probability": np.full((200, 10), 2, "float16"),
    "another type": np.zeros((200, 10), "float32"),
}


@pytest.mark.parametrize("values", OLDER)
def test_older_predictions_that_no_network_made_are_damage(run, values):
    arrays = kept_arrays(run)
    del arrays["logits"]
    run.write_predictions(**arrays | {"probabilities": OLDER[values]})
    with pytest.raises(RunError, match=r"test_predictions\.npz: probabilities holds .*\.$"):
        run.read_predictions()


def test_a_run_from_before_logits_were_kept_is_read_and_exported(tmp_path, capsys):
    """One that came with the project: its probabilities are in float16."""
    run = open_run("alexnet-mnist-report-20261124-001406-c7c5")
    kept, predictions = kept_arrays(run), run.read_predictions()
    assert kept["probabilities"].dtype == np.float16
    assert predictions["probabilities"].dtype == predictions["logits"].dtype == np.float64
    np.testing.assert_array_equal(predictions["probabilities"], kept["probabilities"])
    np.testing.assert_allclose(softmax(predictions["logits"]), kept["probabilities"], atol=1e-3)
    labels = predictions["labels"]
    for outputs in (predictions["logits"], predictions["probabilities"]):
        assert accuracy(outputs, labels) == run.read_metrics()["best"]["test_accuracy"]
    assert main(["export", run.id, str(tmp_path)]) == 0
    table = pd.read_csv(tmp_path / "test_predictions.csv")
    assert (table["label"] == table["predicted"]).mean() == accuracy(predictions["logits"], labels)
    np.testing.assert_array_equal(table.iloc[:, 3:].to_numpy(), predictions["probabilities"])


class Spy:
    """Unpickled, it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_predictions_are_never_unpickled(run, tmp_path):
    labels = np.empty(200, object)
    labels[:] = [Spy(tmp_path / "written")] * 200
    arrays_of(run, labels=labels)
    with pytest.raises(RunError, match=r"test_predictions\.npz: 'labels' is not as large as it says\.$"):
        run.read_predictions()
    assert not (tmp_path / "written").exists()


def test_an_array_that_says_it_is_larger_than_any_memory_is_not_believed(run):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(run.predictions_path, "w") as archive:
        archive.writestr("labels.npy", header.getvalue())
    with pytest.raises(RunError, match=r"test_predictions\.npz: 'labels' is not as large as it says\.$"):
        run.read_predictions()


def saved(run, *layers):
    import keras

    images = keras.Input((28, 28, 1), dtype="uint8")
    answers = images
    for layer in layers:
        answers = layer(answers)
    keras.Model(images, answers).save(run.model_path)
    return run


def test_a_saved_network_that_holds_code_is_refused(run):
    from keras import layers

    saved(run, layers.Lambda(lambda pixels: pixels / 255.0), layers.Flatten(), layers.Dense(10))
    with pytest.raises(RunError, match=rf"^{run.id}: model\.keras is refused, because it holds code\.$"):
        load_network(run)


def test_a_saved_network_with_other_answers_is_damage(run):
    from keras import layers

    saved(run, layers.Flatten(), layers.Dense(3))
    with pytest.raises(RunError, match=r"model\.keras: it leads from 28×28×1 to 3, not from 28×28×1 to 10\.$"):
        load_network(run)


def test_a_saved_network_that_unpacks_to_far_more_is_not_unpacked(run):
    build_reader().save(run.model_path)
    assert load_network(run).output_shape == (None, 10)
    with zipfile.ZipFile(run.model_path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(2**23))
    with pytest.raises(RunError, match=r"model\.keras: it unpacks to [\d,]+ bytes, far more than its own [\d,]+\.$"):
        load_network(run)
    assert list(problems(run)) == ["model.keras"]


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_saved_network_is_one_sentence(run, way):
    build_reader().save(run.model_path)
    damaged(run.path / "model.keras", way)
    with pytest.raises(RunError, match=rf"^{run.id}: model\.keras[: ].+\.$"):
        load_network(run)


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_exported_network_is_one_sentence(run, way):
    damaged(teach(run).path / "model.tflite", way)
    with pytest.raises(RunError, match=rf"^{run.id}:? .*model\.tflite.*\.$"):
        Classifier(run)


def test_an_exported_network_of_another_dataset_is_damage(artifacts):
    with pytest.raises(
        RunError, match=r"model\.tflite: it takes images of 28×28×1 \(uint8\), not 32×32×3 \(uint8\)\.$"
    ):
        Classifier(teach(finished_run("alexnet", "cifar10")))


def test_sound_predictions_are_read_as_they_were_written(run):
    predictions = run.read_predictions()
    assert (predicted_classes(predictions["logits"]) == predictions["labels"]).mean() > 0.8
    for name, array in kept_arrays(run).items():
        assert array.dtype == predictions[name].dtype
        np.testing.assert_array_equal(array, predictions[name])
    np.testing.assert_allclose(predictions["probabilities"], softmax(predictions["logits"]))


def test_a_network_that_lost_a_bit_is_not_loaded(run):
    """LiteRT would halt the whole process for ever on some of them, and answer wrongly with most."""
    build_reader().save(run.model_path)
    run.write_metrics(run.read_metrics() | {"files": fingerprints(teach(run))})
    assert Classifier(run).image_shape == (28, 28, 1)
    assert load_network(run).output_shape == (None, 10)
    for path, load in ((run.tflite_path, Classifier), (run.model_path, load_network)):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(
            RunError, match=rf"^{run.id}: {path.name}: it is not the file that was trained: its checksum"
        ):
            load(run)
        assert problems(run) == {}
        path.write_bytes(content[:-1])
        assert list(problems(run)) == [path.name]
        path.unlink()
