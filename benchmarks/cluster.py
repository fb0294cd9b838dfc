"""What a cluster costs: the same runs on this machine's own queue, on Ray with one node, and with two nodes of a core
each; and what the death of a node costs.

It needs ray (requirements-cluster.txt). Run it where nothing else trains: python benchmarks/cluster.py
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.runs.run import list_runs
from core.settings import set_artifacts_folder
from tests.workers import kill_with_children

PROJECT = Path(__file__).parent.parent
PORT = 6399
ADDRESS = f"127.0.0.1:{PORT}"
RUN = ("--image-size=16", "--train-examples=200", "--epochs=2", "--no-record-test-predictions")
QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}
LIMIT_SECONDS = 1800


def environment(folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | QUIET | {"PATH": path, "LAB_ARTIFACTS": folder, "LAB_TRAIN_AT_ONCE": "1"}


@contextlib.contextmanager
def nodes(count):
    """A cluster of so many nodes of one core each, as processes of this machine."""
    started = []
    try:
        for number in range(count):
            where = [f"--address={ADDRESS}"] if number else ["--head", f"--port={PORT}", "--include-dashboard=false"]
            command = ["ray", "start", *where, "--num-cpus=1", "--block", "--object-store-memory=80000000"]
            started.append(subprocess.Popen(command, env=environment(""), stdout=subprocess.DEVNULL))
        yield started
    finally:
        for node in reversed(started):
            kill_with_children(node.pid)
            node.wait(30)


def sweep(runs, cluster=None, lose=None):
    """Seconds of a sweep of so many runs in a folder of its own, and seconds of what was trained.

    Args:
        runs: how many.
        cluster: its address, or None for the queue of this machine.
        lose: a node, which is killed once a third of the runs are completed.
    """
    with tempfile.TemporaryDirectory() as folder:
        set_artifacts_folder(folder)
        command = [sys.executable, "-m", "core", "sweep", "--networks", "lenet5", "--datasets", "mnist"]
        command += ["--recipes", "quick", "--seeds", *map(str, range(runs)), *RUN]
        command += ["--cluster", cluster] if cluster else []
        started = time.monotonic()
        with subprocess.Popen(command, cwd=PROJECT, env=environment(folder), stdout=subprocess.DEVNULL) as process:
            while lose and process.poll() is None:
                if len(completed()) > runs / 3:
                    kill_with_children(lose.pid)
                    break
                time.sleep(0.2)
            if process.wait(LIMIT_SECONDS):
                sys.exit("The sweep failed.")
        seconds = time.monotonic() - started
        if len(completed()) < runs:
            sys.exit(f"Only {len(completed())} of {runs} runs were completed.")
        trained = sum(run.read_metrics()["total_seconds"] for run in list_runs())
    return seconds, trained


def completed():
    return [run for run in list_runs() if run.read_status()["state"] == "completed"]


def memory():
    """Megabytes of Ray's processes for one node, of the dispatcher and of the process beside the lab."""
    found = {"Ray's own": 0, "the dispatcher": 0, "beside the lab": 0}
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        kinds = {"the dispatcher": "ray::Dispatcher", "beside the lab": "core.jobs.ray_cluster", "Ray's own": "ray"}
        for kind, word in kinds.items():
            if word in words:
                with contextlib.suppress(psutil.Error):
                    found[kind] += process.memory_info().rss / 2**20
                break
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=24, help="how many are trained each time (24)")
    runs = parser.parse_args().runs
    own, trained = sweep(runs)
    say("this machine, its own queue", own, runs, trained)
    for count in (1, 2):
        with nodes(count):
            seconds, trained = sweep(runs, ADDRESS)
            say(f"Ray, nodes: {count}", seconds, runs, trained)
            print(f"{'':<32}{(seconds - own) / runs:+7.2f} s a run over the own queue")
            print(f"{'':<32}megabytes: " + ", ".join(f"{kind} {size:.0f}" for kind, size in memory().items()))
    with nodes(2) as (_, second):
        lost, _ = sweep(runs, ADDRESS, lose=second)
    print(f"{'Ray, one of two nodes dies':<32}{lost:7.1f} s   {lost - seconds:+.1f} s over two that live")


def say(what, seconds, runs, trained):
    print(f"{what:<32}{seconds:7.1f} s   {seconds / runs:5.2f} s a run, {trained / runs:.2f} of them in its worker")


if __name__ == "__main__":
    main()
