"""One run on several devices: two virtual ones of this machine's processor, on JAX."""

from pathlib import Path

import keras
import numpy as np
import pytest

from core.config.recipes import make_config
from core.runs.run import RunError, create_run
from core.training.devices import spread
from tests.few_images import few
from tests.on_jax import run_on_jax

SCRIPT = Path(__file__).with_name("train_on_devices.py")


@pytest.mark.timeout(300)
def test_two_devices_learn_as_one_does_and_a_run_goes_on_exactly_on_another_number(artifacts, tmp_path):
    def trained_on(devices, *runs):
        """Trains the runs in a process that has so many devices, and gives what it has said."""
        # The second process need not compile what the first has compiled.
        kept = {
            "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        return run_on_jax(SCRIPT, *runs, flags=f"--xla_force_host_platform_device_count={devices}", **kept)

    # Of the three batches of an epoch, the last has nine images, which two devices cannot divide.
    # Adam would make whole steps of what rounding leaves of gradients that are zero, as those of biases before
    # batch normalisation.
    tiny = {"image_size": 16, "train_examples": 45, "epochs": 2, "batch_size": 16, "batch_normalization": True}
    tiny |= {"optimizer": "sgd", "learning_rate": 0.01, "dropout": 0.2}
    one, two, moved = (
        create_run(
            make_config("alexnet", "mnist", "modern", devices=devices, record_test_predictions=devices == 1, **tiny)
        )
        for devices in (1, 2, 2)
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
    assert {path.name for path in one.path.iterdir()} >= {"model.keras", "metrics.json", "test_predictions.npz"}
    kept = one.read_predictions()
    assert kept["epoch_classes"].shape == (2, 20)
    # What was trained on JAX answers the same here, on TensorFlow.
    assert keras.backend.backend() == "tensorflow"
    logits = np.asarray(keras.saving.load_model(one.model_path)(few("mnist").test_images, training=False))
    np.testing.assert_allclose(logits, kept["logits"], rtol=1e-3, atol=1e-3)


def test_several_devices_are_for_jax_alone():
    config = make_config("lenet5", "mnist", "quick", devices=2)
    with pytest.raises(RunError, match=r"^Several devices need JAX: set KERAS_BACKEND to jax, or devices to 1\.$"):
        spread(config)
