"""What pages keep of the files: read once while nothing changes, however many runs there are, and anew once it does."""

import contextlib
import platform
import shutil
import sys
import threading
from collections import Counter
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from core.jobs import control
from core.jobs.estimate import kind
from core.runs.run import Run, RunError
from pages.parts import data
from pages.parts import kept as kept_files
from pages.parts.kept import Kept
from tests.every_page import PAGES
from tests.folders import claims, finished_run, interrupted_run, started_run
from tests.penmanship import teach

APP = str(Path(__file__).parents[2] / "app.py")
_listeners = []


def _hear(event, arguments):
    if _listeners and event == "open":
        _listeners[-1].append(str(arguments[0]))


sys.addaudithook(_hear)


@contextlib.contextmanager
def opened_below(folder):
    """The files below a folder that are opened meanwhile."""
    paths, _listeners[:] = [], [[]]
    try:
        yield paths
    finally:
        paths += [path for path in _listeners.pop() if path.startswith(str(folder))]


def opened(name, *runs):
    page = AppTest.from_file(APP, default_timeout=120)
    page.switch_page(f"pages/{name}.py")
    page.query_params["run"] = [run.id for run in runs]
    page.run()
    assert not page.exception
    return page


def copies(run, count):
    """More runs with the same files, older than the run itself."""
    stem, _, end = run.id.rsplit("-", 2)
    paths = [run.path.with_name(f"{stem.rsplit('-', 1)[0]}-20200101-{number:06}-{end}") for number in range(count)]
    return [Run(Path(shutil.copytree(run.path, path))) for path in paths]


@pytest.mark.timeout(300)
def test_no_file_is_read_twice_while_nothing_changes_however_many_runs_there_are(artifacts):
    copies(teach(finished_run()), 150)
    read = {}
    for name in PAGES:
        opened(name)
        with opened_below(artifacts) as paths:
            opened(name)
        read[name] = len(paths)
    assert read == dict.fromkeys(PAGES, 0)


def test_every_page_reads_a_run_that_has_changed_and_only_that(artifacts):
    run = finished_run()
    others = copies(run, 20)
    for name in PAGES:
        opened(name)
    metrics = run.read_metrics()
    run.write_metrics(metrics | {"best": metrics["best"] | {"test_accuracy": 0.1234}})
    shows = {
        "overview": lambda page: "12.34 %" in "".join(element.proto.body for element in page.get("html")),
        "compare": lambda page: 12.34 in page.dataframe[0].value["Test", "accuracy"].round(2).tolist(),
    }
    for name, is_shown in shows.items():
        with opened_below(artifacts) as paths:
            page = opened(name)
        assert is_shown(page)
        assert [path for path in paths if any(path.startswith(str(other.path)) for other in others)] == []


def test_a_page_looks_once_at_each_file(artifacts, monkeypatch):
    copies(teach(finished_run()), 3)
    started_run()
    looked, stamp = [], kept_files._stamp

    def count(path):
        looked.append(path)
        return stamp(path)

    monkeypatch.setattr(kept_files, "_stamp", count)
    for name in PAGES:
        looked.clear()
        opened(name)
        # The lesson's text names no run by its folder.
        assert looked or name == "lesson"
        assert [path for path, times in Counter(looked).items() if times > 1] == []


def epochs(run, now=None):
    """What pages know of how many epochs were trained, after writing that there are so many `now`."""
    if now:
        run.write_metrics(run.read_metrics() | {"epochs": now})
    return data.metrics(run)["epochs"]


def test_one_look_is_of_one_moment_until_somebody_looks_again(artifacts):
    run = finished_run()
    with kept_files.one_look():
        assert epochs(run) == 3
        with kept_files.one_look():
            assert epochs(run, now=4) == 3
        kept_files.look_again()
        assert epochs(run) == 4
        assert epochs(run, now=5) == 4
    assert epochs(run) == 5


def test_a_look_is_its_threads_own(artifacts):
    run, seen = finished_run(), []
    with kept_files.one_look():
        assert epochs(run) == 3
        visitor = threading.Thread(target=lambda: seen.append(epochs(run, now=4)))
        visitor.start()
        visitor.join(10)
        assert seen == [4]


