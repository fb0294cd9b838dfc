"""A small member of each family, with all of its parts: for tests that need each family, but not its size."""

import importlib

import keras
import numpy as np

from core.datasets.catalogue import DATASETS
from core.networks import sizes
from core.networks.build import build_model
from core.networks.catalogue import FAMILIES, NETWORKS

_INCEPTION = (4, (4, 8), (4, 8), 4)
_WITHOUT = {"hidden_units": (16,), "convolutions": ((8, 11, 4, True), (8, 5, 1, True), (8, 3, 1, False))}
# Family -> what its module holds instead: one architecture for all of its networks, and other constants.
_SMALL = {
    "lenet": {},
    "alexnet": {"architecture": _WITHOUT},
    "nin": {"architecture": (((8, 5), (8,)), ((8, 5), (8,)), ((8, 3), (8,)))},
    "vgg": {"architecture": ((1, 8), (2, 8), (1, 8)), "HIDDEN_UNITS": (16, 16)},
    "googlenet": {"architecture": (((_INCEPTION, True),),)},
    "all_convolutional": {
        "architecture": ((8, 3, 2, "same"), (8, 3, 2, "same"), (8, 3, 1, "valid"), (8, 1, 1, "same"))
    },
    "resnet": {"architecture": {"blocks": (1, 2), "bottleneck": True}, "FILTERS": (4, 8)},
    "small_resnet": {"architecture": 1},
    "preactivation": {"architecture": 1},
    "wide_resnet": {"architecture": (1, 1)},
    "fractalnet": {"architecture": {"filters": (4, 8), "columns": 3}},
    "densenet": {"architecture": {"layers": 2, "growth": 4, "stem": 8, "kept": 0.5, "bottleneck": True}},
    "resnext": {"architecture": (1, 2, 4), "STEM": 8, "FILTERS": (16, 32, 64)},
    "capsules": {"architecture": {"filters": (4, 5, 6, 7), "branches": (2, 3, 4)}},
}
assert set(_SMALL) == set(FAMILIES)


def shallow(monkeypatch, family):
    """Makes the family's networks small for the length of a test; returns the name of one of them."""
    module = importlib.import_module(f"core.networks.{family}")
    name = next(name for name, entry in NETWORKS.items() if entry["family"] == family)
    for constant, value in _SMALL[family].items():
        if constant == "architecture":
            monkeypatch.setitem(module.ARCHITECTURES, name, value)
        else:
            monkeypatch.setattr(module, constant, value)
    # Otherwise the sizes of one test would be another's.
    monkeypatch.setattr(sizes, "count", getattr(sizes.count, "__wrapped__", sizes.count))
    return name


def untrained(config):
    """The network of a RunConfig that has seen nothing, with a mean image and averages of batch normalisation as if it
    had.
    """
    shape, random = DATASETS[config.dataset]["image_shape"], np.random.default_rng(0)
    mean = random.uniform(0, 255, (config.image_size, config.image_size, shape[2])).astype("float32")
    network = build_model(config, shape, mean_image=mean, deviation=78.0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([weight * random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return network
