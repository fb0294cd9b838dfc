"""The queue with real processes: one scheduler for all who wait, the order kept, and nothing lost with any of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from core.config.recipes import make_config
from core.jobs import control, liveness, scheduler
from core.runs.run import create_run, list_runs, open_run
from tests.workers import SMALL, processes, schedulers, until, wait_for, workers

APP = str(Path(__file__).parents[3] / "app.py")
TINY = SMALL | {"epochs": 1, "record_test_predictions": False}
LONG = {"epochs": 500}
STARTER = f"""
import sys, time
from core.jobs import control
from core.config.recipes import make_config
config = make_config("lenet5", "mnist", "quick", **{TINY | LONG})
print("ready", flush=True)
sys.stdin.readline()
print(control.start(config).id, flush=True)
time.sleep(600)
"""
SCHEDULER_MEGABYTES = 60


@pytest.fixture
def busy_slot(artifacts):
    """Nothing may train until the test releases this lock."""
    (artifacts / ".slots").mkdir()
    lock = FileLock(artifacts / ".slots" / "0.lock")
    with lock:
        yield lock


def queued(count, **settings):
    """Pending runs, in this order."""
    return [control.start(make_config("lenet5", "mnist", "quick", **TINY | settings)) for _ in range(count)]


def running():
    return [run for run in list_runs() if liveness.state(run)["state"] in ("running", "stopping")]


def wait_until_running(*runs):
    """Waits until just these train."""
    until(lambda: set(running()) == set(runs))


def train_in_a_terminal(*arguments):
    command = [sys.executable, "-m", "core", "train", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.timeout(900)
def test_runs_train_one_at_a_time_in_the_order_of_the_queue_though_starters_schedulers_and_workers_were_killed(
    busy_slot,
):
    runs = []
    # The first is trained to its end, the others until they are killed.
    for epochs in (1, 500, 500):
        with subprocess.Popen(
            [sys.executable, "-c", STARTER.replace("'epochs': 500", f"'epochs': {epochs}")],
            stdin=-1,
            stdout=-1,
            text=True,
        ) as starter:
            starter.stdout.readline()
            starter.stdin.write("\n")
            starter.stdin.flush()
            runs.append(open_run(starter.stdout.readline().strip()))
            starter.kill()
    assert scheduler.pending() == runs
    scheduler.move_up(runs[2])
    first, second, third = order = [runs[0], runs[2], runs[1]]
    assert scheduler.pending() == order
    busy_slot.release()
    wait_until_running(first)
    for process in schedulers():
        process.kill()
    told = set()
    # Nobody looks who could start another but the run that ends.
    while third.read_status()["state"] == "queued":
        if liveness.state(second)["state"] == "running":
            os.kill(second.read_status()["pid"], signal.SIGKILL)
            wait_for(second, lambda status: status["state"] == "interrupted", 10)
        told |= {liveness.state(run)["state"] for run in order}
        assert len(running()) <= 1
        # A second one ends as soon as it sees the first.
        until(lambda: len(schedulers()) <= 1, 30)
        assert len(workers()) <= 2  # One has written its last word and has yet to end.
        time.sleep(0.2)
    assert [liveness.state(run)["state"] for run in order] == ["completed", "interrupted", "running"]
    assert told <= {"queued", "running", "completed", "interrupted"}
    moments = [first.read_progress()[0][0]["time"], *(run.read_status()["heartbeat"] for run in order)]
    assert moments == sorted(moments)


def test_each_says_its_position_can_be_moved_and_is_cancelled_at_once(busy_slot):
    first, second, third = runs = queued(3)
    assert [scheduler.position_in_words(run, scheduler.pending()) for run in runs] == [
        "first in line",
        "second in line",
        "third in line",
    ]
    scheduler.move_up(first)
    assert scheduler.pending() == runs
    scheduler.move_up(third)
    assert scheduler.pending() == [first, third, second]
    control.stop(third)
    assert third.read_status()["state"] == "stopped"
    control.kill(second)
    assert second.read_status()["state"] == "stopped"
    assert scheduler.pending() == [first]
    assert scheduler.position_in_words(second, scheduler.pending()) == ""
    # Who comes back stands at the end.
    control.resume(third)
    assert scheduler.pending() == [first, third]
    assert workers() == []


def test_who_has_lost_the_position_stands_at_the_end_and_blocks_nobody(busy_slot):
    first, second, third, fourth = queued(4)
    second.queue_path.write_text("{")
    third.queue_path.unlink()
    assert scheduler.pending() == [first, fourth, *sorted((second, third), key=lambda run: run.id)]
    last = scheduler.pending()[-1]
    scheduler.move_up(last)
    scheduler.move_up(last)
    assert scheduler.pending()[:2] == [first, last]
    assert all(run.read_position() >= 0 for run in scheduler.pending())
    first.queue_path.write_bytes(b"\xff")
    busy_slot.release()
    until(lambda: running() == [last])


def test_the_scheduler_is_the_only_process_while_all_wait_and_it_is_small(busy_slot):
    queued(3)
    (process,) = until(schedulers)
    time.sleep(3 * scheduler.LOOK_SECONDS)
    assert workers() == []
    assert process.memory_info().rss < SCHEDULER_MEGABYTES * 1e6
    mapped = {region.path for region in process.memory_maps()}
    assert any("/numpy/" in path for path in mapped)
    assert [path for path in mapped if any(f"/{name}/" in path for name in ("pandas", "tensorflow", "h5py"))] == []


def test_it_ends_when_nothing_waits_any_more(busy_slot):
    runs = queued(2)
    (process,) = until(schedulers)
    for run in runs:
        control.stop(run)
    process.wait(30)
    # And comes back when something does.
    control.resume(runs[0])
    assert until(schedulers) != [process]


def test_a_scheduler_that_dies_as_it_starts_a_worker_leaves_it_to_the_next(artifacts):
    (run,) = queued(1, **LONG)
    until(workers)
    for process in schedulers():
        process.kill()
    (worker,) = workers()
    scheduler.ensure()
    deadline = time.monotonic() + 60
    while run.read_status()["state"] == "queued" and time.monotonic() < deadline:
        assert workers() == [worker]
        time.sleep(0.02)
    assert run.read_status()["pid"] == worker.pid


def test_many_who_queue_at_the_same_moment_get_one_scheduler(busy_slot):
    starters = [subprocess.Popen([sys.executable, "-c", STARTER], stdin=-1, stdout=-1, text=True) for _ in range(4)]
    for starter in starters:
        starter.stdout.readline()
    for starter in starters:
        starter.stdin.write("\n")
        starter.stdin.flush()
    counts, began = [], time.monotonic()
    while time.monotonic() < began + 4 or (1 not in counts and time.monotonic() < began + 60):
        counts.append(len(schedulers()))
        # One too many would wait for the lock for five seconds.
        time.sleep(0.2)
    assert max(counts) == 1
    for starter in starters:
        starter.stdout.readline()
        starter.kill()
        starter.communicate()
    assert len(scheduler.pending()) == 4
    # One more that somebody starts by hand ends by itself.
    command = [sys.executable, "-m", scheduler.SCHEDULER, os.environ["LAB_ARTIFACTS"]]
    assert subprocess.run(command, timeout=60).returncode == 0
    assert len(schedulers()) == 1


def test_a_terminal_waits_in_the_same_queue_and_trains_in_its_own_process(busy_slot):
    (first,) = queued(1, **LONG)
    settings = [f"--{name.replace('_', '-')}={value}" for name, value in (SMALL | LONG).items()]
    with train_in_a_terminal("lenet5", "mnist", *settings) as terminal:
        own = open_run(Path(terminal.stdout.readline().strip()).name)
        assert terminal.stdout.readline() == "Waiting, second in line.\n"
        (last,) = queued(1, **LONG)
        assert scheduler.pending() == [first, own, last]
        busy_slot.release()
        wait_until_running(first)
        control.kill(first)
        wait_until_running(own)
        assert own.read_status()["pid"] == terminal.pid
        assert scheduler.pending() == [last]
        terminal.kill()
    wait_until_running(last)
    assert [len(processes(scheduler.WORKER, run.id)) for run in (own, last)] == [0, 1]


def test_a_terminal_takes_a_pending_run_and_is_said_to_be_interrupted_once_it_is_killed(busy_slot):
    first, second = queued(2)
    with train_in_a_terminal("--run", first.id) as terminal:
        assert terminal.stdout.readline() == "Waiting, first in line.\n"
        assert first.read_status()["pid"] == terminal.pid
        assert scheduler.pending() == [first, second]
        terminal.kill()
    assert liveness.state(first)["state"] == "interrupted"
    assert scheduler.pending() == [second]


def test_two_train_at_once_where_two_may(artifacts, monkeypatch):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", "2")
    runs = queued(3, **LONG)
    wait_until_running(*runs[:2])
    for run in runs[:2]:
        # They keep their slots, and cost nothing.
        liveness.worker(run).suspend()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        assert set(running()) == set(runs[:2])
        assert scheduler.pending() == runs[2:]
        assert len(workers()) == 2
        time.sleep(0.05)
    control.kill(runs[0])
    wait_until_running(*runs[1:])


def test_a_run_is_trained_in_the_environment_of_who_queued_it(busy_slot, monkeypatch):
    queued(1, **LONG)
    until(schedulers)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("TF_VAR_password", "a secret of another program")
    (second,) = queued(1, **LONG)
    assert "secret" not in second.queue_path.read_text()
    scheduler.move_up(second)
    busy_slot.release()
    (worker,) = until(workers)
    environment = worker.environ()
    assert (environment["KERAS_BACKEND"], environment["OMP_NUM_THREADS"]) == ("jax", "1")
    assert worker.cmdline()[-1] == second.id


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5", "²"])
def test_a_wrong_number_of_runs_at_once_is_one_sentence(said):
    with pytest.raises(ValueError, match=rf"^LAB_TRAIN_AT_ONCE is '{said}'; it is a whole number from 1\.$"):
        scheduler.slot_count({"LAB_TRAIN_AT_ONCE": said})


def test_a_run_with_a_wrong_number_of_runs_at_once_fails_with_the_sentence_and_keeps_nobody(artifacts, monkeypatch):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", "many")
    (run,) = queued(1)
    monkeypatch.delenv("LAB_TRAIN_AT_ONCE")
    (after,) = queued(1, **LONG)
    status = wait_for(run, lambda status: status["state"] == "failed", seconds=60)
    assert status["error"] == "LAB_TRAIN_AT_ONCE is 'many'; it is a whole number from 1."
    wait_until_running(after)


def test_slots_that_cannot_be_kept_are_one_sentence(artifacts):
    (artifacts / ".slots").write_text("")
    (run,) = queued(1)
    status = wait_for(run, lambda status: status["state"] == "failed", seconds=60)
    assert status["error"].startswith("No run can wait its turn in ")


def kill_before_it_claims(run, seen=()):
    """Kills the worker that is started for the run, other than those seen, before it has claimed it."""
    (worker,) = until(lambda: [process for process in processes(scheduler.WORKER, run.id) if process not in seen])
    worker.kill()
    assert run.read_status().get("pid") is None
    return worker


def test_a_worker_that_dies_before_it_claims_its_run_is_started_again_once(artifacts):
    once, twice, after = queued(3, **LONG)
    kill_before_it_claims(once)
    wait_until_running(once)
    control.kill(once)
    first = kill_before_it_claims(twice)
    kill_before_it_claims(twice, [first])
    status = wait_for(twice, lambda status: status["state"] == "failed", seconds=30)
    assert status["error"] == "Its process ended 2 times before it could begin; the log may say why."
    wait_until_running(after)
    assert processes(scheduler.WORKER, twice.id) == []


def test_a_run_that_was_trained_and_is_queued_again_has_all_its_tries(busy_slot):
    """Though others wait all the time, so that the scheduler reads all folders seldom."""
    queued(1, **LONG)
    run = create_run(make_config("lenet5", "mnist", "quick", **TINY | LONG))
    process = psutil.Process()
    looking = scheduler.Scheduler()
    looking.look()
    looking._starts[run] = {"process": process, "since": time.time(), "tries": scheduler.TRIES}
    run.write_status(state="running", pid=process.pid)
    looking.look()
    assert looking._starts == {}


def test_a_run_that_is_cancelled_as_its_worker_comes_is_not_trained(artifacts):
    (run,) = queued(1, **LONG)
    until(workers)
    control.stop(run)
    until(lambda: not workers())
    assert run.read_status()["state"] == "stopped"
    assert run.read_progress() == ([], 0)


def test_a_queued_run_is_queued_though_no_scheduler_lives_and_whoever_looks_starts_one(artifacts, monkeypatch):
    run = create_run(make_config("lenet5", "mnist", "quick", **TINY | LONG))
    assert liveness.state(run)["state"] == "queued"
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    page = AppTest.from_file(APP, default_timeout=60)
    page.switch_page("pages/train.py").run()
    assert [text.value for text in page.markdown if "-badge[" in text.value] == [":gray-badge[queued, first in line]"]
    scheduler.ensure()
    assert schedulers() == []
    monkeypatch.setenv("LAB_READ_ONLY", "0")
    time.sleep(1)  # So long the page believes what it saw.
    page.run()
    assert not page.exception
    wait_until_running(run)


def test_a_position_and_its_variables_are_kept_when_others_move(artifacts):
    run = create_run(make_config("alexnet", "mnist"), variables={"KERAS_BACKEND": "jax"})
    run.write_position(3.0)
    assert (run.read_position(), run.read_variables()) == (3.0, {"KERAS_BACKEND": "jax"})


@pytest.mark.parametrize("variables", ['{"PATH": "/tmp"}', '{"KERAS_BACKEND": 1}', '{"KERAS_A=B": ""}', "[]"])
def test_no_other_variable_comes_from_a_file(artifacts, variables):
    run = create_run(make_config("alexnet", "mnist"))
    run.queue_path.write_text(f'{{"place": 1, "variables": {variables}}}')
    with pytest.raises(ValueError, match=r"queue\.json"):
        run.read_variables()
