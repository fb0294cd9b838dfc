"""How long a run takes on this machine: before it starts, and while it goes on."""

import functools
import math
import platform
import time
from typing import NamedTuple

import numpy as np
import psutil

from core.datasets.catalogue import DATASETS
from core.explain import embedding
from core.jobs import machine
from core.networks.catalogue import NETWORKS
from core.networks.sizes import layers, size

# How fast a training step of each family computes, against `matrix_speed` on every core, counting six operations for
# each multiply-add of the forward pass (it, and twice as much backward); measured at 64x64 in batches of 128. More than
# 1, because the matrices of that test are small. A family without a row is taken for an average one.
EFFICIENCY = {"alexnet": 1.4, "vgg": 1.2, "resnet": 1.05}
TYPICAL_EFFICIENCY = 1.2
# How many times faster the same is in bfloat16, on processors that compute in it; measured there too: in all, images a
# second went from 476 to 632 with AlexNet, from 53 to 85 with VGG-16, from 144 to 170 with ResNet-34.
BFLOAT16_GAIN = {"alexnet": 1.63, "vgg": 1.68, "resnet": 1.2}
TYPICAL_BFLOAT16_GAIN = 1.4
# Besides, every step reads and writes each weight and the optimizer's two moments; that takes memory, not arithmetic.
UPDATE_SECONDS = 4e-9
# And every step has to be begun, batch by batch, however small it is: measured with LeNet-5, one image a step.
STEP_SECONDS = 4e-3

FORWARD_SHARE = 1 / 3
# TensorFlow itself; and of what the layers give, how much there is at most while the gradients are computed.
PROGRAM_BYTES, KEPT_FACTOR = 800e6, 1.5
# Of a quick run's own processor time: until its first step is done 6.9 s with LeNet-5 and 7.8 s with AlexNet, most of
# it to load TensorFlow; to write LeNet-5's network 2.4 s, and larger ones longer.
START_SECONDS = 7
FINISH_SECONDS = 4
# Of the map, where a run makes one.
MAP_SECONDS = 30
FINISHING = ("evaluating", "exporting", "making the map")
# There is a row of progress about once a second. So many are enough for a first guess, and so many for the speed now.
ENOUGH_ROWS, LAST_ROWS = 5, 30


class Estimate(NamedTuple):
    """seconds; whether this machine's own runs were measured for it; whether the run may end sooner."""

    seconds: float
    measured: bool
    at_most: bool


def estimate(config, speeds=None):
    """How long a RunConfig trains on this machine, from its start to its test accuracy.

    Args:
        config: a RunConfig.
        speeds: what `measured_speeds` found; without it, or where it lacks runs of this kind, the speed is calculated
            from a short test of the machine's arithmetic.
    """
    measured = (speeds or {}).get(kind(config))
    speed = measured or calculated_speed(config)
    training = config.epochs * _epoch_seconds(config, speed)
    seconds = START_SECONDS + training + _finish_seconds(config, speed, training)
    return Estimate(seconds, bool(measured), bool(config.early_stopping_patience))


def seconds_left(config, status, history, progress, now=None):
    """How long an unfinished run still takes at its present speed; None until enough is measured to say so.

    Args:
        config: its RunConfig.
        status: what `core.jobs.liveness.state` gives.
        history: what `Run.read_history` gives.
        progress: its progress rows, oldest first.
        now: the time in seconds since 1970; None to look at the clock.
    """
    if not progress:
        return None
    # The first step takes as long as a hundred, as it is when the network is compiled; the median does not mind.
    few = len(progress) < ENOUGH_ROWS
    speeds = history["images_per_second"] if few and len(history) else [row["images_per_second"] for row in progress]
    speed = float(np.median(speeds[-LAST_ROWS:]))
    done = history["seconds"].sum()
    if status.get("phase") != "training" or not all(status.get(name) for name in ("epoch", "steps")):
        return _finish_left(config, speed, done, status, now) if status.get("phase") in FINISHING else None
    if few and not len(history):
        return None
    epoch = history["seconds"].iloc[-3:].mean() if len(history) else _epoch_seconds(config, speed)
    left = (config.epochs - status["epoch"] + 1 - (status.get("step") or 0) / status["steps"]) * epoch
    return left + _finish_seconds(config, speed, done + left)


def kind(config):
    """What decides the speed of a run on one machine; runs that have it in common are as fast as one another."""
    return config.network, config.image_size, config.precision, config.batch_size


