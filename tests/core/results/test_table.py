"""Runs beside the report: the rows, the differences, the choice of the best run, damaged folders."""

import json
import math
from io import StringIO

import pandas as pd
import pytest

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.results import table as results
from core.results.reference import NETWORKS_OF_REPORT, REPORT, TEST_IMAGES
from core.results.statistics import BETTER, NO_CLEAR_DIFFERENCE, WORSE, compare_accuracies
from core.runs.run import list_runs
from tests.folders import finished_run, started_run


@pytest.fixture(autouse=True)
def artifacts(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_ARTIFACTS", str(tmp_path))


def measured(run, which="best", **scores):
    """Changes some of a finished run's figures."""
    metrics = run.read_metrics()
    run.write_metrics(metrics | {which: metrics[which] | scores})
    return run


def only_row(run, which="best"):
    rows, problems = results.table([run], which)
    assert (len(rows), problems) == (1, [])
    return rows.iloc[0]


@pytest.mark.parametrize("pair", REPORT, ids="-".join)
def test_every_pair_gets_the_eight_columns_and_the_report_beside_them(pair):
    row = only_row(measured(finished_run(*pair, seed=7), test_accuracy=0.5, test_loss=0.75))
    assert (row["network"], row["dataset"], row["recipe"], row["seed"]) == (*pair, "quick", 7)
    assert row["test_accuracy"] == 0.5
    assert [row[f"report_{score}"] for score in results.SCORES] == [REPORT[pair][s] for s in results.SCORES]
    assert row["test_accuracy_difference"] == pytest.approx(0.5 - REPORT[pair]["test_accuracy"])
    assert row["test_loss_difference"] == pytest.approx(0.75 - REPORT[pair]["test_loss"])
    assert (row["epochs"], row["seconds"], row["parameters"]) == (3, 37.5, 24_744_650)
    told = REPORT[pair]["epochs"], REPORT[pair]["seconds_per_epoch"]
    assert row["report_seconds"] == told[0] * told[1] if all(told) else math.isnan(row["report_seconds"])


def test_best_and_last_epoch_are_told_apart():
    run = finished_run()
    measured(run, "best", epoch=2, validation_accuracy=0.97, test_accuracy=0.96)
    measured(run, "last", epoch=3, validation_accuracy=0.95, test_accuracy=0.94)
    figures = {which: only_row(run, which)[["epoch", "test_accuracy"]].tolist() for which in ("best", "last")}
    assert figures == {"best": [2, 0.96], "last": [3, 0.94]}


def test_the_interval_of_the_difference_decides_the_verdict():
    report = REPORT["alexnet", "mnist"]["test_accuracy"]
    images = DATASETS["mnist"]["test_examples"]
    # The error of a difference of two such accuracies. One is chance, four are not.
    step = math.sqrt(2 * report * (1 - report) / images)
    for shift, word in {-4: WORSE, -1: NO_CLEAR_DIFFERENCE, 1: NO_CLEAR_DIFFERENCE, 4: BETTER}.items():
        row = only_row(measured(finished_run(), test_accuracy=report + shift * step))
        expected = compare_accuracies(report + shift * step, images, report, TEST_IMAGES)
        names = ("test_accuracy_difference", "test_accuracy_difference_low", "test_accuracy_difference_high", "verdict")
        assert tuple(row[name] for name in names) == expected
        assert row["verdict"] == word
        assert row["test_accuracy_low"] < row["test_accuracy"] < row["test_accuracy_high"]


def test_a_run_whose_accuracy_is_barely_outside_the_reports_is_not_clearly_different():
    # The report's 0.9922 is outside the interval of 0.9902 alone.
    row = only_row(measured(finished_run(), test_accuracy=0.9902))
    assert row["test_accuracy_high"] < REPORT["alexnet", "mnist"]["test_accuracy"]
    assert row["verdict"] == NO_CLEAR_DIFFERENCE


def test_pairs_are_counted_with_holms_correction():
    for pair, figures in REPORT.items():
        measured(finished_run(*pair), test_accuracy=figures["test_accuracy"])
    lucky = measured(finished_run("alexnet", "mnist"), test_accuracy=0.9948, validation_accuracy=0.99)
    best = results.best_runs(results.table(list_runs())[0])
    assert best["alexnet", "mnist"]["run"] == lucky.id
    assert best["alexnet", "mnist"]["verdict"] == BETTER
    assert results.count_verdicts(best) == {NO_CLEAR_DIFFERENCE: 9}
    alone = {pair: row for pair, row in best.items() if pair == ("alexnet", "mnist")}
    assert results.count_verdicts(alone) == {BETTER: 1}
    assert results.count_verdicts({}) == {}


def test_the_time_in_all_is_the_runs_own_and_unknown_where_it_was_not_recorded():
    run = finished_run()
    metrics = {name: value for name, value in run.read_metrics().items() if name != "total_seconds"}
    run.write_metrics(metrics)
    assert math.isnan(only_row(run)["total_seconds"])
    run.write_metrics(metrics | {"total_seconds": 61.5})
    assert (only_row(run)["seconds"], only_row(run)["total_seconds"]) == (37.5, 61.5)


def test_runs_that_were_not_evaluated_have_no_row():
    started_run()
    rows, problems = results.table(list_runs())
    assert list(rows.columns) == list(results.COLUMNS)
    assert (len(rows), problems) == (0, [])
    assert results.best_runs(rows) == {}


def test_rows_stand_by_dataset_then_network_with_the_newest_run_first():
    for dataset in reversed(DATASETS):
        for network in reversed(NETWORKS):
            finished_run(network, dataset)
    newest, oldest = finished_run(seed=2), finished_run(seed=1)
    others = [run for run in list_runs() if run not in (newest, oldest)]
    rows, _ = results.table([newest, *others, oldest])
    pairs = list(dict.fromkeys(zip(rows["dataset"], rows["network"], strict=True)))
    assert pairs == [(dataset, network) for dataset in DATASETS for network in NETWORKS]
    first_pair = rows[(rows["network"] == "alexnet") & (rows["dataset"] == "mnist")]["run"].tolist()
    assert (first_pair[0], first_pair[-1]) == (newest.id, oldest.id)


def test_the_best_run_is_chosen_by_validation_and_never_by_test_accuracy():
    honest = measured(finished_run(), validation_accuracy=0.98, test_accuracy=0.97)
    lucky = measured(finished_run(), validation_accuracy=0.96, test_accuracy=0.99)
    other = finished_run("vgg16")
    rows, _ = results.table([lucky, honest, other])
    best = results.best_runs(rows)
    assert {pair: row["run"] for pair, row in best.items()} == {
        ("alexnet", "mnist"): honest.id,
        ("vgg16", "mnist"): other.id,
    }
    assert best["alexnet", "mnist"]["test_accuracy"] == 0.97


@pytest.mark.parametrize("total", ["long", -1, None, math.nan])
def test_a_time_in_all_that_is_no_time_costs_one_sentence(total):
    run = finished_run()
    run.write_metrics(run.read_metrics() | {"total_seconds": total})
    rows, (problem,) = results.table([run])
    assert len(rows) == 0
    assert problem.startswith(f"{run.id}: metrics.json")


def speaker(*runs):
    """The run that speaks for AlexNet on MNIST, in whichever order the runs are found."""
    chosen = {results.best_runs(results.table(order)[0])["alexnet", "mnist"]["run"] for order in (runs, runs[::-1])}
    (name,) = chosen
    return name


def test_a_run_on_ten_images_never_speaks_for_a_pair_that_has_a_full_run():
    full = measured(finished_run(recipe="modern"), validation_accuracy=0.9)
    toy = measured(finished_run(train_examples=10), validation_accuracy=1.0)
    assert speaker(toy, full) == full.id


def test_of_quick_runs_those_on_the_most_images_speak():
    quick = measured(finished_run(), validation_accuracy=0.9)
    toy = measured(finished_run(train_examples=10), validation_accuracy=1.0)
    larger = measured(finished_run(train_examples=30_000), validation_accuracy=0.8)
    assert speaker(toy, quick) == quick.id
    assert speaker(toy, quick, larger) == larger.id


@pytest.mark.parametrize("held_back", [0.01, 0.5])
def test_a_run_that_holds_back_another_share_speaks_only_where_none_holds_back_the_usual_one(held_back):
    usual = measured(finished_run(recipe="modern"), validation_accuracy=0.9)
    other = measured(finished_run(recipe="modern", validation_split=held_back), validation_accuracy=1.0)
    few = measured(finished_run(), validation_accuracy=1.0)
    assert speaker(other, usual, few) == usual.id
    assert speaker(other, few) == other.id


def test_without_a_full_split_the_run_that_validates_on_more_images_speaks():
    noisy = measured(finished_run(validation_split=0.01), validation_accuracy=1.0)
    steady = measured(finished_run(validation_split=0.2), validation_accuracy=0.9)
    assert speaker(noisy, steady) == steady.id


def test_all_images_named_by_their_number_are_the_full_split():
    named = measured(finished_run(train_examples=60_000), validation_accuracy=0.95)
    usual = measured(finished_run(train_examples=0), validation_accuracy=0.9)
    assert speaker(named, usual) == named.id
    assert only_row(named)[["train_images", "validation_images"]].tolist() == [54_000, 6_000]


def test_of_equally_good_runs_the_first_speaks():
    first, second = finished_run(), finished_run()
    for order in ((first, second), (second, first)):
        rows, _ = results.table(order)
        assert results.best_runs(rows)["alexnet", "mnist"]["run"] == order[0].id


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        json.dumps({"best": None}),
        json.dumps({"best": {score: "high" for score in results.SCORES} | {"epoch": 1}}),
        json.dumps({"best": dict.fromkeys(results.SCORES, 1.5) | {"epoch": 1}}),
    ],
)
def test_damaged_metrics_cost_one_sentence_and_no_other_run(text):
    damaged, sound = finished_run(), finished_run("resnet34")
    damaged.metrics_path.write_text(text)
    rows, problems = results.table([damaged, sound])
    assert rows["run"].tolist() == [sound.id]
    (sentence,) = problems
    assert sentence.startswith(f"{damaged.id}: metrics.json: ")


