"""What a server leaves for the next one: nobody reads an unchanged run twice, and nothing on the shelf is believed that
the folders do not say now.
"""

import functools
import json
import os
import sqlite3
import threading
import time

import pytest

from core.runs.run import Run
from pages.parts import data, shelf
from pages.parts.kept import Kept, stamps
from pages.parts.shelf import NAME, Shelf
from tests.folders import finished_run, interrupted_run
from tests.pages.test_kept import copies, opened, opened_below

CONFIG = ("config.json",)


@pytest.fixture(autouse=True)
def at_rest(monkeypatch):
    """Files count as settled at once."""
    monkeypatch.setattr(shelf, "AT_REST_SECONDS", -1)


@pytest.fixture
def restart(monkeypatch):
    """A function that forgets what a server keeps in memory, as one does that starts anew."""

    def forget():
        shelf.shelf.cache_clear()
        for name in ("_records", "_progress", "_predictions", "_networks"):
            monkeypatch.setattr(data, name, Kept(100_000_000))
        monkeypatch.setattr(data, "_read", functools.partial(_read, kept=data._records))

    return forget


_read = data._read


def kept(folder, run, make=lambda: "made anew", of=CONFIG):
    """What a server of its own finds on the shelf of a folder."""
    return Shelf(folder).get(run.id, "what", stamps(str(run.path), of), make)


def put(folder, run, value, of=CONFIG):
    one = Shelf(folder)
    one.get(run.id, "what", stamps(str(run.path), of), lambda: value)
    one.write()


def everything(runs):
    """All that pages know of runs from the shelf, with the types of it."""
    told = [data.readable_runs(), data.speeds(runs)]
    told += [(data.damaged_files(run), data.config(run), data.created(run)) for run in runs]
    for run in runs:
        told += [data._row(run, which) for which in ("best", "last")] + [data.metrics(run)]
    shelf.write_shelf()
    return repr(told)


def test_a_server_that_starts_anew_reads_no_run_that_has_not_changed(artifacts, restart):
    finished_run(wrong=0.0)
    copies(finished_run(), 20)
    for name in ("overview", "compare", "train", "gallery", "networks"):
        opened(name)
    restart()
    with opened_below(artifacts) as paths:
        for name in ("overview", "compare", "train", "gallery", "networks"):
            opened(name)
    # Of a few, the page draws the curves and the predictions.
    read = {os.path.dirname(os.path.relpath(path, artifacts)) for path in paths}
    assert 0 < len(read) <= 2


def test_what_lies_on_the_shelf_is_what_the_folders_say(artifacts, restart):
    runs = [finished_run(), finished_run("vgg16", "cifar10", epochs=7), interrupted_run()]
    damaged = finished_run()
    damaged.metrics_path.write_text("{}")
    told = everything(runs)
    restart()
    with opened_below(artifacts) as paths:
        assert everything(runs) == told
    assert paths == []
    (artifacts / NAME).unlink()
    restart()
    assert everything(runs) == told


@pytest.mark.parametrize("in_place", [True, False])
def test_a_run_that_changed_while_no_server_ran_is_read_anew(artifacts, restart, in_place):
    run = finished_run()
    copies(run, 3)
    opened("compare")
    metrics = run.read_metrics() | {"seconds": 4711.0}
    restart()
    if in_place:
        run.metrics_path.write_text(json.dumps(metrics))
    else:
        run.write_metrics(metrics)
    rows, _ = data.table(data.readable_runs()[0])
    assert rows.set_index("run")["seconds"][run.id] == 4711


