"""What can be done with a run on its card: each state's own buttons, what they do, and none in a read-only lab."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from core.config.recipes import make_config
from core.jobs import liveness, scheduler
from core.runs.run import create_run, list_runs
from core.runs.schema import AT_WORK, UNFINISHED
from pages.parts import data
from pages.parts.run.actions import ACTIONS
from pages.parts.run.card import STATES
from pages.parts.run.details import DETAILS
from tests.folders import claims, finished_run, interrupted_run, started_run

pytestmark = pytest.mark.usefixtures("artifacts")
APP = str(Path(__file__).parents[2] / "app.py")
HOLDING = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print(flush=True)
    time.sleep(300)
"""


@pytest.fixture
def held_run():
    """A running run with a process that stands for its worker: it holds the run's lock, and a signal ends it."""
    run = started_run()
    claims.pop(run).release()
    with subprocess.Popen([sys.executable, "-c", HOLDING, run.lock_path], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        run.write_status(pid=process.pid)
        yield run, process
        process.kill()


def run_in(state):
    """A run in a state, with whole epochs behind it unless it is queued."""
    if state == "completed":
        return finished_run()
    if state == "interrupted":
        return interrupted_run()
    if state == "queued":
        run = create_run(make_config("alexnet", "mnist"))
        claims[run] = liveness.claim(run)
        return run
    run = started_run()
    wishes = {"pausing": run.pause_path, "stopping": run.stop_path, "finishing": run.finish_path}
    if state in wishes:
        wishes[state].touch()
    elif state != "running":
        run.write_status(state=state, phase=None, error="The disk is full." if state == "failed" else None)
    if state not in AT_WORK:
        claims.pop(run).release()
    return run


def places(page, run):
    """The buttons of the run's card that do something with it, from left to right, and which of them can be pressed."""
    buttons = [button for button in page.button if (button.key or "").endswith(f" {run.id}")]
    return [(button.label, not button.disabled) for button in buttons if not button.label.startswith(DETAILS)]


def action_labels(page, run):
    """What can be pressed on the run's card."""
    return [label for label, enabled in places(page, run) if enabled]


def opened(*runs):
    """The Train page with these runs' cards."""
    data.pending.clear()  # What another test has left there.
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["run"] = [run.id for run in runs]
    page = page.switch_page("pages/train.py").run()
    assert not page.exception
    return page


def badges(page):
    return [text.value for text in page.markdown if "-badge[" in text.value]


def test_stop_asks_the_process_to_end(held_run):
    run, process = held_run
    opened(run).button(key=f"Stop {run.id}").click().run()
    assert process.wait(30) == -signal.SIGTERM


def test_finish_leaves_a_wish_that_the_process_finds_and_the_card_tells(held_run):
    run, process = held_run
    page = opened(run).button(key=f"Finish now {run.id}").click().run()
    assert run.finish_path.exists()
    assert badges(page) == [":blue-badge[finishing: testing the best epoch…]"]
    assert action_labels(page, run) == ["Stop"]
    page.button(key=f"Stop {run.id}").click().run()
    assert not psutil.pid_exists(process.pid)
    # What was asked for is still to be done, and nothing else.
    assert action_labels(opened(run), run) == ["Finish now", "Delete for good"]


@pytest.fixture
def deaf_run(held_run):
    """A running run whose worker hears nothing yet."""
    _, process = held_run
    psutil.Process(process.pid).suspend()
    return held_run


@pytest.mark.parametrize(
    ("label", "words"), [("Stop", "stopping after this step…"), ("Pause", "pausing after this step…")]
)
def test_a_click_says_at_once_what_is_happening_and_moves_no_button(deaf_run, label, words):
    run, _ = deaf_run
    page = opened(run)
    before = places(page, run)
    assert [name for name, _ in before] == ["Pause", "Stop", "Finish now", "Delete"]
    page = page.button(key=f"{label} {run.id}").click().run()
    assert badges(page) == [f":orange-badge[{words}]"]
    after = places(page, run)
    assert [name for name, _ in after] == [name for name, _ in before]
    assert [name for name, enabled in after if enabled] == ([] if label == "Stop" else ["Stop"])


def test_in_the_first_epoch_finish_is_in_its_place_already():
    run = started_run(epochs_done=0)
    assert places(opened(run), run)[2:] == [("Finish now", False), ("Delete", False)]


def test_a_run_that_does_not_stop_by_itself_can_be_ended_at_once(deaf_run):
    run, process = deaf_run
    page = opened(run).button(key=f"Stop {run.id}").click().run()
    assert action_labels(page, run) == []
    long_ago = time.time() - 60
    os.utime(run.stop_path, (long_ago, long_ago))
    page = opened(run)
    assert badges(page) == [":orange-badge[stopping after this step…]"]
    page.button(key=f"Stop now {run.id}").click().run()
    assert not psutil.pid_exists(process.pid)
    assert run.read_status()["state"] == "stopped"


@pytest.mark.parametrize("state", STATES)
def test_each_state_shows_its_own_actions_and_a_read_only_lab_none(monkeypatch, state):
    run = run_in(state)
    page = opened(run)
    # The first in line has nobody to change places with.
    expected = [action.label for action in ACTIONS.get(state, ()) if action.label != "Move up" and action.enabled]
    if state not in UNFINISHED:
        expected.append("Delete for good")
    assert action_labels(page, run) == expected
    assert len(badges(page)) == 1
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    assert action_labels(opened(run), run) == []


def test_the_actions_are_those_of_the_states_that_there_are():
    assert set(ACTIONS) | {"completed"} == set(STATES)


def test_what_has_no_epoch_behind_it_cannot_be_finished():
    run = interrupted_run(epochs_done=0)
    assert action_labels(opened(run), run) == ["Resume", "Delete for good"]


def test_queued_runs_say_their_places_and_can_be_moved():
    first, second = run_in("queued"), run_in("queued")
    page = opened(first, second)
    assert badges(page) == [":gray-badge[queued, first in line]", ":gray-badge[queued, second in line]"]
    assert action_labels(page, first) == ["Cancel"]
    assert action_labels(page, second) == ["Move up", "Cancel"]
    page = page.button(key=f"Move up {second.id}").click().run()
    assert scheduler.pending() == [second, first]
    assert action_labels(page, first) == ["Move up", "Cancel"]


def test_an_interrupted_run_says_where_and_shows_its_log():
    run = interrupted_run()
    run.log_path.write_text("the last line\n")
    page = opened(run)
    assert badges(page) == [":orange-badge[interrupted]"]
    assert page.warning[0].value.startswith("Interrupted at epoch 3, step 5: ")
    assert page.code[0].value == "the last line"


def test_what_cannot_be_done_is_one_sentence(held_run):
    """Somebody presses Resume on a page from before somebody else did."""
    run, _ = held_run
    run.write_status(state="stopped")
    page = opened(run)
    page = page.button(key=f"Resume {run.id}").click().run()
    assert not page.exception
    assert [toast.value for toast in page.toast] == [f"{run.id} is being trained already."]


def test_delete_removes_the_run_and_its_name_in_the_url():
    gone, stays = interrupted_run(), finished_run()
    page = opened(gone, stays)
    page = page.button(key=f"delete {gone.id}").click().run()
    assert not page.exception
    assert list_runs() == [stays]
    assert not gone.path.exists()
    assert page.query_params["run"] == stays.id


def test_a_run_too_damaged_for_a_card_can_be_deleted():
    gone, stays = interrupted_run(), finished_run()
    gone.status_path.write_text("{")
    page = opened(stays)
    page = page.button(key=f"delete {gone.id}").click().run()
    assert not page.exception
    assert list_runs() == [stays]
    assert page.query_params["run"] == stays.id
