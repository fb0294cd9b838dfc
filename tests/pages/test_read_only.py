"""LAB_READ_ONLY=1: no page shows a control that trains, stops or deletes, and nothing behind one works."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.runs.run import list_runs
from core.settings import READ_ONLY
from pages.parts.run.details import DETAILS
from tests.every_page import PAGES
from tests.folders import finished_run, started_run
from tests.penmanship import teach

APP = str(Path(__file__).parents[2] / "app.py")
# What may be pressed there: they filter, show more, or empty the pad.
HARMLESS = {"Clear", "Remove", "Any other", "Start", "Another round", "Pack to hand in", DETAILS}
CONTROLS = ("button", "selectbox", "number_input", "text_input", "segmented_control", "toggle", "pills", "multiselect")


@pytest.fixture
def no_run():
    return []


@pytest.fixture
def runs_in_every_state():
    stopped, failed = started_run("vgg16"), started_run("resnet34")
    stopped.write_status(state="stopped", phase=None)
    failed.write_status(state="failed", phase=None, error="The disk is full.")
    return [teach(finished_run("alexnet")), started_run("alexnet", "cifar10"), stopped, failed]


def opened(page, runs):
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page(f"pages/{page}.py")
    app.query_params["run"] = [run.id for run in runs]
    app.run()
    assert not app.exception
    return app


def controls(app):
    """The labels of everything that can be pressed or chosen."""
    return {seen(widget.label) for kind in CONTROLS for widget in app.get(kind)}


def seen(label):
    """A label without what is in it for those who hear the page."""
    return label.partition(" *")[0]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("runs", ["no_run", "runs_in_every_state"])
def test_no_page_has_a_control_that_changes_a_run(artifacts, monkeypatch, request, page, runs):
    runs = request.getfixturevalue(runs)
    everything = opened(page, runs)
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    looking = opened(page, runs)
    assert {seen(button.label) for button in looking.get("button")} <= HARMLESS
    assert controls(looking) <= controls(everything)
    assert not looking.get("text_input")
    said = [text.value for kind in ("info", "markdown", "caption") for text in looking.get(kind)]
    assert not any("start with" in text or "click it" in text or "Train a" in text for text in said)
    if page == "train":
        assert READ_ONLY in said
        assert len(everything.get("button")) >= 9
        assert {"Recipe", "Epochs"} <= controls(everything)
        assert controls(looking) <= {"Runs to watch", "Vertical axes", "Presenter mode", DETAILS}
    links = {link.proto.label for link in looking.get("page_link")}
    assert "Train a network" not in links
    assert ("Train a network" in {link.proto.label for link in everything.get("page_link")}) == (
        page == "networks" or (page in ("compare", "gallery", "inside", "round") and not runs)
    )


@pytest.mark.parametrize("value", ["1", "true", "YES", "on", " On "])
def test_what_a_start_button_calls_starts_nothing(artifacts, monkeypatch, value):
    def clicked():
        from core.config.recipes import make_config
        from pages.parts.starting import start

        assert start(make_config("alexnet", "mnist", "quick")) is None

    monkeypatch.setenv("LAB_READ_ONLY", value)
    app = AppTest.from_function(clicked).run()
    assert not app.exception
    assert [error.value for error in app.error] == [READ_ONLY]
    assert list_runs() == []


def test_a_button_that_was_pressed_on_a_page_from_before_starts_nothing(artifacts, monkeypatch):
    app = opened("overview", [])
    button = app.button(key="alexnet-mnist")
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    button.click().run()
    assert not app.exception
    assert list_runs() == []


@pytest.mark.parametrize("value", ["", "0", "no", "False", "off"])
def test_other_values_leave_the_lab_open(artifacts, monkeypatch, value):
    monkeypatch.setenv("LAB_READ_ONLY", value)
    assert "alexnet-mnist" in {button.key for button in opened("overview", []).button}