def test_a_pair_that_the_report_does_not_have_is_shown_without_a_verdict(monkeypatch):
    monkeypatch.delitem(REPORT, ("alexnet", "mnist"))
    row = only_row(finished_run())
    assert row["verdict"] is None
    assert math.isnan(row["report_test_accuracy"])
    assert math.isnan(row["test_accuracy_difference"])
    # Beside a pair that the report has.
    rows, _ = results.table([finished_run(), finished_run("vgg16")])
    assert rows["verdict"].tolist() == [None, WORSE]
    assert results.count_verdicts(results.best_runs(rows)) == {WORSE: 1}


def test_the_report_has_a_row_for_each_pair_and_owns_up_to_the_epochs_it_does_not_tell():
    rows = results.report_table().set_index(["network", "dataset"])
    assert set(rows.index) == {(network, dataset) for network in NETWORKS_OF_REPORT for dataset in DATASETS}
    assert rows.loc[("vgg16", "cifar10"), "test_accuracy"] == 0.8902
    assert rows.loc[("vgg16", "cifar10"), "epochs"] == 89
    assert math.isnan(rows.loc[("alexnet", "fashion_mnist"), "epochs"])


def test_a_statistic_is_one_entry_of_the_registry(artifacts, monkeypatch):
    gap = results.Column(
        "Test", "gap", "points", lambda facts: facts.scores["train_accuracy"] - facts.scores["test_accuracy"]
    )
    monkeypatch.setitem(results.COLUMNS, "gap", gap)
    run = finished_run()
    (row,) = results.table([run])[0].to_dict("records")
    scores = run.read_metrics()["best"]
    assert row["gap"] == scores["train_accuracy"] - scores["test_accuracy"]


