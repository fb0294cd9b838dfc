"""The queue: which runs are pending, and the one process for all of them that starts each in its turn.

What was queued for a cluster is left to `core.jobs.ray_cluster`, which `ensure` sees to as well.

"queued" is a state on disk and needs no process. A run that no process has claimed waits for the scheduler, which
starts a worker for it once a slot is free; one that a terminal has claimed waits by itself, in the same order. A slot
is a lock of the operating system: it dies with whoever trains, and no two can have it. A paused run keeps its slot
without any process: its status has the slot's number, and nobody else takes it.
"""

import collections
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from core.environment import stack_for, worker_environment
from core.files import discard, replace_json
from core.jobs import gpus, liveness
from core.networks.catalogue import deepest
from core.runs.run import RunError, list_unfinished
from core.runs.schema import AT_WORK
from core.settings import SettingError, artifacts_folder, need_ray, ray_address, read_only, train_at_once

LOOK_SECONDS = 1
# How often all run folders are looked at where no slot is free; with a thousand of them it takes 0.01 s.
READ_SECONDS = 10
# So long a new scheduler may take to come, and a new worker to claim its run; no scheduler follows another sooner.
COME_SECONDS, START_SECONDS, AGAIN_SECONDS = 30, 120, 3
# So often a worker is started that ends before it has claimed its run.
TRIES = 2
SCHEDULER, WORKER, CLUSTER = "core.jobs.scheduler", "core.jobs.worker", "core.jobs.ray_cluster"
LOCK, COMING, LOG, SLOTS = ".scheduler.lock", ".scheduler.json", ".scheduler.log", ".slots"
# The same of the process that speaks with a cluster, and what it last heard of it.
CLUSTER_LOCK, CLUSTER_COMING, CLUSTER_LOG = ".cluster.lock", ".cluster-coming.json", ".cluster.log"
GLANCE = ".cluster.json"
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_PROJECT = Path(__file__).parents[2]
_schedulers = []


def pending(cluster=None):
    """The runs that wait to be trained, the next one first: on this machine, or on the cluster of that address."""
    return [run for run, _ in _queue(cluster)]


def _queue(cluster=None):
    """(run, whether a process has claimed it) of the pending runs, the next one first; `cluster` as above."""
    waiting = []
    for run, status in list_unfinished():
        with contextlib.suppress(RunError):
            if status["state"] != "queued" or run.cluster() != cluster:
                continue
            is_claimed = not liveness.is_pending(status)
            # What cannot be written cannot be trained, and must not keep the others waiting.
            if liveness.has_worker(run, status) if is_claimed else os.access(run.path, os.W_OK):
                # Who has kept a slot waits for nobody.
                position = _position(run) if kept_slot(run, status) is None else -float("inf")
                waiting.append((position, run.id, run, is_claimed))
    return [(run, is_claimed) for _, _, run, is_claimed in sorted(waiting, key=lambda entry: entry[:2])]


def kept_slot(run, status):
    """The number of the slot that a run keeps though no process of its holds the lock, or None: because it is paused or
    about to be, or was resumed and has yet to begin.
    """
    slot, state = status.get("slot"), status["state"]
    if slot is None:
        return None
    if state == "queued":
        return slot if liveness.is_pending(status) or liveness.has_worker(run, status) else None
    return slot if state == "paused" or (state in AT_WORK and run.is_to_pause()) else None


def _kept_slots(runs):
    """Number of a slot -> the run, of these, that keeps it."""
    kept = {}
    for run in runs:
        with contextlib.suppress(RunError):
            slot = kept_slot(run, run.read_status())
            if slot is not None:
                kept[slot] = run
    return kept


def startable():
    """The runs at the head of the queue for which there is a slot now."""
    return _first(_queue(), _kept_slots(run for run, _ in list_unfinished()))[0]


def _position(run):
    try:
        return run.read_position()
    except RunError:
        return float("inf")


def position_in_words(run, waiting):
    """ "second in line" for a run among the pending ones; "" for one that is not among them any more."""
    if run not in waiting:
        return ""
    position = waiting.index(run)
    return f"{ORDINALS[position] if position < len(ORDINALS) else f'number {position + 1}'} in line"


