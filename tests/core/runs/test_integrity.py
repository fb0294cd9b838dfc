"""Whatever happens to a file of a run folder, each page and each command says which one it is and goes on."""

import functools
import itertools
import json
import tempfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.cli import runs
from core.datasets.loading import Dataset
from core.runs.integrity import problems
from tests.damages import SENSELESS, WAYS, damaged
from tests.folders import finished_run, started_run
from tests.penmanship import build_reader, teach, variations

APP = str(Path(__file__).parents[3] / "app.py")
# The files of a run, and those of them that a run has from its beginning or once it is completed.
FILES = (
    "config.json",
    "status.json",
    "history.csv",
    "metrics.json",
    "test_predictions.npz",
    "progress.jsonl",
    "queue.json",
    "log.txt",
    "model.keras",
    "model.tflite",
)
NEEDED = FILES[:5]
# For the gallery, and for the commands evaluate and export.
LOOKED_INTO = ("config.json", "status.json", "metrics.json", "test_predictions.npz")
EVALUATED = ("config.json", "metrics.json", "model.keras", "model.tflite")
EXPORTED = {*FILES} - {"status.json", "queue.json", "log.txt"}
# What grows line by line may end anywhere, and of a network only its beginning and its contents are looked at.
HARMLESS = {
    *(("log.txt", way) for way in ("empty", "noise", "truncated", "huge")),
    *((name, way) for name in ("progress.jsonl", "history.csv") for way in ("empty", "truncated")),
    ("model.tflite", "truncated"),
}


@functools.cache
def keras_file():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        build_reader().save(path)
        return path.read_bytes()


def whole_run(network="alexnet"):
    """A completed run that has all of FILES."""
    run = teach(finished_run(network))
    run.model_path.write_bytes(keras_file())
    run.log_path.write_text("Epoch 1/3\n")
    run.write_position(1.0)
    return run


def begun_run():
    """A run at work that was finished as it was before."""
    run = started_run()
    run.write_metrics(finished_run("resnet34").read_metrics())
    return run


def failed_run():
    run = started_run()
    run.write_status(state="failed", error="The disk is full.")
    run.log_path.write_text("Epoch 1/3\n")
    return run


def ways(name):
    return [*WAYS, *SENSELESS.get(name, ())]


def is_said(name, way, completed=True):
    """Whether this is damage, and not what may well be."""
    if way == "missing" or ((name, way) in HARMLESS and name == "history.csv"):
        return name in (NEEDED if completed else NEEDED[:2])
    return (name, way) not in HARMLESS


def opened(name, *runs):
    page = AppTest.from_file(APP, default_timeout=60)
    page.switch_page(f"pages/{name}.py")
    page.query_params["run"] = [run.id for run in runs]
    page.run()
    assert not page.exception
    return page


def named(run, name):
    """How each sentence about a file begins."""
    return f"{run.id}: {name}"


def said(page):
    return "\n".join(element.value for element in [*page.warning, *page.error, *page.info, *page.caption])


def linked(page):
    return {link.proto.query_string for link in page.get("page_link")}


def networks(page):
    (predictions,) = [e.proto for e in page.get("bidi_component") if e.proto.component_name == "predictions"]
    return [network["run"] for network in json.loads(predictions.json)["networks"]]


# Page -> whether it shows a completed run.
SHOWS = {
    "overview": lambda page, run: any(f"gallery?run={run.id}" in html.proto.body for html in page.get("html")),
    "train": lambda page, run: f"run={run.id}" in linked(page),
    "compare": lambda page, run: run.id in page.dataframe[0].value["", "Run"].tolist(),
    "gallery": lambda page, run: run.id[-4:] in "".join(page.selectbox(key="gallery run").options),
    "draw": lambda page, run: any(run.id[-4:] in name for name in networks(page)),
}


@pytest.mark.parametrize(
    ("make", "names"),
    [
        *((whole_run, names) for names in (FILES[:4], FILES[4:7], FILES[7:])),
        (begun_run, (*FILES[:4], "progress.jsonl")),
        (failed_run, ("log.txt",)),
    ],
)
def test_every_page_names_the_damaged_file_and_shows_the_sound_run(artifacts, make, names):
    sound = whole_run("vgg16")
    # Of what is senseless the first will do: that the others are as damaged is tested on the folder itself.
    runs = {(name, way): make() for name in names for way in ways(name)[: len(WAYS) + 1]}
    for (name, way), run in runs.items():
        damaged(run.path / name, way)
    for title, shows in SHOWS.items():
        page = opened(title, sound, *runs.values())
        assert shows(page, sound), title
        if title in ("overview", "train", "compare"):
            words = said(page)
            for (name, way), run in runs.items():
                assert (named(run, name) in words) == is_said(name, way, make is whole_run), (title, name, way)
    for name in names if make is whole_run else ():
        for way in ("noise", "missing", "folder") if name in LOOKED_INTO else ():
            page = opened("gallery", runs[name, way], sound)
            assert SHOWS["gallery"](page, sound)
            assert not SHOWS["gallery"](page, runs[name, way])
            assert named(runs[name, way], name) in said(page), way


