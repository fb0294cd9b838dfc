"""Waiting for the processes that a test started, and ending them."""

import contextlib
import time

import psutil

from core.jobs import liveness
from core.jobs.scheduler import CLUSTER, SCHEDULER, WORKER
from core.runs.run import artifacts_folder, list_runs

# Of a training that soon begins and soon ends: the graph of its step is a third smaller than with AdamW.
# Where other tests take the processor, a run lasts long enough for a map, which takes it even longer.
QUICKLY = {"image_size": 16, "train_examples": 200, "optimizer": "sgd", "map": "off"}
SMALL = QUICKLY | {"epochs": 500}


def wait_for(run, condition, seconds=240):
    """The first state that meets the condition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = liveness.state(run)
        if condition(status):
            return status
        time.sleep(0.05)
    raise AssertionError(f"{liveness.state(run)}\n{run.read_log()}")


def until(condition, seconds=120):
    """The first true value of the condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, [liveness.state(run) for run in list_runs()]
        time.sleep(0.05)
    return value


def kill_with_children(pid):
    """As when a machine's power goes."""
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(pid)
        for process in [*found.children(recursive=True), found]:
            with contextlib.suppress(psutil.Error):
                process.kill()


def processes(module, *arguments):
    """The living ones that run this module, with one of these last arguments."""
    found = []
    for process in psutil.process_iter(["cmdline", "status", "ppid"]):
        command = process.info["cmdline"] or []
        if module in command[-3:-1] and command[-1] in arguments and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    # What one of them is about to start is called as itself for a moment.
    return [process for process in found if process.info["ppid"] not in {other.pid for other in found}]


def schedulers():
    """Those of the present artifacts folder, on this machine and for a cluster."""
    folder = str(artifacts_folder().resolve())
    return processes(SCHEDULER, folder) + processes(CLUSTER, folder)


def workers():
    """Those that train a run of the present artifacts folder, or are about to."""
    return processes(WORKER, *(run.id for run in list_runs()))


def end_workers():
    """Kills the schedulers and workers of the present artifacts folder, and waits until they are gone."""
    for find in (schedulers, workers):
        found = find()
        for process in found:
            process.kill()
        psutil.wait_procs(found, timeout=30)
