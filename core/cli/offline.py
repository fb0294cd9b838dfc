"""The commands for machines without a network: packing what trains there, training a plan, and bringing runs home."""

import signal
import sys
from pathlib import Path

from core.cli.plans import read_plan
from core.config.run_config import ConfigError
from core.jobs import liveness


def bundle(folder, plan, python, platform, extra, part_size, wheels):
    """Pack code, wheels, datasets and a plan of runs, to train them on a machine without a network."""
    from core.jobs.offline import Machine, bundle

    configs = read_plan(Path(plan))
    machine = Machine(python, platform, tuple(extra), has_packages=not wheels)
    bundle(folder, Path(plan).read_text("utf-8"), configs, machine, round(part_size * 1e6))
    print(f"Copy {folder} to the other machine, and train there with: sh {Path(folder).name}/train.sh")
    return 0


def plan(file, at_once, results, networks):
    """Train the runs of a plan, skipping what is finished; cut it whenever you like, the same command goes on."""
    from core.datasets.loading import load
    from core.jobs.archives import Archive
    from core.jobs.sweep import train_all

    if networks and not results:
        raise ConfigError("--networks says what goes into the archive: name it too, as in: --results results.zip.")
    configs = read_plan(Path(file))
    for name in dict.fromkeys(config.dataset for config in configs):
        load(name)  # once, and before anything is started, since a part of it may be missing
    archive = Archive(results, networks) if results else None
    # SIGTERM comes where the machine is wanted back. The runs stop as at Ctrl-C, with everything written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    runs = []

    def keep_up(now):
        runs[:] = now
        if archive:
            archive.keep_up(now)

    try:
        train_all(configs, at_once, _print, keep_up)
    except KeyboardInterrupt:
        print("Stopped; the same command goes on where this one was.")
        return 130
    finally:
        if archive and runs:
            archive.update(runs)
    return int(any(liveness.state(run)["state"] != "completed" for run in runs))


def _print(line):
    print(line, flush=True)


def collect(source):
    """Bring home runs that were trained on another machine: an archive of them, or a folder."""
    from core.jobs.archives import collect

    refused = False
    for sentence, is_refused in collect(source):
        print(sentence, file=sys.stderr if is_refused else sys.stdout, flush=True)
        refused |= is_refused
    return 2 if refused else 0
