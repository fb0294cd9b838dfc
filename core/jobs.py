"""Training workers as processes: start one, stop it, go on with it, end it, delete what it left."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from core.environment import worker_environment
from core.files import TEMPORARY, discard, discard_leftovers
from core.liveness import WORKER, has_worker, is_starting, locked, worker, writing
from core.runs import UNFINISHED, RunError, create_run
from core.settings import READ_ONLY, read_only

END_SECONDS = 10
# Folders named so are being deleted, or were when the server died.
DELETED = f"{TEMPORARY}deleted-"
_PROJECT = Path(__file__).parent.parent
_children = []


def start(config, **facts):
    """Creates a run and a process of its own that waits for its turn, trains it, and outlives this one.

    Args:
        config: its RunConfig.
        facts: what else config.json tells.

    Raises:
        core.runs.RunError: the artifacts folder cannot be written, or the lab is read-only.
    """
    check_allowed()
    run = create_run(config, **facts)
    _spawn(run)
    return run


def resume(run, finish=False):
    """Lets a new worker go on with a run that was stopped or interrupted or has failed; nothing happens if one does.

    Args:
        finish: whether it trains no more, but evaluates and exports the best epoch so far.

    Raises:
        core.runs.RunError: it is completed, or has no whole epoch to finish, or may not be changed.
    """
    if make_ready(run, finish):
        _spawn(run)


def make_ready(run, finish=False):
    """Puts a run without a worker at the end of the queue. Returns False where a worker is on its way already.

    Raises:
        core.runs.RunError: as in `resume`.
    """
    check_allowed(run)
    if finish and run.read_history().empty:
        raise RunError(f"{run.id} has no whole epoch to finish with. Resume it instead.")
    with locked(run):
        status = run.read_status()
        if status["state"] == "completed":
            raise RunError(f"{run.id} is finished already.")
        if is_starting(run, status):
            return False
        discard(run.finish_path)
        if finish:
            run.finish_path.touch()
        run.write_place(time.time())
        run.write_status(state="queued", phase=None, error=None, pid=None)
    return True


def stop(run):
    """Asks the worker to end after the step in hand, with everything written; after some seconds it ends itself."""
    check_allowed(run)
    with contextlib.suppress(psutil.Error):
        process = worker(run)
        if process and process.pid == run.read_status().get("pid"):
            process.send_signal(signal.SIGTERM)
        elif process:
            # It does not listen yet.
            _end(run, process)


def finish(run):
    """Ends the training and evaluates and exports the best epoch so far. Raises RunError where no epoch is over."""
    check_allowed(run)
    if not has_worker(run, run.read_status()):
        return resume(run, finish=True)
    if run.read_history().empty:
        raise RunError(f"{run.id} has no whole epoch to finish with. Stop it instead.")
    with writing(run):
        run.finish_path.touch()
    return stop(run)


def kill(run):
    """Ends the worker at once; what its last checkpoint holds can be resumed."""
    check_allowed(run)
    with contextlib.suppress(psutil.Error):
        process = worker(run)
        if process:
            _end(run, process)


def delete(run):
    """Deletes a run with all its files. Raises RunError while a worker has it, or where it came with the project."""
    check_allowed(run)
    with locked(run):
        try:
            starting = is_starting(run, run.read_status())
        except RunError:
            # No worker gets far with a damaged status.json.
            starting = False
        if starting:
            raise RunError(f"{run.id} is about to train. Stop it first.")
        run.path.rename(run.path.with_name(f"{DELETED}{run.id}"))
    # With what a server that died in the middle of this left behind.
    discard_leftovers(run.path.parent, DELETED)


def check_allowed(run=None):
    """Raises RunError where the lab is read-only, or the run ships with the project."""
    if read_only():
        raise RunError(READ_ONLY)
    if run and run.is_shipped:
        raise RunError(f"{run.id} came with the project and stays as it is.")


def _end(run, process):
    process.kill()
    psutil.wait_procs([process], timeout=END_SECONDS)
    for child in _children:
        child.poll()
    with locked(run):
        if run.read_status()["state"] in UNFINISHED:
            run.write_status(state="stopped", phase=None, error=None)


def _spawn(run):
    with writing(run), open(run.log_path, "ab") as log:
        process = subprocess.Popen(
            # Unbuffered: what a worker said before it was killed is in its log.
            [sys.executable, "-u", "-m", WORKER, run.id],
            cwd=_PROJECT,
            env=worker_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # A finished child stays a zombie until it is polled.
    _children.append(process)
