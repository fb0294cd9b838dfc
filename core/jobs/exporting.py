"""Formats that take seconds, or a library that a server does not load, written by a process of their own."""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from core.environment import worker_environment
from core.runs.run import RunError

_PROJECT = Path(__file__).parents[2]
# Each takes a core or two, and a gigabyte for a large network.
_ONE_AT_A_TIME = threading.Lock()


def export_apart(run, folder, name):
    """Has a format of a run written, and returns when that is done; whoever else wants one waits for it.

    Args:
        run: a Run.
        folder: a Path to write to.
        name: one of `core.export.FORMATS`.

    Raises:
        core.runs.run.RunError: as `core.export.export` does.
    """
    command = [sys.executable, "-m", "core", "export", run.id, str(folder), "--formats", name]
    with _ONE_AT_A_TIME:
        process = subprocess.Popen(
            command, cwd=_PROJECT, env=worker_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        # The pages come first.
        with contextlib.suppress(psutil.Error):
            psutil.Process(process.pid).nice(10 if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)
        _, said = process.communicate()
    if process.returncode:
        last = (said.strip().splitlines() or [""])[-1]
        why = last if process.returncode == 2 else f"{name} was not made of {run.id} ({last or process.returncode})."
        raise RunError(why)
