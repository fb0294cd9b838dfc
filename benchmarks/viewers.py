"""What open tabs that watch a run cost its training: images a second with 0, 1, 10 and 30 viewers, taking turns.

A real worker trains AlexNet on MNIST while `streamlit run app.py` serves its Train page. The viewers are websocket
clients that speak Streamlit's protocol as a browser does, because tabs of a real browser on the machine that trains
would cost it far more than the server does, and people watch from their own. No viewer is hidden or looks elsewhere:

    python benchmarks/viewers.py
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from page_client import PageClient
from serving import serving, wait_until_up

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.config.recipes import make_config
from core.jobs import control, liveness

START_SECONDS = 300
SETTLE_SECONDS = 2


def images_since(run, started):
    """Images trained since a clock time, and the seconds they took; the pauses between two epochs are left out."""
    batch = run.read_config().batch_size
    rows = [row for row in run.read_progress()[0] if row["time"] >= started]
    images = seconds = 0
    for before, after in itertools.pairwise(rows):
        if before["epoch"] == after["epoch"]:
            images += (after["step"] - before["step"]) * batch
            seconds += after["time"] - before["time"]
    return images, seconds


async def turn(run, server, clients, seconds):
    """Watches until the run has trained for so long.

    Returns:
        "speed" in images a second; the server's "memory" in MB and "redraws" a second; the share of one core taken by
        "server", "worker", "clients" and "others". Raises RuntimeError where the run has ended.
    """
    while not all(client.redraws for client in clients):
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE_SECONDS)
    drawn = sum(client.redraws for client in clients)
    before, started = cpu_seconds(run, server), time.time()
    images = trained = 0
    while trained < seconds:
        await asyncio.sleep(0.5)
        images, trained = images_since(run, started)
        if liveness.state(run)["state"] != "running":
            raise RuntimeError(f"{run.id} has ended: {run.read_log()}")
    taken = time.time() - started
    used = {name: (seconds - before[name]) / taken for name, seconds in cpu_seconds(run, server).items()}
    drawn = sum(client.redraws for client in clients) - drawn
    return used | {
        "speed": images / trained,
        "memory": server.memory_info().rss / 2**20,
        "redraws": drawn / taken,
    }


def cpu_seconds(run, server):
    """Seconds of one core that each has used so far: the server, the clients, and what has no part in this."""
    worker = psutil.Process(run.read_status()["pid"])
    used = {name: sum(process.cpu_times()[:2]) for name, process in (("server", server), ("worker", worker))}
    used["clients"] = time.process_time()
    machine = psutil.cpu_times()
    used["others"] = sum(machine) - machine.idle - getattr(machine, "iowait", 0) - sum(used.values())
    return used


@contextlib.asynccontextmanager
async def viewers(count, address, run):
    """So many open Train pages; yields their PageClients."""
    clients = [PageClient(address, "train", f"run={run.id}") for _ in range(count)]
    tasks = [asyncio.create_task(client.stay()) for client in clients]
    try:
        yield clients
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def measure(options, run, process, address):
    """Viewers -> one dict a turn, as from `turn`, with the speed of the turn without viewers just before or after it as
    "none", and the "ratio" to that.
    """
    server, found = psutil.Process(process.pid), {count: [] for count in [0, *options.viewers]}
    for number in range(options.rounds):
        for count in options.viewers:
            # ABBA: what grows slower with time weighs on both alike.
            pair = {}
            for watching in (0, count) if number % 2 == 0 else (count, 0):
                async with viewers(watching, address, run) as clients:
                    pair[watching] = await turn(run, server, clients, options.seconds)
            for watching, taken in pair.items():
                found[watching].append(taken | {"none": pair[0]["speed"], "ratio": taken["speed"] / pair[0]["speed"]})
    return found


def train(config):
    """Starts the run; returns it when it takes steps. Raises RuntimeError where it does not within five minutes."""
    run = control.start(config)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and liveness.state(run)["state"] in ("queued", "running"):
        if len(run.read_progress()[0]) > 3:
            return run
        time.sleep(0.5)
    control.kill(run)
    raise RuntimeError(f"The training did not start: {run.read_log()}")


def end(*_):
    """Leaves with the worker ended, which outlives whoever starts it. `timeout` sends SIGTERM twice."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit("Terminated")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="length of a turn")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, end)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["LAB_ARTIFACTS"] = folder
        with serving("app.py") as (process, address):
            # Long epochs, so that few turns meet a pause between two.
            run = train(make_config("alexnet", "mnist", "quick", train_examples=0, epochs=100))
            try:
                wait_until_up(address)
                found = asyncio.run(measure(options, run, process, address))
            finally:
                control.kill(run)
    print(
        f"{os.cpu_count()} cores; {run.id}; {options.rounds} turns of {options.seconds:g} s for each number of viewers"
    )
    print("Shares are of one core. Where others take much of it, trust the ratios less.")
    print("viewers  images/s  with none  ratio                  server    memory  redraws/s  clients  others")
    for count, turns in found.items():
        middle = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
        ratios = [turn["ratio"] for turn in turns]
        spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
        print(
            f"{count:7} {middle['speed']:10,.0f}{middle['none']:11,.0f}  {middle['ratio']:.3f} {spread:<16}"
            f"{middle['server']:7.1%}{middle['memory']:7.0f} MB{middle['redraws']:11.2f}{middle['clients']:9.1%}"
            f"{middle['others']:8.1%}"
        )


if __name__ == "__main__":
    main()
