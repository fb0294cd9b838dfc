"""How a worker hears that it should stop: politely once, then firmly."""

import contextlib
import os
import signal
import threading
import time

from core.jobs import scheduler
from core.runs.run import STATUS_LOCK, RunError

PATIENCE_SECONDS = 10


def end(run, state, error=None):
    """Writes the last status of a run that this process has claimed: "paused" in place of "stopped" where that was
    asked for. Returns the state.
    """
    status = run.read_status()
    if state == "stopped" and run.is_to_pause() and (status.get("slot") is not None or status.get("node")):
        run.write_status(state="paused", phase=None, error=None)
        # Whoever asks it to stop leaves the wish and then looks whether it is paused. One of the two sees the other.
        if not run.stop_path.exists():
            run.forget_stop()
            return "paused"
    run.write_status(state=state, phase=None, error=error, slot=None)
    run.forget_stop()
    return state


def go_on_if_to_finish(run):
    """Queues a run that has just been stopped and in the meantime was asked to finish. The caller has claimed it.

    Whoever asks to finish leaves the wish and then looks whether the run is stopped. Here the run is said to be stopped
    and then the wish is looked for. One of the two sees the other.
    """
    if run.finish_path.exists():
        run.write_position(time.time())
        run.write_status(state="queued", pid=None)
        scheduler.ensure()


class Stop:
    """A request to stop, made by SIGTERM or Ctrl-C.

    Whoever trains asks `requested()` after every step and, once it is true, writes what is to be written and ends. If
    nobody asks in time (a step may take long, an evaluation asks nothing), at a second signal, or where the run was to
    be finished before, the process ends itself: a run loses nothing by it but what came after its last checkpoint.

    The wish to finish is not a signal but a file (`Run.finish_path`), and stays until it is carried out. Where it comes
    after the request to stop, nobody is hurried any more.
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
        if self._asked.is_set() or self._run.finish_path.exists():
            self._leave(for_good=True)
        self._asked.set()
        threading.Thread(target=self._insist, daemon=True).start()

    def _insist(self):
        # A status that can be neither read nor written keeps nobody from stopping.
        with STATUS_LOCK, contextlib.suppress(RunError, OSError):
            if self._run.read_status()["state"] in ("queued", "running"):
                self._run.write_status(state="stopping")
        while not self._heard.wait(PATIENCE_SECONDS):
            if not self._run.finish_path.exists():
                self._leave()

    def _leave(self, for_good=False):
        # The lock is not given back, so that nothing else is written any more.
        STATUS_LOCK.acquire()
        with contextlib.suppress(RunError, OSError):
            end(self._run, "stopped")
            if not for_good:
                go_on_if_to_finish(self._run)
        os._exit(1)
