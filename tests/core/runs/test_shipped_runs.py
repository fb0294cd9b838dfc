"""The runs that come with the project are what they are said to be, and enough for every page."""

from pathlib import Path

import numpy as np
import pytest

from core.config.run_config import MONITORS
from core.datasets import test_images as sheets
from core.datasets.catalogue import DATASETS
from core.datasets.decoding import digest
from core.digits import strokes
from core.explain.embedding import place, positions, strangers
from core.explain.features import OpenNetwork
from core.export.bundles import SMALL_BYTES
from core.export.litert_reader import Classifier
from core.results import claims
from core.results.reference import REPORT
from core.results.scores import accuracy, predicted_classes
from core.runs.integrity import problems
from core.runs.run import Run

PROJECT = Path(__file__).parents[3]
INCLUDED = [Run(path.parent) for path in sorted((PROJECT / "artifacts").glob("*/shipped"))]
# Of these the claims need figures and predictions alone.
EVIDENCE = [run for run in INCLUDED if run.read_config().recipe == "quick"]
SHIPPED = [run for run in INCLUDED if run not in EVIDENCE]
READERS = [run for run in SHIPPED if run.tflite_path.exists()]
FILES = {
    "config.json",
    "status.json",
    "history.csv",
    "metrics.json",
    "test_predictions.npz",
    "shipped",
}
every_run = pytest.mark.parametrize("run", INCLUDED, ids=lambda run: run.id)
whole_runs = pytest.mark.parametrize("run", SHIPPED, ids=lambda run: run.id)


@every_run
def test_its_files_are_sound_and_no_more_than_the_pages_need(run):
    assert problems(run) == {}
    assert run.read_status()["state"] == "completed"
    present = {path.name for path in run.path.iterdir()}
    needed = FILES if run in EVIDENCE else FILES | {"progress.jsonl"}
    assert needed <= present <= needed | (set() if run in EVIDENCE else {"log.txt", "model.tflite", "map.npz"})


def test_the_evidence_is_what_the_claims_of_the_report_ask_for_each_run_once():
    found, _ = claims.claims()
    asked = claims.missing(one for claim in found for one in claims.judge(claim, "quick", lambda config: None)[1])
    configs = [run.read_config() for run in EVIDENCE]
    assert len(set(configs)) == len(configs)
    assert set(configs) <= set(asked)


@whole_runs
def test_it_was_trained_on_every_training_image(run):
    config = run.read_config()
    assert (config.train_examples, config.validation_split) == (0, 0.1)
    assert len(run.read_predictions()["epoch_classes"]) == len(run.read_history())


@every_run
def test_it_was_tested_on_every_test_image(run):
    config, predictions, metrics = run.read_config(), run.read_predictions(), run.read_metrics()
    assert digest(predictions["labels"]) == DATASETS[config.dataset]["sha256"]["test_labels"]
    assert metrics["best"]["test_accuracy"] == accuracy(predictions["probabilities"], predictions["labels"])
    assert len(run.read_history()) == metrics["epochs"]
    assert run.read_record()["dataset_sha256"] == DATASETS[config.dataset]["sha256"]


@whole_runs
def test_a_modern_run_took_at_most_a_quarter_of_the_reports_epochs(run):
    config = run.read_config()
    if (config.network, config.dataset) not in REPORT:
        pytest.skip("the report has no such run")
    allowed = (REPORT[config.network, config.dataset]["epochs"] or 57) // 4
    assert config.recipe != "modern" or run.read_metrics()["epochs"] <= allowed


@every_run
def test_its_choice_of_epoch_can_be_checked_from_its_history(run):
    history, metrics, config = run.read_history(), run.read_metrics(), run.read_config()
    scores = MONITORS[config.monitor] * history.set_index("epoch")[config.monitor]
    assert scores[metrics["best"]["epoch"]] == scores.max()
    assert metrics["seconds"] == pytest.approx(history["seconds"].sum())


def test_each_network_that_learned_digits_comes_ready_for_drawings():
    trained = {run.read_config().network for run in SHIPPED if run.read_config().dataset == strokes.DATASET}
    readers = [run.read_config().network for run in READERS if run.read_config().dataset == strokes.DATASET]
    assert sorted(readers) == sorted(trained)


def test_of_each_run_with_a_small_network_it_comes_along():
    small = {run.read_config().network for run in READERS if run.tflite_path.stat().st_size < SMALL_BYTES}
    assert small == {"lenet5", "resnet20"}
    assert {run for run in SHIPPED if run.read_config().network in small} <= set(READERS)


@pytest.mark.parametrize("run", READERS, ids=lambda run: run.id)
def test_its_8_bit_network_reads_the_test_images_as_well_as_it_says(run):
    images = sheets.read_sheet(run.read_config().dataset)[:500]
    answers, predictions = Classifier(run).classify(images), run.read_predictions()["probabilities"][:500]
    assert np.mean(answers.argmax(axis=1) == predictions.argmax(axis=1)) > 0.98
    quantized, best = run.read_metrics()["quantized"]["test_accuracy"], run.read_metrics()["best"]["test_accuracy"]
    assert quantized == pytest.approx(best, abs=0.003)


@pytest.mark.parametrize("run", READERS, ids=lambda run: run.id)
def test_each_network_comes_with_a_small_map_on_which_what_it_reads_alike_is_together(run):
    arrays, predictions = run.read_map(), run.read_predictions()
    assert run.map_path.stat().st_size < 150_000
    predicted = predicted_classes(predictions["logits"])
    assert len(arrays["points"]) == len(predicted)
    # What is often wrong does not tell the classes apart, and no map can.
    is_sure = run.read_metrics()["best"]["test_accuracy"] > 0.8
    assert np.mean(strangers(positions(arrays), predicted) < 0.5) > (0.85 if is_sure else 0.3)
    # Of those by which the others are placed, three tell where each lies.
    assert 0 < arrays["distance"] < 0.02


@pytest.mark.parametrize("run", [run for run in READERS if run.tflite_path.stat().st_size < SMALL_BYTES])
def test_an_image_is_placed_on_its_map_by_the_8_bit_network_where_it_lies(run):
    arrays = run.read_map()
    others = np.setdiff1d(np.arange(1_000), arrays["landmark_images"])
    features = OpenNetwork(run).last_features(sheets.read_sheet(run.read_config().dataset)[others])
    away = place(arrays, features) - positions(arrays)[others]
    assert np.median(np.hypot(*away.T)) < 0.02


def test_all_that_ships_leaves_a_clone_under_150_megabytes():
    files = [path for run in INCLUDED for path in run.path.iterdir()] + list(sheets.FOLDER.iterdir())
    assert sum(path.stat().st_size for path in files) < 140e6
