"""Trainings of a moment: on the first images of a real dataset in place of all of them, and without a graph."""

import keras

from core.datasets.loading import Dataset, load
from core.training import train


def few(name, progress=None):
    """60 training and 20 test images of the dataset."""
    data = load(name)
    return Dataset(data.train_images[:60], data.train_labels[:60], data.test_images[:20], data.test_labels[:20])


def eager(monkeypatch):
    """Trains and predicts operation by operation for the length of a test: making a graph of a step, or of a network
    that predicts, takes longer than few steps.
    """
    compile_model = train.compile_model

    def compiled(model, *about):
        compile_model(model, *about)
        model.run_eagerly = True

    def predicted(model, images):
        return keras.ops.convert_to_numpy(model(images, training=False))

    monkeypatch.setattr(train, "compile_model", compiled)
    monkeypatch.setattr(keras.Model, "predict_on_batch", predicted)
