"""The place of one run: all its settings, its log, its files and where it was trained, whatever state it is in."""

import html as entities
import re
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.config.recipes import training_command
from core.runs import schema
from pages.parts import data
from pages.parts.run.details import PARTS
from pages.parts.settings_form import FIELDS
from pages.parts.style import plain
from tests.every_page import opened as opened_page
from tests.folders import finished_run, interrupted_run, started_run
from tests.pages.test_run_actions import run_in

pytestmark = pytest.mark.usefixtures("artifacts")
APP = str(Path(__file__).parents[2] / "app.py")
STATES = ("queued", "running", "paused", "stopped", "interrupted", "failed", "completed")


def opened(run, details="settings"):
    data.pending.clear()
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["run"], page.query_params["details"] = run.id, details
    page = page.switch_page("pages/train.py").run()
    assert not page.exception
    return page


def html(page):
    return "\n".join(element.proto.body for element in page.get("html"))


def table(page):
    """The cells of the page's table, a list a row."""
    (found,) = re.findall(r'<table class="about-run">(.*?)</table>', html(page), re.DOTALL)
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in re.findall(r"<tr>(.*?)</tr>", found)]
    return [[entities.unescape(re.sub("<[^>]*>", "", cell)) for cell in row] for row in rows]


@pytest.mark.parametrize("state", STATES)
def test_every_run_has_all_its_settings_and_its_command(state):
    run = run_in(state)
    page = opened(run)
    told = {row[0]: row[1] for row in table(page) if len(row) == 4}
    assert {field.metadata["label"] for field in FIELDS.values()} <= set(told)
    assert (told["Epochs"], told["Horizontal flips"]) == ("4", "off")
    assert training_command(run.read_config()) in [code.value for code in page.code]
    assert run.id in html(page)
    assert not [button for button in page.button if (button.key or "").startswith("start_")]


def test_changed_settings_are_marked_beside_what_the_recipe_has():
    run = finished_run(epochs=7, flip=True)
    page = opened(run)
    changed = [row[:3] for row in table(page) if row[1:] and row[1].endswith("changed")]
    assert changed == [["Epochs", "7 changed", "4"], ["Horizontal flips", "on changed", "off"]]
    assert "2 changed" in "".join(text.value for text in page.markdown)
    assert "<mark>7</mark>" in html(page)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_there_in_every_state_and_in_the_address(state, part):
    page = opened(run_in(state), part)
    (choice,) = [group for group in page.segmented_control if group.label == "What to see of the run"]
    assert choice.value == part
    assert not page.error or state == "failed"
    assert not page.warning or state == "interrupted"
    other = next(name for name in PARTS if name != part)
    assert choice.set_value(other).run().query_params["details"] == other


def test_the_log_grows_while_the_run_trains():
    run = started_run()
    run.log_path.write_text("Epoch 1/4\n")
    page = opened(run, "log")
    assert page.code[0].value == "Epoch 1/4"
    run.log_path.write_text("Epoch 1/4\n<b>Epoch 2/4</b>\n")
    assert page.run().code[0].value == "Epoch 1/4\n<b>Epoch 2/4</b>"
    assert "<b>Epoch" not in html(page)


def test_files_are_offered_without_being_read(monkeypatch):
    run = finished_run()
    run.model_path.write_bytes(b"k" * 3_000_000)
    run.tflite_path.write_bytes(b"t" * 1_000)
    data.damaged_files(run)
    read = []
    content = schema.content

    def recorded(path, *arguments):
        read.append(path.name)
        return content(path, *arguments)

    monkeypatch.setattr("core.runs.run.content", recorded)
    page = opened(run, "curves")
    read.clear()
    (choice,) = [group for group in page.segmented_control if group.label == "What to see of the run"]
    page = choice.set_value("files").run()
    sizes = {row[0]: row[1] for row in table(page)[1:]}
    assert (sizes["model.keras"], sizes["model.tflite"], sizes["test_predictions.csv"]) == (
        "3.0 MB",
        "1.0 kB",
        "made for you",
    )
    assert {"config.json", "history.csv", "metrics.json", "progress.jsonl"} <= set(sizes)
    assert f'href="download/{run.id}/model.keras" download' in html(page)
    assert not {"model.keras", "model.tflite", "test_predictions.npz"} & set(read)


def test_a_run_that_trains_offers_what_there_is():
    run = started_run()
    assert {row[0] for row in table(opened(run, "files"))[1:]} == {"config.json", "history.csv", "progress.jsonl"}


def test_where_it_was_trained_is_told_for_each_session():
    run = finished_run()
    facts = {"started": 1.8e9, "seconds": 50.0, "gpus": [], "first_step": 0, "keras": "3.15.1"}
    first = facts | {"first_epoch": 1, "processor": "Old <Processor>", "cores": 2}
    second = facts | {"first_epoch": 3, "processor": "New Processor", "cores": 4, "memory_bytes": 2**33}
    run.describe(sessions=[first, second])
    page = opened(run, "environment")
    rows = {row[0]: row[1:] for row in table(page)}
    assert rows["Epochs"] == ["1 to 2", "3"]
    assert rows["Processor"] == ["Old <Processor>", "New Processor"]
    assert rows["Memory"] == ["—", "8.0 GiB"]
    assert rows["Keras"] == ["3.15.1"] * 2
    said = next(text.value for text in page.markdown if text.value.startswith("Trained in 2 sessions"))
    assert plain("Old <Processor>, 2 cores") in said