def move_up(run):
    """Lets a pending run change places with the one before it. Raises RunError where the lab is read-only."""
    liveness.check_allowed(run)
    waiting = pending(run.cluster())
    if run in waiting[1:]:
        position = waiting.index(run)
        waiting[position - 1 : position + 1] = run, waiting[position - 1]
        # All are numbered anew, as some may have lost their position; whoever comes later has the time, which is more.
        for number, queued in enumerate(waiting):
            with liveness.writing(queued):
                queued.write_position(number)


def ensure():
    """Sees to it that a scheduler lives where a run waits for one. Whoever queues a run calls it, and whoever looks.

    Raises:
        RunError: the artifacts folder cannot be written; or a run is for a cluster, and Ray is not installed.
    """
    # A finished child stays a zombie until it is polled.
    _schedulers[:] = [process for process in _schedulers if process.poll() is None]
    if read_only():
        return
    if not all(is_claimed for _, is_claimed in _queue()):
        _ensure(SCHEDULER, LOCK, COMING, LOG)
    if address := ray_address() or next(clusters(), None):
        try:
            need_ray()
        except SettingError as error:
            raise RunError(str(error)) from None
        _ensure(CLUSTER, CLUSTER_LOCK, CLUSTER_COMING, CLUSTER_LOG, address)


def clusters():
    """The addresses of the clusters that have unfinished runs here, one after another."""
    for run, _ in list_unfinished():
        with contextlib.suppress(RunError):
            if address := run.cluster():
                yield address


def glance():
    """What was last heard of a cluster; None where nothing was.

    Returns:
        {"address", "state": "connected" or "unreachable", "time": seconds since 1970, "error": a sentence where it is
        unreachable, "free_cores", "free_gpus", "dashboard": where Ray has its own, HOST:PORT or "", "nodes": [{"name",
        "cores", "gpus", "runs": their ids}]}.
    """
    try:
        return json.loads((artifacts_folder() / GLANCE).read_bytes())
    except (OSError, ValueError):
        return None


def _ensure(module, lock, coming, log, *arguments):
    folder = artifacts_folder().resolve()
    try:
        # Who holds this lock is the scheduler, or starts one at this moment.
        with FileLock(folder / lock, blocking=False):
            if _is_coming(folder / coming):
                return
            with open(folder / log, "ab") as file:
                process = _spawn(["-m", module, *arguments, str(folder)], worker_environment(), file)
            _schedulers.append(process)
            # Where the disk is full, another that comes in this moment ends by itself.
            with contextlib.suppress(OSError):
                replace_json(folder / coming, {"pid": process.pid, "since": time.time()})
    except Timeout:
        pass
    except OSError as error:
        raise RunError(f"No run can be started in {folder}: {error.strerror}.") from None


def _is_coming(path):
    """Whether a scheduler was started that does not hold its lock yet."""
    try:
        coming = json.loads(path.read_bytes())
        age = time.time() - coming["since"]
        return 0 <= age < AGAIN_SECONDS or (0 <= age < COME_SECONDS and psutil.pid_exists(coming["pid"]))
    except (OSError, ValueError, TypeError, KeyError):
        return False


def wait_for_turn(run, stop_requested, tell=lambda words: None):
    """Waits until the run is the first of the pending ones and has a slot, and a GPU where there are any; from then on
    its status says that it runs.

    Args:
        run: a Run that this process has claimed.
        stop_requested: asked every second.
        tell: called with a few words when its position changes.

    Returns:
        The slots' locks, which end with the process; None where it was asked to stop.

    Raises:
        RunError: the slots' folder cannot be written.
        core.settings.SettingError: LAB_TRAIN_AT_ONCE is no whole number above 0.
    """
    if run.cluster():
        # The cluster has given it its turn, and its GPU.
        run.write_status(state="running", phase="starting", gpu=os.environ.get(gpus.MASK) or None, slot=None)
        return _Locks()
    told = None
    while not stop_requested():
        waiting = pending()
        if waiting[:1] == [run] and (slots := _take_slots(run)):
            return slots
        if (words := position_in_words(run, waiting)) != told:
            told = words
            tell(words)
        if waiting[:1] != [run]:
            # Those before it may wait for one.
            with contextlib.suppress(RunError):
                ensure()
        time.sleep(LOOK_SECONDS)
    return None