def test_a_file_with_its_old_size_and_time_is_still_told_from_what_it_was(artifacts):
    run = finished_run()
    facts, text = run.config_path.stat(), run.config_path.read_text()
    put(artifacts, run, "of the old file")
    assert kept(artifacts, run) == "of the old file"
    run.config_path.write_text(text[::-1])
    os.utime(run.config_path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert run.config_path.stat().st_mtime_ns == facts.st_mtime_ns
    assert kept(artifacts, run) == "made anew"


def test_what_another_version_of_the_code_made_is_not_used(artifacts, monkeypatch):
    run = finished_run()
    put(artifacts, run, "old")
    monkeypatch.setattr(shelf, "_version", lambda: "another")
    assert kept(artifacts, run) == "made anew"
    put(artifacts, run, "new")
    assert kept(artifacts, run) == "new"


def test_a_wrong_bit_in_a_value_is_noticed(artifacts):
    run = finished_run()
    put(artifacts, run, 1234)
    database = sqlite3.connect(artifacts / NAME)
    with database:
        database.execute("UPDATE kept SET value = '1235'")
    database.close()
    assert kept(artifacts, run) == "made anew"


@pytest.mark.parametrize("damage", [b"", b"not a database", b"SQLite format 3\0" + bytes(5000)])
def test_a_damaged_shelf_is_thrown_away_and_all_goes_on_without_it(artifacts, restart, damage):
    run = finished_run()
    opened("overview")
    (artifacts / NAME).write_bytes(damage)
    restart()
    opened("overview")
    restart()
    opened("overview")
    put(artifacts, run, "sound again")
    assert kept(artifacts, run) == "sound again"


def test_a_shelf_that_cannot_be_written_is_done_without(artifacts):
    run = finished_run()
    (artifacts / NAME).mkdir()
    put(artifacts, run, "lost")
    assert kept(artifacts, run) == "made anew"
    opened("overview")


def test_a_read_only_lab_reads_the_shelf_and_writes_none(artifacts, monkeypatch):
    run = finished_run()
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    put(artifacts, run, "unwanted")
    opened("overview")
    assert not (artifacts / NAME).exists()
    monkeypatch.delenv("LAB_READ_ONLY")
    put(artifacts, run, "of another server")
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    before = (artifacts / NAME).read_bytes()
    assert kept(artifacts, run) == "of another server"
    put(artifacts, run, "unwanted")
    assert (artifacts / NAME).read_bytes() == before


def test_servers_that_write_at_the_same_moment_lose_nothing(artifacts):
    runs = copies(finished_run(), 8)

    def serve(number):
        one = Shelf(artifacts)
        for run in runs:
            one.get(run.id, f"of server {number}", stamps(str(run.path), CONFIG), lambda: number)
            one.write()

    servers = [threading.Thread(target=serve, args=(number,)) for number in range(4)]
    for server in servers:
        server.start()
    for server in servers:
        server.join(60)
    last = Shelf(artifacts)
    found = [
        last.get(run.id, f"of server {number}", stamps(str(run.path), CONFIG), lambda: "made anew")
        for run in runs
        for number in range(4)
    ]
    assert found == [*range(4)] * 8


def test_a_locked_shelf_keeps_nobody_waiting_for_long(artifacts):
    run = finished_run()
    put(artifacts, run, "behind a lock")
    other = sqlite3.connect(artifacts / NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    one = Shelf(artifacts)
    started = time.monotonic()
    got = [one.get(run.id, "what", stamps(str(run.path), CONFIG), lambda: "made anew") for _ in range(100)]
    one.write()
    assert time.monotonic() < started + 20
    other.close()
    assert got == ["made anew"] * 100
    assert kept(artifacts, run) == "behind a lock"


def test_what_may_still_be_being_written_does_not_lie_on_the_shelf(artifacts, monkeypatch):
    monkeypatch.setattr(shelf, "AT_REST_SECONDS", 10)
    run = finished_run()
    put(artifacts, run, "of a moment ago")
    assert not (artifacts / NAME).exists()
    assert kept(artifacts, run) == "made anew"


def test_what_is_not_there_counts_too(artifacts):
    run, names = finished_run(), ("config.json", "shipped")
    put(artifacts, run, "not shipped", names)
    assert kept(artifacts, run, of=names) == "not shipped"
    run.shipped_path.touch()
    assert kept(artifacts, run, of=names) == "made anew"


def test_runs_that_are_gone_are_forgotten(artifacts):
    stays, goes = finished_run(), finished_run()
    for run in (stays, goes):
        put(artifacts, run, "a value")
    goes.path.rename(artifacts.parent / goes.id)
    put(artifacts, Run(stays.path), "another", ("metrics.json",))
    database = sqlite3.connect(artifacts / NAME)
    assert {run for (run,) in database.execute("SELECT run FROM kept")} == {stays.id}
    database.close()