def measured_speeds(runs):
    """What this machine's own runs reached.

    Args:
        runs: (config, environment, history) of each run, newest first, where environment is what `trained_on` gives;
            runs of other machines are left out.

    Returns:
        kind(config) -> images a second while training, of the newest run that has an epoch behind it.
    """
    speeds = {}
    for config, environment, history in runs:
        reached = history["images_per_second"].to_numpy()
        # What came before was perhaps trained elsewhere.
        reached = reached[history["epoch"].to_numpy() >= environment.get("first_epoch", 1)]
        if len(reached) and is_here(environment):
            speeds.setdefault(kind(config), float(np.median(reached)))
    return speeds


def is_here(environment):
    """Whether that is this machine; `environment` is what `core.runs.sessions.trained_on` gives."""
    system, cores, processor = here()
    return (
        environment.get("platform") == system
        and environment.get("cores") == cores
        # Older runs did not record it.
        and environment.get("processor") in (None, processor)
    )


@functools.cache
def here():
    """This machine's operating system, cores and processor, as `is_here` looks at them."""
    return platform.platform(), psutil.cpu_count(), machine.processor()


def calculated_speed(config):
    """Training images a second, from this machine's arithmetic and the network's multiply-adds and weights."""
    family, counted = NETWORKS[config.network]["family"], size(config)
    arithmetic = matrix_speed() * _cores() * EFFICIENCY.get(family, TYPICAL_EFFICIENCY)
    if config.precision == "mixed_bfloat16" and computes_in_bfloat16():
        arithmetic *= BFLOAT16_GAIN.get(family, TYPICAL_BFLOAT16_GAIN)
    a_step = STEP_SECONDS + UPDATE_SECONDS * counted.parameters
    return 1 / (6 * counted.multiply_adds / arithmetic + a_step / config.batch_size)


@functools.cache
def computes_in_bfloat16():
    """Whether this machine's processor does; no where its operating system does not tell."""
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(machine.instructions())


@functools.cache
def matrix_speed(side=64, seconds=0.05):
    """Floating-point operations a second of NumPy's float32 matrix product on one core.

    In matrices small enough for one thread, and in that thread's own time, so that it is the same on a busy machine.
    """
    matrix, result = np.full((side, side), 0.5, np.float32), np.empty((side, side), np.float32)
    products, started, end = 0, time.thread_time(), time.thread_time() + seconds
    while time.thread_time() < end or not products:
        for _ in range(20):
            np.matmul(matrix, matrix, out=result)
        products += 20
    return 2 * side**3 * products / (time.thread_time() - started)


def _epoch_seconds(config, speed):
    images, held_back = config.split_sizes(DATASETS[config.dataset]["train_examples"])
    tested = DATASETS[config.dataset]["test_examples"] if config.record_test_predictions else 0
    return (images + FORWARD_SHARE * (held_back + tested)) / speed


def _finish_seconds(config, speed, training):
    """What comes after the last epoch, where the epochs take so many seconds."""
    return sum(_finish_parts(config, speed, training).values())


def _finish_parts(config, speed, training):
    """Phase -> its seconds: answering the test images with the best and the last epoch's weights, writing the network,
    and making the map where the training takes so many seconds that there is one.
    """
    answering = 2 * FORWARD_SHARE * DATASETS[config.dataset]["test_examples"] / speed
    map_ = MAP_SECONDS * embedding.is_wanted(config, training)
    return dict(zip(FINISHING, (answering, FINISH_SECONDS, map_), strict=True))


def _finish_left(config, speed, training, status, now):
    """The same from the phase in which the run is."""
    parts, phase = _finish_parts(config, speed, training), status["phase"]
    # Here a run says something at the beginning of a phase; on a cluster more often, and then its part stays whole.
    since = (time.time() if now is None else now) - status.get("heartbeat", math.inf)
    later = list(parts)[list(parts).index(phase) + 1 :]
    return max(0.0, parts[phase] - max(0.0, since)) + sum(parts[each] for each in later)


@functools.cache
def _cores():
    return psutil.cpu_count(logical=False) or psutil.cpu_count()


def memory_bytes(config):
    """About how much memory the training takes: the program, the weights with the optimizer's, and what the layers of a
    batch give, with what follows from it on the way back.
    """
    kept = sum(layer.activation_bytes for layer in layers(config))
    return int(PROGRAM_BYTES + 16 * size(config).parameters + KEPT_FACTOR * config.batch_size * kept)
