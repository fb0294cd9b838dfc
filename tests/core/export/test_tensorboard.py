"""Event files: the real TensorBoard shows the run's curves, its settings and its test figures."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from core.export import export
from core.runs.run import RunError
from tests.folders import finished_run


@pytest.fixture
def run(artifacts):
    """A finished run of three epochs, of which one has some steps."""
    made = finished_run(seed=7, dropout=0.25)
    made.write_note("mine", "As **good** as any.")
    return made


@pytest.fixture
def tensorboard(run, tmp_path):
    """Asks a TensorBoard that shows the run: called with a path and a query, gives what it says of them."""
    export(run, tmp_path / "logs" / "first", ["tensorboard"])
    with open(tmp_path / "tensorboard.log", "w+") as log:
        # A port of its own choosing, which it tells.
        arguments = ["--logdir", str(tmp_path / "logs"), "--port", "0", "--load_fast", "false"]
        process = subprocess.Popen([sys.executable, "-m", "tensorboard.main", *arguments], stdout=log, stderr=log)
        try:
            yield lambda path, **query: _ask(process, log, path, query)
        finally:
            process.kill()
            process.wait()


def _ask(process, log, path, query, seconds=120):
    """What it answers once it has read the events."""
    deadline = time.monotonic() + seconds
    while True:
        assert time.monotonic() < deadline
        assert process.poll() is None, _said(log)
        if "http://" in (said := _said(log)):
            address = said.split("http://")[1].split()[0].rstrip("/")
            try:
                with urllib.request.urlopen(f"http://{address}/data/{path}?{urllib.parse.urlencode(query)}") as reply:
                    if (found := json.load(reply)) and found != {"first": {}}:
                        return found
            except urllib.error.HTTPError:
                pass  # It has not read that far.
        time.sleep(0.2)


def _said(log):
    log.seek(0)
    return log.read()


def test_the_real_tensorboard_shows_curves_settings_and_test_figures(run, tensorboard):
    record, history, metrics = run.read_record(), run.read_history(), run.read_metrics()
    (progress,), _ = run.read_progress()
    tags = tensorboard("plugin/scalars/tags")["first"]
    for measure in ("accuracy", "loss"):
        for part in ("training", "validation"):
            points = tensorboard("plugin/scalars/scalars", run="first", tag=f"{measure}/{part}")
            column = f"{part.replace('training', 'train')}_{measure}"
            assert [step for _, step, _ in points] == [1, 2, 3]
            assert [value for *_, value in points] == pytest.approx(list(history[column]))
            # No step was recorded of these epochs: each took as long as its row says.
            times = [record["created"] + epoch * 12.5 for epoch in (1, 2, 3)]
            assert [when for when, *_ in points] == pytest.approx(times, abs=0.01)
        ((_, step, value),) = tensorboard("plugin/scalars/scalars", run="first", tag=f"{measure}/test")
        assert (step, value) == (3, pytest.approx(metrics["best"][f"test_{measure}"]))
    ((when, step, value),) = tensorboard("plugin/scalars/scalars", run="first", tag="loss/training_by_step")
    assert (step, value) == (3 * 20 + 5, pytest.approx(progress["loss"]))
    assert when == pytest.approx(progress["time"], abs=0.01)
    assert {"learning_rate/epoch", "learning_rate/step", "images_per_second/epoch"} <= set(tags)
    (about,) = tensorboard("plugin/text/text", run="first", tag="run/text_summary")
    assert run.id in about["text"]
    assert "As <strong>good</strong> as any." in about["text"]
    (settings,) = tensorboard("plugin/text/text", run="first", tag="settings/text_summary")
    assert "<td>0.25</td>\n<td>changed</td>" in settings["text"]


def test_the_same_run_gives_the_same_bytes_in_another_process_too(run, tmp_path):
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "core", "export", run.id, str(tmp_path / seed), "--formats", "tensorboard"]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed})
    first, second = ((tmp_path / seed / "events.out.tfevents").read_bytes() for seed in ("1", "2"))
    assert first == second


def test_steps_that_cannot_be_read_are_said_before_anything_is_written(run, tmp_path):
    row = run.progress_path.read_bytes()
    # Of a long file only the end is looked at until somebody needs all of it.
    run.progress_path.write_bytes(1000 * row + b"noise\n" + 1000 * row)
    with pytest.raises(RunError, match=r"progress\.jsonl: a row is not JSON"):
        export(run, tmp_path / "out", ["tables", "tensorboard"])
    assert not (tmp_path / "out").exists()


def test_an_epoch_ends_with_its_last_step_where_steps_were_recorded(artifacts, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = finished_run()
    created = run.read_record()["created"]
    row = {"steps": 20, "loss": 0.5, "accuracy": 0.7, "learning_rate": 0.001, "images_per_second": 700.0}
    for epoch, step, seconds in ((1, 10, 100), (1, 20, 200), (2, 20, 300)):
        run.append_progress(row | {"epoch": epoch, "step": step, "time": created + seconds})
    export(run, tmp_path, ["tensorboard"])
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    ends = [event.wall_time - created for event in events.Scalars("loss/training")]
    assert ends == pytest.approx([200, 300, 312.5])
