"""How long a run takes, before it starts and while it goes on."""

import dataclasses
import math
import platform

import numpy as np
import pandas as pd
import psutil
import pytest

from core.config.recipes import RECIPES, make_config
from core.datasets.catalogue import DATASETS
from core.jobs import estimate as estimates
from core.jobs import machine
from core.jobs.estimate import calculated_speed, estimate, kind, matrix_speed, measured_speeds, seconds_left
from core.networks.catalogue import NETWORKS
from core.networks.sizes import size
from core.runs.sessions import trained_on

HERE = {"platform": platform.platform(), "cores": psutil.cpu_count()}
# Images a second, 64 x 64 in batches of 128, in float32 and in bfloat16.
MEASURED = {"alexnet": (476, 632), "vgg16": (53, 85), "resnet34": (144, 170)}
PAIRS = [(network, dataset) for network in NETWORKS for dataset in DATASETS]


def history(*speeds, seconds=10.0):
    epochs = range(1, len(speeds) + 1)
    return pd.DataFrame({"epoch": epochs, "images_per_second": speeds, "seconds": [seconds] * len(speeds)})


def progress(*speeds):
    return [{"images_per_second": speed} for speed in speeds]


def training(epoch, step, steps=20):
    return {"phase": "training", "epoch": epoch, "step": step, "steps": steps}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("network", "dataset"), PAIRS)
def test_every_pair_and_recipe_has_a_time(network, dataset, recipe):
    config = make_config(network, dataset, recipe)
    found = estimate(config)
    assert estimates.START_SECONDS < found.seconds < math.inf
    assert not found.measured
    assert found.at_most == (config.early_stopping_patience > 0)


@pytest.mark.parametrize(("network", "dataset"), PAIRS)
@pytest.mark.parametrize(
    "more",
    [{"epochs": 400}, {"image_size": 224}, {"train_examples": 40_000}, {"record_test_predictions": True}],
    ids=lambda more: next(iter(more)),
)
def test_more_work_takes_longer(network, dataset, more):
    assert estimate(make_config(network, dataset, **more)).seconds > estimate(make_config(network, dataset)).seconds


def test_a_network_with_more_arithmetic_takes_longer():
    by_arithmetic = sorted(MEASURED, key=lambda network: size(make_config(network, "mnist", "report")).multiply_adds)
    times = [estimate(make_config(network, "mnist", "report")).seconds for network in by_arithmetic]
    assert times == sorted(times)


@pytest.mark.parametrize("network", MEASURED)
def test_bfloat16_is_faster_as_measured_where_the_processor_computes_in_it(network, monkeypatch):
    # As on the machine of the measurements, where updating the weights takes so much of a step.
    monkeypatch.setattr(estimates, "matrix_speed", lambda: 180e9)
    monkeypatch.setattr(estimates, "_cores", lambda: 2)
    speeds = {}
    for here in (True, False):
        monkeypatch.setattr(estimates, "computes_in_bfloat16", lambda here=here: here)
        for precision in ("float32", "mixed_bfloat16"):
            speeds[here, precision] = calculated_speed(make_config(network, "mnist", "report", precision=precision))
    in_float32, in_bfloat16 = MEASURED[network]
    gain = speeds[True, "mixed_bfloat16"] / speeds[True, "float32"]
    assert gain == pytest.approx(in_bfloat16 / in_float32, rel=0.05)
    assert speeds[False, "mixed_bfloat16"] == speeds[False, "float32"] == speeds[True, "float32"]


@pytest.mark.parametrize(
    ("flags", "computes"),
    [("fpu sse avx2", False), ("fpu avx512_bf16 fma", True), ("fpu amx_bf16 amx_tile", True), (None, False)],
)
def test_what_a_processor_computes_in_is_read_from_the_operating_system(tmp_path, monkeypatch, flags, computes):
    path = tmp_path / "cpuinfo"
    if flags:
        path.write_text(f"processor\t: 0\nmodel name\t: A bf16 name\nflags\t\t: {flags}\nbugs\t\t: avx512_bf16x\n")
    monkeypatch.setattr(machine, "CPUINFO", path)
    assert estimates.computes_in_bfloat16.__wrapped__() == computes


@pytest.mark.parametrize("network", MEASURED)
def test_smaller_batches_take_longer(monkeypatch, network):
    # Where the machine is busy, its arithmetic takes nearly all of the time.
    monkeypatch.setattr(estimates, "matrix_speed", lambda: 6e10)
    times = [estimate(make_config(network, "mnist", "report", batch_size=size)).seconds for size in (256, 128, 32, 8)]
    assert times == sorted(times)
    assert times[-1] > 1.3 * times[1]


def test_a_million_steps_of_one_image_each_are_said_to_take_more_than_half_an_hour():
    assert estimate(make_config("lenet5", "mnist", "paper")).seconds > 1800


def test_a_measured_speed_replaces_the_calculated_one():
    config = make_config("alexnet", "mnist", epochs=2, train_examples=1000, validation_split=0.1)
    found = estimate(config, {kind(config): 100.0})
    training_time = 2 * (900 + estimates.FORWARD_SHARE * 100) / 100
    answering_time = 2 * estimates.FORWARD_SHARE * DATASETS["mnist"]["test_examples"] / 100
    overhead = estimates.START_SECONDS + estimates.FINISH_SECONDS
    assert found.measured
    assert found.seconds == pytest.approx(training_time + answering_time + overhead)


@pytest.mark.parametrize("other", [{"image_size": 33}, {"precision": "mixed_bfloat16"}, {"batch_size": 64}], ids=str)
def test_a_speed_of_another_kind_of_run_is_not_taken(other):
    config = make_config("alexnet", "mnist")
    assert estimate(config, {kind(config): 100.0}).measured
    assert not estimate(config, {kind(dataclasses.replace(config, **other)): 100.0}).measured


