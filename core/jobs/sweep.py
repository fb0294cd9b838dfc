"""Many runs, one after another or side by side: what is finished is left alone, what was cut is gone on with."""

import contextlib
import itertools
import time

from core.config.recipes import make_config
from core.config.run_config import ConfigError
from core.jobs import control, liveness, scheduler
from core.runs.run import UNFINISHED, RunError, list_runs

LOOK_SECONDS = 1


def sweep(networks, datasets, recipes, seeds, at_once=None, tell=print, **settings):
    """Trains every network on every dataset with every recipe and seed, in workers of their own, and waits for them.

    Args:
        networks, datasets, recipes: names.
        seeds: whole numbers.
        at_once, tell: as in `train_all`, which also says what it returns.
        settings: hyperparameters for all of them.

    Raises:
        core.config.run_config.ConfigError: a name or a setting is wrong; nothing was started.
        And as in `train_all`.
    """
    configs = [
        make_config(network, dataset, recipe, seed=seed, **settings)
        for recipe, seed, network, dataset in itertools.product(recipes, seeds, networks, datasets)
    ]
    return train_all(configs, at_once, tell)


def train_all(configs, at_once=None, tell=print, meanwhile=lambda runs: None):
    """Trains a run with each of these configs, in workers of their own, and waits for them.

    It can be cut at any moment and called again: a run with the very same config is taken for the one that is wanted,
    whatever it was started by. A failed one is tried once more.

    Args:
        configs: RunConfigs, no two of them equal.
        at_once: how many train at the same time, from 1; None for what the queue would do anyway.
        tell: called with a line whenever a run's state changes.
        meanwhile: called every second or so with the runs, while it waits.

    Returns:
        The runs, of which some may have failed.

    Raises:
        core.config.run_config.ConfigError: at_once is below 1; nothing was started.
        core.runs.run.RunError: the artifacts folder cannot be written.
        KeyboardInterrupt: after Ctrl-C, when every run of it has stopped where it can be gone on with.
    """
    if at_once is not None and at_once < 1:
        raise ConfigError(f"--at-once is a whole number from 1, not {at_once}.")
    there = _by_config()
    runs = []
    try:
        for config in configs:
            runs.append(_set_going(config, there.get(config), at_once))
        wait(runs, tell, meanwhile)
    except KeyboardInterrupt:
        _stop(runs)
        wait(runs, tell, meanwhile)
        raise
    return runs


def _by_config():
    """RunConfig -> the furthest of the runs that have it: a completed one, else the newest."""
    found = {}
    for run in list_runs():
        try:
            config, state = run.read_config(), liveness.state(run)["state"]
        except RunError:
            continue
        if config not in found or state == "completed":
            found[config] = run
    return found


def _set_going(config, run, at_once):
    if run is None:
        return control.start(config, at_once)
    if liveness.state(run)["state"] not in ("completed", *UNFINISHED):
        control.resume(run, at_once=at_once)
    return run


def _stop(runs):
    # The last in line first, or each would take the place of the one before it.
    for run in reversed(runs):
        if liveness.state(run)["state"] == "queued":
            control.stop(run)
    # Where a machine is wanted back every process is told, and a worker that is told twice writes no checkpoint.
    time.sleep(LOOK_SECONDS)
    for run in runs:
        if liveness.state(run)["state"] != "stopping":
            control.stop(run)


def wait(runs, tell, meanwhile=lambda runs: None):
    """Returns when none of the runs is unfinished; tells a line whenever the state of one changes."""
    told = {}
    while True:
        states = {run: liveness.state(run) for run in runs}
        for run, status in states.items():
            if told.get(run) != status["state"]:
                told[run] = status["state"]
                tell(f"{run.id}  {status['state']}{_result(run, status)}")
        meanwhile(runs)
        if not any(status["state"] in UNFINISHED for status in states.values()):
            return
        with contextlib.suppress(RunError):
            scheduler.ensure()
        time.sleep(LOOK_SECONDS)


def _result(run, status):
    if status["state"] == "completed":
        return f", {100 * run.read_metrics()['best']['test_accuracy']:.2f} % test accuracy"
    return f": {status['error']}" if status.get("error") else ""
