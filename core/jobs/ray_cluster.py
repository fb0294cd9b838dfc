"""Runs on a Ray cluster; only this module imports Ray.

A detached actor on the cluster's head, the dispatcher, gives each pending run of the artifacts folder to a node in its
turn, and queues again what a lost node leaves behind. It knows nothing that is not in the run folders, which all nodes
share: where it dies, the next one goes on. A process beside the lab (`main`) sees to it that there is a dispatcher,
also after the head has died and come back.
"""

import collections
import contextlib
import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import ray
from filelock import FileLock, Timeout

from core.environment import stack_for, worker_environment
from core.files import discard, replace_json
from core.jobs import claims, gpus, scheduler
from core.jobs.control import AT_ONCE
from core.jobs.estimate import memory_bytes
from core.jobs.liveness import is_pending
from core.networks.catalogue import deepest
from core.runs.run import UNFINISHED, RunError, list_unfinished, open_run
from core.settings import artifacts_folder, set_artifacts_folder

LOOK_SECONDS, TELL_SECONDS, ANSWER_SECONDS, AGAIN_SECONDS = 0.5, 2, 20, 3
# So long the process beside the lab stays after the last run has ended, for whoever looks at the cluster.
STAY_SECONDS = 60
CORES_A_RUN = 2
NAMESPACE = "deeper-networks-lab"
_PROJECT = Path(__file__).parents[2]
_PARENT_DEATH_SIGNAL = 1


class Dispatcher:
    """Gives out the runs of one folder. An actor: `ray.remote` makes it one."""

    def __init__(self, folder, address, dashboard):
        set_artifacts_folder(folder)
        self._address, self._dashboard, self._told = address, dashboard, 0.0
        self._tasks, self._tries = {}, collections.Counter()
        threading.Thread(target=self._go_on, daemon=True).start()

    def lives(self):
        """A call that comes back where it does."""

    def _go_on(self):
        while True:
            try:
                self._look()
            except Exception:
                # What is wrong with one look, as with a folder that does not answer, may be gone at the next.
                traceback.print_exc()
            time.sleep(LOOK_SECONDS)

    def _look(self):
        """Takes back what is lost, gives out what is next, and tells what there is."""
        runs = {run: status for run, status in _unfinished() if run.cluster() == self._address}
        self._end_tasks()
        for run, status in runs.items():
            if run not in self._tasks and not is_pending(status) and claims.is_lost(status):
                take_back(run)
        self._give_out([run for run in scheduler.pending(self._address) if is_pending(run.read_status())])
        if time.monotonic() > self._told + TELL_SECONDS:
            self._told = time.monotonic()
            found = _glance(self._address, runs) | {"dashboard": self._dashboard}
            replace_json(artifacts_folder() / scheduler.GLANCE, found)

    def _end_tasks(self):
        tasks = list(self._tasks.values())
        ended = ray.wait(tasks, num_returns=len(tasks), timeout=0)[0] if tasks else []
        for run in [run for run, task in self._tasks.items() if task in ended]:
            task = self._tasks.pop(run)
            # Where Ray has lost the task, the run's heartbeat says when it is safe to give it to another.
            try:
                ray.get(task)
                _fail_where_it_ended(run)
            except (ray.exceptions.RayError, RunError) as error:
                with contextlib.suppress(OSError), open(run.log_path, "a", encoding="utf-8") as log:
                    print(f"{type(error).__name__}: {error}", file=log)

    def _give_out(self, waiting):
        """Leaves one run at a time to Ray, so that those behind it can still change places."""
        given = [run for run in self._tasks if run in waiting]
        if given and given != waiting[:1]:
            # Somebody has moved another up, or taken it out.
            ray.cancel(self._tasks[given[0]])
        elif waiting and not given:
            run = waiting[0]
            if self._tries[run] == scheduler.TRIES:
                scheduler.fail(run, f"Its process ended {scheduler.TRIES} times before it could begin; see its log.")
                return
            self._tasks[run] = _task.options(**_needs(run)).remote(run.id, str(artifacts_folder()))
            self._tries[run] += 1
        for run in list(self._tries):
            if run not in waiting:
                del self._tries[run]


