"""One run on several devices: two virtual ones of this machine's processor, on JAX."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.config.recipes import make_config
from core.runs.run import RunError, create_run
from core.training.devices import spread

SCRIPT = Path(__file__).with_name("train_on_devices.py")


def trained_on(devices, *runs):
    """Trains the runs in a process that has so many devices, and gives what it has said."""
    flags = f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"
    flags += " --xla_llvm_disable_expensive_passes=true"
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": ".", "XLA_FLAGS": flags}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *runs],
        env=environment, cwd=SCRIPT.parents[3], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.timeout(300)
def test_two_devices_learn_as_one_does_and_a_run_goes_on_exactly_on_another_number(artifacts):
    if subprocess.run([sys.executable, "-c", "import jax"], capture_output=True).returncode:
        pytest.skip("jax is not installed")
    # Of the three batches of an epoch, the last has nine images, which two devices cannot divide.
    # Adam would make whole steps of what rounding leaves of gradients that are zero, as those of biases before
    # batch normalisation.
    tiny = {"image_size": 16, "train_examples": 45, "epochs": 2, "batch_size": 16, "batch_normalization": True}
    tiny |= {"optimizer": "sgd", "learning_rate": 0.01}
    one, two, moved = (
        create_run(make_config("lenet5", "mnist", "modern", devices=devices, **tiny)) for devices in (1, 2, 2)
    )
    assert trained_on(2, one.id, two.id, f"{moved.id}:4") == ""
    assert moved.read_metrics() is None
    assert "It asks for 2 devices and found 1, so it trains on 1." in trained_on(1, moved.id)
    assert "found 1" in moved.read_status()["note"]
    alone, *others = (
        run.read_history().drop(columns=["seconds", "images_per_second"]).to_numpy() for run in (one, two, moved)
    )
    for history in others:
        assert history == pytest.approx(alone, rel=1e-3)
    figures = [run.read_metrics()["best"]["test_loss"] for run in (one, two, moved)]
    assert figures == pytest.approx([figures[0]] * 3, rel=1e-3)


def test_several_devices_are_for_jax_alone():
    config = make_config("lenet5", "mnist", "quick", devices=2)
    with pytest.raises(RunError, match=r"^Several devices need JAX: set KERAS_BACKEND to jax, or devices to 1\.$"):
        spread(config)
