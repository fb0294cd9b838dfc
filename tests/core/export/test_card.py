"""The model card: what it says is what the run's files say, also where the run has no network."""

import shutil

import pytest
import yaml

from core.config.recipes import training_command
from core.config.run_config import FIELDS
from core.datasets.catalogue import DATASETS, DOUBTED
from core.export import export
from core.export.card import card
from core.results.statistics import wilson_interval
from core.runs.run import list_runs, open_run
from tests.folders import finished_run


def header(text):
    """What stands above the card, as whoever reads such cards understands it."""
    _, above, _ = text.split("---\n", 2)
    return yaml.safe_load(above)


def row(text, begin):
    """The cells of the first row of a table that begins so."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {begin} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_card_says_what_its_run_says(artifacts, dataset, tmp_path):
    run = finished_run("resnet34", dataset, examples=1000, seed=7)
    run.write_note("mine: the best", "Trained on a **rainy** day.")
    export(run, tmp_path, ["card"])
    text = (tmp_path / "README.md").read_text("utf-8")
    config, metrics = run.read_config(), run.read_metrics()
    about = header(text)
    assert about["datasets"] == [DATASETS[dataset]["hub"]]
    (found,) = about["model-index"][0]["results"]
    assert found["metrics"] == [{"type": "accuracy", "value": metrics["best"]["test_accuracy"]}]
    assert found["dataset"] == {
        "type": DATASETS[dataset]["hub"],
        "name": DATASETS[dataset]["label"],
        "split": "test",
    }
    low, high = wilson_interval(round(1000 * metrics["best"]["test_accuracy"]), 1000)
    measured = f"{100 * metrics['best']['test_accuracy']:.2f} % ({100 * low:.2f} % to {100 * high:.2f} %, n = 1,000)"
    assert row(text, "Test accuracy")[1:] == [measured, measured]
    _, held_back = config.split_sizes(DATASETS[dataset]["train_examples"])
    assert f"n = {held_back:,})" in row(text, "Validation accuracy")[1]
    for field in FIELDS.values():
        assert row(text, field.metadata["label"])
    assert row(text, "Seed")[1:] == ["**7** (changed)", "0"]
    assert row(text, "Epochs")[2] == ""
    assert training_command(config) in text
    assert DATASETS[dataset]["licence"] in text
    assert "**mine: the best.** Trained on a **rainy** day." in text
    for name in DATASETS[dataset]["classes"]:
        assert "n = 100)" in row(text, name)[1]
    doubted = [number for number in DOUBTED[dataset] if number < 1000]
    assert (f"Of {len(doubted)} test images people doubt the labels" in text) == bool(DOUBTED[dataset])


def test_a_run_of_one_epoch_took_one_epoch(artifacts):
    run = finished_run()
    assert "It took 3 epochs and " in card(run)
    run.write_metrics(run.read_metrics() | {"epochs": 1})
    assert "It took 1 epoch and " in card(run)


def test_calibration_is_of_the_runs_own_predictions(artifacts):
    # Sure to 82 % of each of 200 images, of which it has 0.82 right.
    run = finished_run(wrong=0.18)
    text = card(run)
    right = 100 * run.read_metrics()["best"]["test_accuracy"]
    assert f"it is 82.00 % sure on average and right in {right:.2f} %" in text
    assert f"error (15 bins) is {abs(82 - right):.2f} %" in text


def test_a_card_has_the_example_that_fits_the_runs_network_or_says_that_there_is_none(artifacts):
    run = finished_run()
    assert "This card comes without a network" in card(run)
    assert "library_name" not in header(card(run))
    run.tflite_path.write_bytes(b"")
    assert "from ai_edge_litert.interpreter import Interpreter" in card(run)
    run.model_path.write_bytes(b"")
    assert "keras.saving.load_model" in card(run)
    assert header(card(run))["library_name"] == "keras"


def test_every_run_that_comes_with_the_project_has_a_card(monkeypatch):
    monkeypatch.delenv("LAB_ARTIFACTS", raising=False)
    shipped = [run for run in list_runs() if run.is_shipped]
    assert len(shipped) >= 14
    for run in shipped:
        assert header(card(run))["model-index"][0]["name"] == run.id


def test_the_same_run_gives_the_same_card_elsewhere(artifacts, tmp_path, monkeypatch):
    run = finished_run()
    there = tmp_path / "elsewhere"
    shutil.copytree(run.path, there / run.id)
    here = card(run)
    monkeypatch.setenv("LAB_ARTIFACTS", str(there))
    assert card(open_run(run.id)) == here
