"""A sweep trains what is missing, goes on with what was cut, and leaves what is finished."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from core.__main__ import main
from core.config.recipes import make_config
from core.jobs import control, liveness, scheduler
from core.jobs.sweep import sweep
from core.runs.run import list_runs
from tests.folders import finished_run, interrupted_run
from tests.workers import QUICKLY, schedulers, workers

PROJECT = Path(__file__).parents[3]
SMALL = QUICKLY | {"epochs": 2}


def test_a_sweep_leaves_what_is_finished_and_goes_on_with_what_was_cut(artifacts):
    done, cut = finished_run("lenet5", "mnist", seed=1, **SMALL), interrupted_run(network="lenet5", seed=2, **SMALL)
    lines = []

    def tell(line):
        lines.append(line)
        if line == f"{cut.id}  running":
            control.kill(cut)

    runs = sweep(["lenet5"], ["mnist"], ["quick"], [1, 2], tell=tell, **SMALL)
    assert runs == [done, cut]
    assert len(list_runs()) == 2
    accuracy = done.read_metrics()["best"]["test_accuracy"]
    assert lines[0] == f"{done.id}  completed, {100 * accuracy:.2f} % test accuracy"
    assert lines[-2:] == [f"{cut.id}  running", f"{cut.id}  stopped"]


def command_for(seeds, **settings):
    names = ["--networks", "lenet5", "--datasets", "mnist", "--recipes", "quick", "--seeds", *map(str, seeds)]
    options = [f"--{name.replace('_', '-')}={value}" for name, value in (SMALL | settings).items()]
    return [sys.executable, "-m", "core", "sweep", *names, *options]


def started(command):
    # Started in the background, as a test run may be, a process would ignore Ctrl-C.
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_a_wrong_setting_starts_nothing(artifacts, capsys):
    assert main(["sweep", "--networks", "alexnet", "--epochs", "0"]) == 2
    assert "Epochs is between 1 and 500, not 0." in capsys.readouterr().err
    assert list_runs() == []


def test_the_config_of_a_run_is_found_again(artifacts):
    run = finished_run("vgg16", "cifar10", "modern")
    assert {run.read_config(): run}[make_config("vgg16", "cifar10", "modern")] == run


def test_twelve_runs_cost_no_process_each_while_they_wait_and_a_sweep_that_was_cut_goes_on_with_them(artifacts):
    command = command_for(range(12), epochs=500, at_once=2)
    (artifacts / ".slots").mkdir()
    with FileLock(artifacts / ".slots" / "0.lock"), FileLock(artifacts / ".slots" / "1.lock"):
        begun = cut_once_some_train(command, 0)
    assert len(begun) == 12
    assert cut_once_some_train(command, 2) == begun


def cut_once_some_train(command, count):
    """Stops the sweep by Ctrl-C once so many of its twelve runs train; they are stopped with it."""
    sweep = started(command)
    since, deadline = None, time.monotonic() + 120
    try:
        while since is None or time.monotonic() < since + 3:
            assert time.monotonic() < deadline
            assert len(schedulers()) <= 1
            assert len(workers()) <= count
            if since is None and (len(scheduler.pending()), len(training())) == (12 - count, count):
                since = time.monotonic()
            assert len(training()) <= count
            time.sleep(0.2)
        assert len(schedulers()) == 1
        assert len(scheduler.pending()) == 12 - count
        asked = time.monotonic()
        sweep.send_signal(signal.SIGINT)
        while scheduler.pending():
            assert time.monotonic() < asked + 5
            time.sleep(0.02)
        output, _ = sweep.communicate(timeout=120)
    finally:
        sweep.kill()
    assert sweep.returncode == 130
    assert "the same command goes on" in output
    assert {run.read_status()["state"] for run in list_runs()} == {"stopped"}
    return set(list_runs())


def training():
    return [run for run in list_runs() if liveness.state(run)["state"] == "running"]


@pytest.mark.parametrize("at_once", ["0", "-1"])
def test_none_at_once_is_refused_in_one_sentence(artifacts, capsys, at_once):
    assert main(["sweep", "--networks", "alexnet", f"--at-once={at_once}"]) == 2
    assert capsys.readouterr().err == f"--at-once is a whole number from 1, not {at_once}.\n"
    assert list_runs() == []
