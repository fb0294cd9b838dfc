"""Runs that come from another machine: which are taken, which replace what is here, and what is refused."""

import stat
import zipfile

import pytest

from core.__main__ import main
from core.config.recipes import make_config
from core.jobs import liveness
from core.jobs.archives import CUT, Archive, collect
from core.runs.integrity import fingerprints, problems
from core.runs.run import Run, RunError, create_run, list_runs, open_run
from tests.folders import claims, complete, finished_run, interrupted_run, started_run


@pytest.fixture
def away(artifacts, tmp_path, monkeypatch):
    """A function that makes something in the artifacts folder of another machine, and gives it."""

    def away(make, *arguments, **options):
        monkeypatch.setenv("LAB_ARTIFACTS", str(tmp_path / "away"))
        (tmp_path / "away").mkdir(exist_ok=True)
        try:
            return make(*arguments, **options)
        finally:
            monkeypatch.setenv("LAB_ARTIFACTS", str(artifacts))

    return away


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "results.zip"


def told(source):
    """What is said of each run without its name, and of those that were refused."""
    said = list(collect(source))
    return [words.split("  ", 1)[1] for words, refused in said if not refused], [words for words, bad in said if bad]


def files(run):
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


def test_a_newer_state_replaces_an_older_one_and_nothing_is_taken_twice(away, archive):
    run, other = away(started_run, "lenet5", epochs_done=3), away(interrupted_run, network="lenet5", recipe="modern")
    away(create_run, make_config("alexnet", "mnist"))
    Archive(archive).update(away(list_runs))
    assert told(archive) == (["taken: stopped", "taken: stopped"], [])
    here = open_run(run.id)
    assert liveness.state(here) | {"heartbeat": 0} == {
        **{"state": "stopped", "epoch": 4, "epochs": 4, "step": 5, "steps": 20},
        **{"heartbeat": 0, "error": None, "note": CUT},
    }
    assert here.read_record() == run.read_record()
    assert len(here.read_history()) == 3
    assert told(archive) == (["here already: stopped", "here already: stopped"], [])

    away(complete, run)
    older = archive.with_name("older.zip")
    archive.rename(older)
    Archive(archive).update([run])
    accuracy = f"completed, {100 * run.read_metrics()['best']['test_accuracy']:.2f} % test accuracy"
    assert told(archive) == ([f"a newer state was taken: {accuracy}"], [])
    assert told(archive) == ([f"here already: {accuracy}"], [])
    assert told(older)[0] == ["here already: stopped", "here already: stopped"]
    assert files(here).keys() == files(run).keys() - {".lock", "queue.json"}
    for name, content in files(here).items():
        assert name == "status.json" or content == (run.path / name).read_bytes()
    assert problems(here) == {}
    assert {run.id for run in list_runs()} == {run.id, other.id}


def test_the_archive_is_written_when_something_has_changed_and_not_all_the_time(away, archive):
    run, kept = away(started_run, "lenet5"), Archive(archive)
    kept.keep_up([run])
    first = archive.stat().st_ino
    kept.update([run])
    away(complete, run)
    kept.keep_up([run])
    assert archive.stat().st_ino == first
    kept.update([run])
    assert archive.stat().st_ino != first


def test_networks_come_along_on_request_and_can_follow(away, archive):
    run = away(finished_run)
    for path, begin in ((run.model_path, b""), (run.tflite_path, b"\0\0\0\0TFL3")):
        path.write_bytes(begin)
    with zipfile.ZipFile(run.model_path, "w") as network:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            network.writestr(name, "{}")
    run.write_metrics(run.read_metrics() | {"files": fingerprints(run)})
    Archive(archive).update([run])
    assert told(archive)[0] != []
    assert not open_run(run.id).model_path.exists()
    Archive(archive, networks=True).update([run])
    assert told(archive)[0][0].startswith("a newer state was taken: completed")
    assert open_run(run.id).model_path.read_bytes() == run.model_path.read_bytes()
    assert open_run(run.id).tflite_path.read_bytes() == run.tflite_path.read_bytes()


