"""How a worker hears that it should stop: politely once, then firmly."""

import contextlib
import os
import signal
import threading

from core.runs import STATUS_LOCK, RunError

PATIENCE_SECONDS = 10


class Stop:
    """A request to stop, made by SIGTERM or Ctrl-C.

    Whoever trains asks `requested()` after every step and, once it is true, writes what is to be written and ends. If
    nobody asks in time (a step may take long, an evaluation asks nothing), or at a second signal, the process ends
    itself: a run loses nothing by it but what came after its last checkpoint.
    """

    def __init__(self, run):
        self._run = run
        self._asked, self._heard = threading.Event(), threading.Event()

    def listen(self):
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def requested(self):
        if self._asked.is_set():
            self._heard.set()
        return self._asked.is_set()

    def _ask(self, *_):
        if self._asked.is_set():
            self._leave()
        self._asked.set()
        threading.Thread(target=self._insist, daemon=True).start()

    def _insist(self):
        # A status that can be neither read nor written keeps nobody from stopping.
        with STATUS_LOCK, contextlib.suppress(RunError, OSError):
            if self._run.read_status()["state"] in ("queued", "running"):
                self._run.write_status(state="stopping")
        if not self._heard.wait(PATIENCE_SECONDS):
            self._leave()

    def _leave(self):
        # The lock is not given back, so that nothing else is written any more.
        STATUS_LOCK.acquire()
        with contextlib.suppress(RunError, OSError):
            self._run.write_status(state="stopped", phase=None, error=None)
        os._exit(1)