class _Locks:
    """The locks of the slots that a run has, let go together; none where a cluster gives out its own."""

    def __init__(self, locks=()):
        self._locks = locks

    def release(self):
        for lock in self._locks:
            lock.release()


def _take_slots(run):
    visible, slots = gpus.visible(os.environ), slot_count(os.environ)
    with _slots() as lock_of:
        taken = _lock_slots(run, os.environ, _kept_slots(run for run, _ in list_unfinished()), lock_of)
        if not taken:
            return None
        gpu = ",".join(_least_used(visible)[: len(taken)]) or None
        run.write_status(state="running", phase="starting", gpu=gpu, slot=next(iter(taken)))
        if gpu:
            gpus.confine(gpu, -(-slots // len(visible)))
        return _Locks(taken.values())


def _lock_slots(run, environment, kept, lock_of):
    """As many slots as the run asks for devices and GPUs are visible, number -> lock; none where fewer are free.

    Raises:
        core.settings.SettingError: LAB_TRAIN_AT_ONCE is no whole number above 0.
    """
    slots, devices, locks = slot_count(environment), 1, {}
    # A worker says what is wrong with its settings.
    with contextlib.suppress(RunError):
        devices = run.read_config().devices
    wanted = min(devices, len(gpus.visible(environment)) or 1, slots)
    for slot in _slots_for(run, slots, kept):
        if len(locks) < wanted and (lock := lock_of(slot)):
            locks[slot] = lock
    if len(locks) < wanted:
        _Locks(locks.values()).release()
        return {}
    return locks


def _slots_for(run, slots, kept):
    """Which of so many slots the run may have: first the one that it has kept, then those that nobody keeps."""
    own = [slot for slot, keeper in kept.items() if keeper == run]
    return own + [slot for slot in range(slots) if slot not in kept]


@contextlib.contextmanager
def _slots():
    """A function from a slot's number to its lock, or None where another has it. One process at a time looks at them,
    or one who only asks would be taken for one who trains.
    """
    folder = artifacts_folder() / SLOTS

    def lock_of(slot, seconds=0):
        try:
            return FileLock(folder / f"{slot}.lock").acquire(timeout=seconds).lock
        except Timeout:
            return None
        except OSError as error:
            raise RunError(f"No run can wait its turn in {folder}: {error.strerror}.") from None

    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
    looking = lock_of("all", seconds=-1)
    try:
        yield lock_of
    finally:
        looking.release()


def slot_count(environment):
    """How many runs may train at once, in this environment: $LAB_TRAIN_AT_ONCE, else one for each GPU, else one."""
    return train_at_once(environment) or max(1, len(gpus.visible(environment)))


def _least_used(visible):
    """The GPUs, those first on which the fewest runs train."""
    used = collections.Counter()
    for run, status in list_unfinished():
        if status["state"] in ("running", "stopping") and liveness.has_worker(run, status):
            used.update((status.get("gpu") or "").split(","))
    return sorted(visible, key=lambda gpu: used[gpu])


class Scheduler:
    """Starts a worker for each pending run whose turn it is."""

    def __init__(self):
        self._starts, self._children, self._queue, self._kept, self._read = {}, [], [], {}, 0.0

    def look(self):
        """Starts what may start now. Returns whether any run waits for it."""
        self._children = [child for child in self._children if child.poll() is None]
        # A worker that has claimed its run has begun; should the run be queued again, that is another time.
        self._starts = {run: start for run, start in self._starts.items() if _is_unclaimed(run)}
        with contextlib.suppress(RunError):
            if time.monotonic() < self._read + READ_SECONDS and self._queue:
                kept = _kept_slots(self._kept.values())
                if kept == self._kept and not any(_first(self._queue, kept)):
                    # Nothing can start, so that it makes no difference yet who else has come or gone.
                    return True
        self._queue, self._kept, self._read = (
            _queue(),
            _kept_slots(run for run, _ in list_unfinished()),
            time.monotonic(),
        )
        waiting = [run for run, is_claimed in self._queue if not is_claimed]
        if not waiting:
            return False
        try:
            first, refused = _first(self._queue, self._kept)
        except RunError as error:
            first, refused = [], dict.fromkeys(waiting, str(error))
        for run in first:
            if run in waiting:
                self._start(run)
        for run, sentence in refused.items():
            if run in waiting:
                fail(run, sentence)
        return True

    def _start(self, run):
        """Starts a worker for the run, unless one is on its way."""
        if run not in self._starts:
            self._starts[run] = {"process": _worker_of(run), "since": time.time(), "tries": 0}
        start = self._starts[run]
        if start["process"] and _lives(start["process"]):
            if time.time() - start["since"] < START_SECONDS:
                return
            with contextlib.suppress(psutil.Error):
                start["process"].kill()
        if start["tries"] == TRIES:
            fail(run, f"Its process ended {TRIES} times before it could begin; the log may say why.")
            return
        start |= {"since": time.time(), "tries": start["tries"] + 1}
        try:
            with open(run.log_path, "ab") as log:
                # Unbuffered: what a worker said before it was killed is in its log.
                child = _spawn(["-u", "-m", WORKER, run.id], _environment(run), log)
        except OSError as error:
            print(f"{run.id} cannot be started: {error}", file=sys.stderr, flush=True)
            return
        self._children.append(child)
        start["process"] = psutil.Process(child.pid)


def _first(queue, kept):
    """The runs at the head of the queue for which there is a slot, and sentences for those that can have none.

    Args:
        queue, kept: what `_queue` and `_kept_slots` give.
    """
    first, refused, taken = [], {}, set()
    with _slots() as lock_of:
        for run, _ in queue:
            try:
                locks = _lock_slots(run, _environment(run), kept, lambda slot: None if slot in taken else lock_of(slot))
            except SettingError as error:
                refused[run] = str(error)
                continue
            if not locks:
                # Whoever comes later does not go before it, however many may train at once for that one.
                break
            _Locks(locks.values()).release()
            taken.update(locks)
            first.append(run)
    return first, refused


def _is_unclaimed(run):
    try:
        return liveness.is_pending(run.read_status())
    except RunError:
        return False


def _environment(run):
    """The environment that the run is trained in: that of whoever queued it, as far as training depends on it."""
    try:
        return worker_environment(run.read_variables())
    except RunError:
        return worker_environment({})


def _worker_of(run):
    """A process that was started for the run by a scheduler before this one; None where there is none."""
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [])[-2:] == [WORKER, run.id]:
            return process
    return None


def _lives(process):
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def fail(run, sentence):
    """Says of a pending run that no worker has claimed why it cannot be trained."""
    # Where a worker has just claimed it, or nothing can be written, there is nothing to say.
    with contextlib.suppress(RunError), liveness.locked(run):
        if liveness.is_pending(run.read_status()):
            run.write_status(state="failed", phase=None, error=sentence)


def _spawn(arguments, environment, log):
    """Starts Python with these arguments as a process of its own, which outlives this one."""
    *_, argument = arguments
    with stack_for(deepest([argument])):
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=_PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def main():
    """Schedules the runs of the artifacts folder until none waits; returns soon where another process does."""
    folder, scheduler = artifacts_folder(), Scheduler()
    lock = FileLock(folder / LOCK)
    try:
        # Whoever has started it, or looks whether it lives, holds the lock for a moment.
        lock.acquire(timeout=5)
        discard(folder / COMING)
        while True:
            while scheduler.look():
                time.sleep(LOOK_SECONDS)
            lock.release()
            # Whoever queued a run before that has taken this process for one that goes on.
            if all(is_claimed for _, is_claimed in _queue()):
                return
            lock.acquire(blocking=False)
    except Timeout:
        return


if __name__ == "__main__":
    # The argument is the folder, for whoever looks at the processes; the environment has it, too.
    main()