def test_a_look_ends_where_a_page_does_not_come_to_its_end(artifacts):
    run = finished_run()

    def draw():
        with kept_files.one_look():
            epochs(run)
            _fail(None)

    with pytest.raises(OSError, match="gone"):
        draw()
    assert epochs(run, now=4) == 4


def test_runs_that_can_be_named_are_those_that_are_readable(artifacts):
    runs = [finished_run() for _ in range(5)]
    runs[0].config_path.write_text("{}")
    runs[1].status_path.unlink()
    runs[2].metrics_path.write_text("[")
    assert data.nameable_runs() == data.readable_runs()[0]
    assert set(data.nameable_runs()) == set(runs[2:])


def test_a_run_at_work_is_looked_at_anew_each_time(artifacts):
    run = started_run()
    assert data.state(run)["epoch"] == 3
    assert len(data.progress(run)) == 1
    run.write_status(epoch=4)
    run.append_progress(data.progress(run)[0] | {"step": 6})
    assert data.state(run)["epoch"] == 4
    assert [row["step"] for row in data.progress(run)] == [5, 6]


def test_the_process_of_a_run_that_has_ended_is_looked_for_once(artifacts):
    run = interrupted_run()
    assert data.state(run)["state"] == "interrupted"
    with opened_below(artifacts) as paths:
        assert data.state(run)["state"] == "interrupted"
    assert paths == []
    run.write_status(state="stopping")
    assert data.state(run)["state"] == "stopped"
    lock = control.take(run)
    assert data.state(run)["state"] == "queued"
    lock.release()


def test_a_run_whose_process_ends_is_seen_to_have_ended_at_the_next_look(artifacts):
    run = started_run()
    assert data.state(run)["state"] == "running"
    claims.pop(run).release()
    assert data.state(run)["state"] == "interrupted"


def test_progress_that_was_rewound_is_read_from_its_beginning(artifacts):
    run = started_run()
    row = data.progress(run)[0]
    for step in (6, 7):
        run.append_progress(row | {"step": step})
    assert len(data.progress(run)) == 3
    run.rewind([], 2, 6)
    assert [row["step"] for row in data.progress(run)] == [5, 6]
    run.progress_path.unlink()
    assert data.progress(run) == []


def test_speeds_are_those_of_the_newest_run_of_this_machine(artifacts):
    old, new = finished_run(), finished_run()
    here = {"platform": platform.platform(), "cores": psutil.cpu_count()}
    for run, speed in ((old, "100.0"), (new, "300.0")):
        run.describe(environment=here)
        run.history_path.write_text(run.history_path.read_text().replace("800.0", speed))
    elsewhere = finished_run("vgg16")
    elsewhere.describe(environment=here | {"cores": 1000})
    assert data.speeds([new, old, elsewhere]) == {kind(new.read_config()): 300.0}
    assert data.speeds([old, new]) == {kind(old.read_config()): 100.0}
    # Perhaps on a machine of the same name that had much else to do.
    new.shipped_path.touch()
    assert data.speeds([new, old]) == {kind(old.read_config()): 100.0}


def test_a_value_is_made_once_for_each_stamp_and_the_last_one_is_at_hand():
    kept, made = Kept(100), []

    def make(last):
        made.append(last)
        return len(made)

    assert [kept.get("a", stamp, 1, make) for stamp in (1, 1, 2, 2, 1)] == [1, 1, 2, 2, 3]
    assert made == [None, 1, 2]


def test_the_least_recently_used_go_first_and_never_the_last():
    kept, made = Kept(3), []

    def get(key, weight=1):
        return kept.get(key, 0, weight, lambda last: made.append(key))

    for key in "abcabc":
        get(key)
    assert made == ["a", "b", "c"]
    get("a")
    get("d", 2)  # For which b and c must go.
    get("a")
    get("e", 1000)
    get("e", 1000)
    assert made == ["a", "b", "c", "d", "e"]
    get("a")
    assert made[-1] == "a"


def test_a_value_that_grows_is_weighed_anew():
    kept, made = Kept(10), []
    for key, stamp, weight in (("a", 0, 5), ("b", 0, 5), ("b", 1, 6), ("b", 1, 6), ("a", 0, 5)):
        kept.get(key, stamp, weight, lambda last, key=key: made.append(key))
    assert made == ["a", "b", "b", "a"]


