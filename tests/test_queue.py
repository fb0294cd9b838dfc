"""The queue with real workers: it goes on in order without whoever filled it, and past whoever dies in it."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from filelock import FileLock

from core import jobs, liveness, queue
from core.recipes import make_config
from core.runs import UNFINISHED, list_runs, open_run
from tests.workers import SMALL, wait_for

TINY = SMALL | {"epochs": 1, "record_test_predictions": False}
STARTER = f"""
import time
from core import jobs
from core.recipes import make_config
for _ in range(5):
    print(jobs.start(make_config("alexnet", "mnist", "quick", **{TINY})).id, flush=True)
time.sleep(600)
"""
WAITING_MEGABYTES = 80


@pytest.fixture
def busy_slot(artifacts):
    """Nothing may train until the test releases this lock."""
    (artifacts / ".slots").mkdir()
    lock = FileLock(artifacts / ".slots" / "0.lock")
    with lock:
        yield lock


def queued(count, **settings):
    """Runs whose workers wait in line, in this order."""
    runs = [jobs.start(make_config("alexnet", "mnist", "quick", **TINY | settings)) for _ in range(count)]
    for run in runs:
        wait_until_claimed(run)
    return runs


def wait_until_claimed(run):
    return wait_for(run, lambda status: status.get("pid") or status["state"] not in UNFINISHED)


def wait_for_line(runs):
    deadline = time.monotonic() + 60
    while queue.line() != runs:
        assert time.monotonic() < deadline, queue.line()
        time.sleep(0.05)


def running():
    return [run for run in list_runs() if liveness.state(run)["state"] in ("running", "stopping")]


def wait_until_running(count):
    """The runs that train, once there are so many."""
    deadline = time.monotonic() + 120
    while len(found := running()) < count:
        assert time.monotonic() < deadline, [liveness.state(run) for run in list_runs()]
        time.sleep(0.05)
    return found


def trained_between(run):
    """When its first step was recorded, and when it was done."""
    return run.read_progress()[0][0]["time"], run.read_status()["heartbeat"]


@pytest.mark.timeout(900)
def test_five_runs_train_one_at_a_time_in_the_order_of_the_line_though_their_starter_was_killed(busy_slot):
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    with starter:
        runs = [open_run(starter.stdout.readline().strip()) for _ in range(5)]
        starter.kill()
    for run in runs:
        wait_until_claimed(run)
    wait_for_line(runs)
    queue.move_forward(runs[4])
    queue.move_forward(runs[4])
    order = [runs[0], runs[1], runs[4], runs[2], runs[3]]
    wait_for_line(order)
    busy_slot.release()
    while any(liveness.state(run)["state"] in UNFINISHED for run in runs):
        assert len(running()) <= 1
        time.sleep(0.03)
    assert [liveness.state(run)["state"] for run in runs] == ["completed"] * 5
    moments = [moment for run in order for moment in trained_between(run)]
    assert moments == sorted(moments)


def test_each_says_its_place_in_line_and_can_be_moved_and_cancelled(busy_slot):
    first, second, third = runs = queued(3)
    assert [queue.place_in_words(run, queue.line()) for run in runs] == [
        "first in line",
        "second in line",
        "third in line",
    ]
    queue.move_forward(first)
    assert queue.line() == runs
    queue.move_forward(third)
    assert queue.line() == [first, third, second]
    jobs.stop(third)
    wait_for(third, lambda status: status["state"] == "stopped", seconds=20)
    assert queue.line() == [first, second]
    assert queue.place_in_words(second, queue.line()) == "second in line"
    # Who comes back stands at the end.
    jobs.resume(third)
    wait_until_claimed(third)
    assert queue.line() == [first, second, third]


def test_who_has_lost_the_place_in_line_stands_at_its_end_and_blocks_nobody(busy_slot):
    first, second, third, fourth = queued(4)
    second.queue_path.write_text("{")
    third.queue_path.unlink()
    assert queue.line() == [first, fourth, *sorted((second, third), key=lambda run: run.id)]
    last = queue.line()[-1]
    queue.move_forward(last)
    queue.move_forward(last)
    assert queue.line()[:2] == [first, last]
    assert all(run.read_place() >= 0 for run in queue.line())
    first.queue_path.write_bytes(b"\xff")
    busy_slot.release()
    assert wait_until_running(1) == [last]


def test_one_who_waits_is_small(busy_slot):
    (run,) = queued(1)
    process = psutil.Process(run.read_status()["pid"])
    time.sleep(3 * queue.LOOK_SECONDS)
    assert process.memory_info().rss < WAITING_MEGABYTES * 1e6
    mapped = {region.path for region in process.memory_maps()}
    assert any("/numpy/" in path for path in mapped)
    assert [path for path in mapped if any(f"/{name}/" in path for name in ("pandas", "tensorflow", "h5py"))] == []


def test_who_is_killed_in_line_or_while_training_lets_the_next_one_go_on(busy_slot):
    first, second, third = queued(3, epochs=200)
    os.kill(first.read_status()["pid"], signal.SIGKILL)
    wait_for(first, lambda status: status["state"] == "interrupted", seconds=10)
    busy_slot.release()
    status = wait_for(second, lambda status: status["state"] == "running", seconds=60)
    assert queue.line() == [third]
    os.kill(status["pid"], signal.SIGKILL)
    wait_for(third, lambda status: status["state"] == "running", seconds=60)
    assert liveness.state(second)["state"] == "interrupted"


def test_two_train_at_once_where_two_may(artifacts, monkeypatch):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", "2")
    runs = queued(3, epochs=200)
    assert set(wait_until_running(2)) == set(runs[:2])
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        assert set(running()) == set(runs[:2])
        assert queue.line() == runs[2:]
        time.sleep(0.05)
    jobs.kill(runs[0])
    assert set(wait_until_running(2)) == set(runs[1:])


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5", "²"])
def test_a_wrong_number_of_runs_at_once_is_one_sentence(artifacts, monkeypatch, said):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", said)
    with pytest.raises(ValueError, match=rf"^LAB_TRAIN_AT_ONCE is '{said}'; it is a whole number from 1\.$"):
        queue.slot_count()


def test_a_worker_with_a_wrong_number_of_runs_at_once_fails_with_the_sentence(artifacts, monkeypatch):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", "many")
    run = jobs.start(make_config("alexnet", "mnist", "quick", **TINY))
    status = wait_for(run, lambda status: status["state"] == "failed", seconds=60)
    assert status["error"] == "LAB_TRAIN_AT_ONCE is 'many'; it is a whole number from 1."


def test_slots_that_cannot_be_kept_are_one_sentence(artifacts):
    (artifacts / ".slots").write_text("")
    run = jobs.start(make_config("alexnet", "mnist", "quick", **TINY))
    status = wait_for(run, lambda status: status["state"] == "failed", seconds=60)
    assert status["error"].startswith("No run can wait its turn in ")


def test_one_that_trains_is_not_in_the_line(artifacts):
    (run,) = queued(1, epochs=200)
    assert wait_until_running(1) == [run]
    assert queue.line() == []
    assert queue.place_in_words(run, queue.line()) == "starting"
