"""Runs compared with one of them in place of the report."""

import math

import numpy as np
import pytest

from core.results import seeds
from core.results import table as results
from core.results.baseline import against
from core.results.paired import compare
from core.results.statistics import BETTER, NO_CLEAR_DIFFERENCE, WORSE, compare_accuracies
from core.runs.run import list_runs
from tests.folders import finished_run

DIFFERENCE = ["test_accuracy_difference", "test_accuracy_difference_low", "test_accuracy_difference_high", "verdict"]


@pytest.fixture(autouse=True)
def artifacts(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_ARTIFACTS", str(tmp_path))


def wrong_on(count):
    return np.arange(1000) >= count


def test_runs_are_compared_with_it_image_by_image_and_other_datasets_not_at_all():
    base, better, alike, worse = (finished_run(seed=0, epochs=epochs) for epochs in (3, 4, 5, 6))
    other = finished_run(dataset="cifar10")
    right = {base.id: wrong_on(50), better.id: wrong_on(20), alike.id: wrong_on(48), worse.id: wrong_on(90)}
    rows = against(results.table(list_runs())[0], base.id, right.get).set_index("run")
    found = {run.id: rows.loc[run.id, DIFFERENCE].tolist() for run in (better, alike, worse)}
    for run, verdict in ((better, BETTER), (alike, NO_CLEAR_DIFFERENCE), (worse, WORSE)):
        expected = compare(right[run.id], right[base.id])
        assert found[run.id] == [expected.difference, expected.low, expected.high, verdict]
    for run in (base, other):
        assert rows.loc[run.id, "verdict"] is None
        assert math.isnan(rows.loc[run.id, "test_accuracy_difference"])


def test_several_seeds_are_compared_by_how_many_of_them_got_each_image_right():
    base, *others = finished_run(epochs=7), *(finished_run(seed=seed) for seed in range(3))
    right = {base.id: wrong_on(50)} | {run.id: wrong_on(20 + at) for at, run in enumerate(others)}
    rows = against(seeds.together(results.table(list_runs())[0]), base.id, right.get)
    (row,) = rows[rows["seeds"] == 3].to_dict("records")
    assert row["test_accuracy_difference"] == pytest.approx((30 + 29 + 28) / 3 / 1000)
    assert row["test_accuracy_difference_low"] < 0.029 < row["test_accuracy_difference_high"]
    assert row["verdict"] == BETTER


def test_where_the_single_images_are_not_known_the_accuracies_are_compared():
    base, other = finished_run(), finished_run(epochs=7)
    metrics = other.read_metrics()
    other.write_metrics(metrics | {"last": metrics["last"] | {"test_accuracy": 0.8}})
    rows = against(results.table(list_runs(), "last")[0], base.id, lambda run: None).set_index("run")
    expected = compare_accuracies(0.8, 10_000, rows.loc[base.id, "test_accuracy"], 10_000)
    assert tuple(rows.loc[other.id, DIFFERENCE]) == expected
