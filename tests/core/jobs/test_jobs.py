"""Workers as real processes: they outlive who started them, stop when asked, and are never said to live when dead."""

import os
import signal
import threading
import time

import psutil
import pytest
from filelock import FileLock

from core.config.recipes import make_config
from core.jobs import control, liveness, scheduler
from core.jobs.signals import PATIENCE_SECONDS
from core.runs.run import UNFINISHED, RunError, create_run, list_runs
from tests import damages, folders
from tests.workers import SMALL, wait_for, workers


def test_a_worker_trains_in_a_session_of_its_own_stops_when_asked_and_is_finished_in_its_turn(artifacts):
    run = control.start(make_config("lenet5", "mnist", "quick", **SMALL))
    status = wait_for(run, lambda status: status.get("epoch", 0) >= 2)
    assert status["state"] == "running"
    assert os.getsid(status["pid"]) != os.getsid(0)
    control.stop(run)
    status = wait_for(run, lambda status: status["state"] not in UNFINISHED)
    assert status["state"] == "stopped", run.read_log()
    assert run.read_metrics() is None
    (session,) = run.read_sessions()
    assert session["backend"] == "tensorflow"
    assert session["last_epoch"] == len(run.read_history())
    assert run.read_record()["dataset_sha256"]["train_images"].startswith("741c98")
    epochs = len(run.read_history())
    wait_for(run, lambda status: not liveness.has_worker(run, status))
    with FileLock(artifacts / ".slots" / "0.lock"):
        control.resume(run)
        control.finish(run)
        assert scheduler.pending() == [run]
    wait_for(run, lambda status: status["state"] == "completed")
    assert run.read_metrics()["epochs"] == len(run.read_history()) == epochs
    assert run.tflite_path.exists()
    stopped, finished = run.read_sessions()
    assert stopped == session
    assert run.read_metrics()["total_seconds"] == pytest.approx(stopped["seconds"] + finished["seconds"], abs=0.5)
    wait_for(run, lambda status: not liveness.has_worker(run, status))
    assert not run.checkpoint_path.exists()
    assert not run.finish_path.exists()
    with pytest.raises(RunError, match="is finished already"):
        control.resume(run)


def test_a_worker_killed_as_it_starts_is_said_to_be_interrupted(artifacts):
    run = control.start(make_config("lenet5", "mnist", "quick", **SMALL))
    assert liveness.state(run)["state"] == "queued"
    assert liveness.worker(run) is None
    wait_for(run, lambda status: status["state"] == "running")
    liveness.worker(run).kill()
    status = wait_for(run, lambda status: status["state"] == "interrupted", seconds=10)
    assert status["error"].startswith("Interrupted before its first step")


def test_kill_ends_a_worker_at_once_and_says_stopped(artifacts):
    run = control.start(make_config("lenet5", "mnist", "quick", **SMALL))
    worker = psutil.Process(wait_for(run, lambda status: status["state"] == "running")["pid"])
    control.kill(run)
    worker.wait(10)
    assert liveness.state(run)["state"] == "stopped"


@pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="no file can be made here that keeps waiting whoever writes to it"
)
def test_a_worker_that_hears_nothing_ends_itself_after_some_seconds(artifacts):
    """It waits for ever for its disk: the file that it writes to is a pipe, which nobody reads."""
    run = control.start(make_config("lenet5", "mnist", "quick", **SMALL))
    wait_for(run, lambda status: status.get("epoch", 0) >= 2)
    os.mkfifo(artifacts / "pipe")
    (artifacts / "pipe").replace(run.progress_path)
    wait_for(run, lambda status: time.time() > status["heartbeat"] + 2)
    asked = time.monotonic()
    control.stop(run)
    wait_for(run, lambda status: run.read_status()["state"] == "stopping", seconds=10)
    wait_for(run, lambda status: status["state"] == "stopped", seconds=60)
    assert PATIENCE_SECONDS <= time.monotonic() - asked < 40


