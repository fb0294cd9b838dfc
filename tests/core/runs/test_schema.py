"""What no file of a run folder may hold, one by one, and what it may."""

import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest

from core.results.table import table
from core.runs.integrity import problems
from core.runs.run import Run, RunError, list_runs, open_run
from core.runs.schema import FILES, fields_table, files_table
from tests.damages import SENSELESS, WAYS, damaged
from tests.folders import finished_run, record_epochs, started_run

READERS = {
    "config.json": Run.read_config,
    "status.json": Run.read_status,
    "history.csv": Run.read_history,
    "metrics.json": Run.read_metrics,
    "note.json": Run.read_note,
    "progress.jsonl": Run.read_progress,
    "test_predictions.npz": Run.read_predictions,
    "epoch_predictions.bin": Run.read_epoch_predictions,
    "queue.json": Run.read_position,
    "log.txt": Run.read_log,
}


@pytest.fixture
def run(artifacts):
    run = finished_run()
    run.write_position(1.0)
    run.write_note("mine", "As good as any.")
    run.log_path.write_text("Epoch 1/3\n")
    record_epochs(run)
    return run


@pytest.mark.parametrize(
    ("name", "text"),
    [pytest.param(name, text, id=f"{name} {text[:60]}") for name, texts in SENSELESS.items() for text in texts],
)
def test_what_makes_no_sense_is_damage(run, name, text):
    (run.path / name).write_text(text)
    with pytest.raises(RunError, match=rf"^{run.id}: {name}: .+\.$"):
        READERS[name](run)
    assert list(problems(run)) == [name]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", READERS)
def test_a_reader_gives_what_is_sound_or_one_sentence_that_names_run_and_file(run, name, way):
    damaged(run.path / name, way)
    try:
        READERS[name](run)
    except RunError as error:
        said = str(error)
        assert said.startswith((f"{run.id}: {name} ", f"{run.id}: {name}: "))
        assert said.endswith(".")
        assert (way == "unreadable") == ("cannot be read" in said)
        assert (way == "missing") == ("is missing" in said)
    else:
        assert name in ("log.txt", "progress.jsonl", "history.csv", "note.json", "epoch_predictions.bin")


@pytest.fixture
def not_administrator(run):
    """Whoever reads may not, also where the tests run as root."""
    if os.geteuid():
        run.path.parent.chmod(0)
        yield
        run.path.parent.chmod(0o700)
    else:
        run.path.parent.chmod(0o700)
        os.seteuid(65534)
        yield
        os.seteuid(0)


@pytest.mark.usefixtures("not_administrator")
def test_without_permission_to_read_there_is_a_sentence(run):
    for name in ("config.json", "status.json"):
        with pytest.raises(RunError, match=rf"^{run.id}: {name} cannot be read \(Permission denied\); check .*\.$"):
            READERS[name](run)
    with pytest.raises(RunError, match=r"^The runs in .* cannot be read: Permission denied\.$"):
        list_runs()
    assert list(problems(run))[:2] == ["config.json", "status.json"]


def test_a_completed_run_misses_what_others_do_not_have_yet(artifacts):
    completed, begun = finished_run(), started_run()
    for name in ("history.csv", "metrics.json", "test_predictions.npz"):
        for run in (completed, begun):
            (run.path / name).unlink(missing_ok=True)
    assert begun.read_metrics() is None
    assert begun.read_history().empty
    assert problems(begun) == {}
    for name, sentence in problems(completed).items():
        assert sentence == f"{completed.id}: {name} is missing."
        with pytest.raises(RunError, match=sentence):
            READERS[name](completed)


def test_a_completed_run_has_all_its_epochs(run):
    run.history_path.write_bytes(run.history_path.read_bytes()[:-5])
    assert len(run.read_history()) == 2
    assert list(problems(run)) == ["history.csv"]


def test_losses_that_are_no_numbers_are_no_damage(run):
    metrics = run.read_metrics()
    run.write_metrics(metrics | {"last": metrics["last"] | {"test_loss": math.nan, "train_loss": math.inf}})
    history = run.history_path.read_text().splitlines()
    run.history_path.write_text("\n".join([*history[:3], "3,NaN,0.1,Infinity,0.1,0.001,9.0,9.0"]) + "\n")
    assert problems(run) == {}
    rows, sentences = table([run], "last")
    assert sentences == []
    assert math.isnan(rows["test_loss"][0])


