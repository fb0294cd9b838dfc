"""The run folder: what is written is what is read, and damage is said in one sentence."""

import json
import os
import threading

import numpy as np
import pytest

from core.config.recipes import make_config
from core.runs import run as runs
from core.runs.run import RunError
from tests import folders


@pytest.fixture
def run(artifacts):
    return folders.finished_run(examples=20)


def test_what_is_written_is_read_back(run):
    assert run.read_config() == make_config("alexnet", "mnist", "quick")
    assert run.read_status()["state"] == "completed"
    assert list(run.read_history()["epoch"]) == [1, 2, 3]
    assert run.read_metrics()["best"]["epoch"] == 3
    predictions = run.read_predictions()
    assert predictions["logits"].shape == predictions["probabilities"].shape == (20, 10)
    assert predictions["epoch_classes"].shape == predictions["epoch_confidences"].shape == (3, 20)


def test_a_new_run_is_queued_and_named_after_what_it_trains(artifacts):
    config = make_config("vgg16", "fashion_mnist", "report")
    run = runs.create_run(config)
    assert run.id.startswith("vgg16-fashion_mnist-report-20")
    assert run.read_status()["state"] == "queued"
    assert runs.open_run(run.id) == run
    assert run.read_history().empty
    assert run.read_metrics() is None


def test_runs_are_listed_newest_first(artifacts):
    for name in ("alexnet-mnist-quick-20260102-030405-aaaa", "vgg16-mnist-quick-20250102-030405-bbbb", "notes"):
        (artifacts / name).mkdir()
    listed = [run.id for run in runs.list_runs()]
    assert listed == ["alexnet-mnist-quick-20260102-030405-aaaa", "vgg16-mnist-quick-20250102-030405-bbbb"]


def test_no_artifacts_folder_means_no_runs(artifacts):
    artifacts.rmdir()
    assert runs.list_runs() == []


@pytest.mark.parametrize(
    "name", ["", "..", "../secret", "a/b", "a-b/../../c", "alexnet-mnist<script>", "a-b\x00", None, "no-such-run"]
)
def test_a_name_that_is_no_run_is_refused_in_one_sentence(artifacts, name):
    with pytest.raises(runs.UnknownRunError, match=r"^[^.]+\.$"):
        runs.open_run(name)


READERS = {
    "config.json": runs.Run.read_config,
    "status.json": runs.Run.read_status,
    "history.csv": runs.Run.read_history,
    "metrics.json": runs.Run.read_metrics,
    "note.json": runs.Run.read_note,
    "progress.jsonl": runs.Run.read_progress,
    "test_predictions.npz": runs.Run.read_predictions,
}


@pytest.mark.parametrize("content", [b"\x00\xff\x93binary\n", b"{]\n", b"[1, 2]\n"])
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_named_in_one_sentence(run, name, content):
    (run.path / name).write_bytes(content)
    with pytest.raises(RunError, match=name.replace(".", r"\.")):
        READERS[name](run)


def test_a_half_written_progress_line_waits_for_its_other_half(run):
    rows, offset = run.read_progress()
    assert len(rows) == 1
    line = json.dumps(rows[0])
    with open(run.progress_path, "a") as file:
        file.write(line[:30])
    assert run.read_progress(offset) == ([], offset)
    with open(run.progress_path, "a") as file:
        file.write(line[30:] + "\n")
    assert run.read_progress(offset)[0] == rows


def test_a_reader_never_sees_half_a_status(run):
    stop = threading.Event()

    def rewrite():
        while not stop.is_set():
            run.write_status(filler="x" * np.random.default_rng().integers(20_000))

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        assert {run.read_status()["state"] for _ in range(300)} == {"completed"}
    finally:
        stop.set()
        writer.join()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_artifacts_folder_is_said_in_one_sentence(artifacts):
    artifacts.chmod(0o500)
    with pytest.raises(RunError, match="No run can be written"):
        runs.create_run(make_config("alexnet", "mnist"))


def test_a_file_in_place_of_the_artifacts_folder_is_said_in_one_sentence(artifacts):
    artifacts.rmdir()
    artifacts.write_text("")
    with pytest.raises(RunError, match="No run can be written"):
        runs.create_run(make_config("alexnet", "mnist"))


def test_a_link_to_a_run_is_listed_and_a_link_to_nowhere_is_not(artifacts, tmp_path):
    run = runs.create_run(make_config("alexnet", "mnist", "quick"))
    elsewhere = tmp_path / run.id
    run.path.rename(elsewhere)
    run.path.symlink_to(elsewhere)
    (artifacts / "loop-1").symlink_to(artifacts / "loop-1")
    (artifacts / "nowhere-1").symlink_to(artifacts / "gone")
    (artifacts / "file-1").touch()
    assert runs.list_runs() == [run]


def test_a_name_and_a_note_are_kept_in_the_runs_folder_and_too_long_ones_are_refused(run):
    assert run.read_note() == {"name": "", "note": ""}
    run.write_note("  the  good one ", " With LeakyReLU.\n")
    assert run.read_note() == {"name": "the good one", "note": "With LeakyReLU."}
    with pytest.raises(RunError, match=r"^The name is 'a+…', not text of at most 60 characters\.$"):
        run.write_note("a" * 61, "")
    assert run.read_note()["name"] == "the good one"
    run.shipped_path.touch()
    with pytest.raises(RunError, match="came with the project, and nothing changes it"):
        run.write_note("mine", "")
