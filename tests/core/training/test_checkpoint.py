"""Checkpoints: a run that was cut anywhere and resumed is the run that was never cut; damage costs time and no more."""

import json
import shutil

import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.runs.run import Run, RunError, create_run
from core.training import checkpoint, train
from tests.core.training.filled import TRAINED, expect_a_full_folder
from tests.few_images import eager, few
from tests.shallow import shallow

TINY = {"image_size": 16, "train_examples": 60, "epochs": 2, "batch_size": 18}
# All that happens to images at random; `translate` and `flip` are what most recipes do besides.
AUGMENTED = {
    "flip": True,
    "alternating_flip": True,
    "crop_padding": 3,
    "rotate": 20.0,
    "scale": 0.2,
    "erase": 0.3,
    "mixup": 0.5,
}
MUON = {"optimizer": "muon", "schedule": "triangle"}
STEPS = 3
# In the middle of the first and of the second epoch, counting from where the run goes on.
CUTS = (2, 3)
WALL_TIME = ["seconds", "images_per_second"]
SMALLEST = "alexnet"


@pytest.fixture
def few_images(monkeypatch, artifacts):
    monkeypatch.setattr(train, "load", few)
    yield
    keras.utils.clear_session(free_memory=True)


@pytest.fixture
def handful(few_images, monkeypatch):
    # What comes last takes longest, and says nothing about checkpoints.
    for save in ("save_network", "save_tflite"):
        monkeypatch.setattr(train, save, lambda model, run: None)
    shallow(monkeypatch, SMALLEST)


def trained(config, cuts=()):
    """A run that was stopped each time it had asked so often whether to stop, and gone on with anew."""
    run = create_run(config)
    for cut in cuts:
        asked = iter(range(1, 1000))
        assert train.train(config, run.path, lambda asked=asked, cut=cut: next(asked) >= cut, verbose=0) is None
    assert train.train(config, run.path, verbose=0)
    return run


def outcome(run):
    """Everything about a run that its wall time does not change."""
    metrics = run.read_metrics()
    # A saved network tells when it was saved.
    del metrics["seconds"], metrics["files"]
    predictions = {name: array.tolist() for name, array in run.read_predictions().items()}
    return run.read_history().drop(columns=WALL_TIME).to_dict("records"), metrics, predictions


def steps_written(run):
    return [(row["epoch"], row["step"]) for row in run.read_progress()[0]]


def state(run):
    """What a run goes on from, and its curves, but for its wall time."""
    (path,) = checkpoint.state_paths(run)
    arrays = checkpoint.read_arrays(path)
    saved = checkpoint.latest(run)
    variables = {name: value.tolist() for name, value in arrays.items() if name != "facts"}
    assert {name.split("/")[0] for name in variables} >= {"model", "optimizer"}
    return run.read_history().drop(columns=WALL_TIME).to_dict("records"), (saved.epoch, saved.step), variables


@pytest.mark.parametrize("family", [family for family in TRAINED if family != SMALLEST])
def test_a_run_cut_in_the_middle_of_an_epoch_equals_one_that_was_not_and_fills_its_folder(
    few_images, artifacts, monkeypatch, family
):
    """Families that have something of their own to resume: auxiliary heads, paths and blocks dropped. Of one of them
    also the graph of a step, which takes longest.
    """
    if family != "googlenet":
        eager(monkeypatch)
    monkeypatch.setattr(checkpoint, "MINUTES_BETWEEN", 0)
    options = TINY | {"dropout": 0.2, "stochastic_depth": 0.3, "optimizer": "sgd", "map": "on"}
    options |= AUGMENTED
    config = make_config(shallow(monkeypatch, family), "mnist", "quick", **options)
    whole = create_run(config)
    cut = Run(artifacts / f"{whole.id[:-4]}0000")

    def asks(*moments):
        """What is asked after each step but an epoch's last, and as the second epoch begins."""
        following = iter(moments)

        def stop_requested():
            moment = next(following)
            if moment == "crash":
                shutil.copytree(whole.path, cut.path)
            return moment == "stop"

        return stop_requested

    assert train.train(config, whole.path, asks("go on", "crash", "stop"), verbose=0) is None
    assert [path.name for path in checkpoint.state_paths(cut)] == ["state-000-000001.npz"]
    assert train.train(config, cut.path, asks("go on", "stop"), verbose=0) is None
    assert state(cut) == state(whole)
    assert state(cut)[1] == (1, 0)
    eager(monkeypatch)
    assert train.train(config, cut.path, verbose=0)
    expect_a_full_folder(cut, STEPS, exported=True)


