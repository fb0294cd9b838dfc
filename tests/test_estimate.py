"""How long a run takes, before it starts and while it goes on."""

import math
import platform

import numpy as np
import pandas as pd
import psutil
import pytest

from core import estimate as estimates
from core.datasets import DATASETS
from core.estimate import estimate, matrix_speed, measured_speeds, seconds_left
from core.models import MODELS
from core.recipes import RECIPES, make_config

HERE = {"platform": platform.platform(), "cores": psutil.cpu_count()}
PAIRS = [(model, dataset) for model in MODELS for dataset in DATASETS]


def history(*speeds, seconds=10.0):
    return pd.DataFrame({"images_per_second": speeds, "seconds": [seconds] * len(speeds)})


def training(epoch, step, steps=20):
    return {"phase": "training", "epoch": epoch, "step": step, "steps": steps}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("model", "dataset"), PAIRS)
def test_every_pair_and_recipe_has_a_time(model, dataset, recipe):
    config = make_config(model, dataset, recipe)
    found = estimate(config)
    assert estimates.START_SECONDS < found.seconds < math.inf
    assert not found.measured
    assert found.at_most == (config.early_stopping_patience > 0)


@pytest.mark.parametrize(("model", "dataset"), PAIRS)
@pytest.mark.parametrize(
    "more",
    [{"epochs": 400}, {"image_size": 224}, {"train_examples": 40_000}, {"record_test_predictions": True}],
    ids=lambda more: next(iter(more)),
)
def test_more_work_takes_longer(model, dataset, more):
    assert estimate(make_config(model, dataset, **more)).seconds > estimate(make_config(model, dataset)).seconds


def test_a_network_with_more_arithmetic_takes_longer():
    by_arithmetic = sorted(MODELS, key=lambda model: MODELS[model]["multiply_adds"])
    times = [estimate(make_config(model, "mnist", "report")).seconds for model in by_arithmetic]
    assert times == sorted(times)


def test_a_measured_speed_replaces_the_calculated_one():
    config = make_config("alexnet", "mnist", epochs=2, train_examples=1000, validation_split=0.1)
    found = estimate(config, {("alexnet", config.image_size): 100.0})
    training_time = 2 * (900 + estimates.FORWARD_SHARE * 100) / 100
    answering_time = 2 * estimates.FORWARD_SHARE * DATASETS["mnist"]["test_examples"] / 100
    overhead = estimates.START_SECONDS + estimates.FINISH_SECONDS
    assert found.measured
    assert found.seconds == pytest.approx(training_time + answering_time + overhead)


def test_a_speed_of_another_image_size_is_not_taken():
    config = make_config("alexnet", "mnist")
    assert not estimate(config, {("alexnet", config.image_size + 1): 100.0}).measured


def test_speeds_are_those_of_the_newest_run_with_an_epoch_behind_it():
    config = make_config("alexnet", "mnist")
    runs = [(config, HERE, history()), (config, HERE, history(300.0, 100.0, 200.0)), (config, HERE, history(900.0))]
    assert measured_speeds(runs) == {("alexnet", config.image_size): 200.0}


@pytest.mark.parametrize("environment", [{}, HERE | {"cores": 999}, HERE | {"platform": "elsewhere"}])
def test_runs_of_other_machines_say_nothing_about_this_one(environment):
    assert measured_speeds([(make_config("alexnet", "mnist"), environment, history(900.0))]) == {}


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_more_images_are_counted_than_the_dataset_has(dataset):
    config = make_config("alexnet", dataset, train_examples=60_000, validation_split=0.1)
    available = DATASETS[dataset]["train_examples"]
    assert config.split_sizes(available)[0] == round(0.9 * available)


def test_the_time_left_shrinks_to_the_time_of_the_last_answers():
    config, steps = make_config("alexnet", "mnist", epochs=3), {"images_per_second": 500.0}
    left = [
        seconds_left(config, training(epoch, step), history(*[500.0] * (epoch - 1)), steps)
        for epoch in (2, 3)
        for step in (0, 10, 20)
    ]
    finish = seconds_left(config, {"phase": "evaluating"}, history(500.0), steps)
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(20 + finish)
    assert left[-1] == pytest.approx(finish)


def test_before_its_first_epoch_ends_the_time_left_is_from_its_steps():
    config = make_config("alexnet", "mnist", epochs=2, train_examples=1000, validation_split=0.1)
    slow, fast = (seconds_left(config, training(1, 5), history(), {"images_per_second": x}) for x in (10.0, 100.0))
    assert slow > 5 * fast > 0


@pytest.mark.parametrize("phase", [None, "starting", "preparing data"])
def test_nothing_is_said_about_the_time_left_before_training(phase):
    config = make_config("alexnet", "mnist")
    assert seconds_left(config, {"phase": phase}, history(), {"images_per_second": 500.0}) is None
    assert seconds_left(config, training(1, 0), history(), None) is None


def test_the_test_of_the_arithmetic_gives_the_same_speed_again():
    speeds = [matrix_speed.__wrapped__() for _ in range(3)]
    assert np.max(speeds) < 3 * np.min(speeds)
    assert np.min(speeds) > 1e8
