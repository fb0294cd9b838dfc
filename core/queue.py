"""The queue: which run trains next, and how many may train at once. An operating-system lock is a place to train at."""

import functools
import os
import subprocess
import time

from filelock import FileLock, Timeout

from core import liveness, settings
from core.jobs import check_allowed
from core.runs import RunError, artifacts_folder, list_runs

LOOK_SECONDS = 1
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def line():
    """The queued runs that have a worker waiting, the next one first."""
    waiting = []
    for run in list_runs():
        try:
            if run.read_status()["state"] == "queued" and liveness.state(run)["state"] == "queued":
                waiting.append((_place(run), run.id, run))
        except RunError:
            continue
    return [run for _, _, run in sorted(waiting, key=lambda entry: entry[:2])]


def place_in_words(run, waiting):
    """ "second in line", of a run in a `line`; "starting" of one that is not in it any more."""
    if run not in waiting:
        return "starting"
    place = waiting.index(run)
    return f"{ORDINALS[place] if place < len(ORDINALS) else f'number {place + 1}'} in line"


def move_forward(run):
    """Lets a queued run change places with the one before it. Raises RunError where the lab is read-only."""
    check_allowed(run)
    waiting = line()
    if run in waiting[1:]:
        place = waiting.index(run)
        waiting[place - 1 : place + 1] = run, waiting[place - 1]
        # All are numbered anew, as some may have lost their place; whoever comes later has the time, which is more.
        for number, queued in enumerate(waiting):
            with liveness.writing(queued):
                queued.write_place(number)


def wait_for_turn(run, stop_requested, tell=lambda words: None):
    """Waits until the run is first in line and fewer train than may.

    Args:
        run: a Run that this process has claimed.
        stop_requested: asked every second.
        tell: called with a few words when the place in line changes.

    Returns:
        The slot's lock, which ends with the process; None where it was asked to stop.

    Raises:
        RunError: the slots' folder cannot be written.
        core.settings.SettingError: LAB_TRAIN_AT_ONCE is no whole number above 0.
    """
    slots, told = slot_count(), None
    folder = artifacts_folder() / ".slots"
    try:
        folder.mkdir(exist_ok=True)
        while not stop_requested():
            waiting = line()
            if waiting[:1] == [run]:
                for slot in range(slots):
                    try:
                        lock = FileLock(folder / f"{slot}.lock").acquire(blocking=False).lock
                    except Timeout:
                        continue
                    if gpu_count() > 1:
                        os.environ.setdefault("CUDA_VISIBLE_DEVICES", str(slot))
                    return lock
            if (words := place_in_words(run, waiting)) != told:
                told = words
                tell(words)
            time.sleep(LOOK_SECONDS)
    except OSError as error:
        raise RunError(f"No run can wait its turn in {folder}: {error.strerror}.") from None
    return None


def slot_count():
    """How many runs may train at once: $LAB_TRAIN_AT_ONCE, else one for each GPU, else one."""
    return settings.train_at_once() or max(1, gpu_count())


@functools.cache
def gpu_count():
    """How many NVIDIA GPUs the driver lists."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return listed.stdout.count("GPU ") if listed.returncode == 0 else 0


def _place(run):
    try:
        return run.read_place()
    except RunError:
        return float("inf")
