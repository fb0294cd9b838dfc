"""Kills training workers at random moments and resumes them, until nothing is left to kill: is anything ever lost?

The peers are the same runs trained without a kill. Run it where nothing else trains: python benchmarks/fault_storm.py
"""

import argparse
import concurrent.futures
import itertools
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import psutil

from core.config.recipes import make_config
from core.jobs import control, liveness
from core.jobs.estimate import FINISHING
from core.runs.integrity import problems
from core.runs.run import UNFINISHED, RunError

SMALL = {"image_size": 16, "train_examples": 300, "batch_size": 64, "epochs": 5}
# What of training has a state of its own: averaged weights and one cycle; plateaus and early stopping; neither.
CONFIGS = {
    recipe: make_config("lenet5", "mnist", recipe, **SMALL | changes)
    for recipe, changes in {
        "modern": {},
        # One of three that tests all 10,000 images after every epoch is enough.
        "report": {"plateau_patience": 1, "early_stopping_patience": 5, "record_test_predictions": False},
        "quick": {"schedule": "constant"},
    }.items()
}
WALL_TIME = ["seconds", "images_per_second"]
LIMIT_SECONDS = 240
NOISE = 1e-4


def starting(run, chance):
    """Kills in the first seconds of a worker's life, wherever that is."""
    end = time.monotonic() + 4 * chance.random()
    return lambda status: time.monotonic() >= end


def inside_an_epoch(run, chance):
    """Kills some time after the first step."""
    ends = []

    def now(status):
        if status.get("phase") in ("training", *FINISHING) and not ends:
            ends.append(time.monotonic() + chance.random())
        return ends and time.monotonic() >= ends[0]

    return now


def writing_a_checkpoint(run, chance):
    """Kills while a file of the checkpoint is half-written, or later where none is written any more."""
    return lambda status: any(run.checkpoint_path.glob(".tmp-*")) or status.get("phase") in FINISHING


def evaluating(run, chance):
    """Kills while the test images are answered."""
    return lambda status: status.get("phase") in FINISHING


def exporting(run, chance):
    """Kills while the network is written."""
    return lambda status: status.get("phase") == "exporting"


KILLS_OF_A_RUN = 10
# By how often, in ten kills of one run; the last two only once the training is over.
MOMENTS = {starting: 4, inside_an_epoch: 3, writing_a_checkpoint: 1, evaluating: 1, exporting: 1}


class Storm:
    """Random kills over several runs.

    Attributes:
        started, kills, resumed, finished: how often.
        damaged: files that could not be read after a kill.
        lost: epochs in a run's history that differ from those of the run that was not killed, or are missing.
    """

    def __init__(self, seed=0):
        self.chance = random.Random(seed)
        self.started = self.kills = self.resumed = self.finished = self.lost = 0
        self.damaged = []

    def strike(self, config, reference, kills):
        """Trains a RunConfig, killed so often on the way, and compares it with the run that was not killed."""
        run = control.start(config)
        self.started += 1
        for moment in self._moments(kills):
            killed = self._kill(run, moment(run, self.chance))
            self.damaged += self._damage(run)
            if not killed:
                break
            control.resume(run)
            self.resumed += 1
        state = until(run, lambda status: status["state"] not in UNFINISHED)
        self.finished += state["state"] == "completed"
        self.damaged += self._damage(run)
        self.lost += lost_epochs(run, reference)
        return run

    def _moments(self, kills):
        """The kinds of moments of one run's kills: those of its end come last."""
        share = {moment: kills * weight / sum(MOMENTS.values()) for moment, weight in MOMENTS.items()}
        chosen = list(itertools.chain.from_iterable([moment] * round(many) for moment, many in share.items()))
        early = [moment for moment in chosen if moment not in (evaluating, exporting)]
        early += [inside_an_epoch] * (kills - len(chosen))
        self.chance.shuffle(early)
        return [*early, *(moment for moment in chosen if moment in (evaluating, exporting))][:kills]

    def _kill(self, run, is_time):
        """Returns whether there was something to kill."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            status = liveness.state(run)
            if status["state"] not in UNFINISHED:
                return False
            # As long as it waits, there is nothing to kill.
            if is_time(status) and (worker := liveness.worker(run)):
                break
            time.sleep(0.03)
        else:
            return False
        worker.kill()
        psutil.wait_procs([worker], timeout=10)
        self.kills += 1
        said = until(run, lambda status: status["state"] not in UNFINISHED, 10)
        assert said["state"] in ("interrupted", "completed"), said
        return said["state"] == "interrupted"

    def _damage(self, run):
        found = list(problems(run))
        try:
            run.read_progress()
            run.read_history()
        except RunError as error:
            found.append(str(error))
        return found


def until(run, condition, seconds=LIMIT_SECONDS):
    """The run's first state that meets the condition. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = liveness.state(run)
        if condition(status):
            return status
        time.sleep(0.1)
    raise TimeoutError(f"{run.id}: {liveness.state(run)}\n{run.read_log()}")


def lost_epochs(run, reference):
    """How many epochs the run lacks, has twice, or has otherwise than the reference, beyond floating-point noise."""
    ours, theirs = (each.read_history().drop(columns=WALL_TIME) for each in (run, reference))
    shared = min(len(ours), len(theirs))
    same = np.isclose(ours[:shared], theirs[:shared], rtol=NOISE, atol=NOISE).all(axis=1)
    return int((~same).sum()) + abs(len(ours) - len(theirs))


def train_references(recipes=tuple(CONFIGS)):
    """RunConfig -> a run of it that nobody killed, for each of these recipes."""
    references = {CONFIGS[recipe]: control.start(CONFIGS[recipe]) for recipe in recipes}
    for reference in references.values():
        until(reference, lambda status: status["state"] == "completed", 2 * LIMIT_SECONDS)
    return references


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=100, help="how many, over all runs (100)")
    arguments.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    options = arguments.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LAB_ARTIFACTS": folder, "LAB_TRAIN_AT_ONCE": str(os.cpu_count())}
        references = itertools.cycle(train_references().items())
        rest = range(options.kills, 0, -KILLS_OF_A_RUN)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            storms = [Storm(options.seed + number) for number in range(len(rest))]
            struck = [
                threads.submit(storm.strike, *next(references), min(KILLS_OF_A_RUN, left))
                for storm, left in zip(storms, rest, strict=True)
            ]
            for number, one in enumerate(concurrent.futures.as_completed(struck), start=1):
                one.result()
                print(f"{number} of {len(struck)} runs struck", file=sys.stderr)
    damaged = sorted({name for storm in storms for name in storm.damaged})
    counts = {
        name: sum(getattr(storm, name) for storm in storms) for name in ("started", "kills", "resumed", "finished")
    }
    for name, count in counts.items():
        print(f"{name if name == 'kills' else f'runs {name}':16}{count:6}")
    lost = sum(storm.lost for storm in storms)
    print(f"{'files damaged':16}{len(damaged):6}  {' '.join(damaged)}".rstrip())
    print(f"{'epochs lost':16}{lost:6}")
    print(f"{time.monotonic() - began:.0f} s")
    return bool(damaged or lost or counts["finished"] < counts["started"])


if __name__ == "__main__":
    sys.exit(main())
