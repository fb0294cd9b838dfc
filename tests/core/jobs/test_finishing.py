"""The wish to finish is carried out whenever it comes: in a long validation, after a stop, and across crashes."""

import os
import signal
import time

import pytest

from core.config.recipes import make_config
from core.jobs import control, liveness, scheduler
from core.jobs.signals import PATIENCE_SECONDS, go_on_if_to_finish
from core.runs.run import UNFINISHED, create_run
from tests.folders import claims, started_run
from tests.workers import QUICKLY, SMALL, wait_for

# Trained in a moment; what comes after each epoch, the predictions on 10,000 test images, takes seconds.
LONG_VALIDATION = QUICKLY | {"image_size": 32, "epochs": 499, "record_test_predictions": True}


def validating(run, epoch):
    """Waits until this epoch is trained and but to be validated."""
    return wait_for(
        run, lambda status: status.get("epoch") == epoch and status.get("step") == status.get("steps") is not None, 600
    )


def finished(run):
    """The figures of a run that ends completed, with what was trained when it was asked to finish."""
    status = wait_for(run, lambda status: status["state"] not in UNFINISHED, 600)
    assert status["state"] == "completed", (status, run.read_log())
    metrics = run.read_metrics()
    assert 1 <= metrics["epochs"] == len(run.read_history()) < 500
    wait_for(run, lambda status: not liveness.has_worker(run, status))
    assert not run.finish_path.exists()
    return metrics


@pytest.mark.timeout(600)
@pytest.mark.parametrize("stopped_before", [False, True])
def test_finish_asked_during_a_long_validation_is_carried_out(artifacts, stopped_before):
    run = control.start(make_config("lenet5", "mnist", "quick", **LONG_VALIDATION))
    validating(run, 2)
    worker = liveness.worker(run)
    if stopped_before:
        control.stop(run)
        # So says the worker itself, which has heard it.
        while run.read_status()["state"] != "stopping":
            time.sleep(0.01)
    # A validation of any length: for the worker, time has passed, and nothing was done.
    worker.suspend()
    assert worker.is_running()
    control.finish(run)
    assert liveness.state(run)["state"] == "finishing"
    assert run.read_status()["epoch"] == 2
    time.sleep(PATIENCE_SECONDS + 1)
    worker.resume()
    assert finished(run)["epochs"] == 2


@pytest.mark.timeout(900)
def test_a_wish_that_a_crash_and_a_stop_came_before_is_kept_and_a_resume_carries_it_out(artifacts):
    run = control.start(make_config("lenet5", "mnist", "quick", **SMALL | {"epochs": 499}))
    wait_for(run, lambda status: status.get("epoch", 0) >= 2)
    worker = liveness.worker(run)
    worker.suspend()
    control.finish(run)
    assert liveness.state(run)["state"] == "finishing"
    os.kill(worker.pid, signal.SIGKILL)
    assert wait_for(run, lambda status: status["state"] not in UNFINISHED)["state"] == "interrupted"
    assert run.finish_path.exists()
    epochs = len(run.read_history())
    control.resume(run)
    # While it imports Keras it does not listen.
    wait_for(run, lambda status: status["state"] == "finishing" and status["phase"] != "starting")
    worker = liveness.worker(run)
    worker.suspend()
    for _ in range(2):
        control.stop(run)
    worker.resume()
    assert wait_for(run, lambda status: status["state"] not in UNFINISHED)["state"] == "stopped"
    wait_for(run, lambda status: not liveness.has_worker(run, status))
    assert run.finish_path.exists()
    control.resume(run)
    assert finished(run)["epochs"] <= epochs


def test_a_wish_that_comes_as_the_worker_stops_sends_the_run_back_to_the_queue(artifacts):
    run = started_run()
    run.write_status(state="stopped", phase=None)
    go_on_if_to_finish(run)
    assert run.read_status()["state"] == "stopped"
    run.finish_path.touch()
    go_on_if_to_finish(run)
    claims.pop(run).release()
    assert scheduler.pending() == [run]


def test_a_finished_run_and_one_without_an_epoch_cannot_be_finished(artifacts):
    run = create_run(make_config("alexnet", "mnist"), state="stopped")
    with pytest.raises(ValueError, match=r"has no whole epoch to finish with\. Resume it instead"):
        control.finish(run)
    run = started_run(epochs_done=0)
    with pytest.raises(ValueError, match=r"has no whole epoch to finish with\. Stop it instead"):
        control.finish(run)
    assert not run.finish_path.exists()
