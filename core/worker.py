"""Trains a run in this process: from the first status to the last, with every failure said in one sentence."""

import errno
import importlib.metadata
import platform
import signal
import threading
import traceback

import psutil

from core import jobs
from core.config import ConfigError
from core.datasets import DATASETS, DatasetUnavailable
from core.runs import RunError


def work(run, verbose=2):
    """Trains the run to its end, or until SIGTERM or Ctrl-C asks it to stop after the step in hand; asked twice, it
    stops at once.

    Returns:
        Its last state: "completed", "stopped" or "failed".
    """
    jobs.claim(run)
    stop = threading.Event()

    def ask(*_):
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    try:
        config = run.read_config()
        # Importing Keras takes seconds; until then the status already says whose process this is.
        from core.training import train

        run.describe(environment=environment(), dataset_sha256=DATASETS[config.dataset]["sha256"])
        train(config, run.path, stop.is_set, verbose)
    except Exception as error:
        traceback.print_exc()
        run.write_status(state="failed", phase=None, error=sentence(error))
        return "failed"
    except KeyboardInterrupt:
        stop.set()
    state = "stopped" if stop.is_set() else "completed"
    run.write_status(state=state, phase=None)
    return state


def environment():
    """What the run's result depends on besides its config: versions, backend and hardware."""
    import keras

    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": backend,
        backend: importlib.metadata.version(backend),
        "platform": platform.platform(),
        "devices": [str(device) for device in keras.distribution.list_devices()],
        "cores": psutil.cpu_count(),
    }


def sentence(error):
    """What went wrong and what to do about it, for a person."""
    for kind, words in SENTENCES.items():
        if isinstance(error, kind):
            return words or str(error)
    if isinstance(error, OSError) and error.errno in ERRNO_SENTENCES:
        return ERRNO_SENTENCES[error.errno]
    if "RESOURCE_EXHAUSTED" in str(error) or type(error).__name__ == "ResourceExhaustedError":
        return SENTENCES[MemoryError]
    return f"The training failed with {type(error).__name__}; the log has the details."


# None: the error's own message is the sentence.
SENTENCES = {
    MemoryError: "The memory ran out; try a smaller batch or a smaller image size.",
    DatasetUnavailable: None,
    ConfigError: None,
    RunError: None,
}
ERRNO_SENTENCES = {
    errno.ENOSPC: "The disk is full; delete something and train again.",
    errno.EACCES: "The run's folder cannot be written; check its permissions.",
    errno.EROFS: "The run's folder cannot be written; it is on a read-only disk.",
}
