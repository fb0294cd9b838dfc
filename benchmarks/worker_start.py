"""How long a training process imports before it can train, beside the same imports with Python's collector at work.

Run it where nothing else trains: python benchmarks/worker_start.py
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from medians import median

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.environment import worker_environment

PROJECT = Path(__file__).parent.parent
PROGRAMS = {
    "a worker of this project": (
        "from core.jobs.worker import uncollected\nwith uncollected():\n    import core.training.train"
    ),
    "the collector at work": "import core.jobs.worker\nimport core.training.train",
}


def seconds(program):
    """Of wall time, from the start of a process with this program to its end."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=worker_environment(), stderr=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - started


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--turns", type=int, default=7, help="how often each starts, after a first time (7)")
    turns = arguments.parse_args().turns
    taken = {name: [] for name in PROGRAMS}
    for _ in range(1 + turns):
        for name, program in PROGRAMS.items():
            taken[name].append(seconds(program))
    # The first reads from the disk what the others find in memory.
    ours, peer = (median(name, times[1:]) for name, times in taken.items())
    print(f"{'ratio':<44} {ours / peer:6.2f}")


if __name__ == "__main__":
    main()
