"""Runs that differ in nothing but the seed, taken together."""

import math
import random
from statistics import stdev

import pytest

from core.results import seeds
from core.results import table as results
from core.results.statistics import mean_interval
from core.runs.run import list_runs
from tests.folders import finished_run


@pytest.fixture(autouse=True)
def artifacts(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_ARTIFACTS", str(tmp_path))


def reached(accuracy, **options):
    """A finished run of a network that got so many test images right."""
    run = finished_run(**options)
    metrics = run.read_metrics()
    run.write_metrics(metrics | {"best": metrics["best"] | {"test_accuracy": accuracy}})
    return run


def test_the_interval_of_a_mean_is_students_and_holds_in_95_of_100_cases():
    from scipy import stats

    values = [0.981, 0.984, 0.979, 0.99]
    expected = stats.t.interval(0.95, 3, loc=sum(values) / 4, scale=stdev(values) / 2)
    assert mean_interval(values) == pytest.approx((sum(values) / 4, *expected))
    draw = random.Random(0)
    intervals = [mean_interval([draw.gauss(0.9, 0.01) for _ in range(3)]) for _ in range(2000)]
    held = sum(low < 0.9 < high for _, low, high in intervals)
    assert 0.94 < held / 2000 < 0.96


def test_one_value_does_not_tell_how_far_others_would_be_from_it():
    mean, low, high = mean_interval([0.98])
    assert mean == 0.98
    assert math.isnan(low)
    assert math.isnan(high)


def test_only_runs_that_differ_in_nothing_but_the_seed_are_one_row():
    alike = [reached(0.90, seed=0), reached(0.92, seed=1)]
    others = [
        reached(0.9, seed=0, epochs=7),
        reached(0.9, seed=0, train_examples=5000),
        reached(0.9, seed=0, network="lenet5"),
        reached(0.9, seed=0, recipe="modern"),
    ]
    rows = seeds.together(results.table(list_runs())[0])
    assert sorted(len(seeds.ids(run)) for run in rows["run"]) == [1, 1, 1, 1, 2]
    (row,) = rows[rows["seeds"] == 2].to_dict("records")
    assert set(seeds.ids(row["run"])) == {run.id for run in alike}
    assert row["test_accuracy"] == pytest.approx(0.91)
    assert row["test_accuracy_seeds_low"] == pytest.approx(max(mean_interval([0.9, 0.92])[1], 0))
    assert row["test_accuracy_low"] < 0.91 < row["test_accuracy_high"]
    assert math.isnan(row["seed"])
    assert rows[rows["seeds"] == 1]["test_accuracy_seeds_low"].isna().all()
    assert seeds.are_several(results.table(list_runs())[0])
    assert not seeds.are_several(results.table([*others, alike[0]])[0])


def test_the_mean_of_several_seeds_speaks_for_a_pair_and_not_the_luckiest_of_them():
    lucky = [reached(accuracy, seed=seed) for seed, accuracy in enumerate((0.97, 0.999))]
    for run, validation in zip(lucky, (0.90, 0.98), strict=True):
        metrics = run.read_metrics()
        run.write_metrics(metrics | {"best": metrics["best"] | {"validation_accuracy": validation}})
    steady = reached(0.98, epochs=7)
    metrics = steady.read_metrics()
    steady.write_metrics(metrics | {"best": metrics["best"] | {"validation_accuracy": 0.95}})
    rows = results.table(list_runs())[0]
    assert results.best_runs(rows)["alexnet", "mnist"]["run"] == lucky[1].id
    assert results.best_runs(seeds.together(rows))["alexnet", "mnist"]["run"] == steady.id


def test_the_mean_history_reaches_as_far_as_the_shortest_and_has_a_band():
    histories = [run.read_history() for run in (finished_run(seed=0), finished_run(seed=1))]
    histories[0].loc[1, "validation_accuracy"] += 0.1
    mean = seeds.mean_history([histories[0], histories[1].iloc[:2]])
    assert mean["epoch"].tolist() == [1, 2]
    low, high = histories[1].loc[1, "validation_accuracy"], histories[0].loc[1, "validation_accuracy"]
    found = mean.loc[1, ["validation_accuracy_low", "validation_accuracy", "validation_accuracy_high"]].tolist()
    assert found == pytest.approx([low, (low + high) / 2, high])


def test_the_same_seed_twice_is_one_draw_and_no_second_seed():
    first, second = reached(0.9, seed=0), reached(0.9, seed=0)
    third = reached(0.92, seed=1)
    rows = seeds.together(results.table([second, first])[0])
    assert rows["seeds"].tolist() == [1, 1]
    assert not seeds.are_several(results.table([second, first])[0])
    rows = seeds.together(results.table([second, third, first])[0])
    assert sorted(map(len, map(seeds.ids, rows["run"]))) == [1, 2]
    assert set(seeds.ids(rows["run"][0])) == {second.id, third.id}
