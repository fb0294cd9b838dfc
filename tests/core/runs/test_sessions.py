"""Where, when and with what a run was trained, session by session, with real workers; and how long all of it took."""

import getpass
import os
import platform
import re
import signal
import time
from pathlib import Path

import keras
import psutil
import pytest

from core.config.recipes import make_config
from core.files import replace_json
from core.jobs import control, machine
from core.runs import sessions
from core.runs.run import UNFINISHED
from tests.folders import finished_run, started_run
from tests.workers import QUICKLY, wait_for

ELSEWHERE = {"processor": "A Processor of Another Machine", "cores": 999, "platform": "elsewhere", "code": "0123456789"}


def begin(**changes):
    return control.start(make_config("lenet5", "mnist", "quick", **QUICKLY | changes))


def until_epoch(run, epoch):
    """The status when so many epochs are over."""
    return wait_for(run, lambda status: status.get("epoch", 0) > epoch and status["phase"] == "training")


def until_ended(run):
    return wait_for(run, lambda status: status["state"] not in UNFINISHED)


@pytest.mark.timeout(600)
def test_each_session_tells_its_machine_epochs_and_time_also_one_that_was_killed_and_no_person_computer_or_folder(
    artifacts,
):
    """The time in all has start-up, predictions and evaluation in it, and no waiting."""
    queued = time.time()
    run = begin(epochs=400)
    status = until_epoch(run, 2)
    time.sleep(1)
    os.kill(status["pid"], signal.SIGKILL)
    until_ended(run)
    before = len(run.read_history())
    (killed,) = run.read_sessions()
    assert "seconds" not in killed
    here = {"platform": platform.platform(), "cores": psutil.cpu_count(), "processor": machine.processor()}
    assert killed | here == killed
    # As if it had been trained on another machine until now.
    record = run.read_record()
    replace_json(run.config_path, record | {"sessions": [record["sessions"][0] | ELSEWHERE]})

    # It counts to its last sign of life and to its last checkpoint.
    control.resume(run)
    until_epoch(run, before + 2)
    control.finish(run)
    assert until_ended(run)["state"] == "completed"
    in_all = time.time() - queued
    killed, second = run.read_sessions()
    history, metrics = run.read_history(), run.read_metrics()
    assert killed | ELSEWHERE == killed
    assert second | here == second
    assert killed["first_epoch"] == 1
    # An epoch that was cut in its middle was trained by both.
    assert killed["last_epoch"] + 1 >= second["first_epoch"] > 1
    assert second["last_epoch"] == len(history) > before
    assert 0 < killed["seconds"] < second["started"] - killed["started"]
    assert metrics["total_seconds"] == pytest.approx(killed["seconds"] + second["seconds"], abs=0.5)
    assert metrics["seconds"] == pytest.approx(history["seconds"].sum())
    # Importing the libraries and saving the network take a second each at least.
    assert metrics["seconds"] + 2 < metrics["total_seconds"] < in_all

    assert second.keys() >= set(machine.describe(keras)) | {"started", "seconds", "first_epoch", "last_epoch"}
    assert second["memory_bytes"] > 2**28
    assert second["code"] == machine.code_version()
    assert "environment" not in run.read_record()
    assert names_nobody(run.config_path.read_text(), artifacts)


def names_nobody(text, folder):
    """Whether neither the person, nor the computer, nor a folder is in it."""
    private = (platform.node(), str(Path.home()), str(folder), os.getcwd())
    return not any(word in text for word in private) and not re.search(rf"\b{re.escape(getpass.getuser())}\b", text)


def test_a_run_from_before_there_were_sessions_has_one_of_what_it_recorded(artifacts):
    run = finished_run()
    assert run.read_sessions() == []
    environment = {"python": "3.11.7", "keras": "3.15.1", "backend": "tensorflow", "tensorflow": "2.21.0", "cores": 2}
    run.describe(environment=environment)
    (session,) = run.read_sessions()
    assert (session["first_epoch"], session["last_epoch"]) == (1, 3)
    assert session["backend_version"] == "2.21.0"
    assert session | environment == session


def test_a_run_from_before_that_goes_on_keeps_what_it_recorded_and_tells_no_time_in_all(artifacts):
    run = started_run()
    run.describe(environment={"platform": "old", "cores": 2})
    with sessions.recorded(run, time.time(), {"processor": "new"}) as session:
        sessions.note_start(run, 1, 0)
        assert session.total_seconds() is None
    first, second = run.read_sessions()
    assert (first["platform"], first["first_epoch"], first["last_epoch"]) == ("old", 1, 1)
    assert (second["processor"], second["first_epoch"], second["last_epoch"]) == ("new", 2, 2)
    assert second["seconds"] >= 0


def spans(starts, epochs):
    """(first, last) epoch of sessions that began after these (whole epochs, steps), None where it did not train."""
    told = [{"first_epoch": start[0] + 1, "first_step": start[1]} if start else {} for start in starts]
    return [(session["first_epoch"], session["last_epoch"]) for session in sessions.with_epochs(told, epochs)]


@pytest.mark.parametrize(
    ("starts", "epochs", "expected"),
    [
        ([(0, 0)], 0, [(None, None)]),
        ([(0, 0)], 5, [(1, 5)]),
        ([(0, 0), (3, 0)], 9, [(1, 3), (4, 9)]),
        # Cut in the middle of the fourth epoch, which both have trained.
        ([(0, 0), (3, 7)], 9, [(1, 4), (4, 9)]),
        # Not over yet.
        ([(0, 0), (3, 7)], 3, [(1, 3), (None, None)]),
        # The second lost all that it did.
        ([(0, 0), (3, 0), (3, 0)], 9, [(1, 3), (None, None), (4, 9)]),
        # The checkpoint was damaged: the third began anew.
        ([(0, 0), (3, 0), (0, 0)], 9, [(None, None), (None, None), (1, 9)]),
        # The last one only evaluated; the second never came to train.
        ([(0, 0), None, (9, 0)], 9, [(1, 9), (None, None), (None, None)]),
    ],
)
def test_the_epochs_of_each_session_follow_from_where_the_next_one_begins(starts, epochs, expected):
    assert spans(starts, epochs) == expected


def test_the_time_of_a_session_is_recorded_when_the_training_fails_and_the_failure_is_what_is_raised(artifacts):
    run = started_run()
    with pytest.raises(MemoryError), sessions.recorded(run, time.time() - 60, {}):
        raise MemoryError
    assert run.read_sessions()[0]["seconds"] == pytest.approx(60, abs=5)


def test_a_record_that_was_damaged_meanwhile_does_not_hide_why_the_training_ended(artifacts):
    run = started_run()

    def fail():
        with sessions.recorded(run, time.time(), {"processor": "new"}):
            run.config_path.write_text("{")
            raise MemoryError

    with pytest.raises(MemoryError):
        fail()
