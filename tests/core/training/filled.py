"""What a run's folder holds once it was trained to its end on a handful of images."""

import numpy as np
import pytest

from core.config.run_config import MONITORS
from core.explain.features import OpenNetwork
from core.export import litert_reader
from core.export.keras import load_network
from core.runs.integrity import problems
from core.training.last_features import last_features
from tests.few_images import few

# The families that are trained to their end: where each recipe is, and, for what acts in their training alone, where
# runs are cut and resumed.
TRAINED = ("alexnet", "googlenet", "fractalnet", "small_resnet")


def expect_a_full_folder(run, steps, exported):
    """Of a run of two epochs of so many steps; `exported` is whether it was asked for a map and has its real 8-bit
    network.
    """
    history, metrics, predictions = run.read_history(), run.read_metrics(), run.read_predictions()
    assert list(history["epoch"]) == [1, 2]
    assert np.isfinite(history.to_numpy()).all()
    assert (history["images_per_second"] > 0).all()
    assert predictions["probabilities"].sum(axis=1) == pytest.approx(np.ones(20))
    assert metrics["last"]["epoch"] == metrics["epochs"] == 2
    monitor = run.read_config().monitor
    best = history.loc[(MONITORS[monitor] * history[monitor]).idxmax()]
    assert metrics["best"]["epoch"] == best["epoch"]
    assert metrics["best"]["validation_accuracy"] == best["validation_accuracy"]
    right = (predictions["probabilities"].argmax(axis=1) == predictions["labels"]).mean()
    assert metrics["best"]["test_accuracy"] == right
    assert run.read_progress()[0][-1]["step"] == steps
    assert ("epoch_classes" in predictions) == run.read_config().record_test_predictions
    if "epoch_classes" in predictions:
        kept = predictions["epoch_classes"][metrics["best"]["epoch"] - 1]
        assert (kept == predictions["probabilities"].argmax(axis=1)).all()

    images = few("mnist").test_images
    network = load_network(run)
    logits = np.asarray(network(images, training=False))
    assert predictions["logits"].dtype == np.float32
    np.testing.assert_allclose(predictions["logits"], logits, rtol=1e-4, atol=1e-4)
    if exported:
        # Eight-bit weights move the probabilities a little.
        assert litert_reader.Classifier(run).classify(images) == pytest.approx(predictions["probabilities"], abs=0.1)
        expect_the_same_last_features(run, network, images)
    # So short a training is not worth one, unless it is asked for.
    assert (run.read_map() is not None) == exported
    assert problems(run) == {}


def expect_the_same_last_features(run, network, images):
    """The map is made of those that Keras computes, and drawings are placed by those of the 8-bit network."""
    ours, theirs = last_features(network, images, batch_size=10), OpenNetwork(run).last_features(images)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=0.05 * float(np.abs(ours).max()))