def test_a_part_that_there_is_not_is_said():
    page = opened(finished_run(), "weights")
    assert "“Details” in the link is none of the choices" in page.warning[0].value
    (choice,) = [group for group in page.segmented_control if group.label == "What to see of the run"]
    assert choice.value == next(iter(PARTS))


def test_a_place_of_no_run_is_the_train_page():
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["run"], page.query_params["details"] = "no-such-run", "log"
    page = page.switch_page("pages/train.py").run()
    assert not page.exception
    assert "There is no run called no-such-run" in page.warning[0].value
    assert [button for button in page.button if (button.key or "").startswith("start_")]


def test_every_card_leads_to_the_runs_place():
    for run in (interrupted_run(), finished_run()):
        page = AppTest.from_file(APP, default_timeout=60)
        page.query_params["run"] = run.id
        page = page.switch_page("pages/train.py").run()
        page = page.button(key=f"details {run.id}").click().run()
        assert (page.query_params["run"], page.query_params["details"]) == (run.id, "settings")
        assert len(table(page)) > len(FIELDS)
        (back,) = [button for button in page.button if button.label == "All trainings"]
        page = back.click().run()
        assert "details" not in page.query_params
        assert [button for button in page.button if (button.key or "").startswith("start_")]


def test_a_run_is_given_a_name_and_a_note_which_stand_wherever_it_is_chosen():
    run = finished_run()
    page = opened(run, "note")
    page.text_input[0].set_value("with  LeakyReLU")
    page.text_area[0].set_value("The *best* so far.")
    page.button[-1].click().run()
    assert not page.exception
    assert run.read_note() == {"name": "with LeakyReLU", "note": "The *best* so far."}
    assert opened(run, "note").text_input[0].value == "with LeakyReLU"
    (chooser,) = opened_page("gallery", run=run.id).selectbox[:1]
    assert chooser.options[0].endswith(" · with LeakyReLU")
    rows = opened_page("compare").dataframe[0].value
    assert (rows["", "Name"].tolist(), rows["", "Note"].tolist()) == (["with LeakyReLU"], ["The *best* so far."])
    run.shipped_path.touch()
    page = opened(run, "note")
    assert not page.text_input
    assert "**with LeakyReLU**" in [text.value for text in page.markdown]


def test_a_lab_that_is_read_only_shows_names_and_notes_and_takes_none(monkeypatch):
    run = finished_run()
    run.write_note("mine", "Do not touch.")
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    page = opened(run, "note")
    assert not page.text_input
    assert {"**mine**", "Do not touch."} <= {text.value for text in page.markdown}


def files_of(page):
    """Row of the table of files -> its link, or None."""
    (found,) = re.findall(r'<table class="about-run">(.*?)</table>', html(page), re.DOTALL)
    cells = re.findall(r"<tr><td>(.*?)</td><td[^>]*>(.*?)</td>", found, re.DOTALL)
    return {re.sub("<[^>]*>", "", name): (re.findall('href="(.*?)"', name), size) for name, size in cells}


def test_what_takes_a_library_is_made_on_request_and_can_be_had_then():
    run = finished_run()
    page = opened(run, "files")
    assert files_of(page)["events.out.tfevents"] == ([], "on request")
    assert files_of(page)["README.md"] == ([f"download/{run.id}/README.md"], "made for you")
    # There is no network that could become one of these.
    assert not {"model.onnx", "model.safetensors"} & set(files_of(page))
    (button,) = [button for button in page.button if button.label == "Make events.out.tfevents"]
    page = button.click().run(timeout=120)
    assert not page.exception
    assert not page.error
    link, size = files_of(page)["events.out.tfevents"]
    assert link == [f"download/{run.id}/events.out.tfevents"]
    assert size.endswith(" kB")
    assert not [button for button in page.button if button.label.startswith("Make ")]


def test_what_cannot_be_made_is_said_where_the_button_was():
    run = finished_run()
    page = opened(run, "files")
    (button,) = [button for button in page.button if button.label == "Make events.out.tfevents"]
    run.history_path.write_text("epoch\n1\n")
    page = button.click().run(timeout=120)
    assert any("history.csv: its first line is not epoch" in error.value for error in page.error)


def test_what_is_not_installed_is_said_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    page = opened(finished_run(), "files")
    assert "events.out.tfevents" not in files_of(page)
    said = "Not offered: tensorboard: tensorboardX not installed; pip install -r requirements-export.txt"
    assert said in [caption.value.replace("\\", "") for caption in page.caption]


def test_a_read_only_lab_makes_nothing(monkeypatch):
    run = finished_run()
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    page = opened(run, "files")
    assert "events.out.tfevents" not in files_of(page)
    assert "README.md" in files_of(page)
    assert not [button for button in page.button if button.label.startswith("Make ")]
