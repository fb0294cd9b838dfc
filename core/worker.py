"""Trains a run in this process: from its place in the queue to its last status, with every failure in one sentence."""

import contextlib
import errno
import gc
import sys
import time
import traceback

from core import liveness, machine, queue
from core.config import ConfigError
from core.datasets import DATASETS, DatasetUnavailable
from core.files import discard
from core.runs import RunError, open_run
from core.sessions import recorded
from core.settings import SettingError
from core.stopping import Stop


def work(run, verbose=2, tell=lambda words: None):
    """Trains the run to its end, from its checkpoint if it has one, or until SIGTERM or Ctrl-C asks it to stop after
    the step in hand; asked twice, it stops at once.

    Args:
        run: a Run that no other process works on.
        verbose: as in `core.training.train`.
        tell: called with its place in line, while it waits for its turn.

    Returns:
        Its last state: "completed", "stopped" or "failed".

    Raises:
        core.runs.RunError: it is completed already, or another process works on it.
    """
    stop = Stop(run)
    stop.listen()
    # Given back when the last state is written, so that no more runs ever say that they train than may.
    with contextlib.ExitStack() as held:
        held.callback(liveness.claim(run).release)
        return _end(run, *_train(run, stop, verbose, tell, held))


def _train(run, stop, verbose, tell, held):
    """Waits, trains, and gives (the last state, the reason of a failure); the slot goes to what is held."""
    try:
        slot = queue.wait_for_turn(run, stop.requested, tell)
        if slot is None:
            return "stopped", None
        held.callback(slot.release)
        started = time.time()
        run.write_status(state="running", phase="starting")
        config = run.read_config()
        # Importing Keras takes seconds; until then the status already says that it starts.
        with uncollected():
            import keras

            from core.training import train

        run.describe(dataset_sha256=DATASETS[config.dataset]["sha256"])
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
    run.write_status(state=state, phase=None, error=error)
    if state == "completed":
        discard(run.checkpoint_path)
        discard(run.finish_path)
    return state


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
    sys.exit(work(open_run(sys.argv[1])) == "failed")
