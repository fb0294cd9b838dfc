"""Ending the training processes that a test started."""

import psutil

from core.runs import list_runs


def end_workers():
    """Kills every process that trains a run of the present artifacts folder, and waits until they are gone."""
    ids = {run.id for run in list_runs()}
    found = [process for process in psutil.process_iter(["cmdline"]) if ids & set(process.info["cmdline"] or ())]
    for process in found:
        process.kill()
    psutil.wait_procs(found, timeout=30)
