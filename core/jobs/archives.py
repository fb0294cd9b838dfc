"""Runs that come from another machine: the archive that is kept there while they train, and taking them in here."""

import contextlib
import dataclasses
import functools
import os
import secrets
import shutil
import stat
import sys
import time
import zipfile
from pathlib import Path

from core import files
from core.config.fields import shown
from core.files import TEMPORARY
from core.jobs import liveness
from core.jobs.control import DELETED
from core.runs.integrity import check_fingerprint, problems
from core.runs.provenance import machines
from core.runs.run import UNFINISHED, Run, RunError, artifacts_folder, is_run_id
from core.runs.schema import FILES

# What can be read of a run anywhere. The status goes first: what a completed run's holds does not change after it.
READ = tuple(sorted((file for file in FILES.values() if file.ships), key=lambda file: file.name != "status.json"))
NETWORKS = tuple(file for file in FILES.values() if file.exported and not file.ships)
# A log has no limit where it is written.
LIMITS = {file.name: min(file.limit, 2**28) if file in READ else file.limit for file in READ + NETWORKS}
# What the archive is called beside the runs.
RESULTS = "results.zip"
# These are archives themselves.
PACKED = (".npz", ".keras")
# Of a status, what is true on every machine.
LASTING = ("state", "heartbeat", "epoch", "epochs", "step", "steps", "error", "note")
CUT = "It came from another machine before it was finished there, and without its checkpoint: here it would begin anew."
# An archive is written again no sooner, and so that a tenth of the time at most goes to it.
EVERY_SECONDS, REST = 60, 9


class Archive:
    """A file that has all that can be read of some runs, whole at every moment.

    Args:
        path: the file.
        networks: whether the trained networks go in too.
    """

    def __init__(self, path, networks=False):
        self._path, self._files = Path(path), READ + NETWORKS * networks
        self._has, self._next = None, 0.0

    def keep_up(self, runs):
        """Writes it again if something has changed and the last time is long enough ago; call it often."""
        if time.monotonic() >= self._next:
            self.update(runs)

    def update(self, runs):
        """Writes it again if something has changed. A full disk is said, and ends nothing."""
        stamps = {path: _stamp(path) for run in runs for path, _ in self._paths(run)}
        started = time.monotonic()
        if stamps != self._has:
            try:
                self._write(runs)
                self._has = stamps
            except OSError as error:
                print(f"{self._path} cannot be written: {error.strerror}.", file=sys.stderr, flush=True)
        self._next = time.monotonic() + max(EVERY_SECONDS, REST * (time.monotonic() - started))

    def _write(self, runs):
        with files.replacing(self._path) as new, zipfile.ZipFile(new, "w", strict_timestamps=False) as archive:
            for run in filter(_has_begun, runs):
                for path, name in self._paths(run):
                    method = zipfile.ZIP_STORED if path.suffix in PACKED else zipfile.ZIP_DEFLATED
                    with contextlib.suppress(FileNotFoundError):
                        archive.write(path, name, method)

    def _paths(self, run):
        return [(run.path / file.name, f"{run.id}/{file.name}") for file in self._files]


def _stamp(path):
    with contextlib.suppress(OSError):
        facts = path.stat()
        return facts.st_size, facts.st_mtime_ns


def _has_begun(run):
    """Whether there is something to see of it."""
    with contextlib.suppress(RunError):
        waits = run.read_status()["state"] in ("queued", "stopped")
        return not waits or run.progress_path.exists() or run.history_path.exists()
    return True


@dataclasses.dataclass(frozen=True)
class _Member:
    """One file of a run that comes: its name, how many bytes it says it has, and how it is opened."""

    name: str
    size: int
    open: object


def collect(source):
    """Takes runs into the artifacts folder: those that are sound, once each, a newer state in place of an older one.

    Args:
        source: the path of an archive, of a folder of runs, or of a folder that holds `results.zip`.

    Yields:
        (a sentence or two about a run, whether it was refused).

    Raises:
        core.runs.run.RunError: there are no runs there, or it is no archive of runs, or nothing may be written here.
    """
    liveness.check_allowed()
    source = Path(source)
    if source.is_dir() and not _in_folder(source) and (source / RESULTS).exists():
        source /= RESULTS
    with contextlib.ExitStack() as opened:
        if source.is_dir():
            runs = _in_folder(source)
        else:
            with _reading(source):
                runs = _in_archive(opened.enter_context(zipfile.ZipFile(source)), source)
        if not runs:
            raise RunError(f"There are no runs in {source}.")
        for run_id, members in runs.items():
            try:
                yield _take(run_id, members), False
            except RunError as error:
                yield str(error), True


def _in_archive(archive, path):
    """Run -> its _Members. Raises RunError where anything else is in there, as whoever packed it meant no good."""
    runs, members = {}, archive.infolist()
    if members and min(member.header_offset for member in members):
        # Of one that was cut short, the last archive in it that is whole is taken for the whole.
        raise zipfile.BadZipFile
    for member in members:
        run_id, _, name = member.filename.partition("/")
        is_file = stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)
        if not (is_run_id(run_id) and name in LIMITS and is_file):
            raise RunError(
                f"{path} holds {shown(member.filename)}, which is no file of a run; nothing of it was taken."
            )
        there = runs.setdefault(run_id, {})
        if name in there:
            raise RunError(f"{path} holds {shown(member.filename)} twice; nothing of it was taken.")
        there[name] = _Member(name, member.file_size, functools.partial(archive.open, member))
    return runs