@pytest.mark.parametrize("way", ["an archive", "a folder"])
def test_a_damaged_run_is_one_sentence_and_the_others_are_taken(way, away, archive, capsys):
    sound, damaged, changed = (away(finished_run, "lenet5", seed=seed) for seed in range(3))
    damaged.history_path.write_text("epoch\n")
    changed.tflite_path.write_bytes(b"\0\0\0\0TFL3 another")
    known = {"model.tflite": {"bytes": changed.tflite_path.stat().st_size, "sha256": "0" * 64}}
    changed.write_metrics(changed.read_metrics() | {"files": known})
    Archive(archive, networks=True).update([sound, damaged, changed])
    assert main(["collect", str(archive if way == "an archive" else sound.path.parent)]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{sound.id}  taken: completed, ")
    first, second = sorted(printed.err.splitlines(), key=lambda line: line.startswith(changed.id))
    assert first.startswith(f"{damaged.id}: history.csv: its first line is not epoch,")
    assert second.startswith(f"{changed.id}: model.tflite: it is not the file that was trained")
    assert [run.id for run in list_runs()] == [sound.id]
    assert len(list(open_run(sound.id).path.parent.iterdir())) == 1


def test_an_archive_that_lost_a_bit_is_said_by_file(away, archive):
    run = away(finished_run, "lenet5")
    Archive(archive).update([run])
    with zipfile.ZipFile(archive) as packed:
        start = packed.getinfo(f"{run.id}/history.csv").header_offset
    content = bytearray(archive.read_bytes())
    content[start + 120] ^= 255
    archive.write_bytes(content)
    assert told(archive) == ([], [f"{run.id}: history.csv is damaged; copy it again from where it was trained."])
    archive.write_bytes(content[:-30])
    with pytest.raises(RunError, match=r"results\.zip is damaged; copy it again from where it was trained\.$"):
        list(collect(archive))
    assert list_runs() == []


RUN = "lenet5-mnist-quick-20261128-195530-453f"
HOSTILE = (
    "../evil",
    "/tmp/evil",
    f"{RUN}/../evil",
    f"{RUN}/../../{RUN}/status.json",
    f"{RUN}/evil.sh",
    f"{RUN}/shipped",
    f"{RUN}/checkpoint/weights",
    f"{RUN}\\status.json",
    ".slots/0.lock",
    "test_images/mnist.webp",
    f"{RUN}/",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_an_archive_with_anything_but_files_of_runs_is_refused_whole(name, away, artifacts, archive, capsys):
    run = away(finished_run, "lenet5")
    Archive(archive).update([run])
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr(name, "evil")
    refused(archive, artifacts, capsys, "which is no file of a run; nothing of it was taken.")


def test_a_link_in_an_archive_is_refused_and_so_is_a_name_that_comes_twice(away, artifacts, archive, capsys):
    run = away(finished_run, "lenet5")
    Archive(archive).update([run])
    with zipfile.ZipFile(archive, "a") as packed, pytest.warns(UserWarning, match="Duplicate name"):
        packed.writestr(f"{run.id}/status.json", "{}")
    refused(archive, artifacts, capsys, "twice; nothing of it was taken.")
    link = zipfile.ZipInfo(f"{RUN}/status.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(link, "/etc/passwd")
    refused(archive, artifacts, capsys, "which is no file of a run; nothing of it was taken.")


def refused(archive, artifacts, capsys, why):
    assert main(["collect", str(archive)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(str(archive))
    assert printed.err.endswith(why + "\n")
    assert list(artifacts.iterdir()) == []


def test_a_file_that_unpacks_to_more_than_such_a_file_has_is_not_unpacked(away, artifacts, archive):
    run = away(finished_run, "lenet5")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in run.path.iterdir():
            if path.name not in (".lock", "queue.json", "status.json"):
                packed.write(path, f"{run.id}/{path.name}")
        packed.writestr(f"{run.id}/status.json", bytes(2**20 + 1))
    assert told(archive) == (
        [],
        [f"{run.id}: status.json has 1,048,577 bytes, more than the 1,048,576 that it may have."],
    )
    content = archive.read_bytes()
    # It now says that it is small.
    archive.write_bytes(content.replace((2**20 + 1).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    assert told(archive) == ([], [f"{run.id}: status.json is damaged; copy it again from where it was trained."])
    assert list(artifacts.iterdir()) == []


def test_links_in_a_folder_are_not_followed(away, artifacts, tmp_path):
    run = away(finished_run, "lenet5")
    secret = tmp_path / "secret"
    secret.write_text("{}")
    run.log_path.symlink_to(secret)
    run.history_path.rename(tmp_path / "history.csv")
    run.history_path.symlink_to(tmp_path / "history.csv")
    (run.path.parent / RUN).symlink_to(run.path)
    taken, refused = told(run.path.parent)
    assert (taken, refused) == ([], [f"{run.id}: history.csv is missing."])
    assert list(artifacts.iterdir()) == []


def test_what_is_gone_on_with_here_stays(away, artifacts, archive):
    run = away(interrupted_run, network="lenet5")
    Archive(archive).update([run])
    list(collect(archive))
    here = open_run(run.id)
    away(run.write_status, state="running")
    Archive(archive).update([run])
    claims[here] = liveness.acquire(here)
    here.write_status(state="running", pid=1, heartbeat=0)
    here_status = here.read_status() | {"heartbeat": 0}
    here.status_path.write_text(str(here_status).replace("'", '"').replace("None", "null"))
    assert told(archive) == ([], [f"{run.id} was trained further here; delete it to take the one that comes."])
    claims.pop(here).release()
    here.checkpoint_path.mkdir()
    assert told(archive) == ([], [f"{run.id} was trained further here; delete it to take the one that comes."])
    here.checkpoint_path.rmdir()
    assert told(archive) == (["a newer state was taken: stopped"], [])


def test_another_run_of_the_same_name_stays(away, artifacts, archive):
    run = away(finished_run, "lenet5")
    Archive(archive).update([run])
    own = finished_run("alexnet")
    own.path.rename(artifacts / run.id)
    before = files(Run(artifacts / run.id))
    assert told(archive) == ([], [f"{run.id} is another run here; rename one of the two folders to have both."])
    assert files(Run(artifacts / run.id)) == before


def test_a_read_only_lab_takes_none_and_a_folder_without_runs_is_one_sentence(artifacts, tmp_path, monkeypatch, capsys):
    assert main(["collect", str(tmp_path / "none.zip")]) == 2
    assert capsys.readouterr().err.endswith("none.zip cannot be copied: No such file or directory.\n")
    assert main(["collect", str(artifacts)]) == 2
    assert capsys.readouterr().err == f"There are no runs in {artifacts}.\n"
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    assert main(["collect", str(artifacts)]) == 2
    assert "read-only" in capsys.readouterr().err
