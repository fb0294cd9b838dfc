"""Which GPU a run is given, asked of real processes, on a machine that says it has two: a program answers for them."""

import os
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from core.config.recipes import make_config
from core.jobs import control, gpus, liveness, scheduler
from tests.workers import SMALL, until, wait_for

FIRST, SECOND = "GPU-11111111-aaaa-bbbb-cccc-111111111111", "GPU-22222222-aaaa-bbbb-cccc-222222222222"
TWO = f"GPU 0: NVIDIA A100-SXM4-40GB (UUID: {FIRST})\nGPU 1: NVIDIA A100-SXM4-40GB (UUID: {SECOND})\n"
PARTS = ["MIG-33333333-aaaa-bbbb-cccc-333333333333", "MIG-44444444-aaaa-bbbb-cccc-444444444444"]
DIVIDED = TWO + "".join(f"  MIG 3g.20gb     Device  {number}: (UUID: {uuid})\n" for number, uuid in enumerate(PARTS))
# Waits its turn as a worker does, says what it was given, and stays until it is told to go.
TAKER = """
import os, sys
from core.jobs import liveness, scheduler
from core.config.recipes import make_config
from core.runs.run import create_run
run = create_run(make_config("alexnet", "mnist", devices=int(sys.argv[1])))
claim = liveness.claim(run)
slot = scheduler.wait_for_turn(run, lambda: False)
names = "CUDA_VISIBLE_DEVICES", "XLA_PYTHON_CLIENT_MEM_FRACTION", "TF_FORCE_GPU_ALLOW_GROWTH"
print(run.read_status()["gpu"], *(os.environ.get(name, "-") for name in names), sep="|", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A function that says what the machine's GPUs are; no variable says anything about them."""
    for name in (gpus.MASK, gpus.GROWTH, gpus.SHARE, "LAB_TRAIN_AT_ONCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def lists(text):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\n")
        program.chmod(0o755)
        gpus._listed.cache_clear()

    yield lists
    gpus._listed.cache_clear()


class Taker:
    """A process that waits for slots for a run, and what it is given: GPUs, JAX's share and TensorFlow's growth."""

    def __init__(self, devices):
        self.process = subprocess.Popen([sys.executable, "-c", TAKER, str(devices)], stdin=-1, stdout=-1, text=True)

    def begins(self):
        self.gpu, mask, self.share, self.growth = self.process.stdout.readline().strip().split("|")
        assert mask == self.gpu or self.gpu == "None"
        return self

    def goes(self):
        self.process.communicate("\n", timeout=30)


@pytest.fixture
def take(artifacts):
    """A function that gives Takers."""
    taken = []

    def take(devices=1, begins=True):
        taken.append(Taker(devices))
        return taken[-1].begins() if begins else taken[-1]

    yield take
    for taker in taken:
        taker.process.kill()
        taker.process.communicate()


@pytest.mark.parametrize(
    ("mask", "at_once", "given"),
    [
        (None, None, ["0", "1"]),
        (None, "2", ["0", "1"]),
        (None, "4", ["0", "1", "0", "1"]),
        ("1", None, ["1"]),
        ("1", "2", ["1", "1"]),
        ("1,0", "3", ["1", "0", "1"]),
        (f"{SECOND}", "2", [SECOND, SECOND]),
        ("GPU-2222", None, ["GPU-2222"]),
        ("0,7,1", "2", ["0", "0"]),
        ("-1", "2", ["None", "None"]),
        ("", None, ["None"]),
    ],
)
def test_only_visible_gpus_are_given_and_the_least_used_first(driver, take, monkeypatch, mask, at_once, given):
    driver(TWO)
    for name, value in ((gpus.MASK, mask), ("LAB_TRAIN_AT_ONCE", at_once)):
        if value is not None:
            monkeypatch.setenv(name, value)
    takers = [take() for _ in given]
    assert [taker.gpu for taker in takers] == given
    alone = len(set(given)) == len(given) or given == ["None", "None"]
    shares = {None: "-", 1: "-", 2: "0.450"}
    each = 1 if alone else -(-int(at_once) // len(set(given)))
    assert {(taker.share, taker.growth) for taker in takers} == {(shares[each], "-" if alone else "true")}


def test_the_gpu_that_another_run_has_left_is_the_next_ones(driver, take, monkeypatch):
    driver(TWO)
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", "3")
    first, second, third = take(), take(), take()
    assert [taker.gpu for taker in (first, second, third)] == ["0", "1", "0"]
    second.goes()
    assert take().gpu == "1"
    first.goes()
    third.goes()
    assert take().gpu == "0"


def test_a_run_of_two_devices_waits_until_two_gpus_are_free_and_has_them_to_itself(driver, take, monkeypatch):
    driver(TWO)
    first = take()
    both = take(2, begins=False)
    until(lambda: len(scheduler.pending()) == 1)
    last = take(begins=False)
    until(lambda: len(scheduler.pending()) == 2)
    first.goes()
    assert both.begins().gpu == "0,1"
    (waits,) = scheduler.pending()
    both.goes()
    assert last.begins().gpu == "0"
    assert waits.read_status()["gpu"] == "0"


def test_what_is_said_about_the_memory_already_is_left_alone(driver, take, monkeypatch):
    driver(TWO)
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", "4")
    monkeypatch.setenv("XLA_CLIENT_MEM_FRACTION", "0.3")
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    taker = take()
    assert (taker.share, taker.growth) == ("-", "false")


def test_a_divided_gpu_is_given_in_its_parts(driver):
    driver(DIVIDED)
    assert gpus.visible({}) == ["0", *PARTS]
    assert gpus.visible({gpus.MASK: PARTS[1]}) == [PARTS[1]]
    assert gpus.visible({gpus.MASK: "MIG-5,0"}) == []


def test_without_a_driver_there_is_none_but_those_that_the_mask_names(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    gpus._listed.cache_clear()
    assert gpus.visible({}) == []
    assert gpus.visible({gpus.MASK: "3, 3,0"}) == ["3", "0"]
    gpus._listed.cache_clear()


def test_a_run_that_was_given_a_gpu_and_has_none_says_so(artifacts, driver):
    driver(TWO)
    run = control.start(make_config("lenet5", "mnist", "quick", **SMALL))
    status = wait_for(run, lambda status: status.get("note"))
    assert (status["gpu"], status["note"]) == ("0", gpus.NONE_FOUND)
    assert gpus.NONE_FOUND in run.read_log()

    def card(run_id):
        from core.runs.run import open_run
        from pages.parts.run.card import run_card

        run_card(open_run(run_id))

    shown = AppTest.from_function(card, args=(run.id,)).run()
    assert not shown.exception
    assert [text.value for text in shown.warning] == [gpus.NONE_FOUND]
    control.kill(run)
    driver("")
    control.resume(run)
    wait_for(run, lambda status: status["state"] == "running")
    assert liveness.state(run).get("note") is None
