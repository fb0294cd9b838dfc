"""The commands that train: one run or many, and stopping them."""

import functools
import sys
import time

from core.config.recipes import make_config
from core.config.run_config import ConfigError
from core.jobs import control, liveness
from core.runs.run import UNFINISHED, create_run, open_run
from core.runs.schema import AT_WORK
from core.settings import ray_address, set_ray_address


def train(network, dataset, recipe, run_id, finish, cluster, **settings):
    """Train a network, with progress, or go on with a run; Ctrl-C stops after the current step and loses nothing."""
    # Without one it trains here, whatever the pages do.
    set_ray_address(cluster)
    if run_id:
        if network or settings:
            raise ConfigError(
                "A run goes on with its own settings: name it alone, as in: python -m core train --run RUN."
            )
        run = open_run(run_id)
        run.read_config()  # Refused here, and not by the training: a damaged run has not failed.
    elif finish:
        raise ConfigError("Name the run to finish, as in: python -m core train --run RUN --finish.")
    elif network and dataset:
        control.check_allowed()
        # Not queued, or the scheduler might take it.
        run = create_run(make_config(network, dataset, recipe, **settings), state="stopped")
        print(f"{run.path}", flush=True)
    else:
        raise ConfigError("Name a network and a dataset, as in: python -m core train alexnet mnist.")
    if cluster:
        return _train_there(run, finish)
    from core.jobs.worker import work

    state = work(
        run,
        1 if sys.stdout.isatty() else 2,
        tell=lambda words: print(f"Waiting, {words}.", flush=True),
        claim=functools.partial(control.take, finish=finish),
    )
    metrics = run.read_metrics()
    if state in ("stopped", "paused"):
        print(f"{state}; go on with: python -m core train --run {run.id}")
    elif state == "failed":
        print(run.read_status()["error"], file=sys.stderr)
    elif metrics:
        best = metrics["best"]
        print(f"{state}: {100 * best['test_accuracy']:.2f} % test accuracy with the weights of epoch {best['epoch']}")
    return state == "failed"


def _train_there(run, finish):
    """Has the run trained on the cluster, and tells what becomes of it; Ctrl-C stops it."""
    from core.jobs.sweep import wait

    try:
        control.resume(run, finish)
        wait([run], print)
    except KeyboardInterrupt:
        control.stop(run)
        wait([run], print)
        return 130
    return liveness.state(run)["state"] != "completed"


def sweep(networks, datasets, recipes, seeds, at_once, cluster, **settings):
    """Train many pairs, skipping what is finished; stop it at any time, and the same command goes on."""
    from core.jobs.sweep import sweep

    set_ray_address(cluster or ray_address())
    every = dict.fromkeys(seed for several in seeds for seed in several)
    try:
        trained = sweep(networks, datasets, recipes, every, at_once, **settings)
    except KeyboardInterrupt:
        print("Stopped; the same command goes on where this one was.")
        return 130
    return int(any(liveness.state(run)["state"] != "completed" for run in trained))


def pause(run_id):
    """Pause a run, wherever it is trained: after the current step; it keeps its slot until it goes on or is stopped."""
    run = open_run(run_id)
    control.pause(run)
    while (state := liveness.state(run)["state"]) in AT_WORK:
        time.sleep(0.2)
    kept = f" and keeps its slot; go on with: python -m core train --run {run.id}" if state == "paused" else ""
    print(f"{run.id} is {state}{kept}")
    return 0


def stop(run_id):
    """Stop a run, wherever it is trained: after the current step, with everything written."""
    run = open_run(run_id)
    control.stop(run)
    while (state := liveness.state(run)["state"]) in UNFINISHED:
        time.sleep(0.2)
    print(f"{run.id} is {state}")
    return 0
