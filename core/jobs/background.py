"""Files that a server makes for a download: by a process, so that no page waits and the server loads no library for
them, and one at a time, as each takes a core or two, and a gigabyte for a large network.

They lie in a folder of the server's own, which goes with it; nothing else knows of them.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from core.environment import worker_environment
from core.runs.run import RunError

# In a command it stands for where the files go.
FOLDER = "FOLDER"
_PROJECT = Path(__file__).parents[2]
# A network may have half a gigabyte. Of older files people have long had theirs.
_MOST_BYTES = 1_000_000_000
_LOOK_SECONDS = 0.1
_SAID = re.compile(r"(\d+) % (.*)")
_REFUSED = 2
_lock = threading.Lock()
_made = {}


class State(NamedTuple):
    """What has become of a command.

    Attributes:
        share, words: how much is done, 0..1, and what is made now; None and "" where nobody works on it.
        folder: that of the finished files, a Path; None where there are none.
        error: why there are none, in a sentence; "" where nothing went wrong.
    """

    share: float | None = None
    words: str = ""
    folder: Path | None = None
    error: str = ""


class _Making(NamedTuple):
    process: subprocess.Popen
    folder: Path


def token(command):
    """What the files of a command are called in an address: sixteen digits."""
    return hashlib.sha256("\0".join(command).encode()).hexdigest()[:16]


def start(command):
    """Starts a command; what it has made before goes on being there until then.

    Args:
        command: the arguments of `python -m core`, with FOLDER where the folder stands that it writes to.

    Raises:
        core.runs.run.RunError: another one is at work, or no process can be started.
    """
    if not _begin(command):
        raise RunError("Another file is being made; this takes half a minute. Then ask again.")


def make(command):
    """The same, and returns when it is done; what others have begun is waited for, and made once for all who wait.

    Returns:
        The folder, a Path.

    Raises:
        core.runs.run.RunError: as `start`, or what the command says.
    """
    while not (found := state(command)).folder:
        if _begin(command):
            with contextlib.suppress(KeyError):
                _made[token(command)].process.wait()
            found = state(command)
            break
        time.sleep(_LOOK_SECONDS)
    if not found.folder:
        raise RunError(found.error or "Nothing was made, as the server ends.")
    return found.folder


def _begin(command):
    """Whether the command was started: no other one was at work."""
    key = token(command)
    with _lock:
        if any(each.process.poll() is None for each in _made.values()):
            return False
        folder = _folder() / key
        arguments = [str(folder) if word == FOLDER else word for word in command]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with open(_said(folder), "wb") as said:
                process = subprocess.Popen(
                    [sys.executable, "-m", "core", *arguments], cwd=_PROJECT, env=worker_environment(),
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                )  # fmt: skip
        except OSError as error:
            raise RunError(f"No file can be made: {error.strerror}.") from None
        # The pages come first.
        with contextlib.suppress(psutil.Error):
            psutil.Process(process.pid).nice(10 if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
        _made.pop(key, None)
        _delete_older()
        _made[key] = _Making(process, folder)
        return True


def _delete_older():
    """Deletes the oldest that was made until the rest is small enough."""
    sizes = {key: sum(file.stat().st_size for file in making.folder.glob("*")) for key, making in _made.items()}
    for key in list(_made):
        if sum(sizes.values()) <= _MOST_BYTES:
            return
        del sizes[key]
        shutil.rmtree(_made.pop(key).folder, ignore_errors=True)


def state(command):
    """The State of a command."""
    return state_of(token(command))


def state_of(token):
    """The same by what it is called in an address."""
    making = _made.get(token)
    if making is None:
        return State()
    code = making.process.poll()
    if code == 0:
        # Some systems clear their temporary folders from time to time.
        return State(folder=making.folder) if any(making.folder.glob("*")) else State()
    lines = [line for line in _text(_said(making.folder)).splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if code is None:
        found = _SAID.fullmatch(last)
        return State(int(found[1]) / 100, found[2]) if found else State(0.0, "Reading the runs")
    return State(error=last if code == _REFUSED else f"Nothing was made: {last or f'its process ended with {code}'}.")


def _said(folder):
    return folder.with_suffix(".txt")


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
        _own.append(tempfile.TemporaryDirectory(prefix="deeper-networks-", ignore_cleanup_errors=True))
    return Path(_own[0].name)
