"""Whatever is wrong with a run's file, the sentence says which file, which field, and what was expected."""

import json

import numpy as np
import pytest

from core.export.litert_reader import Classifier
from core.networks.catalogue import NETWORKS
from core.runs.integrity import problems
from core.runs.run import RunError
from tests.damages import HUGE, damaged
from tests.folders import finished_run, kept_arrays, mapped
from tests.penmanship import teach


@pytest.fixture
def run(artifacts):
    run = finished_run()
    run.write_position(1.0)
    return run


def said_of(run, name):
    """The sentence about the run's only damaged file, without the run's name."""
    (sentence,) = problems(run).values()
    assert sentence.startswith(f"{run.id}: {name}")
    return sentence.removeprefix(f"{run.id}: ")


def changed(run, name, *keys, value):
    """Puts a value deep into one of the run's JSON files."""
    whole = inside = json.loads((run.path / name).read_text())
    for key in keys[:-1]:
        inside = inside[key]
    inside[keys[-1]] = value
    (run.path / name).write_text(json.dumps(whole))


FIELDS = {
    ("config.json", "config", "x"): (1, "there is no setting called 'x'; it may be from a newer version."),
    ("config.json", "config", "epochs"): (501, "epochs is 501, not between 1 and 500."),
    ("config.json", "config", "dropout"): ("much", "dropout is 'much', not a number between 0 and 0.9."),
    ("config.json", "config", "network"): ("lenet", f"network is 'lenet', not one of {', '.join(NETWORKS)}."),
    ("config.json", "config", "flip"): (1, "flip is 1, not true or false."),
    ("config.json", "config", "batch_size"): (2.5, "batch_size is 2.5, not a whole number between 1 and 1,024."),
    ("config.json", "config"): ([1, 2], "config is a list, not an object."),
    ("config.json", "created"): (None, "created is null, not a number"),
    ("config.json", "schema_version"): (2, "schema_version is 2, not 1; it may be from a newer version."),
    ("status.json", "state"): ("flying", "state is 'flying', not one of queued, running, stopping, paused, completed,"),
    ("status.json", "steps"): (0, "steps is 0, not between 1 and 1,000,000,000."),
    ("status.json", "error"): ({"a": 1}, "error is an object, not text of at most 3,000 characters."),
    ("status.json", "phase"): ("a" * 9999, "phase is 'aaaaa"),
    ("metrics.json", "best", "test_accuracy"): (1.7, "best.test_accuracy is 1.7, not between 0 and 1."),
    ("metrics.json", "last", "test_loss"): ("low", "last.test_loss is 'low', not a number."),
    ("metrics.json", "best"): ("fine", "best is 'fine', not an object."),
    ("metrics.json", "epochs"): (True, "epochs is true, not a whole number between 1 and 10,000."),
    ("metrics.json", "files"): ({"model.keras": {"bytes": 9}}, "files.model.keras.sha256 is missing."),
    ("queue.json", "place"): ([], "place is a list, not a number"),
}


@pytest.mark.parametrize("where", FIELDS, ids=".".join)
def test_a_wrong_value_is_told_with_its_field_and_what_was_expected(run, where):
    name, *keys = where
    value, sentence = FIELDS[where]
    changed(run, name, *keys, value=value)
    assert said_of(run, name).startswith(f"{name}: {sentence}")


def test_a_field_that_is_not_there_is_missing(run):
    metrics = run.read_metrics()
    del metrics["best"]["validation_loss"]
    run.write_metrics(metrics)
    assert said_of(run, "metrics.json") == "metrics.json: best.validation_loss is missing."


TEXTS = {
    ("history.csv", "epoch\n1\n"): "its first line is not epoch,train_loss,train_accuracy,validation_loss,",
    ("history.csv", "{header}1,1,0.5,1,0.5,0.001,9\n"): "row 1 has 7 columns, not 8.",
    ("history.csv", "{header}2,1,0.5,1,0.5,0.001,9,9\n"): "row 1: epoch is 2, not 1.",
    ("history.csv", "{header}1,1,50,1,0.5,0.001,9,9\n"): "row 1: train_accuracy is 50, not between 0 and 1.",
    ("history.csv", "{header}1,a,0.5,1,0.5,0.001,9,9\n"): "row 1: train_loss is 'a', not a number.",
    ("history.csv", "{header}1,1,0.5,1,0.5,0.001,9,9\n"): "it has 1 epoch, not 3; it was cut short.",
    ("status.json", ""): "it is empty; restore it from a copy, or delete the run.",
    ("status.json", "{\n'state'"): "line 2 is not JSON; restore it from a copy, or delete the run.",
    ("status.json", "[1, 2]"): "it holds a list, not an object.",
    ("status.json", '{"state": ' + "[" * 100_000): "its values are nested more than 20 deep.",
    ("progress.jsonl", "{progress}{broken}\n"): "a row: step is 10, more than its steps, which are 9.",
    ("progress.jsonl", "nonsense\n"): "a row is not JSON",
}