@pytest.mark.parametrize("length", [201, 300, 5000])
def test_a_name_too_long_for_any_folder_is_no_run(artifacts, length):
    with pytest.raises(RunError, match="That is not the name of a run"):
        open_run("a-" + "b" * (length - 2))


def test_a_log_that_never_ends_is_read_from_its_end(run):
    with open(run.log_path, "r+b") as file:
        file.seek(2**33)
        file.write(b"\nthe end\n")
    assert run.read_log(1) == "the end"


def test_numbers_too_large_for_a_computer_are_no_configuration(run):
    record = json.loads(run.config_path.read_text())
    for name in ("epochs", "learning_rate"):
        run.config_path.write_text(json.dumps(record | {"config": record["config"] | {name: 10**400}}))
        with pytest.raises(RunError, match=rf"config\.json: {name} is a number of more than 18 digits, not between"):
            run.read_config()


@pytest.mark.parametrize("way", ["empty", "noise", "missing"])
def test_a_worker_writes_a_damaged_status_anew(artifacts, way):
    run = started_run()
    damaged(run.status_path, way)
    run.write_status(phase="training", epoch=2, epochs=4, step=1, steps=9)
    assert problems(run) == {}
    assert (run.read_status()["state"], run.read_status()["epoch"]) == ("running", 2)


def test_the_readme_of_the_run_folders_has_every_file_and_every_field():
    """Where this fails, the tables that the README should have are what `files_table` and `fields_table` give."""
    readme = (Path(__file__).parents[3] / "artifacts" / "README.md").read_text("utf-8")
    assert files_table() in readme
    for name, file in FILES.items():
        assert file.record is None or f"### `{name}`\n\n{fields_table(name)}" in readme


def test_the_table_has_every_file_that_a_run_has(artifacts):
    run = finished_run()
    record_epochs(run)
    for write in (run.write_position, lambda _: run.shipped_path.touch(), lambda _: run.log_path.touch()):
        write(1.0)
    assert {path.name for path in run.path.iterdir()} <= {name.rstrip("/") for name in FILES}


def test_what_is_needed_ships():
    assert all(file.ships for file in FILES.values() if file.needed)


def test_the_epochs_that_are_written_are_read_and_a_half_written_one_waits(artifacts):
    run, random = started_run(), np.random.default_rng(0)
    labels, *epochs = random.integers(0, 10, (7, 50), "uint8")
    assert run.read_epoch_predictions() is None
    for epoch in range(3):
        run.append_epoch_predictions(labels, *epochs[2 * epoch : 2 * epoch + 2])
    content = run.epochs_path.read_bytes()
    for length in range(len(content) + 1):
        run.epochs_path.write_bytes(content[:length])
        assert problems(run) == {}
        found, whole = run.read_epoch_predictions(), (length - len(b"50 images\n") - 50) // 100
        if whole < 1:
            assert found is None
            continue
        assert (found["labels"] == labels).all()
        assert (found["epoch_classes"] == epochs[0 : 2 * whole : 2]).all()
        assert (found["epoch_confidences"] == epochs[1 : 2 * whole : 2]).all()
    run.write_epoch_predictions(labels, found["epoch_classes"], found["epoch_confidences"])
    assert run.epochs_path.read_bytes() == content
    run.write_epoch_predictions(labels, found["epoch_classes"][:0], found["epoch_confidences"][:0])
    assert not run.epochs_path.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"99999 images\n" + bytes(99999), "it tells of 99,999 images, not between 1 and 10,000."),
        (b"0 images\n" + bytes(99), "it tells of 0 images, not between 1 and 10,000."),
        (b"2 images\n" + bytes([0, 10, 1, 1, 9, 9]), "labels holds 10, not a class from 0 to 9."),
        (b"2 images\n" + bytes([0, 1, 1, 11, 9, 9]), "epoch_classes holds 11, not a class from 0 to 9."),
        (b"two images\n", "its first line does not tell how many images there are; restore it"),
    ],
)
def test_epochs_that_make_no_sense_are_one_sentence(artifacts, content, sentence):
    run = started_run()
    run.epochs_path.write_bytes(content)
    with pytest.raises(RunError, match=re.escape(f"{run.id}: epoch_predictions.bin: {sentence}")):
        run.read_epoch_predictions()
