"""Packs that a server makes: one at a time, in a process of its own, and nothing of them stays."""

import time

import pytest

from core.pack import background
from core.runs.run import RunError
from tests.folders import finished_run


@pytest.fixture(autouse=True)
def nothing_stays():
    yield
    folder = background._folder()
    background.end()
    assert not folder.exists()


def ended(names):
    deadline = time.monotonic() + 120
    while background.state(names).share is not None and time.monotonic() < deadline:
        time.sleep(0.1)
    return background.state(names)


def test_one_is_made_at_a_time_and_what_is_at_work_ends_with_the_server(artifacts):
    run = finished_run()
    assert background.state([]) == background.State()
    background.start([run.id])
    assert background.state([run.id]).share == 0
    with pytest.raises(RunError, match="Another pack is being made"):
        background.start([])
    process = background._made[background.token([run.id])].process
    background.end()
    assert process.poll() is not None
    assert background.state([run.id]) == background.State()


def test_why_there_is_no_pack_is_said_in_a_sentence_and_the_next_try_begins_anew(artifacts):
    background.start([])
    state = ended([])
    assert state.error == "No run is finished yet, so there is nothing to pack: python -m core train alexnet mnist"
    assert state.path is None
    background.start([])
    assert background.state([]).error == ""


def test_the_same_runs_have_one_address_whatever_the_order_of_their_ticks():
    assert background.token(["a-1", "b-2"]) == background.token(["b-2", "a-1"])
    assert background.token([]) != background.token(["a-1"])