def test_every_page_opens_where_all_runs_are_damaged(artifacts):
    runs = {name: [finished_run() for _ in range(3)] for name in LOOKED_INTO}
    for name, made in runs.items():
        for run, way in zip(made, ("noise", "missing", "folder"), strict=True):
            damaged(run.path / name, way)
    for title in SHOWS:
        for page in (opened(title), opened(title, *itertools.chain(*runs.values()))):
            assert title == "draw" or named(runs["config.json"][0], "config.json") in said(page)


@pytest.mark.parametrize("make", [started_run, finished_run])
def test_what_only_workers_use_does_no_page_and_no_command_any_harm(artifacts, capsys, make):
    sound, runs = whole_run("vgg16"), []
    for name in ("checkpoint", ".lock", "finish"):
        for way in ("empty", "noise", "huge", "missing", "folder", "pipe", "unreadable"):
            damaged((run := make()).path / name, way)
            runs.append(run)
    for title, shows in SHOWS.items():
        assert shows(opened(title, sound, *runs), sound)
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out
    assert [run.id for run in runs if run.id not in listed] == []


@pytest.mark.parametrize("name", FILES)
def test_every_command_names_the_damaged_file_and_goes_on(artifacts, tmp_path, monkeypatch, capsys, name):
    images, labels = variations(1)
    monkeypatch.setattr(runs, "load", lambda dataset: Dataset(images, labels, images, labels))
    sound = whole_run("vgg16")
    for number, way in enumerate(ways(name)):
        run = whole_run()
        damaged(run.path / name, way)
        is_damage = is_said(name, way)
        assert main(["runs"]) == 0
        listed = capsys.readouterr()
        assert (f"damaged: {name}" in next(line for line in listed.out.splitlines() if run.id in line)) == is_damage
        assert sound.id in listed.out
        assert listed.err == ""

        cut, gone = (name, way) == ("model.tflite", "truncated"), (name, way) == ("model.keras", "missing")
        asked = {
            ("export", run.id, str(tmp_path / str(number))): cut or gone or (is_damage and name in EXPORTED),
            ("train", "--run", run.id): is_damage and name in ("config.json", "status.json"),
            ("stop", run.id): is_damage and name == "status.json",
        }
        # What it does not read has nothing to do with it, and it takes its time.
        if name in EVALUATED:
            asked["evaluate", run.id] = is_damage or cut or gone
        for arguments, names_it in asked.items():
            assert main(arguments) == (2 if names_it or arguments[0] == "train" else 0), (way, arguments)
            err = capsys.readouterr().err.strip().splitlines()
            assert not names_it or err[-1].startswith(named(run, name)), (way, err)
        run.path.rename(tmp_path / f"{number} looked at")


def test_a_sound_run_has_no_damage(artifacts):
    for run in (whole_run(), started_run(), failed_run()):
        assert problems(run) == {}


def test_damage_is_told_without_reading_a_long_progress(artifacts):
    run = started_run()
    row = run.progress_path.read_bytes()
    run.progress_path.write_bytes(1000 * row + b"noise\n" + 1000 * row)
    assert problems(run) == {}
    run.progress_path.write_bytes(2000 * row + b"noise\n")
    assert list(problems(run)) == ["progress.jsonl"]


def test_what_a_file_says_is_shown_as_it_is_and_fetches_nothing(artifacts):
    picture, escaped = "![x](http://elsewhere.example/x.png)", r"!\[x\](http://elsewhere.example/x.png)"
    working, failed = started_run(), failed_run()
    working.write_status(phase=picture, steps=None)
    failed.write_status(error=picture)
    page = opened("train", working, failed)
    assert [error.value for error in page.error] == [escaped]
    assert f":blue-badge[{escaped}]" in [text.value for text in page.markdown]
    assert escaped in [bar.proto.text for bar in page.get("progress")]


@pytest.mark.parametrize("page", SHOWS)
def test_what_a_damaged_file_says_fetches_nothing_on_any_page(artifacts, page):
    picture, escaped = "![x](http://elsewhere.example)", r"'!\[x\](http://elsewhere.example)'"
    nameless, unevaluated, unfinished = finished_run(), teach(finished_run("vgg16")), started_run("resnet34")
    record = json.loads(nameless.config_path.read_text())
    nameless.config_path.write_text(json.dumps(record | {"config": {picture: 1}}))
    unevaluated.metrics_path.write_text(json.dumps(unevaluated.read_metrics() | {"epochs": picture}))
    unfinished.history_path.write_text(unfinished.history_path.read_text() + f"{picture},0,0,0,0,0,0,1\n")
    shown = said(opened(page, nameless, unevaluated, unfinished))
    assert escaped in shown
    assert picture not in shown


def test_a_run_that_diverged_is_no_damage_and_is_shown(artifacts):
    run = started_run()
    header, *rows = run.history_path.read_text().splitlines()
    rows = [",".join(["NaN" if place in (1, 3) else cell for place, cell in enumerate(row.split(","))]) for row in rows]
    run.history_path.write_text("\n".join([header, *rows]) + "\n")
    assert problems(run) == {}
    assert said(opened("train", run)) == said(opened("train", started_run()))
