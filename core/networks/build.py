"""A RunConfig into a Keras network."""

import contextlib
import sys

import keras

from core.networks.blocks import Blocks
from core.networks.catalogue import assemble
from core.networks.preprocessing import preprocessing
from core.networks.training_only import WithAuxiliaryHeads

# Keras follows a network from its end to its beginning with a call for each layer, of which Python allows a thousand.
DEEPEST = 20_000


def allow_deep_networks():
    """Lets Keras build, save and read networks of thousands of layers in this process."""
    sys.setrecursionlimit(max(DEEPEST, sys.getrecursionlimit()))


def build_model(config, image_shape, classes=10, mean_image=None, deviation=1.0, for_training=False):
    """The network a RunConfig describes, initialised from its seed.

    Reseeds Python, NumPy and the backend with `config.seed`, so that initial weights, dropout and augmentation are
    the same for the same seed on the same backend.

    Args:
        config: a RunConfig.
        image_shape: (h, w, c) of the raw images.
        classes: how many logits.
        mean_image: float32 (config.image_size, config.image_size, c) to subtract, 0-255 scale; None for zeros.
        deviation: what to divide by where config.standardize; more than 0.
        for_training: with the parts that act only in training: auxiliary heads, and paths that are dropped. Without
            them the network is the same, and its weights are those that `core.networks.training_only.lasting` gives.

    Returns:
        A keras.Model from raw uint8 images (batch, h, w, c) to float32 logits (batch, classes). The images go through
        its layer "preprocessing", everything after that is the network proper.

    Raises:
        ValueError: the mean image has another shape.
    """
    allow_deep_networks()
    keras.utils.set_random_seed(config.seed)
    images = keras.Input(image_shape, dtype="uint8", name="images")
    with _precision(config.precision):
        pixels = preprocessing(config, image_shape, mean_image, deviation)(images)
        blocks = Blocks(config, classes, for_training)
        logits = assemble(config.network, blocks, pixels)
    if blocks.auxiliary_logits:
        return WithAuxiliaryHeads(images, [logits, *blocks.auxiliary_logits], name=config.network)
    return keras.Model(images, logits, name=config.network)


@contextlib.contextmanager
def _precision(policy):
    """Layers made inside have this dtype policy; naming it in each would let one be forgotten."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
