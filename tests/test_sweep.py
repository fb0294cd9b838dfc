"""A sweep trains what is missing, goes on with what was cut, and leaves what is finished."""

import signal
import subprocess
import sys
from pathlib import Path

from core.__main__ import main
from core.recipes import make_config
from core.runs import list_runs
from core.sweep import sweep
from tests.folders import finished_run, interrupted_run

PROJECT = Path(__file__).parent.parent
SMALL = {"image_size": 16, "train_examples": 100, "epochs": 2}


def test_a_sweep_leaves_what_is_finished_and_goes_on_with_what_was_cut(artifacts):
    done, cut = finished_run("alexnet", "mnist", seed=1, **SMALL), interrupted_run(seed=2, **SMALL)
    lines = []
    runs = sweep(["alexnet"], ["mnist"], ["quick"], [1, 2], tell=lines.append, **SMALL)
    assert runs == [done, cut]
    assert len(list_runs()) == 2
    assert cut.read_status()["state"] == "completed"
    assert lines[-1].startswith(f"{cut.id}  completed, ")


def test_a_sweep_that_is_cut_stops_its_runs_and_the_same_command_goes_on(artifacts):
    command = [
        sys.executable,
        "-m",
        "core",
        "sweep",
        "--networks",
        "alexnet",
        "--datasets",
        "mnist",
        "--recipes",
        "quick",
    ]
    command += ["--seeds", "0", "1", "--image-size", "16", "--train-examples", "100", "--epochs", "3"]
    # Started in the background, as a test run may be, a process would ignore Ctrl-C.
    first = subprocess.Popen(
        command,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        while "running" not in first.stdout.readline():
            assert first.poll() is None
        first.send_signal(signal.SIGINT)
        output, _ = first.communicate(timeout=120)
    finally:
        first.kill()
    assert first.returncode == 130
    assert "the same command goes on" in output
    assert {run.read_status()["state"] for run in list_runs()} == {"stopped"}
    before = {run.id for run in list_runs()}
    assert subprocess.run(command, cwd=PROJECT, stdout=subprocess.DEVNULL, timeout=240).returncode == 0
    assert {run.id for run in list_runs()} == before
    assert {run.read_status()["state"] for run in list_runs()} == {"completed"}


def test_a_wrong_setting_starts_nothing(artifacts, capsys):
    assert main(["sweep", "--networks", "alexnet", "--epochs", "0"]) == 2
    assert "Epochs is between 1 and 500, not 0." in capsys.readouterr().err
    assert list_runs() == []


def test_the_config_of_a_run_is_found_again(artifacts):
    run = finished_run("vgg16", "cifar10", "modern")
    assert {run.read_config(): run}[make_config("vgg16", "cifar10", "modern")] == run
