"""Each network's size beside what is published of it, and the seconds of a training step here, as a Markdown table.

A step is one batch of CIFAR-10's size under the network's own paper's recipe, after two to warm up. Each network is
timed in a process of its own; on a busy machine trust neither the times nor their ratios.

    python benchmarks/step_times.py
    python benchmarks/step_times.py --networks lenet5 resnet20 --batch 128
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.config.recipes import make_config
from core.environment import worker_environment
from core.networks.catalogue import NETWORKS
from core.networks.sizes import count
from tests.published import PUBLISHED

PROJECT = Path(__file__).parent.parent
# Prints the seconds of a few steps, and the most memory, in bytes, that the process had.
PROGRAM = """
import json, resource, sys, time
import numpy as np
from core.config.run_config import RunConfig
from core.networks.build import build_model
from core.training.train import compile_model

config, steps = RunConfig.from_dict(json.loads(sys.argv[1])), int(sys.argv[2])
model = build_model(config, (32, 32, 3), for_training=True)
compile_model(model, config, 1000)
random = np.random.default_rng(0)
images = random.integers(0, 256, (config.batch_size, 32, 32, 3), dtype=np.uint8)
targets = np.eye(10, dtype="float32")[random.integers(0, 10, config.batch_size)]
seconds = []
for _ in range(2 + steps):
    started = time.monotonic()
    model.train_on_batch(images, targets)
    seconds.append(time.monotonic() - started)
print(json.dumps([seconds[2:], 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def measured(config, steps):
    """(median seconds of a step, the most memory in bytes) of a network that trains; (None, None) where it cannot."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(config.to_dict()), str(steps)]
    done = subprocess.run(command, cwd=PROJECT, env=worker_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-500:], file=sys.stderr)
        return None, None
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return statistics.median(seconds), memory


def configuration(images, how):
    """ "32 px, 3 channels, 10 classes, batch normalisation"."""
    (side, channels, classes), (normalised, stem) = images, how
    words = [f"{side} px", f"{channels} channel{'s' * (channels > 1)}", f"{classes} classes"]
    return ", ".join(words + ["batch normalisation"] * normalised + [f"{stem} stem"] * (stem != "paper"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--batch", type=int, default=32, help="images a step (32); 0 for what the recipe gives")
    parser.add_argument("--steps", type=int, default=3, help="how many steps are timed (3)")
    options = parser.parse_args()
    print(
        f"| Network | Configuration | Parameters here | Published | Source | Seconds a step of {options.batch} | GB |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in options.networks:
        config = make_config(name, "cifar10", "paper", **({"batch_size": options.batch} if options.batch else {}))
        seconds, memory = measured(config, options.steps)
        timed = "—" if seconds is None else f"{seconds:.3g} | {memory / 1e9:.1f}"
        for _, images, how, published, source in [row for row in PUBLISHED if row[0] == name] or [(name, *[None] * 4)]:
            label = NETWORKS[name]["label"]
            if images is None:
                print(f"| {label} | — | — | — | — | {timed} |", flush=True)
                continue
            counted = count(name, *images, *how)
            here = counted.parameters - counted.not_trainable
            print(
                f"| {label} | {configuration(images, how)} | {here:,} | {published:,} | {source} | {timed} |",
                flush=True,
            )
            timed = " | "


if __name__ == "__main__":
    main()
