"""Workers as real processes: they outlive who started them, stop when asked, and are never said to live when dead."""

import os
import signal
import time

import psutil
import pytest

from core import jobs
from core.config import make_config
from core.runs import create_run
from tests import folders

SMALL = {"image_size": 16, "train_examples": 200, "epochs": 200}


def wait_for(run, condition, seconds=240):
    """The first status that meets the condition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = jobs.state(run)
        if condition(status):
            return status
        time.sleep(0.1)
    raise AssertionError(f"{jobs.state(run)}\n{run.read_log()}")


def test_a_worker_trains_in_a_session_of_its_own_and_stops_politely_when_asked(artifacts):
    run = jobs.start(make_config("alexnet", "mnist", "quick", **SMALL))
    status = wait_for(run, lambda status: status.get("epoch", 0) >= 2)
    assert status["state"] == "running"
    assert os.getsid(status["pid"]) != os.getsid(0)
    jobs.stop(run)
    status = wait_for(run, lambda status: status["state"] not in ("running", "stopping"))
    assert status["state"] == "stopped", run.read_log()
    assert run.read_metrics()["epochs"] == len(run.read_history()) >= 1
    assert run.tflite_path.exists()
    assert run.read_record()["environment"]["backend"] == "tensorflow"
    assert run.read_record()["dataset_sha256"]["train_images"].startswith("741c98")


def test_a_killed_worker_is_not_said_to_be_running(artifacts):
    run = jobs.start(make_config("alexnet", "mnist", "quick", **SMALL))
    status = wait_for(run, lambda status: status["state"] == "running")
    os.kill(status["pid"], signal.SIGKILL)
    status = wait_for(run, lambda status: status["state"] == "failed", seconds=10)
    assert "ended" in status["error"]


def test_kill_ends_a_worker_at_once_and_says_stopped(artifacts):
    run = jobs.start(make_config("alexnet", "mnist", "quick", **SMALL))
    worker = psutil.Process(wait_for(run, lambda status: status["state"] == "running")["pid"])
    jobs.kill(run)
    worker.wait(10)
    assert jobs.state(run)["state"] == "stopped"


def test_another_process_with_the_same_pid_is_not_taken_for_the_worker(artifacts):
    run = folders.started_run()
    assert jobs.state(run)["state"] == "running"
    run.write_status(pid_started=1.0)
    status = jobs.state(run)
    assert status["state"] == "failed"
    assert "in epoch 3, step 5" in status["error"]


def test_a_queued_run_whose_worker_never_came_is_said_to_have_failed(artifacts, monkeypatch):
    run = create_run(make_config("alexnet", "mnist"))
    assert jobs.state(run)["state"] == "queued"
    monkeypatch.setattr(jobs, "START_GRACE", 0)
    assert jobs.state(run)["state"] == "failed"


@pytest.mark.parametrize("end", [jobs.stop, jobs.kill])
def test_ending_a_finished_run_changes_nothing(artifacts, end):
    run = folders.finished_run()
    before = run.read_status()
    end(run)
    assert run.read_status() == before


def test_a_failure_says_why_in_one_sentence_and_logs_the_rest(artifacts, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "a-file"))
    (tmp_path / "a-file").write_text("")
    run = jobs.start(make_config("alexnet", "mnist", "quick", **SMALL))
    status = wait_for(run, lambda status: status["state"] == "failed")
    assert status["error"].startswith("MNIST cannot be kept in ")
    assert "Traceback" in run.read_log()
