"""Networks, small ones of a family or as they are, converted without rounding their weights, and opened beside the
Keras network that each came from.
"""

import keras
import numpy as np

from core.config.recipes import make_config
from core.datasets.catalogue import DATASETS
from core.explain.features import OpenNetwork
from core.export.keras import write_whole
from core.networks.build import build_model
from core.runs.run import create_run
from tests.shallow import shallow

SIDE, DEVIATION = 32, 78.0


def opened(monkeypatch, family, dataset="mnist", recipe="paper"):
    """A small network of the family with random weights: (OpenNetwork, the Keras network)."""
    return opened_in_full(shallow(monkeypatch, family), dataset, recipe)


def opened_in_full(name, dataset="mnist", recipe="paper"):
    """A network of the catalogue as it is, but for small images, with random weights; returns as `opened`."""
    options = {"image_size": SIDE, "precision": "float32", "standardize": True}
    config = make_config(name, dataset, recipe, **options)
    shape, random = DATASETS[dataset]["image_shape"], np.random.default_rng(3)
    mean = random.uniform(0, 255, (SIDE, SIDE, shape[2])).astype("float32")
    network = build_model(config, shape, mean_image=mean, deviation=DEVIATION)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    run = create_run(config)
    write_whole(run.tflite_path, lambda path: network.export(path, format="litert", verbose=False))
    return OpenNetwork(run), network


def some_images(count, dataset="mnist"):
    """Random images, uint8 (count, h, w, c)."""
    return np.random.default_rng(1).integers(0, 256, (count, *DATASETS[dataset]["image_shape"]), dtype=np.uint8)


def in_keras(network, names, image):
    """What layers of a Keras network give for one image: name -> array."""
    outputs = {name: network.get_layer(name).output for name in names}
    found = keras.Model(network.input, outputs)(image[None], training=False)
    return {name: keras.ops.convert_to_numpy(value)[0] for name, value in found.items()}


def keras_layer(stage, open_network, network):
    """The name of the Keras layer whose output a Stage is."""
    base, activation = stage.layer.name.removesuffix("_add"), open_network.config.activation
    after = [f"{base}_normalisation", f"{base}_{activation}", f"{base}_{activation}_outer_scale"]
    if stage.key.endswith("_before"):
        names = after
    elif open_network.stage(f"{stage.key}_before"):
        names = [stage.layer.name]
    else:
        names = [stage.layer.name, *after]
    there = {layer.name for layer in network.layers}
    return [name for name in names if name in there][-1]