def test_another_process_with_the_same_pid_is_not_taken_for_the_worker(artifacts):
    run = folders.interrupted_run()
    assert psutil.pid_exists(run.read_status()["pid"])
    status = liveness.state(run)
    assert status["state"] == "interrupted"
    assert "at epoch 3, step 5" in status["error"]


def test_a_run_that_was_told_to_stop_and_died_is_stopped(artifacts):
    run = folders.interrupted_run()
    run.write_status(state="stopping")
    assert liveness.state(run)["state"] == "stopped"


@pytest.mark.parametrize("end", [control.stop, control.kill])
def test_ending_a_finished_run_changes_nothing(artifacts, end):
    run = folders.finished_run()
    before = run.read_status()
    end(run)
    assert run.read_status() == before


def test_two_people_who_resume_a_run_at_the_same_moment_get_one_worker_and_where_it_is_killed_is_said(artifacts):
    run = folders.interrupted_run(network="lenet5", **SMALL)
    of_before = run.read_history()
    threads = [threading.Thread(target=control.resume, args=(run,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while (status := liveness.state(run)).get("phase") != "training" or status["epoch"] < 3:
        assert status["state"] in UNFINISHED, (status, run.read_log())
        assert len(workers()) <= 1
        time.sleep(0.1)
    # It had no checkpoint: it has begun anew, and no row of before is left.
    assert list(run.read_history()["epoch"])[:2] == [1, 2]
    assert not set(run.read_history()["train_loss"]) & set(of_before["train_loss"])
    os.kill(status["pid"], signal.SIGKILL)
    status = wait_for(run, lambda status: status["state"] == "interrupted", seconds=10)
    assert status["error"].startswith(f"Interrupted at epoch {status['epoch']}")


def test_two_people_who_start_the_same_pair_at_the_same_moment_get_two_runs(artifacts):
    config = make_config("alexnet", "mnist")
    made = []
    threads = [threading.Thread(target=lambda: made.append(create_run(config))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.id for run in made}) == 8
    assert {run.read_config() for run in list_runs()} == {config}


def test_a_run_is_deleted_whole_but_not_under_its_worker_or_while_it_waits(artifacts):
    run = folders.started_run()
    with pytest.raises(RunError, match="is being trained already"):
        control.delete(run)
    folders.claims.pop(run).release()
    control.delete(run)
    pending = create_run(make_config("alexnet", "mnist"))
    with pytest.raises(RunError, match="waits in the queue"):
        control.delete(pending)
    control.stop(pending)
    control.delete(pending)
    assert list(artifacts.iterdir()) == []


def test_what_a_server_that_died_had_not_deleted_goes_with_the_next_run_that_is_deleted(artifacts):
    cut, run, other = (folders.finished_run() for _ in range(3))
    cut.path.rename(artifacts / f"{control.DELETED}{cut.id}")
    assert set(list_runs()) == {run, other}
    control.delete(run)
    assert list(artifacts.iterdir()) == [other.path]


@pytest.mark.parametrize("name", ["config.json", "status.json"])
@pytest.mark.parametrize("way", damages.WAYS)
def test_a_damaged_run_is_deleted_too(artifacts, name, way):
    run = folders.finished_run()
    damages.damaged(run.path / name, way)
    control.delete(run)
    assert list(artifacts.iterdir()) == []


@pytest.mark.parametrize("name", ["start", "resume", "pause", "stop", "finish", "kill", "delete"])
def test_a_read_only_lab_changes_nothing(artifacts, monkeypatch, name):
    run = folders.started_run()
    before = run.read_status()
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    with pytest.raises(RunError, match="This lab is read-only"):
        getattr(control, name)(run.read_config() if name == "start" else run)
    assert run.read_status() == before
    assert list_runs() == [run]


def test_a_failure_says_why_in_one_sentence_and_logs_the_rest(artifacts, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "a-file"))
    (tmp_path / "a-file").write_text("")
    run = control.start(make_config("lenet5", "mnist", "quick", **SMALL))
    status = wait_for(run, lambda status: status["state"] == "failed")
    assert status["error"].startswith("MNIST cannot be kept in ")
    assert "Traceback" in run.read_log()