def test_a_run_with_averaged_weights_cut_in_several_places_equals_one_that_was_not(handful, monkeypatch):
    eager(monkeypatch)
    config = make_config(SMALLEST, "mnist", "modern", **TINY | AUGMENTED | MUON)
    assert config.weight_averaging
    assert config.record_test_predictions
    whole, cut = trained(config), trained(config, CUTS)
    assert outcome(cut) == outcome(whole)
    assert steps_written(cut)[-1] == (2, STEPS)
    assert steps_written(cut) == sorted(set(steps_written(cut)))


def test_the_counters_of_plateau_and_early_stopping_are_resumed(handful, monkeypatch):
    eager(monkeypatch)
    changes = {"learning_rate": 0.02, "epochs": 8, "early_stopping_patience": 2, "plateau_patience": 1}
    # LeNet-5 gets better all the time.
    config = make_config(SMALLEST, "mnist", "report", **TINY | changes)
    # In the middle of its second epoch.
    whole, cut = trained(config), trained(config, cuts=(5,))
    assert outcome(cut) == outcome(whole)
    history = whole.read_history()
    assert history["learning_rate"].nunique() > 1
    assert len(history) < 8


def test_long_epochs_are_kept_inside_and_only_the_newest_stays(handful, monkeypatch):
    eager(monkeypatch)
    monkeypatch.setattr(checkpoint, "MINUTES_BETWEEN", 0)
    written = []
    write = checkpoint.write_state
    monkeypatch.setattr(checkpoint, "write_state", lambda *about: written.append(about[1:3]) or write(*about))
    config = make_config(SMALLEST, "mnist", **TINY)
    run = trained(config)
    assert written == [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]
    assert [path.name for path in checkpoint.state_paths(run)] == ["state-002-000000.npz"]


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory):
    """A run that was stopped in its second epoch; nobody changes it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LAB_ARTIFACTS", str(tmp_path_factory.mktemp("artifacts")))
        patched.setattr(train, "load", few)
        eager(patched)
        shallow(patched, SMALLEST)
        config = make_config(SMALLEST, "mnist", **TINY)
        run = create_run(config)
        asked = iter(range(1000))
        assert train.train(config, run.path, lambda: next(asked) >= 3, verbose=0) is None
    return run


@pytest.fixture
def stopped(handful, artifacts, monkeypatch, stopped_once):
    """A copy of it, which goes on as it began."""
    eager(monkeypatch)
    return Run(shutil.copytree(stopped_once.path, artifacts / stopped_once.id))


def test_a_stopped_run_can_be_finished_as_it_is(stopped):
    before = stopped.read_history().to_dict("records")
    stopped.finish_path.touch()
    metrics = train.train(stopped.read_config(), stopped.path, verbose=0)
    assert metrics["epochs"] == metrics["best"]["epoch"] == 1
    assert stopped.read_history().to_dict("records") == before


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: b"", None])
def test_a_damaged_checkpoint_is_left_out_and_said(stopped, damage, capsys):
    (path,) = checkpoint.state_paths(stopped)
    content = path.read_bytes()
    path.unlink()
    if damage:
        path.write_bytes(damage(content))
    else:
        path.mkdir()
    assert checkpoint.latest(stopped) is None
    assert f"{path.name} is left out" in capsys.readouterr().out


def test_a_run_with_a_damaged_checkpoint_begins_anew(stopped):
    (path,) = checkpoint.state_paths(stopped)
    path.write_bytes(b"")
    metrics = train.train(stopped.read_config(), stopped.path, verbose=0)
    assert metrics["epochs"] == 2
    assert list(stopped.read_history()["epoch"]) == [1, 2]


def rewritten(path, change):
    """Changes the arrays, name -> array, of one of a checkpoint's files."""
    arrays = checkpoint.read_arrays(path)
    change(arrays)
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def test_a_checkpoint_of_an_earlier_version_goes_on_exactly(stopped, artifacts):
    """Its network had the mean image itself where there is now the negative of it over the deviation."""
    wanted = Run(shutil.copytree(stopped.path, artifacts / f"{stopped.id[:-4]}0000"))
    for path in stopped.checkpoint_path.glob("*.npz"):
        prefix = "model/" if path.name.startswith("state") else ""
        rewritten(path, lambda arrays, prefix=prefix: arrays[f"{prefix}2"].fill(77))
    for run in (wanted, stopped):
        train.train(run.read_config(), run.path, verbose=0)
    assert outcome(stopped) == outcome(wanted)


