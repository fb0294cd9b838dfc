"""Whether a run has a worker, and what it is truly doing. A worker holds its run's lock, which dies with it."""

import contextlib
import os
import shutil
import threading
import time

import psutil
from filelock import FileLock, Timeout

from core.files import discard_leftovers
from core.runs import UNFINISHED, RunError

INTERRUPTED = "interrupted"
WORKER = "core.worker"
# A new worker is among the processes after so many seconds at most, and after so many it holds its run's lock.
BORN_SECONDS, START_SECONDS = 5, 120
CLAIM_SECONDS = 10
FULL_DISK_BYTES = 1_000_000
_one_looks = threading.Lock()


def state(run):
    """The run's status, except that an unfinished run without a worker is "interrupted", or "stopped" if it was told.

    Raises:
        core.runs.RunError: status.json is missing or damaged.
    """
    status = run.read_status()
    if status["state"] not in UNFINISHED or has_worker(run, status):
        return status
    # It may have ended between the two looks.
    status = run.read_status()
    if status["state"] not in UNFINISHED:
        return status
    if status["state"] == "stopping":
        return status | {"state": "stopped", "phase": None}
    return status | {"state": INTERRUPTED, "phase": None, "error": _why(run, status)}


def _why(run, status):
    """Where an interrupted run ended, and the reason as far as it can be told."""
    epoch, step = status.get("epoch"), status.get("step")
    where = f" at epoch {epoch}" + (f", step {step}" if step else "") if epoch else " before its first step"
    if not os.access(run.path, os.W_OK):
        return f"Interrupted{where}: the run's folder cannot be written; check its permissions."
    if shutil.disk_usage(run.path).free < FULL_DISK_BYTES:
        return f"Interrupted{where}: the disk is full; delete something, then resume."
    return f"Interrupted{where}: its process was killed or crashed, perhaps because the memory ran out."


def has_worker(run, status):
    """Whether a process works on the run, or was started to."""
    return _is_locked(run, status) or is_starting(run, status)


def is_starting(run, status):
    """Whether a worker was started for it that does not hold the lock yet."""
    if status["state"] != "queued" or status.get("pid"):
        return False
    age = time.time() - status.get("heartbeat", 0)
    return age < START_SECONDS and (age < BORN_SECONDS or _starting_process(run) is not None)


def _is_locked(run, status):
    if not run.lock_path.exists():
        return False
    # One at a time: whoever looks holds the lock for a moment, which another would take for the worker.
    with _one_looks:
        for _ in range(3):
            try:
                FileLock(run.lock_path).acquire(blocking=False).lock.release()
                return False
            except Timeout:
                if psutil.pid_exists(status.get("pid") or os.getpid()):
                    return True
                time.sleep(0.02)
            except OSError:
                # What may not be opened, or is no file, cannot be asked: the process itself is the next best.
                return psutil.pid_exists(status.get("pid") or -1)
    return True


def worker(run):
    """The psutil.Process that works on the run or is about to; None where there is none."""
    while has_worker(run, run.read_status()):
        pid = run.read_status().get("pid")
        process = psutil.Process(pid) if pid else _starting_process(run)
        if process:
            return process
        # In the moment of its birth a process has no command line yet.
        time.sleep(0.05)
    return None


def _starting_process(run):
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [])[-2:] == [WORKER, run.id]:
            return process
    return None


def claim(run):
    """The worker's own first call. Returns the lock that says it works on the run; it dies with the process.

    Raises:
        core.runs.RunError: the run is completed, or another process works on it.
    """
    lock = _lock(run, CLAIM_SECONDS)
    discard_leftovers(run.path)
    if run.read_status()["state"] == "completed":
        lock.release()
        raise RunError(f"{run.id} is finished already.")
    run.write_status(state="queued", phase=None, error=None, pid=os.getpid())
    return lock


@contextlib.contextmanager
def locked(run):
    """The run's lock, for changing a run that no worker has. Raises RunError where one has it, or as `writing`."""
    lock = _lock(run, 2)
    try:
        with writing(run):
            yield
    finally:
        lock.release()


@contextlib.contextmanager
def writing(run):
    """For changing a run at somebody's wish: raises RunError where a file of it cannot be written."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{run.id}: its folder cannot be written ({error.strerror}).") from None


def _lock(run, seconds):
    with writing(run):
        try:
            return FileLock(run.lock_path).acquire(timeout=seconds).lock
        except Timeout:
            raise RunError(f"{run.id} is being trained already.") from None
