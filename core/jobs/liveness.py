"""What a run is truly doing. Whoever works on a run holds its lock, which dies with the process."""

import contextlib
import os
import shutil
import threading
import time

import psutil
from filelock import FileLock, Timeout

from core.files import discard_leftovers
from core.jobs import claims
from core.runs.run import UNFINISHED, RunError
from core.settings import READ_ONLY, read_only

INTERRUPTED = "interrupted"
CLAIM_SECONDS = 10
FULL_DISK_BYTES = 1_000_000
_one_looks = threading.Lock()


def state(run):
    """The run's status, with two exceptions. An unfinished run whose worker is gone is "interrupted", or "stopped" or
    "paused" if it was asked to. One whose worker lives is "finishing", "stopping" or "pausing" from the moment in which
    it was asked.

    Raises:
        core.runs.run.RunError: status.json is missing or damaged.
    """
    status = run.read_status()
    if _needs_no_worker(status):
        return status
    is_heard = has_worker(run, status)
    # The cluster sees to it that a lost run goes on elsewhere, or ends as somebody has asked.
    if is_heard or (status.get("node") and run.cluster()):
        said = {} if is_heard else {"phase": f"its node has been silent for {time.time() - status['heartbeat']:.0f} s"}
        return status | {"state": _asked(run, status) or status["state"], **said}
    # It may have ended between the two looks.
    status = run.read_status()
    if _needs_no_worker(status):
        return status
    if run.is_to_pause():
        return status | {"state": "paused", "phase": None}
    if status["state"] == "stopping" or run.stop_path.exists():
        return status | {"state": "stopped", "phase": None}
    return status | {"state": INTERRUPTED, "phase": None, "error": _why(run, status)}


def _needs_no_worker(status):
    return status["state"] not in UNFINISHED or status["state"] == "paused" or is_pending(status)


def _asked(run, status):
    """What a run with a worker does because somebody asked for it; None where nobody did."""
    if run.finish_path.exists() and status["state"] != "queued":
        return "finishing"
    if run.stop_path.exists():
        return "stopping"
    return "pausing" if run.pause_path.exists() else None


def _why(run, status):
    """Where an interrupted run ended, and the reason as far as it can be told."""
    epoch, step = status.get("epoch"), status.get("step")
    where = f" at epoch {epoch}" + (f", step {step}" if step else "") if epoch else " before its first step"
    if not os.access(run.path, os.W_OK):
        return f"Interrupted{where}: the run's folder cannot be written; check its permissions."
    if shutil.disk_usage(run.path).free < FULL_DISK_BYTES:
        return f"Interrupted{where}: the disk is full; delete something, then resume."
    return f"Interrupted{where}: its process was killed or crashed, perhaps because the memory ran out."


def is_pending(status):
    """Whether the run waits for the scheduler: it is queued, and no process has claimed it."""
    return status["state"] == "queued" and not status.get("pid")


def has_worker(run, status):
    """Whether a process holds the run's lock, or its claim where a cluster trains it."""
    if run.cluster():
        return claims.is_kept(run, status)
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
    """The psutil.Process of this machine that has claimed the run; None where none has."""
    status = run.read_status()
    if status.get("node"):
        return None
    return psutil.Process(status["pid"]) if status.get("pid") and has_worker(run, status) else None


def claim(run, node=None):
    """The worker's own first call. Returns the lock that says it works on the run; it dies with the process, or, on a
    node of a cluster, some seconds later.

    Args:
        node: the name of the node; None on this machine.

    Raises:
        core.runs.run.RunError: the run does not wait any more, or another process works on it.
    """
    lock = acquire(run, CLAIM_SECONDS)
    discard_leftovers(run.path)
    if run.read_status()["state"] != "queued":
        lock.release()
        raise RunError(f"{run.id} does not wait to be trained any more.")
    run.write_status(state="queued", phase=None, error=None, pid=os.getpid(), node=node)
    if node:
        lock.keep()
    return lock


def check_allowed(run=None):
    """Raises RunError where the lab is read-only, or the run ships with the project."""
    if read_only():
        raise RunError(READ_ONLY)
    if run and run.is_shipped:
        raise RunError(f"{run.id} came with the project and stays as it is.")


@contextlib.contextmanager
def locked(run):
    """The run's lock, for changing a run that no worker has. Raises RunError where one has it, or as `writing`."""
    lock = acquire(run)
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


def acquire(run, seconds=2):
    """The run's lock. Raises RunError where another process has it for so many seconds, or as `writing`."""
    with writing(run):
        if run.cluster():
            return claims.acquire(run, seconds)
        try:
            return FileLock(run.lock_path).acquire(timeout=seconds).lock
        except Timeout:
            raise RunError(f"{run.id} is being trained already.") from None
