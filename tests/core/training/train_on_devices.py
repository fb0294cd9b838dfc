"""Run by test_devices in a process whose Keras is on JAX: each argument is a run to train, or RUN:STEPS for one that is
stopped after so many steps.
"""

import sys

from core.runs.run import open_run
from core.training import train
from tests.few_images import few

train.load = few
for argument in sys.argv[1:]:
    name, _, steps = argument.partition(":")
    run, left = open_run(name), [True] * int(steps or 10_000)
    # Asked after every step.
    train.train(run.read_config(), run.path, stop_requested=lambda left=left: not (left and left.pop()), verbose=0)
