"""What people do with runs: start, pause, stop, resume, finish and delete them. The scheduler does the rest."""

import contextlib
import os
import signal
import time

import psutil

from core.environment import asked
from core.files import TEMPORARY, discard_leftovers
from core.jobs import scheduler
from core.jobs.liveness import acquire, check_allowed, has_worker, is_pending, locked, state, worker, writing
from core.runs.run import UNFINISHED, RunError, create_run

END_SECONDS = 10
# What the wish to stop says where a cluster is to end the worker without a last checkpoint.
AT_ONCE = "at once"
# Folders named so are being deleted, or were when the server died.
DELETED = f"{TEMPORARY}deleted-"


def start(config, at_once=None, **facts):
    """Creates a run at the end of the queue, whose training outlives this process.

    Args:
        config: its RunConfig.
        at_once: how many may train at the same time when it begins; None for what this process's environment says.
        facts: what else config.json tells.

    Raises:
        core.runs.run.RunError: the artifacts folder cannot be written, or the lab is read-only.
    """
    check_allowed()
    run = create_run(config, variables=asked(at_once), **facts)
    scheduler.ensure()
    return run


def resume(run, finish=False, at_once=None):
    """Queues a run that was paused, stopped or interrupted or has failed; nothing happens to one that waits already. A
    paused one goes on in the slot that it has kept.

    Args:
        finish: whether it trains no more, but evaluates and exports the best epoch so far. That wish stays until it is
            carried out, whoever resumes the run.
        at_once: as in `start`.

    Raises:
        core.runs.run.RunError: it is completed, or has no whole epoch to finish, or may not be changed.
    """
    check_allowed(run)
    _check_epochs(run, finish)
    with locked(run):
        _queue(run, finish, at_once)
    scheduler.ensure()


def take(run, finish=False):
    """Queues a run in the same way, for this very process to wait and to train it. Returns its lock, which says so."""
    check_allowed(run)
    _check_epochs(run, finish)
    lock = acquire(run)
    try:
        with writing(run):
            discard_leftovers(run.path)
            was_there = run.cluster()
            _queue(run, finish, pid=os.getpid())
            if was_there and not run.cluster():
                # From now on it is this machine's, whose lock is another.
                lock.release()
                lock = acquire(run)
    except BaseException:
        lock.release()
        raise
    return lock


def _queue(run, finish, at_once=None, pid=None):
    status = run.read_status()
    if status["state"] == "completed":
        raise RunError(f"{run.id} is finished already.")
    if finish:
        run.finish_path.touch()
    slot = scheduler.kept_slot(run, status)
    if not is_pending(status):
        # Who was paused on a cluster has kept no slot, but comes first.
        is_first = status["state"] == "paused" and slot is None
        run.write_position(0.0 if is_first else time.time(), asked(at_once))
    run.write_status(state="queued", phase=None, error=None, note=None, gpu=None, pid=pid, slot=slot, node=None)
    run.forget_stop()


def _check_epochs(run, finish):
    if finish and run.read_history().empty:
        raise RunError(f"{run.id} has no whole epoch to finish with. Resume it instead.")


def stop(run):
    """Takes a pending or paused run out of the queue, or asks its worker to end after the step in hand, with everything
    written; after some seconds the worker ends itself.
    """
    check_allowed(run)
    if _leave_queue(run):
        return
    _ask(run, run.stop_path, again=not run.is_to_pause())
    # A worker that has just paused may not have seen that it was asked to stop.
    _leave_queue(run)


def pause(run):
    """Asks a run's worker to end after the step in hand, with everything written. The run keeps its slot, so that no
    other starts in its stead, until it is resumed or stopped.

    Raises:
        core.runs.run.RunError: it does not train, or may not be changed.
    """
    check_allowed(run)
    if state(run)["state"] != "running":
        raise RunError(f"{run.id} does not train now, so there is nothing to pause.")
    _ask(run, run.pause_path)


def _ask(run, wish, again=True):
    """Leaves a wish where whoever looks at the run finds it, and tells the worker, if one has the run; `again`: also
    where it is told for the second time, upon which it ends at once.
    """
    if run.cluster():
        # Whoever has started the worker looks for it there.
        with writing(run):
            wish.touch()
        return
    with contextlib.suppress(psutil.Error):
        if process := worker(run):
            with writing(run):
                wish.touch()
            if again:
                process.send_signal(signal.SIGTERM)


def finish(run):
    """Ends the training and evaluates and exports the best epoch so far. Raises RunError where no epoch is over."""
    check_allowed(run)
    if not _goes_on(run):
        return resume(run, finish=True)
    if run.read_history().empty:
        raise RunError(f"{run.id} has no whole epoch to finish with. Stop it instead.")
    with writing(run):
        # Its worker looks for it after every step, or when its turn has come.
        run.finish_path.touch()
    if not _goes_on(run) and run.read_status()["state"] != "completed":
        # It has ended in this moment, perhaps without having seen the wish.
        resume(run, finish=True)


def _goes_on(run):
    status = run.read_status()
    return status["state"] in UNFINISHED and (is_pending(status) or has_worker(run, status))


def kill(run):
    """Ends the worker at once; what its last checkpoint holds can be resumed."""
    check_allowed(run)
    if not _leave_queue(run):
        if run.cluster():
            with writing(run):
                run.stop_path.write_text(AT_ONCE)
            return
        with contextlib.suppress(psutil.Error):
            if process := worker(run):
                process.kill()
                psutil.wait_procs([process], timeout=END_SECONDS)
                with locked(run):
                    if run.read_status()["state"] in UNFINISHED:
                        run.write_status(state="stopped", phase=None, error=None, slot=None)
                    run.forget_stop()


def delete(run):
    """Deletes a run with all its files. Raises RunError while it waits or trains, or where it came with the project."""
    check_allowed(run)
    with locked(run):
        try:
            waits = is_pending(run.read_status())
        except RunError:
            # No worker gets far with a damaged status.json.
            waits = False
        if waits:
            raise RunError(f"{run.id} waits in the queue. Cancel it first.")
        run.path.rename(run.path.with_name(f"{DELETED}{run.id}"))
    # With what a server that died in the middle of this left behind.
    discard_leftovers(run.path.parent, DELETED)


def _leave_queue(run):
    """Stops a run that is paused, or that no process has claimed. Returns False where it is neither, or is claimed in
    this moment.
    """
    if not (is_pending(run.read_status()) or state(run)["state"] == "paused"):
        return False
    try:
        with locked(run):
            status = run.read_status()
            # No process has the run now, or this one could not have locked it.
            if not (is_pending(status) or status["state"] == "paused" or run.is_to_pause()):
                return False
            run.write_status(state="stopped", phase=None, error=None, slot=None)
            run.forget_stop()
            return True
    except RunError:
        if worker(run):
            return False
        raise
