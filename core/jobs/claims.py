"""Who works on a run that a cluster trains, where no machine can ask another for its locks and processes.

Whoever works on the run, or changes it, first makes its claim file, which only one can. A worker says by the heartbeat
in status.json that it lives. One that has said nothing for LOST_SECONDS has lost the run to whoever wants it; it ends
itself before, or as soon as it finds its claim gone. Clocks of all machines must agree to a few seconds.
"""

import contextlib
import os
import secrets
import threading
import time

from core.files import TEMPORARY, discard
from core.runs.run import RunError

# TensorFlow holds a process up for ten seconds and more while it makes the graph of a network of a thousand layers.
HEARTBEAT_SECONDS, GIVEN_UP_SECONDS, LOST_SECONDS = 2, 60, 90


class Claim:
    """A run's claim file, made by this process. Raises FileExistsError where there is one."""

    def __init__(self, run):
        self._run, self._word = run, secrets.token_hex(8)
        self._released, self._writing = threading.Event(), threading.Lock()
        with open(run.claim_path, "x", encoding="utf-8") as file:
            file.write(self._word)

    def release(self):
        with self._writing:
            self._released.set()
            if _word(self._run.claim_path) == self._word:
                discard(self._run.claim_path)

    def keep(self):
        """Says in the run's status that this process lives, until the claim is released; ends it once that is lost."""
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self):
        said = time.monotonic()
        while not self._released.wait(HEARTBEAT_SECONDS):
            with self._writing:
                # A process that was suspended, or whose storage did not answer, may have lost the run to another.
                if time.monotonic() > said + GIVEN_UP_SECONDS or _word(self._run.claim_path) != self._word:
                    os._exit(1)
                with contextlib.suppress(OSError):
                    self._run.write_status()
                    said = time.monotonic()


def acquire(run, seconds):
    """The run's Claim. Raises RunError where another has it for so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return Claim(run)
        except FileExistsError:
            if not break_if_lost(run):
                if time.monotonic() > deadline:
                    raise RunError(f"{run.id} is being trained already.") from None
                time.sleep(0.1)


def is_kept(run, status):
    """Whether a process works on the run, as far as anybody can tell."""
    return run.claim_path.exists() and not is_lost(status)


def is_lost(status):
    """Whether nothing was heard for so long that a worker would have ended itself."""
    return time.time() - status["heartbeat"] > LOST_SECONDS


def break_if_lost(run):
    """Takes the claim away from whoever has said nothing for too long. Returns whether it did."""
    try:
        # Whoever only changes a run has its claim for a moment, and says nothing in its status.
        if time.time() - run.claim_path.stat().st_mtime < LOST_SECONDS or not is_lost(run.read_status()):
            return False
        word = _word(run.claim_path)
        taken = run.claim_path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-claim")
        os.rename(run.claim_path, taken)
        if _word(taken) != word:
            # Another has broken it in this moment, and made its own.
            os.rename(taken, run.claim_path)
            return False
        discard(taken)
    except (OSError, RunError):
        return False
    return True


def _word(path):
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
