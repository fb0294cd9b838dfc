"""How long a training process imports before it can train, beside the same imports with Python's collector at work.

Run it where nothing else trains: python benchmarks/worker_start.py
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.environment import worker_environment

PROJECT = Path(__file__).parent.parent
PROGRAMS = {
    "a worker of this project": "from core.worker import uncollected\nwith uncollected():\n    import core.training",
    "the collector at work": "import core.worker\nimport core.training",
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
    medians = [statistics.median(times[1:]) for times in taken.values()]
    for (name, times), median in zip(taken.items(), medians, strict=True):
        print(f"{name:<28} {median:6.2f} s   ({min(times[1:]):.2f} to {max(times[1:]):.2f}, {turns} times)")
    print(f"{'ratio':<28} {medians[0] / medians[1]:6.2f}")


if __name__ == "__main__":
    main()