def test_speeds_are_those_of_the_newest_run_with_an_epoch_behind_it():
    config = make_config("alexnet", "mnist")
    runs = [(config, HERE, history(*speeds)) for speeds in ((), (300.0, 100.0, 200.0), (900.0,))]
    faster = dataclasses.replace(config, precision="mixed_bfloat16")
    assert measured_speeds([*runs, (faster, HERE, history(700.0))]) == {kind(config): 200.0, kind(faster): 700.0}


def test_speeds_are_those_of_the_session_on_this_machine():
    elsewhere = {"platform": "elsewhere", "cores": 64, "first_epoch": 1}
    record = {"sessions": [elsewhere, HERE | {"processor": machine.processor(), "first_epoch": 3}]}
    config, speeds = make_config("alexnet", "mnist"), history(5000.0, 5000.0, 90.0)
    assert measured_speeds([(config, trained_on(record), speeds)]) == {kind(config): 90.0}
    record["sessions"].reverse()
    assert measured_speeds([(config, trained_on(record), speeds)]) == {}
    assert trained_on({"environment": HERE}).items() >= HERE.items()


@pytest.mark.parametrize(
    "environment", [{}, HERE | {"cores": 999}, HERE | {"platform": "elsewhere"}, HERE | {"processor": "another"}]
)
def test_runs_of_other_machines_say_nothing_about_this_one(environment):
    assert measured_speeds([(make_config("alexnet", "mnist"), environment, history(900.0))]) == {}


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_more_images_are_counted_than_the_dataset_has(dataset):
    config = make_config("alexnet", dataset, train_examples=60_000, validation_split=0.1)
    available = DATASETS[dataset]["train_examples"]
    assert config.split_sizes(available)[0] == round(0.9 * available)


def test_the_time_left_shrinks_to_the_time_of_the_last_answers():
    config, steps = make_config("alexnet", "mnist", epochs=3), progress(*[500.0] * 9)
    left = [
        seconds_left(config, training(epoch, step), history(*[500.0] * (epoch - 1)), steps)
        for epoch in (2, 3)
        for step in (0, 10, 20)
    ]
    finish = seconds_left(config, {"phase": "evaluating"}, history(500.0), steps)
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(20 + finish)
    assert left[-1] == pytest.approx(finish)


def test_a_long_run_takes_a_moment_more_for_its_map():
    for config, is_wanted in (
        (make_config("alexnet", "mnist", epochs=1), False),
        (make_config("alexnet", "mnist", epochs=1, map="on"), True),
        (make_config("alexnet", "mnist", epochs=400), True),
        (make_config("alexnet", "mnist", epochs=400, map="off"), False),
    ):
        speeds = {kind(config): 2000.0}
        without = estimate(dataclasses.replace(config, map="off"), speeds).seconds
        more = estimate(config, speeds).seconds - without
        assert more == pytest.approx(estimates.MAP_SECONDS if is_wanted else 0)
    steps, finish = progress(*[500.0] * 9), {"phase": "evaluating"}
    config = make_config("alexnet", "mnist", epochs=3)
    short, long = (seconds_left(config, finish, history(*[500.0] * epochs), steps) for epochs in (1, 40))
    assert long - short == pytest.approx(estimates.MAP_SECONDS)
    assert seconds_left(config, {"phase": "making the map"}, history(500.0), steps) is not None


def test_before_its_first_epoch_ends_the_time_left_is_from_its_steps():
    config = make_config("alexnet", "mnist", epochs=2, train_examples=1000, validation_split=0.1)
    slow, fast = (seconds_left(config, training(1, 5), history(), progress(*[x] * 9)) for x in (10.0, 100.0))
    assert slow > 5 * fast > 0


def test_no_time_left_is_said_before_enough_was_measured_and_the_slow_first_step_does_not_count():
    config = make_config("alexnet", "mnist", epochs=2, train_examples=1000, validation_split=0.1)
    written = progress(2.0, *[100.0] * 9)
    left = [seconds_left(config, training(1, count), history(), written[:count]) for count in range(1, 10)]
    assert left[:4] == [None] * 4
    assert max(left[4:]) < 100
    assert seconds_left(config, training(2, 0), history(100.0), written[:2]) < 100


@pytest.mark.parametrize("phase", [None, "starting", "preparing data"])
def test_nothing_is_said_about_the_time_left_before_training(phase):
    config = make_config("alexnet", "mnist")
    assert seconds_left(config, {"phase": phase}, history(), progress(*[500.0] * 9)) is None
    assert seconds_left(config, training(1, 0), history(), []) is None


def test_the_test_of_the_arithmetic_gives_the_same_speed_again():
    speeds = [matrix_speed.__wrapped__() for _ in range(3)]
    assert np.max(speeds) < 3 * np.min(speeds)
    assert np.min(speeds) > 1e8


def test_at_the_end_the_time_left_goes_on_shrinking_and_what_is_behind_no_longer_counts():
    config, steps, now = make_config("alexnet", "mnist", epochs=3, map="on"), progress(*[500.0] * 9), 1_000_000.0

    def left(phase, since):
        status = {"phase": phase, "heartbeat": now - since}
        return seconds_left(config, status, history(500.0), steps, now)

    in_turn = [left(phase, since) for phase in estimates.FINISHING for since in (0, 3, 6)]
    assert in_turn == sorted(in_turn, reverse=True)
    assert in_turn[0] - in_turn[1] == pytest.approx(3)
    # It takes as long as it takes: never less than what comes after.
    assert left("exporting", 5000) == pytest.approx(estimates.MAP_SECONDS)
    assert left("making the map", 5000) == 0
