"""What no file of a run folder may hold, one by one, and what it may."""

import json
import math
import os
from pathlib import Path

import pytest

from core.results.table import table
from core.runs.integrity import problems
from core.runs.run import Run, RunError, list_runs, open_run
from core.runs.schema import FILES, fields_table, files_table
from tests.damages import SENSELESS, WAYS, damaged
from tests.folders import finished_run, started_run

READERS = {
    "config.json": Run.read_config,
    "status.json": Run.read_status,
    "history.csv": Run.read_history,
    "metrics.json": Run.read_metrics,
    "progress.jsonl": Run.read_progress,
    "test_predictions.npz": Run.read_predictions,
    "queue.json": Run.read_position,
    "log.txt": Run.read_log,
}


@pytest.fixture
def run(artifacts):
    run = finished_run()
    run.write_position(1.0)
    run.log_path.write_text("Epoch 1/3\n")
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
        assert name in ("log.txt", "progress.jsonl", "history.csv")


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
    for write in (run.write_position, lambda _: run.shipped_path.touch(), lambda _: run.log_path.touch()):
        write(1.0)
    assert {path.name for path in run.path.iterdir()} <= {name.rstrip("/") for name in FILES}


def test_what_is_needed_ships():
    assert all(file.ships for file in FILES.values() if file.needed)
