"""Trains a run in this process, from its turn in the queue to its last status; every failure is one sentence."""

import contextlib
import errno
import functools
import gc
import sys
import time
import traceback

from core.config.run_config import ConfigError
from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable
from core.environment import leave_out
from core.files import discard
from core.jobs import gpus, liveness, machine, scheduler
from core.jobs.signals import Stop, end, go_on_if_to_finish
from core.runs.run import RunError, open_run
from core.runs.sessions import recorded
from core.settings import SettingError


def work(run, verbose=2, tell=lambda words: None, claim=liveness.claim):
    """Trains the run to its end, from its checkpoint if it has one, or until SIGTERM or Ctrl-C asks it to stop after
    the step in hand; asked twice, it stops at once.

    Args:
        run: a Run that no other process works on.
        verbose: as in `core.training.train.train`.
        claim: takes the run and returns its lock: `core.jobs.liveness.claim` where it is queued, or
            `core.jobs.control.take`.
        tell: called with its position in the queue, while it waits for its turn.

    Returns:
        Its last state: "completed", "stopped", "paused" or "failed".

    Raises:
        core.runs.run.RunError: it does not wait to be trained, or another process works on it.
    """
    stop = Stop(run)
    stop.listen()
    # Given back when the last state is written, so that no more runs ever say that they train than may.
    with contextlib.ExitStack() as held:
        held.callback(claim(run).release)
        state = _end(run, *_train(run, stop, verbose, tell, held))
    # Somebody has to start the next one, should the scheduler be gone.
    with contextlib.suppress(RunError):
        scheduler.ensure()
    return state


def _train(run, stop, verbose, tell, held):
    """Waits, trains, and gives (the last state, the reason of a failure); the slot goes to what is held."""
    try:
        slot = scheduler.wait_for_turn(run, stop.requested, tell)
        if slot is None:
            return "stopped", None
        held.callback(slot.release)
        started = time.time()
        config = run.read_config()
        # Importing Keras takes seconds; until then the status already says that it starts.
        with uncollected():
            leave_out()
            import keras

            from core.training.train import train

        run.describe(dataset_sha256=DATASETS[config.dataset]["sha256"])
        _check_gpu(run, keras)
        with recorded(run, started, machine.describe(keras)) as session:
            metrics = train(config, run.path, stop.requested, verbose)
            if metrics is None:
                return "stopped", None
            total = session.total_seconds()
            if total is not None:
                run.write_metrics(metrics | {"total_seconds": total})
        return "completed", None
    except Exception as error:
        # The log may be on the very disk that is full.
        with contextlib.suppress(OSError):
            traceback.print_exc()
        return "failed", sentence(error)


@contextlib.contextmanager
def uncollected():
    """Keeps the garbage collector off what is imported inside, now and later: some 400,000 objects, none of them
    garbage. To look through them again and again is a third of the time that importing Keras takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _end(run, state, error):
    state = end(run, state, error)
    if state == "completed":
        discard(run.checkpoint_path)
        discard(run.epochs_path)
        discard(run.finish_path)
    if state in ("stopped", "paused"):
        go_on_if_to_finish(run)
    return state


def _check_gpu(run, keras):
    """Says in the run's status, and in its log, that it was to have a GPU and has none."""
    devices = " ".join(map(str, keras.distribution.list_devices())).lower()
    if run.read_status().get("gpu") and not ("gpu" in devices or "cuda" in devices):
        print(gpus.NONE_FOUND, file=sys.stderr, flush=True)
        run.write_status(note=gpus.NONE_FOUND)


def sentence(error):
    """What went wrong and what to do about it, for a person."""
    for kind, words in SENTENCES.items():
        if isinstance(error, kind):
            return words or str(error)
    if isinstance(error, OSError) and error.errno in ERRNO_SENTENCES:
        return ERRNO_SENTENCES[error.errno]
    if any(words in f"{type(error).__name__}: {error}" for words in NO_MEMORY):
        return SENTENCES[MemoryError]
    return f"The training failed with {type(error).__name__}; the log has the details."


# None: the error's own message is the sentence.
SENTENCES = {
    MemoryError: "The memory ran out; try a smaller batch or a smaller image size.",
    DatasetUnavailable: None,
    ConfigError: None,
    RunError: None,
    SettingError: None,
}
# What JAX, TensorFlow and, inside it, oneDNN say when they get none.
NO_MEMORY = ("RESOURCE_EXHAUSTED", "ResourceExhausted", "OOM when allocating", "could not create a memory object")
ERRNO_SENTENCES = {
    errno.ENOSPC: "The disk is full; delete something, then resume.",
    errno.EDQUOT: "The disk quota is used up; delete something, then resume.",
    errno.EACCES: "The run's folder cannot be written; check its permissions, then resume.",
    errno.EROFS: "The run's folder cannot be written; it is on a read-only disk.",
    errno.ENOMEM: "The memory ran out; try a smaller batch or a smaller image size.",
}

if __name__ == "__main__":
    try:
        run, *node = sys.argv[1:]
        sys.exit(
            work(open_run(run), claim=functools.partial(liveness.claim, node=node[0] if node else None)) == "failed"
        )
    except RunError as error:
        # It was cancelled, deleted or taken by another process since this one was started.
        sys.exit(str(error))
