"""What a client that is no browser may send: clicks on buttons that are not there, and drawings that are none."""

import json
import subprocess
import sys
import time

import pytest

from core.runs.run import list_runs
from tests.e2e.conftest import served
from tests.every_page import PAGES
from tests.folders import finished_run, started_run
from tests.hand_made import hand_made_tab
from tests.penmanship import strokes


@pytest.fixture
def sleeper():
    """A process that stands for a worker; a signal ends it."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def query(artifacts, sleeper):
    """Names a run in each state: one that the sleeper trains, one stopped, one finished."""
    training, stopped, finished = started_run(), started_run("vgg16", "cifar10"), finished_run("resnet34", "cifar10")
    training.write_status(pid=sleeper.pid)
    stopped.write_status(state="stopped", phase=None)
    return "&".join(f"run={run.id}" for run in (training, stopped, finished))


def buttons(address, query):
    """Page -> label -> widget id of every button."""
    found = {}
    for page in ("", *PAGES[1:]):
        with hand_made_tab(address, page, query) as tab:
            found[page] = tab.ids("button")
    return found


def click(address, page, query, *ids):
    with hand_made_tab(address, page, query) as tab:
        tab.send(*({"id": widget, "trigger_value": True} for widget in ids))
        return [element.WhichOneof("type") for element in tab.elements]


def contents(folder):
    """Every file below a folder, with what is in it."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_clicks_that_start_and_stop_runs_in_an_open_lab_do_nothing_in_a_read_only_one(
    artifacts, app_url, tmp_path, monkeypatch, query, sleeper
):
    known = buttons(app_url, query)
    labels = {label.split(" :small")[0] for found in known.values() for label in found}
    assert {"Train quickly", "AlexNet on MNIST", "Stop", "Finish now", "Resume", "Delete for good"} <= labels
    before = contents(artifacts)
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    with served(tmp_path / "read-only.log") as address:
        every = [widget for found in known.values() for widget in found.values()]
        for page in ("", *PAGES[1:]):
            assert "exception" not in click(address, page, query, *every)
        time.sleep(2)
    assert contents(artifacts) == before
    assert sleeper.poll() is None

    monkeypatch.delenv("LAB_READ_ONLY")
    before = list_runs()
    click(app_url, "", query, known[""]["Train quickly"])
    assert len(list_runs()) == len(before) + 1
    click(app_url, "train", query, known["train"]["Stop"])
    assert sleeper.wait(30)


def drawing(**parts):
    return json.dumps({"drawing": {"sheet": 1, **parts}})


NO_DRAWINGS = {
    "NaN": '{"drawing": {"sheet": 1, "strokes": [{"width": NaN, "points": [[NaN, Infinity]]}]}}',
    "a number": '{"drawing": 7}',
    "a list": '{"drawing": [[0.5, 0.5]]}',
    "text": drawing(strokes="<script>alert(7)</script>"),
    "nested": drawing(strokes=[{"width": 0.08, "points": json.loads("[" * 200 + "]" * 200)}]),
    "huge number": drawing(strokes=[{"width": 0.08, "points": [[10**4000, 0.5]]}]),
    "long text": drawing(strokes=[{"width": 0.08, "points": ["x" * 500_000] + [""] * 4000}]),
}
# What Streamlit itself cannot read.
NO_JSON = {"no JSON": "{{{", "nothing": "", "nested too deep": "[" * 100_000, "too many digits": "1" * 5000}


def send(address, value):
    """What the page says, and what it shows of an exception, when the pad's browser sends this."""
    with hand_made_tab(address, "draw") as tab:
        (pad,) = {e.bidi_component.id for e in tab.elements if e.bidi_component.component_name == "drawing_pad"}
        tab.elements.clear()
        tab.send({"id": pad, "json_value": value})
        exceptions = [e.exception for e in tab.elements if e.WhichOneof("type") == "exception"]
        return tab.texts("alert"), exceptions


def test_what_is_no_drawing_is_answered_with_one_sentence(lab):
    _, app_url = lab
    with hand_made_tab(app_url):
        pass  # The first page of a fresh server is drawn twice.
    for what, value in NO_DRAWINGS.items():
        said, exceptions = send(app_url, value)
        assert said[0] == "This drawing could not be read; clear the pad and draw again.", what
        assert not exceptions, what
    said, exceptions = send(app_url, drawing(strokes=[{"width": 0.08, "points": [[0.5, 0.5]] * 5001}]))
    assert said[0].startswith("A digit needs fewer than 5,000 pen positions")
    for what, value in NO_JSON.items():
        _, exceptions = send(app_url, value)
        assert ["redacted" in exception.message for exception in exceptions] == [True], what
        assert not exceptions[0].stack_trace, what
    said, exceptions = send(app_url, drawing(strokes=strokes(7)))
    assert not exceptions
    assert not any("could not be read" in text for text in said)