def train(run_id, folder):
    """Trains a run on the node that Ray has chosen: a worker in a process of its own, which is told what people ask."""
    set_artifacts_folder(folder)
    run = open_run(run_id)
    node = _names()[ray.get_runtime_context().get_node_id()]
    with open(run.log_path, "ab") as log, stack_for(deepest([run_id])):
        worker = subprocess.Popen(
            [sys.executable, "-u", "-m", scheduler.WORKER, run.id, node],
            cwd=_PROJECT, env=_environment(run), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=_die_with_parent,
        )  # fmt: skip
    told, ended = False, False
    try:
        while worker.poll() is None:
            if not told and (run.stop_path.exists() or run.pause_path.exists()):
                told = True
                worker.terminate()
            if _is_to_end_at_once(run):
                worker.kill()
            time.sleep(0.1)
        ended = True
    finally:
        worker.kill()
        worker.wait()
        # What it had claimed is free, however it has ended.
        with contextlib.suppress(RunError):
            if run.read_status().get("pid") == worker.pid:
                discard(run.claim_path)
                if not ended:
                    # Ray has ended this task: another run was moved up in the moment in which this one began.
                    take_back(run, worker.pid)


# A process of its own each, so that nothing of one run is left to the next.
_task = ray.remote(max_calls=1)(train)


def _is_to_end_at_once(run):
    try:
        return run.stop_path.read_text() == AT_ONCE
    except OSError:
        return False


def _die_with_parent():
    # Where a node dies, Ray's process on it dies at once, and so must this one.
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _environment(run):
    """The run's own, but with the GPU that Ray has given this task."""
    with contextlib.suppress(RunError):
        given = {gpus.MASK: os.environ[gpus.MASK]} if os.environ.get(gpus.MASK) else {}
        return worker_environment(run.read_variables() | given)
    return worker_environment({})


def _needs(run):
    """What a run asks Ray for."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cores, gpus_a_node = (max((node.get(name, 0) for node in nodes), default=0) for name in ("CPU", "GPU"))
    memory, devices = 0, 1
    with contextlib.suppress(RunError):
        config = run.read_config()
        memory, devices = memory_bytes(config), config.devices
    return {
        "num_cpus": min(CORES_A_RUN, cores),
        "num_gpus": min(devices, gpus_a_node),
        "memory": memory,
        # Whatever is lost is queued again here, where the order is known.
        "max_retries": 0,
        "scheduling_strategy": "SPREAD",
        "name": run.id,
    }


def _unfinished():
    return [(run, status) for run, status in list_unfinished() if status["state"] != "paused"]


def take_back(run, pid=None):
    """Puts a run whose worker is lost at the head of the queue, or ends it as somebody has asked.

    Args:
        run: the Run.
        pid: that of a worker which has ended for certain; None where only its silence says so.
    """
    claims.break_if_lost(run)
    # None, where its worker lives after all.
    with contextlib.suppress(RunError), contextlib.closing(_Held(run)):
        status = run.read_status()
        is_gone = claims.is_lost(status) if pid is None else status.get("pid") == pid
        if status["state"] not in UNFINISHED or is_pending(status) or not is_gone:
            return
        facts = {"phase": None, "pid": None, "node": None, "slot": None, "error": None}
        if run.is_to_pause() or run.stop_path.exists() or status["state"] == "stopping":
            run.write_status(state="paused" if run.is_to_pause() else "stopped", **facts)
            run.forget_stop()
            return
        run.write_position(0.0)
        run.write_status(state="queued", **facts, **({"note": _loss(status)} if pid is None else {}))


def _loss(status):
    names, node = _names(), status.get("node")
    is_alive = node in {names[found["NodeID"]] for found in ray.nodes() if found["Alive"]}
    epoch = f" in epoch {status['epoch']}" if status.get("epoch") else ""
    return (
        f"Its {'process on' if is_alive else 'node'} {node} was lost{epoch}; the run went on from its last checkpoint."
    )


class _Held:
    """A run's claim for a moment. Raises RunError where another has it."""

    def __init__(self, run):
        self._claim = claims.acquire(run, 0)

    def close(self):
        self._claim.release()


