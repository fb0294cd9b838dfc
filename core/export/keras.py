"""A trained network in Keras' own format: layers of Keras only, so that it opens without this project."""

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import keras

from core.datasets.catalogue import DATASETS
from core.networks.build import allow_deep_networks
from core.networks.older_layers import ResizeAndCentre
from core.networks.preprocessing import NAME, preprocessing
from core.networks.sizes import times
from core.runs.integrity import check_fingerprint
from core.runs.run import RunError
from core.runs.schema import glance_at_keras


def save_network(model, run):
    """Writes model.keras, without the optimizer."""
    # A model of its own, never compiled: Keras would save the optimizer with the other, three times the size.
    write_whole(run.model_path, keras.Model(model.input, model.output, name=model.name).save)


def write(run, folder):
    """Writes a run's model.keras into a folder; one that an earlier version of this project saved, with a layer of its
    own in it, with Keras' layers in that one's place.
    """
    target = folder / run.model_path.name
    if _has_older_layer(run.model_path):
        write_whole(target, load_todays_network(run).save)
    else:
        shutil.copy2(run.model_path, target)


def load_todays_network(run):
    """The Keras model of a run, of Keras' layers only: in place of a layer of this project, which earlier versions had.

    Raises:
        core.runs.run.RunError: as `load_network`.
    """
    model = load_network(run)
    return _renewed(model, run.read_config()) if _has_older_layer(run.model_path) else model


def load_network(run):
    """The Keras model of a run, read in safe mode: nothing in the file is executed. Files of earlier versions, with a
    layer of this project in them, are read too.

    Raises:
        core.runs.run.RunError: model.keras is missing or damaged, holds code, or is no network for the run's dataset.
    """
    allow_deep_networks()
    dataset = DATASETS[run.read_config().dataset]
    metrics = run.read_metrics()
    run.check(run.model_path, lambda path: check_fingerprint(path, metrics))
    run.check(run.model_path, glance_at_keras)
    try:
        model = keras.saving.load_model(run.model_path, compile=False, safe_mode=True)
        shapes = model.input_shape, model.output_shape
    except Exception as error:  # Damage takes Keras by surprise in a dozen ways.
        if "safe_mode" in str(error):
            raise RunError(f"{run.id}: model.keras is refused, because it holds code.") from None
        raise RunError(f"{run.id}: model.keras: Keras cannot load it as a network; train the run again.") from None
    wanted = (None, *dataset["image_shape"]), (None, len(dataset["classes"]))
    if shapes != wanted:
        here, there = (f"{_shape(images)} to {_shape(classes)}" for images, classes in (shapes, wanted))
        raise RunError(f"{run.id}: model.keras: it leads from {here}, not from {there}.")
    return model


def _shape(sides):
    """ "28×28×1", without the number of images."""
    return times(sides[1:]) if isinstance(sides, tuple) else "something else"


def _has_older_layer(path):
    with zipfile.ZipFile(path) as archive:
        return ResizeAndCentre.__name__.encode() in archive.read("config.json")


def _renewed(model, config):
    """The same network with today's preprocessing."""
    older = next(layer for layer in model.get_layer(NAME).layers if isinstance(layer, ResizeAndCentre))
    mean = keras.ops.convert_to_numpy(older.mean)
    block = preprocessing(config, model.input_shape[1:], mean, older.deviation)
    renewed = keras.models.clone_model(
        model, clone_function=lambda layer: block if layer.name == NAME else type(layer).from_config(layer.get_config())
    )
    own = block.get_weights()
    renewed.set_weights([*own, *model.get_weights()[len(own) :]])
    return renewed


def write_whole(path, write):
    """Has a file written by `write`, which is called with a path, and puts it in its place when it is whole."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        write(temporary)
        os.replace(temporary, path)