def _in_folder(folder):
    """Run -> its _Members, of the run folders in a folder; links are not followed."""
    runs = {}
    try:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if is_run_id(entry.name) and entry.is_dir(follow_symlinks=False):
                found = [inside for inside in os.scandir(entry) if inside.name in LIMITS]
                runs[entry.name] = {
                    inside.name: _Member(
                        inside.name,
                        inside.stat(follow_symlinks=False).st_size,
                        functools.partial(Path(inside.path).open, "rb"),
                    )
                    for inside in found
                    if inside.is_file(follow_symlinks=False)
                }
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}.") from None
    return runs


def _take(run_id, members):
    """Takes one run in, if it is sound and new here. Returns what happened, in words."""
    folder = artifacts_folder()
    work = folder / f"{TEMPORARY}{secrets.token_hex(8)}"
    new = Run(work / run_id)
    try:
        try:
            new.path.mkdir(parents=True)
            room = shutil.disk_usage(folder).free
            if sum(member.size for member in members.values()) > room:
                raise RunError(f"{run_id}: there is no room for it in {folder}.")
            for member in members.values():
                _copy(run_id, member, new.path / member.name)
            _check(new)
            _settle(new)
            words, home = _in_words(new), Run(folder / run_id)
            return f"{run_id}  {_place(new, home)}: {words}"
        except OSError as error:
            raise RunError(f"{run_id} cannot be written to {folder}: {error.strerror}.") from None
    finally:
        files.discard(work)


def _copy(run_id, member, path):
    """Writes what a member holds, and no more than the lab writes to such a file itself."""
    limit = LIMITS[member.name]
    if member.size > limit:
        raise RunError(f"{run_id}: {member.name} has {member.size:,} bytes, more than the {limit:,} that it may have.")
    left = member.size
    with _reading(f"{run_id}: {member.name}"), member.open() as source, open(path, "xb") as target:
        # One byte more is asked for, so that whoever has a checksum compares it.
        while left >= 0 and (piece := source.read(min(2**20, left + 1))):
            target.write(piece)
            left -= len(piece)


@contextlib.contextmanager
def _reading(what):
    """Broken archives break in a dozen ways: each becomes a RunError about what is read."""
    try:
        yield
    except RunError:
        raise
    except OSError as error:
        raise RunError(f"{what} cannot be copied: {error.strerror or 'it is damaged'}.") from None
    except Exception:
        raise RunError(f"{what} is damaged; copy it again from where it was trained.") from None


def _check(run):
    for sentence in problems(run).values():
        raise RunError(sentence)
    metrics = run.read_metrics()
    for file in NETWORKS:
        if (run.path / file.name).exists():
            run.check(run.path / file.name, lambda path: check_fingerprint(path, metrics))


def _settle(run):
    """Takes out of a run's status what is true on the other machine only: nobody works on it here."""
    status = run.read_status()
    if not _has_begun(run):
        raise RunError(f"{run.id} has not begun, so there is nothing to take.")
    status = {name: status[name] for name in LASTING if name in status}
    if status["state"] in UNFINISHED or status["state"] == "stopped":
        status |= {"state": "stopped", "note": CUT}
    files.replace_json(run.status_path, status)


def _place(new, home):
    """Puts a run into the artifacts folder. Returns what happened, in a word or two."""
    if not os.path.lexists(home.path):
        new.path.rename(home.path)
        return "taken"
    if any(new.read_record().get(name) != home.read_record().get(name) for name in ("created", "config")):
        raise RunError(f"{home.id} is another run here; rename one of the two folders to have both.")
    if home.is_shipped or not _is_newer(new, home):
        return "here already"
    if liveness.state(home)["state"] in UNFINISHED or home.checkpoint_path.exists():
        raise RunError(f"{home.id} was trained further here; delete it to take the one that comes.")
    aside = home.path.with_name(f"{DELETED}{home.id}")
    with liveness.locked(home):
        files.discard(aside)
        home.path.rename(aside)
        new.path.rename(home.path)
    files.discard(aside)
    return "a newer state was taken"


def _is_newer(new, home):
    there, here = new.read_status(), home.read_status()
    if here["state"] == "completed" == there["state"]:
        # It may come a second time with its networks.
        return _networks(new) > _networks(home)
    return here["state"] != "completed" and (there["state"] == "completed" or there["heartbeat"] > here["heartbeat"])


def _networks(run):
    return {file.name for file in NETWORKS if (run.path / file.name).exists()}


def _in_words(run):
    """Its state, how well it does, and what it was trained on."""
    words, metrics = [run.read_status()["state"]], run.read_metrics()
    if metrics:
        words.append(f"{100 * metrics['best']['test_accuracy']:.2f} % test accuracy")
    if trained_on := machines(run.read_record()):
        words.append(f"trained on {trained_on}")
    return ", ".join(words)
