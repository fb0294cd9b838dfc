"""A pause keeps the slot: nobody starts in the run's stead, whoever dies meanwhile, until it is resumed or stopped. And
whatever is asked of a worker is said at once, before the worker has heard it.
"""

import subprocess
import sys
import time

import pytest
from filelock import FileLock

from core.config.recipes import make_config
from core.jobs import control, liveness, scheduler
from core.jobs.estimate import FINISHING
from core.runs.run import RunError, create_run
from core.runs.schema import AT_WORK
from tests.folders import claims, interrupted_run, started_run
from tests.workers import SMALL, schedulers, wait_for, workers

LONG = SMALL | {"epochs": 500, "record_test_predictions": False}
QUIET_SECONDS = 2


@pytest.fixture
def training(artifacts):
    """A run that trains, and one that waits for it."""
    runs = [control.start(make_config("lenet5", "mnist", "quick", **LONG)) for _ in range(2)]
    wait_for(runs[0], lambda status: status.get("epoch", 0) >= 2)
    return runs


def paused(run):
    control.pause(run)
    status = wait_for(run, lambda status: status["state"] not in ("running", "pausing"))
    assert status["state"] == "paused", run.read_log()
    # Its process still has to end.
    wait_for(run, lambda status: workers() == [])
    return status


def starts_nothing(waiting):
    deadline = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < deadline:
        assert workers() == []
        assert liveness.state(waiting)["state"] == "queued"
        time.sleep(0.1)


def until_after(run, status):
    """Waits until the run trains again, and has trained a whole epoch more than it had."""
    wait_for(run, lambda now: now["state"] == "running" and now.get("epoch", 0) > status["epoch"] + 1)


@pytest.mark.timeout(900)
def test_a_paused_run_keeps_its_slot_goes_on_in_a_terminal_exactly_where_it_was_and_is_finished_in_its_slot(training):
    run, waiting = training
    status = paused(run)
    written = run.read_progress()[0]
    starts_nothing(waiting)
    # Who has forgotten everything but what is on the disk decides the same.
    for process in schedulers():
        process.kill()
    scheduler.ensure()
    starts_nothing(waiting)
    with subprocess.Popen(
        [sys.executable, "-m", "core", "train", "--run", run.id], stdout=subprocess.PIPE, text=True
    ) as terminal:
        until_after(run, status)
        assert run.read_progress()[0][: len(written)] == written
        assert run.read_status()["pid"] == terminal.pid
        said = subprocess.run([sys.executable, "-m", "core", "pause", run.id], capture_output=True, text=True)
        assert (
            said.stdout == f"{run.id} is paused and keeps its slot; go on with: python -m core train --run {run.id}\n"
        )
        assert f"paused; go on with: python -m core train --run {run.id}" in terminal.stdout.read()
    starts_nothing(waiting)
    control.finish(run)
    assert scheduler.pending() == [run, waiting]
    assert wait_for(run, lambda status: status["phase"] in FINISHING)["state"] == "finishing"
    assert liveness.state(waiting)["state"] == "queued"
    control.kill(run)
    wait_for(waiting, lambda status: status["state"] == "running")


@pytest.mark.timeout(900)
def test_who_thinks_again_and_stops_gives_the_slot_to_the_next_and_a_worker_that_dies_before_it_has_paused_keeps_it(
    training,
):
    """What is asked is said at once, though the worker has heard nothing yet."""
    run, waiting = training
    process = liveness.worker(run)
    process.suspend()
    control.pause(run)
    assert liveness.state(run)["state"] == "pausing"
    control.stop(run)
    assert liveness.state(run)["state"] == "stopping"
    process.resume()
    assert wait_for(run, lambda now: now["state"] not in AT_WORK)["state"] == "stopped", run.read_log()
    wait_for(waiting, lambda status: status["state"] == "running")
    process = liveness.worker(waiting)
    process.suspend()
    # Who was stopped has no slot to go back to.
    control.resume(run)
    assert scheduler.pending() == [run]

    control.pause(waiting)
    assert liveness.state(waiting)["state"] == "pausing"
    process.kill()
    process.wait(60)
    assert wait_for(waiting, lambda status: status["state"] != "pausing")["state"] == "paused"
    starts_nothing(run)
    control.resume(waiting)
    assert scheduler.pending() == [waiting, run]
    wait_for(waiting, lambda status: status["state"] == "running")
    process = liveness.worker(waiting)
    process.suspend()
    assert liveness.state(run)["state"] == "queued"
    control.pause(waiting)
    process.kill()
    process.wait(60)
    control.stop(waiting)
    assert liveness.state(waiting)["state"] == "stopped"
    wait_for(run, lambda status: status["state"] == "running")


def test_only_what_trains_can_be_paused(artifacts):
    (artifacts / ".slots").mkdir()
    with FileLock(artifacts / ".slots" / "0.lock"):
        for run in (create_run(make_config("alexnet", "mnist")), interrupted_run()):
            with pytest.raises(RunError, match=r"does not train now, so there is nothing to pause\.$"):
                control.pause(run)
            assert not run.pause_path.exists()


def test_each_paused_run_keeps_the_slot_that_it_had(artifacts, monkeypatch):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", "2")
    run = started_run()
    run.write_status(state="paused", slot=1)
    claims.pop(run).release()
    waiting = [create_run(make_config("alexnet", "mnist"), variables={"LAB_TRAIN_AT_ONCE": "2"}) for _ in range(2)]
    assert scheduler.startable() == waiting[:1]
    run.write_status(state="stopped", slot=None)
    assert scheduler.startable() == waiting
