"""Runs that come with the project: how they are made, that nothing changes them, and what the pages say of them."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.datasets.catalogue import DATASETS
from core.datasets.loading import load
from core.export import FORMATS, bundles
from core.export.bundles import ship
from core.export.litert_reader import Classifier
from core.jobs import control, liveness, scheduler
from core.results.scores import accuracy, predicted_classes
from core.runs.integrity import problems
from core.runs.run import RunError, list_runs, open_run
from pages.parts.style import percent
from tests.folders import finished_run, mapped, started_run
from tests.penmanship import teach

pytestmark = pytest.mark.usefixtures("artifacts")
APP = str(Path(__file__).parents[3] / "app.py")
ACTIONS = (control.resume, control.stop, control.finish, control.kill, control.delete, scheduler.move_up)


@pytest.fixture
def shipped(artifacts, monkeypatch):
    """Ships a run into another artifacts folder, which is the one in use from then on."""

    def shipped(run):
        project = artifacts.with_name("project")
        copy = ship(run, project)
        monkeypatch.setenv("LAB_ARTIFACTS", str(project))
        return copy

    return shipped


def files(run):
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


def opened(page, **query):
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page(f"pages/{page}.py")
    app.query_params |= query
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_shipped_run_is_sound_and_leaves_behind_what_only_training_needs(dataset, shipped):
    run = mapped(finished_run(dataset=dataset))
    if DATASETS[dataset]["image_shape"] == (28, 28, 1):
        teach(run)
    run.checkpoint_path.mkdir()
    run.lock_path.touch()
    copy = shipped(run)
    assert copy.is_shipped
    assert not run.is_shipped
    assert not {"checkpoint", ".lock", "queue.json"} & files(copy).keys()
    assert copy.read_history().equals(run.read_history())
    assert copy.map_path.read_bytes() == run.map_path.read_bytes()
    assert problems(copy) == {}
    assert list_runs() == [copy]


def test_the_best_network_for_drawings_is_shipped_with_the_accuracy_of_its_8_bit_form(shipped, monkeypatch):
    monkeypatch.setattr(bundles, "SMALL_BYTES", 0)
    run, worse = teach(finished_run()), teach(finished_run())
    metrics = worse.read_metrics()
    worse.write_metrics(metrics | {"best": metrics["best"] | {"validation_accuracy": 0.5}})
    test = load("mnist")
    measured = accuracy(Classifier(run).classify(test.test_images), test.test_labels)
    assert not ship(worse, worse.path.parents[1] / "project").tflite_path.exists()
    copy = shipped(run)
    metrics = copy.read_metrics()
    assert metrics["quantized"] == {"test_accuracy": measured}
    assert list(metrics["files"]) == ["model.tflite"]
    np.testing.assert_array_equal(Classifier(copy).classify(test.test_images[:9]).shape, (9, 10))
    for page in (opened("draw"), opened("train", run=copy.id)):
        assert percent(measured) in str([element.proto for element in page.get("html") + page.get("bidi_component")])


def test_the_best_network_stays_behind_on_request_and_an_older_one_goes_on_reading_drawings(tmp_path, monkeypatch):
    project, older = tmp_path / "project", teach(finished_run())
    assert main(["ship", older.id, "--folder", str(project)]) == 0
    best = teach(finished_run())
    metrics = best.read_metrics()
    best.write_metrics(metrics | {"best": metrics["best"] | {"validation_accuracy": 0.99}})
    assert main(["ship", best.id, "--no-network", "--folder", str(project)]) == 0
    monkeypatch.setenv("LAB_ARTIFACTS", str(project))
    assert [run.id for run in list_runs() if run.tflite_path.exists()] == [older.id]
    assert "quantized" not in open_run(best.id).read_metrics()
    page, measured = opened("draw"), open_run(older.id).read_metrics()["quantized"]["test_accuracy"]
    assert not page.warning
    assert percent(measured) in str([element.proto for element in page.get("bidi_component")])


def test_a_small_network_goes_along_whatever_it_has_learned(shipped):
    run = teach(finished_run(dataset="fashion_mnist"))
    assert run.tflite_path.stat().st_size < bundles.SMALL_BYTES
    copy = shipped(run)
    assert copy.tflite_path.read_bytes() == run.tflite_path.read_bytes()
    assert problems(copy) == {}
    assert 0 <= copy.read_metrics()["quantized"]["test_accuracy"] <= 1


def test_a_thin_copy_has_every_figure_and_prediction_in_a_small_part_of_the_room(tmp_path):
    run = mapped(teach(finished_run(dataset="fashion_mnist", examples=5_000)))
    logits = np.random.default_rng(0).normal(0, 4, (5_000, 10)).astype("float32")
    # The two largest of the first image are nearly the same, and a small one of the second is far below.
    logits[0], logits[1] = np.linspace(0, 1e-3, 10), [9, *[-50] * 9]
    run.write_predictions(logits=logits, labels=run.read_predictions()["labels"])
    copy, whole = ship(run, tmp_path / "thin", thin=True), ship(run, tmp_path / "whole")
    assert problems(copy) == {}
    assert {"map.npz", "model.tflite", "progress.jsonl"} & files(copy).keys() == set()
    assert {"config.json", "history.csv", "metrics.json", "shipped", "status.json"} <= files(copy).keys()
    ours, theirs = (each.read_predictions() for each in (copy, run))
    assert (ours["labels"] == theirs["labels"]).all()
    assert (predicted_classes(ours["logits"]) == predicted_classes(theirs["logits"])).all()
    assert np.abs(ours["probabilities"] - theirs["probabilities"]).max() < 0.01
    size = {each: sum(map(len, files(each).values())) for each in (copy, whole)}
    assert size[copy] < 0.5 * size[whole]


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_changes_a_shipped_run(action, shipped):
    run = finished_run(dataset="fashion_mnist")
    copy = shipped(run)
    before = files(copy)
    with pytest.raises(RunError, match="came with the project and stays as it is"):
        action(copy)
    assert files(copy) == before
    assert liveness.state(copy)["state"] == "completed"


def test_its_card_says_that_it_is_shipped_and_offers_no_button(shipped):
    run = finished_run(dataset="fashion_mnist")
    assert any(button.key == f"delete {run.id}" for button in opened("train", run=run.id).button)
    copy = shipped(run)
    page = opened("train", run=copy.id)
    assert [button.key for button in page.button if (button.key or "").endswith(copy.id)] == [f"details {copy.id}"]
    assert any("included" in element.value for element in page.markdown)
    page = opened("train", run=copy.id, details="settings")
    assert "python -m core train alexnet fashion_mnist --recipe quick" in page.code[0].value


def test_only_finished_and_sound_runs_ship_and_none_twice(artifacts):
    with pytest.raises(RunError, match="only finished runs ship"):
        ship(started_run(), artifacts / "project")
    run = finished_run(dataset="fashion_mnist")
    ship(run, artifacts / "project")
    with pytest.raises(RunError, match="already"):
        ship(run, artifacts / "project")
    run.predictions_path.write_bytes(b"")
    with pytest.raises(RunError, match=r"test_predictions\.npz: it is not an archive"):
        ship(run, artifacts / "elsewhere")
    assert not (artifacts / "elsewhere").exists()


def test_the_command_line_ships_a_run_with_the_images_of_its_gallery(artifacts, tmp_path, capsys):
    run = finished_run(dataset="fashion_mnist")
    assert main(["ship", run.id, "--folder", str(tmp_path / "project")]) == 0
    assert (tmp_path / "project" / run.id / "shipped").exists()
    assert (tmp_path / "project" / "test_images" / "fashion_mnist.webp").exists()
    assert run.id in capsys.readouterr().out


def test_a_run_that_came_without_its_network_says_how_to_make_one(shipped, capsys):
    run = finished_run("vgg16", "cifar10", "modern", precision="mixed_bfloat16", flip=False)
    copy = shipped(run)
    assert main(["evaluate", copy.id]) != 0
    wanted = "python -m core train vgg16 cifar10 --recipe modern --precision mixed_bfloat16 --no-flip"
    assert wanted in capsys.readouterr().err.replace("--no-flip --precision mixed_bfloat16", wanted[-36:])


def test_a_shipped_run_can_be_exported_as_far_as_it_goes(shipped, tmp_path):
    run = finished_run(dataset="cifar10")
    copy = shipped(run)
    before = files(copy)
    assert main(["export", copy.id, str(tmp_path / "export")]) == 0
    exported = {path.name for path in (tmp_path / "export").iterdir()}
    whole = ("card", "predictions", "tables", "tensorboard")
    assert exported == {file for name in whole for file in FORMATS[name].files} - {"note.json"}
    assert files(copy) == before