def test_a_csv_file_names_its_units_and_has_one_for_each_kind(artifacts):
    run = measured(finished_run(epochs=2), test_accuracy=0.9958)
    rows, _ = results.table([run])
    written = pd.read_csv(StringIO(results.as_csv(rows, list(results.COLUMNS)))).iloc[0]
    assert written["test_accuracy_percent"] == 99.58
    assert written["report_test_accuracy_percent"] == 99.22
    assert written["test_accuracy_difference_points"] == pytest.approx(0.36)
    assert written["changed_settings"] == "epochs 2"
    # What people call it, and no word of the code's.
    assert not written["included"]
    assert "shipped" not in written.index
    kinds = {name: column.kind for name, column in results.COLUMNS.items()}
    assert written["test_loss_nats"] == run.read_metrics()["best"]["test_loss"]
    assert written["test_loss_difference_nats"] == rows["test_loss_difference"][0]
    endings = {"accuracy": "_percent", "points": "_points", "loss": "_nats", "loss_difference": "_nats"}
    assert list(written.index) == [name + endings.get(kind, "") for name, kind in kinds.items()]
    # What is left are times and counts.
    scores = {name for name in kinds if "accuracy" in name or "loss" in name}
    assert scores == {name for name in kinds if kinds[name] in endings}


def test_what_came_with_the_project_as_evidence_for_claims_stands_after_the_other_runs_of_its_pair(artifacts):
    whole, ours, evidence = (finished_run(recipe=recipe) for recipe in ("modern", "quick", "quick"))
    for run in (whole, evidence):
        run.shipped_path.touch()
    rows, _ = results.table([evidence, ours, whole])
    assert rows["run"].tolist() == [ours.id, whole.id, evidence.id]