def test_what_cannot_be_made_is_tried_again_and_weighs_nothing():
    kept = Kept(2)
    kept.get("a", 0, 1, lambda last: "sound")
    for _ in range(3):
        with pytest.raises(OSError, match="gone"):
            kept.get("b", 0, 2, _fail)
    assert kept.get("a", 0, 1, _fail) == "sound"
    assert kept.get("b", 0, 1, lambda last: last) is None


def _fail(last):
    raise OSError("gone")


def test_visitors_at_the_same_moment_share_one_value():
    kept, made, inside, go = Kept(10), [], threading.Event(), threading.Event()

    def make(last):
        made.append(1)
        inside.set()
        go.wait(10)
        return object()

    values = []
    threads = [threading.Thread(target=lambda: values.append(kept.get("a", 0, 1, make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    # While one is being made, others are at hand.
    assert kept.get("b", 0, 1, lambda last: "b") == "b"
    go.set()
    for thread in threads:
        thread.join(10)
    assert len(made) == 1
    assert len(set(map(id, values))) == 1
    assert len(values) == 8


def test_many_threads_keep_the_sum_right():
    kept, rounds = Kept(50), 2000

    def work(seed):
        for number in range(rounds):
            key = (seed * 7 + number * 13) % 40
            kept.get(key, number % 3, key % 5 + 1, lambda last, key=key: key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert kept._sum == sum(entry.bytes for entry in kept._entries.values()) <= 50


def test_the_files_of_a_folder_at_rest_are_looked_at_again_after_some_seconds_and_at_once_where_one_is_new(
    artifacts, monkeypatch
):
    run = finished_run()
    names = ("metrics.json", "finish")

    def seen():
        with kept_files.one_look():
            return kept_files.stamps(str(run.path), names)

    run.metrics_path.write_text("new")
    first = seen()
    run.metrics_path.write_text("newer")
    # The folder was made a moment ago.
    assert seen() != first
    monkeypatch.setattr(kept_files, "AT_REST_SECONDS", -1)
    first = seen()
    run.metrics_path.write_text("newest of all")
    assert seen() == first
    kept_files.look_again()
    second = seen()
    assert second != first
    run.finish_path.touch()
    third = seen()
    assert third[1]
    run.metrics_path.write_text("")
    assert seen() == third
    monkeypatch.setattr(
        kept_files.time, "time", lambda now=kept_files.time.time: now() + 2 * kept_files.RESTING_SECONDS
    )
    assert seen()[0].size == 0


def test_a_value_of_each_run_is_made_anew_only_where_its_folder_changed(artifacts):
    runs, asked = [finished_run(), finished_run()], []

    def accuracy(run):
        asked.append(run)
        kept_files.stamps(str(run.path), ("metrics.json",))
        return run.read_metrics()["best"]["test_accuracy"]

    accuracies = kept_files.OfEach(accuracy)

    def now():
        asked.clear()
        with kept_files.one_look():
            assert accuracies(runs) == accuracies(runs)
            return accuracies(runs)

    first = now()
    assert asked == runs
    assert now() == first
    assert asked == []
    # Replaced, as the lab writes it, and in place, as a person may.
    metrics = runs[1].read_metrics()
    metrics["best"]["test_accuracy"] = 0.5
    runs[1].write_metrics(metrics)
    assert now() == [first[0], 0.5]
    assert asked == [runs[1]]
    runs[0].metrics_path.write_text(runs[1].metrics_path.read_text())
    assert now() == [0.5, 0.5]
    assert asked == [runs[0]]
    # Outside of a look each is of its own moment.
    accuracies(runs)
    assert asked == [*runs[:1], *runs]


def test_what_fails_for_a_moment_is_asked_for_again_though_no_file_has_changed(artifacts):
    run, answers = finished_run(), [RunError("Too many files are open."), 0.5, 0.7]

    def answer(run):
        said = answers.pop(0)
        if isinstance(said, RunError):
            raise said
        return said

    told = kept_files.OfEach(answer, failed=str)
    found = []
    for _ in range(3):
        with kept_files.one_look():
            found += told([run])
    assert found == ["Too many files are open.", 0.5, 0.5]
    run.metrics_path.write_text("{")
    with pytest.raises(RunError), kept_files.one_look():
        kept_files.OfEach(lambda run: run.read_metrics())([run])
