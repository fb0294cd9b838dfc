"""Predictions and networks that are damaged, hold code, or unpack to more than they should: one sentence each."""

import io
import zipfile

import numpy as np
import pytest

from core.evaluation import predicted_classes
from core.export import load_network
from core.inference import Classifier
from core.integrity import fingerprints, problems
from core.runs import RunError
from tests.damages import WAYS, damaged
from tests.folders import finished_run
from tests.penmanship import build_reader, teach


@pytest.fixture
def run(artifacts):
    return finished_run()


def arrays_of(run, **changes):
    run.write_predictions(**(run.read_predictions() | changes))


ARRAYS = {
    "fewer classes": {"probabilities": np.zeros((200, 9), "float16")},
    "other images": {"labels": np.zeros(199, "uint8")},
    "another type": {"probabilities": np.zeros((200, 10), "float64")},
    "text": {"labels": np.full(200, "seven")},
    "more images than there are": {
        "probabilities": np.zeros((10_001, 10), "float16"),
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
VALUES = {
    "no class": {"labels": np.full(200, 10, "uint8")},
    "no class in an epoch": {"epoch_classes": np.full((3, 200), 10, "uint8")},
    "no number": {"probabilities": np.full((200, 10), np.nan, "float16")},
    "no probability": {"probabilities": np.full((200, 10), 2, "float16")},
}


@pytest.mark.parametrize("changes", ARRAYS | VALUES)
def test_predictions_that_no_network_made_are_damage(run, changes):
    arrays_of(run, **(ARRAYS | VALUES)[changes])
    with pytest.raises(RunError, match=r"test_predictions\.npz is damaged\.$"):
        run.read_predictions()
    assert list(problems(run)) == ["test_predictions.npz"] * (changes in ARRAYS)


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
    with pytest.raises(RunError, match=r"test_predictions\.npz is damaged\.$"):
        run.read_predictions()
    assert not (tmp_path / "written").exists()


def test_an_array_that_says_it_is_larger_than_any_memory_is_not_believed(run):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(run.predictions_path, "w") as archive:
        archive.writestr("labels.npy", header.getvalue())
    with pytest.raises(RunError, match=r"test_predictions\.npz is damaged\.$"):
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
    with pytest.raises(RunError, match=r"model\.keras is damaged\.$"):
        load_network(run)


def test_a_saved_network_that_unpacks_to_far_more_is_not_unpacked(run):
    build_reader().save(run.model_path)
    assert load_network(run).output_shape == (None, 10)
    with zipfile.ZipFile(run.model_path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(2**23))
    with pytest.raises(RunError, match=r"model\.keras is damaged\.$"):
        load_network(run)
    assert list(problems(run)) == ["model.keras"]


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_saved_network_is_one_sentence(run, way):
    build_reader().save(run.model_path)
    damaged(run.path / "model.keras", way)
    with pytest.raises(RunError, match=rf"^{run.id}: model\.keras [^.]+\.$"):
        load_network(run)


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_exported_network_is_one_sentence(run, way):
    damaged(teach(run).path / "model.tflite", way)
    with pytest.raises(RunError, match=rf"^{run.id}:? .*model\.tflite.*\.$"):
        Classifier(run)


def test_an_exported_network_of_another_dataset_is_damage(artifacts):
    with pytest.raises(RunError, match=r"model\.tflite is damaged\.$"):
        Classifier(teach(finished_run("alexnet", "cifar10")))


def test_sound_predictions_are_read_as_they_were_written(run):
    predictions = run.read_predictions()
    assert (predicted_classes(predictions["probabilities"]) == predictions["labels"]).mean() > 0.8
    run.write_predictions(**predictions)
    for name, array in run.read_predictions().items():
        np.testing.assert_array_equal(array, predictions[name])


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
        with pytest.raises(RunError, match=rf"^{run.id}: {path.name} is damaged\.$"):
            load(run)
        assert problems(run) == {}
        path.write_bytes(content[:-1])
        assert list(problems(run)) == [path.name]
        path.unlink()