@pytest.mark.parametrize(("name", "text"), TEXTS)
def test_a_text_that_is_no_such_file_is_told_with_its_line(run, name, text):
    sentence = TEXTS[name, text]
    row = {"time": 1.8e9, "epoch": 1, "step": 1, "steps": 9, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1}
    row |= {"images_per_second": 9.0}
    text = text.replace("{header}", run.history_path.read_text().splitlines(keepends=True)[0])
    text = text.replace("{progress}", json.dumps(row) + "\n").replace("{broken}", json.dumps(row | {"step": 10}))
    (run.path / name).write_text(text)
    assert said_of(run, name).startswith(f"{name}: {sentence}")


OTHERS = {
    ("status.json", "noise"): ": it is not text; restore it from a copy, or delete the run.",
    ("metrics.json", "huge"): f": it has {HUGE:,} bytes, more than the 1,048,576 that such a file may have.",
    ("metrics.json", "folder"): ": it is not a file; restore it from a copy, or delete the run.",
    ("metrics.json", "pipe"): ": it is not a file; restore it from a copy, or delete the run.",
    ("metrics.json", "missing"): " is missing.",
    ("metrics.json", "unreadable"): " cannot be read (Too many levels of symbolic links)",
    ("test_predictions.npz", "noise"): ": it is not an archive of arrays; restore it from a copy, or delete the run.",
}


@pytest.mark.parametrize(("name", "way"), OTHERS)
def test_what_cannot_be_read_at_all_is_told_with_what_to_do(run, name, way):
    damaged(run.path / name, way)
    assert said_of(run, name).startswith(name + OTHERS[name, way])


ARRAYS = {
    "labels": (np.zeros(199, "uint8"), "labels holds 199 (uint8), not 200 (uint8)."),
    "epoch_classes": (np.zeros((2, 200), "uint8"), "epoch_confidences holds 3×200 (uint8), not 2×200 (uint8)."),
    "more": (np.zeros(3), "there is no array called 'more'; it may be from a newer version."),
}


@pytest.mark.parametrize("array", ARRAYS)
def test_predictions_that_do_not_fit_are_told_with_their_array(run, array):
    values, sentence = ARRAYS[array]
    run.write_predictions(**kept_arrays(run) | {array: values})
    assert said_of(run, "test_predictions.npz") == f"test_predictions.npz: {sentence}"


OF_A_MAP = {
    "points": (np.zeros((20_000, 2), "uint16"), "points has 20,000 rows, not between 1 and 10,000."),
    "basis": (np.zeros(7, "int8"), "basis has 0 columns, not between 1 and 64."),
    "landmarks": (np.zeros((200, 3), "int8"), "landmarks holds 200×3 (int8), not 200×4 (int8)."),
    "landmark_images": (np.full(200, 200, "uint16"), "landmark_images holds 200, not the number of a point."),
    "scales": (np.full(4, np.nan, "float32"), "scales holds what is not a number."),
    "threshold": (np.float32(0.2), "there is no array called validation_images."),
    "more": (np.zeros(3), "there is no array called 'more'; it may be from a newer version."),
}


@pytest.mark.parametrize("array", OF_A_MAP)
def test_a_map_that_does_not_fit_is_told_with_its_array(run, array):
    assert run.read_map() is None
    values, sentence = OF_A_MAP[array]
    run.write_map(mapped(run).read_map() | {array: values})
    with pytest.raises(RunError) as told:
        run.read_map()
    assert str(told.value) == f"{run.id}: map.npz: {sentence}"
    # What is in the arrays is looked at only where they are read.
    assert list(problems(run)) == ["map.npz"] * (array not in ("landmark_images", "scales"))


def test_a_network_that_was_cut_short_is_told_with_its_size(run):
    run.write_metrics(run.read_metrics() | {"files": {"model.tflite": {"bytes": 21_465_992, "sha256": "0"}}})
    run.tflite_path.write_bytes(b"1234TFL3..")
    sentence = "model.tflite: it has 10 bytes, not 21,465,992; it was cut short."
    assert said_of(run, "model.tflite") == sentence
    with pytest.raises(RunError) as caught:
        Classifier(run)
    assert str(caught.value) == f"{run.id}: {sentence}"


def test_a_network_that_was_changed_is_told_so(run):
    size = teach(run).tflite_path.stat().st_size
    run.write_metrics(run.read_metrics() | {"files": {"model.tflite": {"bytes": size, "sha256": "0"}}})
    with pytest.raises(
        RunError, match=r"model\.tflite: it is not the file that was trained: its checksum is another\.$"
    ):
        Classifier(run)


@pytest.mark.parametrize("value", ["![x](http://elsewhere.example/x.png)" * 99, "\x1b[31mred", "two\nlines", 10**400])
def test_a_hostile_value_is_shortened_and_stays_on_one_line(run, value):
    changed(run, "config.json", "config", "epochs", value=value)
    sentence = said_of(run, "config.json")
    assert len(sentence) < 160
    assert sentence.isprintable()


@pytest.mark.parametrize("depth", [25, 300, 900, 980, 5000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_values_inside_one_another_are_counted_however_many_they_are(run, brackets, depth):
    opening = {"[]": "[", "{}": '{"a":'}[brackets] * depth
    run.status_path.write_text('{"state": ' + opening + "1" + brackets[1] * depth + "}")
    assert said_of(run, "status.json") == "status.json: its values are nested more than 20 deep."
