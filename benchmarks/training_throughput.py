"""Images a second while training, of this project and of its peers, taking turns in one run.

The peers are the same network, recipe and step in PyTorch (in both of its memory formats) and in TensorFlow as it
comes. On a busy machine trust neither rates nor ratios: PyTorch's threads wait for one another and lose more by it.

    pip install torch==2.13.0    (or, in an environment of its own, give --torch-python ITS_PYTHON)
    python benchmarks/training_throughput.py
"""

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import psutil
from stepping import Contender

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.config.recipes import make_config
from core.datasets.catalogue import DATASETS
from core.environment import SETTINGS, worker_environment
from core.networks.catalogue import NETWORKS
from core.results.reference import NETWORKS_OF_REPORT

HERE = Path(__file__).parent
OURS = "this project"
WARM_UP_STEPS = 2
TURN_SECONDS = 2
# What each library's kernels may use; TensorFlow then has oneDNN off by default.
WITHOUT_AVX512 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}


def contenders(options, task):
    """Name -> (command, environment) of each process that takes part; `task` is what keras_steps.main takes."""
    bare = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    limits = WITHOUT_AVX512 if options.without_avx512 else {}
    default = {"TF_ENABLE_ONEDNN_OPTS": "0"} if options.without_avx512 else {}
    keras = [sys.executable, str(HERE / "keras_steps.py"), json.dumps(task)]
    chosen = {OURS: (keras, worker_environment() | limits), "TensorFlow's defaults": (keras, bare | limits | default)}
    if options.torch_python:
        for memory_format in ("contiguous", "channels_last"):
            command = [options.torch_python, str(HERE / "torch_steps.py")]
            command.append(json.dumps(task | {"memory_format": memory_format}))
            chosen[f"PyTorch, {memory_format}"] = (command, bare | limits)
    return chosen


def measure(options, model):
    """Name -> images a second, one figure a round."""
    config = make_config(model, "mnist", "report", batch_size=options.batch).to_dict()
    task = {"config": config, "image_shape": DATASETS["mnist"]["image_shape"], "classes": 10}
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, start in contenders(options, task).items():
            processes[name] = stack.enter_context(Contender(*start))
            processes[name].seconds(WARM_UP_STEPS)
        sizes = {process.parameters for process in processes.values()}
        if len(sizes) > 1:
            raise SystemExit(f"The networks are not the same: they train {sorted(sizes)} parameters.")
        steps = options.steps or max(1, round(TURN_SECONDS / processes[OURS].seconds(1)))
        rates = {name: [] for name in processes}
        for _ in range(options.rounds):
            for name, process in processes.items():
                rates[name].append(options.batch * steps / process.seconds(steps))
    return rates


def report(model, rates):
    """Prints a line for each contender; the ratio is the median of the rounds' own."""
    for name, measured in rates.items():
        line = f"{NETWORKS[model]['label']:<11}{name:<24}{statistics.median(measured):9.1f}"
        if name != OURS:
            ratios = [ours / theirs for ours, theirs in zip(rates[OURS], measured, strict=True)]
            line += f"{statistics.median(ratios):15.2f}   ({min(ratios):.2f} to {max(ratios):.2f})"
        print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--networks", nargs="+", choices=NETWORKS_OF_REPORT, default=list(NETWORKS_OF_REPORT), metavar="NETWORK"
    )
    parser.add_argument("--batch", type=int, default=128, help="images a step (128)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender (5)")
    parser.add_argument("--steps", type=int, help="steps a turn (as many as we take in about 2 seconds)")
    parser.add_argument("--torch-python", metavar="PYTHON", help="an interpreter that has PyTorch; this one if it has")
    parser.add_argument("--without-avx512", action="store_true", help="as on a CPU that has AVX2 only")
    options = parser.parse_args()
    if not options.torch_python and importlib.util.find_spec("torch"):
        options.torch_python = sys.executable
    if not options.torch_python:
        print("There is no PyTorch here, so it does not take part; see the head of this file.")
    started, busy = time.perf_counter(), psutil.cpu_percent(1)
    machine = platform.machine() + (" as with AVX2 only" if options.without_avx512 else "")
    print(f"{machine}, {os.cpu_count()} cores, {busy:.0f} % busy beforehand; batches of {options.batch}")
    print(f"{'':<35}{'images/s':>9}{'ours to theirs':>15}")
    for model in options.networks:
        report(model, measure(options, model))
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
