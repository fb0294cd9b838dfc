"""Packs that a server makes: a process each, so that no page waits and none of what draws figures stays in its memory.

They lie in a folder of the server's own, which goes with it; nothing else knows of them.
"""

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import psutil

from core.environment import worker_environment
from core.pack import NAME
from core.runs.run import RunError

_PROJECT = Path(__file__).parents[2]
# A pack has a few MB; of older ones people have long had theirs.
_MOST_KEPT = 8
_SAID = re.compile(r"(\d+) % (.*)")
_lock = threading.Lock()
_made = {}


class State(NamedTuple):
    """What has become of a pack.

    Attributes:
        share, words: how much is done, 0..1, and what is made now; None and "" where nobody works on it.
        path: of the finished pack; None where there is none.
        made: when it was finished, in seconds since 1970.
        error: why there is none, in a sentence; "" where nothing went wrong.
    """

    share: float | None = None
    words: str = ""
    path: Path | None = None
    made: float | None = None
    error: str = ""


class _Making(NamedTuple):
    process: subprocess.Popen
    folder: Path


def token(names):
    """What a pack of runs with these ids, or of the default ones, is called in an address: sixteen digits."""
    return hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()[:16]


def start(names):
    """Starts to make a pack; one that is there already goes on being there until then.

    Args:
        names: ids of runs; none for those that `core.pack.making.make` takes by itself.

    Raises:
        core.runs.run.RunError: another one is being made, or no process can be started.
    """
    with _lock:
        if any(each.process.poll() is None for each in _made.values()):
            raise RunError("Another pack is being made; this takes half a minute. Then ask again.")
        folder = _folder() / token(names)
        command = [sys.executable, "-m", "core", "pack", str(folder), *(["--runs", *names] if names else [])]
        try:
            folder.mkdir(exist_ok=True)
            with open(folder / "said.txt", "wb") as said:
                process = subprocess.Popen(
                    command, cwd=_PROJECT, stdout=subprocess.DEVNULL, stderr=said, env=worker_environment()
                )
        except OSError as error:
            raise RunError(f"No pack can be made: {error.strerror}.") from None
        # The pages come first.
        with contextlib.suppress(psutil.Error):
            psutil.Process(process.pid).nice(10 if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
        _made.pop(token(names), None)
        _made[token(names)] = _Making(process, folder)
        while len(_made) > _MOST_KEPT:
            oldest = _made.pop(next(iter(_made)))
            (oldest.folder / NAME).unlink(missing_ok=True)


def state(names):
    """The State of the pack of these runs."""
    return state_of(token(names))


def state_of(token):
    """The same by what it is called in an address."""
    making = _made.get(token)
    if making is None:
        return State()
    lines = [line for line in _text(making.folder / "said.txt").splitlines() if line.strip()]
    code, last = making.process.poll(), lines[-1] if lines else ""
    if code is None:
        found = _SAID.fullmatch(last)
        return State(int(found[1]) / 100, found[2]) if found else State(0.0, "Reading the runs")
    path = making.folder / NAME
    with contextlib.suppress(OSError):
        if code == 0:
            return State(path=path, made=path.stat().st_mtime)
    # What a command refuses is its only line.
    if len(lines) == 1 or last.endswith("."):
        return State(error=last)
    return State(error=f"The pack was not made: {last or f'its process ended with {code}'}")


def _text(path):
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def end():
    """Ends what is being made and deletes what was; for a server that ends."""
    with _lock:
        for making in _made.values():
            if making.process.poll() is None:
                making.process.kill()
                making.process.wait()
        _made.clear()
        while _own:
            _own.pop().cleanup()


_own = []


def _folder():
    """The server's own folder, made when the first one asks."""
    if not _own:
        _own.append(tempfile.TemporaryDirectory(prefix="deeper-networks-pack-", ignore_cleanup_errors=True))
    return Path(_own[0].name)
