"""The wish to finish is carried out whenever it comes: in a long validation, after a stop, and across crashes."""

import time

import psutil
import pytest

from core.config.recipes import make_config
from core.jobs import control, liveness, scheduler
from core.jobs.estimate import FINISHING
from core.jobs.signals import PATIENCE_SECONDS, go_on_if_to_finish
from core.runs.run import UNFINISHED, create_run
from tests.folders import claims, started_run
from tests.workers import SMALL, wait_for

# Trained in a moment; what comes after each epoch, the predictions on 10,000 test images, takes longer.
LONG_VALIDATION = SMALL | {"epochs": 499, "record_test_predictions": True}


def suspended_in_validation(run, epoch):
    """Suspends the run's worker in the validation of this epoch or a later one. Returns (its process, the epoch)."""

    def validates(status):
        return status.get("epoch", 0) >= epoch and status["step"] == status["steps"] is not None

    while True:
        wait_for(run, validates)
        worker = liveness.worker(run)
        worker.suspend()
        while worker.status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)
        if validates(status := run.read_status()):
            return worker, status["epoch"]
        worker.resume()


def after_a_long_time(worker):
    """A validation of any length: for the worker, time has passed, and nothing was done."""
    time.sleep(PATIENCE_SECONDS + 1)
    worker.resume()


def carries_out(run, epoch):
    """Waits until a run that was asked to finish evaluates what was trained until this epoch was over."""
    wait_for(run, lambda status: status["phase"] in FINISHING)
    assert len(run.read_history()) == epoch


@pytest.mark.timeout(900)
def test_finish_asked_during_a_long_validation_is_carried_out_and_kept_across_a_crash_and_a_stop(artifacts):
    run = control.start(make_config("lenet5", "mnist", "quick", **LONG_VALIDATION))
    worker, epoch = suspended_in_validation(run, 2)
    control.finish(run)
    assert liveness.state(run)["state"] == "finishing"
    after_a_long_time(worker)
    carries_out(run, epoch)
    worker.kill()
    assert wait_for(run, lambda status: status["state"] not in UNFINISHED)["state"] == "interrupted"
    assert run.finish_path.exists()

    # As if nobody had asked yet: now it is asked to stop before.
    run.finish_path.unlink()
    control.resume(run)
    worker, epoch = suspended_in_validation(run, epoch + 1)
    control.stop(run)
    worker.resume()
    # So says the worker itself, which has heard it.
    while run.read_status()["state"] != "stopping":
        time.sleep(0.01)
    worker.suspend()
    control.finish(run)
    assert liveness.state(run)["state"] == "finishing"
    assert run.read_status()["epoch"] == epoch
    after_a_long_time(worker)
    carries_out(run, epoch)
    # Who thinks again is not made to wait.
    control.stop(run)
    assert wait_for(run, lambda status: status["state"] not in UNFINISHED)["state"] == "stopped"
    wait_for(run, lambda status: not liveness.has_worker(run, status))
    assert run.finish_path.exists()

    control.resume(run)
    status = wait_for(run, lambda status: status["state"] not in UNFINISHED)
    assert status["state"] == "completed", (status, run.read_log())
    assert run.read_metrics()["epochs"] == len(run.read_history()) == epoch
    wait_for(run, lambda status: not liveness.has_worker(run, status))
    assert not run.finish_path.exists()


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