def test_a_checkpoint_that_does_not_fit_is_said_in_one_sentence_and_kept(stopped):
    (path,) = checkpoint.state_paths(stopped)
    rewritten(path, lambda arrays: arrays.pop("model/7"))
    content = path.read_bytes()
    with pytest.raises(RunError, match=r"^The checkpoint does not fit the network; .* Start a new run with"):
        train.train(stopped.read_config(), stopped.path, verbose=0)
    assert path.read_bytes() == content


def test_a_crash_while_a_checkpoint_is_written_costs_nothing(stopped):
    (path,) = checkpoint.state_paths(stopped)
    (stopped.checkpoint_path / ".tmp-1234-state-002-000001.npz").write_bytes(b"half")
    saved = checkpoint.latest(stopped)
    assert (saved.epoch, saved.step) == (1, 1)
    assert [entry.name for entry in stopped.checkpoint_path.iterdir() if entry.name.startswith(".")] == []
    assert path.exists()


def test_a_checkpoint_holds_no_pickle(stopped):
    for path in stopped.checkpoint_path.iterdir():
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].dtype != object for name in arrays.files)
            if "facts" in arrays.files:
                assert json.loads(arrays["facts"].tobytes())["epoch"] == 1


def test_what_was_recorded_of_each_epoch_is_there_while_it_trains_and_after_a_stop_or_a_crash(handful, monkeypatch):
    eager(monkeypatch)
    config = make_config(SMALLEST, "mnist", **TINY, record_test_predictions=True)
    run, seen = create_run(config), []

    def look(stop_at):
        """After every step but an epoch's last, and as an epoch begins: what others find in the folder by then."""
        found = run.read_epoch_predictions()
        seen.append(0 if found is None else len(found["epoch_classes"]))
        return len(seen) == stop_at

    assert train.train(config, run.path, lambda: look(4), verbose=0) is None
    # It stopped in its second epoch.
    assert seen == [0, 0, 1, 1]
    stopped = run.epochs_path.read_bytes()
    # Of an epoch that is begun again after a crash, and of the next, which the crash cut in half.
    run.epochs_path.write_bytes(stopped + stopped[-40:] + stopped[-40:-7])
    assert train.train(config, run.path, lambda: look(0), verbose=0)
    found, kept = run.read_epoch_predictions(), run.read_predictions()
    assert seen == sorted(seen)
    assert run.epochs_path.read_bytes().startswith(stopped)
    for name in ("labels", "epoch_classes", "epoch_confidences"):
        assert found[name].tolist() == kept[name].tolist()
    assert len(kept["epoch_classes"]) == 2


def test_the_curves_go_back_to_the_checkpoint(stopped):
    rows = stopped.read_history().to_dict("records")
    stopped.append_history(rows[0] | {"epoch": 2})
    with open(stopped.history_path, "a") as file:
        file.write("3,0.1")
    stopped.append_progress(
        {"time": 0, "epoch": 2, "step": 3, "steps": 3, "loss": 1, "accuracy": 0, "learning_rate": 1}
    )
    stopped.rewind(rows, 1, 1)
    assert stopped.read_history().to_dict("records") == rows
    assert all(step <= (2, 1) for step in steps_written(stopped))
