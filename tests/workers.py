"""Waiting for the training processes that a test started, and ending them."""

import time

import psutil

from core import liveness
from core.runs import list_runs

SMALL = {"image_size": 16, "train_examples": 200, "epochs": 200}


def wait_for(run, condition, seconds=240):
    """The first state that meets the condition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = liveness.state(run)
        if condition(status):
            return status
        time.sleep(0.05)
    raise AssertionError(f"{liveness.state(run)}\n{run.read_log()}")


def end_workers():
    """Kills every process that trains a run of the present artifacts folder, and waits until they are gone."""
    ids = {run.id for run in list_runs()}
    found = [process for process in psutil.process_iter(["cmdline"]) if ids & set(process.info["cmdline"] or ())]
    for process in found:
        process.kill()
    psutil.wait_procs(found, timeout=30)