def _fail_where_it_ended(run):
    """Says that a run has failed whose process ended without a last word."""
    with contextlib.closing(_Held(run)):
        status = run.read_status()
        if status["state"] in UNFINISHED and status["state"] != "paused" and not is_pending(status):
            if run.stop_path.exists():
                run.write_status(state="stopped", phase=None, slot=None)
            else:
                error = "Its process was killed or crashed, perhaps because the memory ran out; its log may say more."
                run.write_status(state="failed", phase=None, slot=None, error=error)
            run.forget_stop()


def _names():
    """Node id -> what people call it: its host's name, and a part of the id where two have one name."""
    hosts = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes()}
    often = collections.Counter(hosts.values())
    return {id_: f"{host}-{id_[:4]}" if often[host] > 1 else host for id_, host in hosts.items()}


def _glance(address, runs):
    """See `core.jobs.scheduler.glance`."""
    names, at_work = _names(), collections.defaultdict(list)
    for run, status in runs.items():
        if status.get("node"):
            at_work[status["node"]].append(run.id)
    nodes = [
        {
            "name": names[node["NodeID"]],
            "cores": node["Resources"].get("CPU", 0),
            "gpus": node["Resources"].get("GPU", 0),
            "runs": at_work[names[node["NodeID"]]],
        }
        for node in ray.nodes()
        if node["Alive"]
    ]
    free = ray.available_resources()
    return {
        "address": address,
        "state": "connected",
        "time": time.time(),
        "free_cores": free.get("CPU", 0),
        "free_gpus": free.get("GPU", 0),
        "nodes": nodes,
    }


def _dispatcher(address, folder):
    """The actor for the folder's runs on the cluster, made where there is none."""
    connected = ray.init(
        address=address,
        namespace=NAMESPACE,
        log_to_driver=False,
        # Ray's processes, wherever they are, find the program where it is here.
        runtime_env={"env_vars": {"PYTHONPATH": str(_PROJECT)}},
    )
    name = f"dispatcher-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    options = {"name": name, "lifetime": "detached", "get_if_exists": True, "max_restarts": -1, "num_cpus": 0}
    # One elsewhere would die with its node, and the tasks that it owns with it.
    options |= {"resources": {"node:__internal_head__": 0.001}, "max_concurrency": 2}
    return ray.remote(Dispatcher).options(**options).remote(str(folder), address, connected.dashboard_url)


def main(address, folder):
    """Sees to it that the folder's runs have a dispatcher; ends when for a while no run has needed one."""
    try:
        with FileLock(Path(folder) / scheduler.CLUSTER_LOCK, timeout=5):
            discard(Path(folder) / scheduler.CLUSTER_COMING)
            _watch(address, folder)
    except Timeout:
        return


def _watch(address, folder):
    dispatcher, needed = None, time.monotonic()
    while time.monotonic() < needed + STAY_SECONDS:
        if next(scheduler.clusters(), None):
            needed = time.monotonic()
        try:
            dispatcher = dispatcher or _dispatcher(address, folder)
            ray.get(dispatcher.lives.remote(), timeout=ANSWER_SECONDS)
        except Exception as error:
            # Of the many ways in which Ray says that a head is gone, some are no RayError.
            traceback.print_exc()
            dispatcher = None
            with contextlib.suppress(Exception):
                ray.shutdown()
            said = {"address": address, "state": "unreachable", "time": time.time(), "nodes": []}
            with contextlib.suppress(OSError):
                replace_json(
                    Path(folder) / scheduler.GLANCE, said | {"error": f"{type(error).__name__}: {error}"[:300]}
                )
        time.sleep(LOOK_SECONDS if dispatcher else AGAIN_SECONDS)


if __name__ == "__main__":
    # Pickled by the module's own name, which every process on the cluster can import.
    from core.jobs import ray_cluster

    ray_cluster.main(*sys.argv[1:])
