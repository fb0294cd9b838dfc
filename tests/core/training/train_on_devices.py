"""Run by test_devices in a process whose Keras is on JAX: each argument is a run of a small network to train, or
RUN:STEPS for one that is stopped after so many steps.
"""

import sys

import pytest

from core.runs.run import open_run
from core.training import train
from tests.few_images import few
from tests.shallow import shallow

train.load = few
# As many as the test images: for another number, predicting is compiled anew.
train.FITTED_IMAGES = 20
with pytest.MonkeyPatch.context() as patch:
    shallow(patch, "alexnet")
    for argument in sys.argv[1:]:
        name, _, steps = argument.partition(":")
        run, left = open_run(name), [True] * int(steps or 10_000)
        # Asked after every step.
        train.train(run.read_config(), run.path, stop_requested=lambda left=left: not (left and left.pop()), verbose=0)
