"""Files that a server makes for a download: one at a time, in a process of its own, and nothing of them stays."""

import shutil
import threading
import time

import pytest

from core.export import export
from core.jobs import background
from core.jobs.background import FOLDER
from core.runs.run import RunError
from tests.folders import finished_run


@pytest.fixture(autouse=True)
def nothing_stays():
    yield
    folder = background._folder()
    background.end()
    assert not folder.exists()


def of_format(run, name):
    return ("export", run.id, FOLDER, "--formats", name)


def of_pack(*runs):
    return ("pack", FOLDER, *(["--runs", *(run.id for run in runs)] if runs else []))


def ended(command):
    deadline = time.monotonic() + 120
    while background.state(command).share is not None and time.monotonic() < deadline:
        time.sleep(0.1)
    return background.state(command)


def test_one_is_made_at_a_time_and_what_is_at_work_ends_with_the_server(artifacts):
    command = of_pack(finished_run())
    assert background.state(command) == background.State()
    background.start(command)
    assert background.state(command).share == 0
    with pytest.raises(RunError, match="Another file is being made"):
        background.start(of_pack())
    process = background._made[background.token(command)].process
    background.end()
    assert process.poll() is not None
    assert background.state(command) == background.State()


def test_why_there_is_nothing_is_said_in_a_sentence_and_the_next_try_begins_anew(artifacts):
    background.start(of_pack())
    state = ended(of_pack())
    assert state.error == "No run is finished yet, so there is nothing to pack: python -m core train alexnet mnist"
    assert state.folder is None
    background.start(of_pack())
    assert background.state(of_pack()).error == ""


def test_who_waits_for_a_file_has_it_in_the_end_and_what_two_want_is_made_once(artifacts, tmp_path):
    run = finished_run()
    found, command = [], of_format(run, "predictions")
    waiting = [threading.Thread(target=lambda: found.append(background.make(command))) for _ in range(2)]
    for each in waiting:
        each.start()
    for each in waiting:
        each.join(120)
    assert found[0] == found[1]
    assert len(background._made) == 1
    export(run, tmp_path, ["predictions"])
    (made,) = found[0].iterdir()
    assert made.read_bytes() == (tmp_path / made.name).read_bytes()
    with pytest.raises(RunError, match="keras is missing"):
        background.make(of_format(run, "litert"))


def test_the_oldest_goes_where_all_together_take_too_much(artifacts, monkeypatch):
    monkeypatch.setattr(background, "_MOST_BYTES", 1)
    run = finished_run()
    older, newer = of_format(run, "predictions"), of_format(run, "tables")
    folder = background.make(older)
    assert background.make(newer).exists()
    assert not folder.exists()
    assert background.state(older) == background.State()


def test_each_command_has_an_address_of_its_own():
    commands = [("pack", FOLDER), ("pack", FOLDER, "--runs", "a-1"), ("export", "a-1", FOLDER)]
    assert len({background.token(command) for command in commands}) == len(commands)


def test_what_the_system_has_cleared_away_is_made_again(artifacts):
    command = of_format(finished_run(), "predictions")
    folder = background.make(command)
    shutil.rmtree(folder.parent)
    assert background.state(command) == background.State()
    assert any(background.make(command).iterdir())
