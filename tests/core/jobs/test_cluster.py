"""Runs on a real Ray cluster: a head and more nodes as processes of this machine, each with one core."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from core.config.recipes import make_config
from core.jobs import claims, control, liveness, scheduler
from core.runs.run import UNFINISHED, RunError, create_run, list_runs
from core.settings import ray_address
from tests.workers import QUICKLY, SMALL, kill_with_children, until, wait_for

pytest.importorskip("ray", reason="ray is not installed: pip install -r requirements-cluster.txt")
from core.jobs import ray_cluster

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}
TINY = QUICKLY | {"epochs": 2, "record_test_predictions": False}
LONG = SMALL | {"record_test_predictions": False}


class Cluster:
    """Nodes by the order in which they came; the first is the head."""

    def __init__(self):
        with contextlib.closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address, self.nodes = f"127.0.0.1:{self.port}", []

    def start(self, cores=1):
        where = ["--head", f"--port={self.port}"] if not self.nodes else [f"--address={self.address}"]
        command = ["ray", "start", *where, f"--num-cpus={cores}", "--block", "--include-log-monitor=false"]
        command += ["--object-store-memory=80000000"] + ["--include-dashboard=false"] * (not self.nodes)
        path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
        node = subprocess.Popen(
            command, env=os.environ | QUIET | {"PATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.nodes.append(node)

    def lose(self, number):
        """As when its power goes."""
        node = self.nodes[number]
        kill_with_children(node.pid)
        node.wait(30)

    def trained_by(self, number):
        """The run whose worker is a process of this node; None where there is none."""
        pids = {process.pid for process in psutil.Process(self.nodes[number].pid).children(recursive=True)}
        return next((run for run in at_work().values() if run.read_status().get("pid") in pids), None)

    def end(self):
        for number in range(len(self.nodes)):
            self.lose(number)


@pytest.fixture
def cluster(artifacts, monkeypatch):
    found = Cluster()
    found.start()
    monkeypatch.setenv("LAB_RAY_ADDRESS", found.address)
    yield found
    found.end()


def config(seed=0, **settings):
    return make_config("lenet5", "mnist", "quick", seed=seed, **settings)


def ended(run):
    status = wait_for(run, lambda status: status["state"] not in UNFINISHED, 400)
    assert status["state"] == "completed", (status, run.read_log())
    return status


def goes_on_after(run, epochs):
    wait_for(run, lambda status: status.get("phase") == "training" and status.get("epoch", 0) > epochs + 1)


def sweeping(seeds):
    settings = [f"--{name.replace('_', '-')}={value}" for name, value in QUICKLY.items()] + ["--epochs=30"]
    settings += ["--no-record-test-predictions"]
    names = ["--networks", "lenet5", "--datasets", "mnist", "--recipes", "quick", "--seeds", *map(str, seeds)]
    # The address comes from the command line here, and from the environment elsewhere.
    environment = {name: value for name, value in os.environ.items() if name != "LAB_RAY_ADDRESS"}
    command = [sys.executable, "-m", "core", "sweep", "--cluster", os.environ["LAB_RAY_ADDRESS"], *names, *settings]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def at_work():
    """Node -> the run that it trains."""
    states = {run: liveness.state(run) for run in list_runs()}
    return {
        status["node"]: run for run, status in states.items() if status["state"] == "running" and status.get("node")
    }


def told():
    """What Train says of the cluster, and of what it trains."""
    page = AppTest.from_file(str(Path(__file__).parents[3] / "app.py"), default_timeout=60)
    page.switch_page("pages/train.py")
    page.run()
    assert not page.exception
    texts = [element.value for element in (*page.markdown, *page.warning)]
    nodes = [element.proto.body for element in page.get("html") if "class='cluster'" in element.proto.body]
    return "\n".join([*texts, *nodes])


@pytest.mark.timeout(900)
def test_two_sweeps_of_twelve_runs_lose_nothing_though_a_node_is_lost_and_another_comes_late(cluster):
    cluster.start()
    sweeps = [sweeping(range(6)), sweeping(range(6, 12))]
    until(lambda: len(at_work()) == 2, 240)
    cluster.start()
    lost = until(lambda: len(at_work()) == 3 and cluster.trained_by(1), 240)
    cluster.lose(1)
    for sweep in sweeps:
        output, _ = sweep.communicate(timeout=600)
        assert sweep.returncode == 0, output
    runs = list_runs()
    assert sorted(run.read_config().seed for run in runs) == list(range(12))
    assert {liveness.state(run)["state"] for run in runs} == {"completed"}
    assert "was lost" in lost.read_status()["note"]
    # It has what a run has that was never cut; this one is trained on this machine.
    os.environ.pop("LAB_RAY_ADDRESS")
    whole = control.start(lost.read_config())
    ended(whole)
    told = [run.read_history().drop(columns=["seconds", "images_per_second"]) for run in (lost, whole)]
    assert told[0].to_numpy() == pytest.approx(told[1].to_numpy(), rel=1e-4)


@pytest.mark.timeout(900)
def test_what_people_ask_reaches_a_run_wherever_it_is_trained_and_a_head_that_dies_and_comes_back_loses_none(cluster):
    run, second, third = (control.start(config(seed, **LONG)) for seed in range(3))
    wait_for(run, lambda status: status.get("epoch", 0) >= 2)
    assert scheduler.pending(cluster.address) == [second, third]
    assert scheduler.pending() == []
    scheduler.move_up(third)
    control.stop(second)
    assert (second.read_status()["state"], scheduler.pending(cluster.address)) == ("stopped", [third])
    control.pause(run)
    wait_for(run, lambda status: status["state"] == "paused")
    epochs = len(run.read_history())
    wait_for(third, lambda status: status["state"] == "running")
    control.resume(run)
    assert scheduler.pending(cluster.address) == [run]
    control.kill(third)
    assert wait_for(third, lambda status: status["state"] not in UNFINISHED)["state"] == "stopped"
    goes_on_after(run, epochs)
    with pytest.raises(RunError, match="is being trained already"):
        control.delete(run)
    until(lambda: (scheduler.glance() or {}).get("nodes") and scheduler.glance()["nodes"][0]["runs"] == [run.id], 240)
    page = told()
    assert "1 node, 0 of 1 cores free" in page
    assert "LeNet-5 on MNIST" in page
    cluster.lose(0)
    until(lambda: scheduler.glance()["state"] == "unreachable", 240)
    assert "does not answer" in told()
    assert "silent" in wait_for(run, lambda status: "silent" in (status.get("phase") or ""))["phase"]
    epochs = len(run.read_history())
    cluster.nodes.clear()
    cluster.start()
    goes_on_after(run, epochs)
    assert "was lost" in run.read_status()["note"]
    control.finish(run)
    ended(run)
    assert list(run.read_history()["epoch"]) == list(range(1, len(run.read_history()) + 1))


def test_of_many_who_claim_a_run_one_has_it(artifacts):
    run, made = create_run(config(), variables={"LAB_RAY_ADDRESS": "127.0.0.1:1"}), []

    def claim():
        with contextlib.suppress(RunError):
            made.append(claims.acquire(run, 0))

    threads = [threading.Thread(target=claim) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    made[0].release()
    claims.acquire(run, 0).release()
    assert not run.claim_path.exists()


def test_a_run_whose_worker_was_ended_so_that_another_goes_first_waits_again_at_once_and_was_not_lost(artifacts):
    run = create_run(config(), variables={"LAB_RAY_ADDRESS": "127.0.0.1:1"})
    run.write_status(state="queued", pid=4321, node="a-node")
    # It lives, as far as anybody can tell.
    ray_cluster.take_back(run)
    assert scheduler.pending("127.0.0.1:1") == []
    ray_cluster.take_back(run, 4321)
    assert scheduler.pending("127.0.0.1:1") == [run]
    assert "note" not in run.read_status()


@pytest.mark.timeout(300)
def test_a_worker_that_was_silent_for_too_long_loses_its_run_and_ends_itself(artifacts):
    run = create_run(config(**LONG), variables={"LAB_RAY_ADDRESS": "127.0.0.1:1"})
    with subprocess.Popen([sys.executable, "-m", scheduler.WORKER, run.id, "a-node"]) as worker:
        wait_for(run, lambda status: status.get("epoch", 0) >= 1)
        assert run.read_status()["node"] == "a-node"
        assert not claims.break_if_lost(run)
        psutil.Process(worker.pid).suspend()
        time.sleep(claims.LOST_SECONDS + 1)
        # Whoever wants it gets it now.
        claim = claims.acquire(run, 0)
        written = run.read_status()
        psutil.Process(worker.pid).resume()
        assert worker.wait(30) == 1
    assert run.read_status()["heartbeat"] == written["heartbeat"]
    claim.release()


@pytest.mark.parametrize("said", ["10.0.0.1", "10.0.0.1:port", "ray://", ":6379", "a b:1"])
def test_an_address_that_is_none_is_said_in_one_sentence(said):
    with pytest.raises(ValueError, match=r"^LAB_RAY_ADDRESS is .*; it is auto or HOST:PORT, as in 10\.0\.0\.1:6379\.$"):
        ray_address({"LAB_RAY_ADDRESS": said})
