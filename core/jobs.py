"""Training workers as processes: start one, ask it to stop, and tell truly what it is doing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from core.environment import worker_environment
from core.runs import UNFINISHED, create_run

# The folder is there a moment before its worker is: a queued run that has no process after so long never started.
START_GRACE = 30
_PROJECT = Path(__file__).parent.parent
_children = []


def start(config):
    """Creates a run and a process of its own that trains it, and outlives this one. Returns the Run.

    Raises:
        core.runs.RunError: the artifacts folder cannot be written.
    """
    run = create_run(config)
    with open(run.log_path, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "train", "--run", run.id],
            cwd=_PROJECT,
            env=worker_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # A finished child stays a zombie until it is polled.
    _children.append(process)
    return run


def claim(run):
    """Called by the worker itself: writes down which process trains this run."""
    run.write_status(state="running", phase="starting", pid=os.getpid(), pid_started=_started(os.getpid()))


def stop(run):
    """Asks the worker to end after its current step and to evaluate what it has. Nothing happens if none works."""
    status = state(run)
    if status["state"] in UNFINISHED and status.get("pid"):
        os.kill(status["pid"], signal.SIGTERM)


def kill(run):
    """Ends the worker at once: the curves stay, the evaluation is not made."""
    status = state(run)
    if status["state"] in UNFINISHED and status.get("pid"):
        os.kill(status["pid"], signal.SIGKILL)
        run.write_status(state="stopped", error=None)


def state(run):
    """The run's status, except that an unfinished run without its process is "failed" and says where it ended.

    Raises:
        core.runs.RunError: status.json is missing or damaged.
    """
    for process in _children:
        process.poll()
    status = run.read_status()
    if status["state"] not in UNFINISHED or _works(status):
        return status
    where = f" in epoch {status['epoch']}, step {status.get('step', 0)}" if status.get("epoch") else ""
    return status | {"state": "failed", "error": f"The training process ended{where} without a word; see its log."}


def _works(status):
    if not status.get("pid"):
        return time.time() - status.get("heartbeat", 0) < START_GRACE
    return _started(status["pid"]) == status.get("pid_started")


def _started(pid):
    """When the process with this pid started, in seconds since 1970; None where there is none or only a zombie."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
