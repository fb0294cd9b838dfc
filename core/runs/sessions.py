"""Where and when a run was trained: one session for each process that worked on it, kept in config.json."""

import contextlib
import time


class Session:
    """The present process's work on a run.

    Args:
        run: a core.runs.run.Run that this process has claimed.
        started: when the process began to work on it, in seconds since 1970; waiting in the queue is no work.
    """

    def __init__(self, run, started):
        self._run, self._started = run, started
        self._clock = time.monotonic() - max(0.0, time.time() - started)

    def begin(self, facts):
        """Adds the session, with these facts, to the run's record."""
        record = self._run.read_record()
        earlier = stored(record)
        if earlier:
            _close(earlier[-1], self._run)
        self._run.describe(sessions=[*earlier, {"started": self._started, **facts}])

    def seconds(self):
        """How long it has lasted."""
        return time.monotonic() - self._clock

    def total_seconds(self):
        """How long the run's sessions have taken together; None where an earlier one did not record its time."""
        *earlier, _ = self._run.read_record()["sessions"]
        known = [session.get("seconds") for session in earlier]
        return None if None in known else sum(known) + self.seconds()

    def end(self):
        """Records how long it lasted."""
        *earlier, present = self._run.read_record()["sessions"]
        self._run.describe(sessions=[*earlier, present | {"seconds": self.seconds()}])


@contextlib.contextmanager
def recorded(run, started, facts):
    """Records the work that is done inside as a session. Gives the Session.

    Args:
        run, started: as in Session.
        facts: what `core.jobs.machine.describe` tells.
    """
    session = Session(run, started)
    session.begin(facts)
    try:
        yield session
    finally:
        # A full disk or a damaged record must not hide why the work ended.
        with contextlib.suppress(OSError, ValueError):
            session.end()


def note_start(run, epoch, step):
    """Records from where the present session trains: after so many whole epochs, and so many steps of the next one.

    Nothing is recorded where no session has begun, as in a training without a worker.
    """
    *earlier, present = run.read_record().get("sessions") or [None]
    if present and "seconds" not in present and "first_epoch" not in present:
        run.describe(sessions=[*earlier, present | {"first_epoch": epoch + 1, "first_step": step}])


def stored(record):
    """The sessions in a run's record, as they were written; a run from before there were any has one, of the machine
    that trained it last.
    """
    if "sessions" in record:
        return record["sessions"]
    facts = record.get("environment")
    if not facts:
        return []
    version = facts.get(facts.get("backend"))
    return [{"first_epoch": 1, "first_step": 0, **facts, **({"backend_version": version} if version else {})}]


def with_epochs(sessions, epochs):
    """The sessions with the epochs that each has trained: "first_epoch" and "last_epoch", None where nothing is left
    of what it trained. An epoch that two of them shared belongs to both.

    Args:
        sessions: what `stored` gives.
        epochs: how many whole epochs of the run there are.
    """
    found, end = [], (epochs + 1, 0)
    # From the last to the first: where a session begins, what the one before it trained ends.
    for session in reversed(sessions):
        start = (session.get("first_epoch") or epochs + 1, session.get("first_step") or 0)
        first = last = None
        if start < end:
            first, last = start[0], end[0] if end[1] else end[0] - 1
            end = start
        found.append(session | {"first_epoch": first, "last_epoch": last})
    return found[::-1]


def _close(session, run):
    """Gives a session whose process was killed the time up to its last sign of life, where it left one."""
    if "seconds" in session or "started" not in session:
        return
    with contextlib.suppress(ValueError):
        rows, _ = run.read_progress()
        times = [row["time"] for row in rows if row["time"] >= session["started"]]
        session["seconds"] = max(times, default=session["started"]) - session["started"]


def trained_on(record):
    """The machine that a run's speeds were reached on, as in its record, which `Run.read_record` gives: a dict."""
    return (stored(record) or [{}])[-1]
