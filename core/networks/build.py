"""A RunConfig into a Keras network."""

import contextlib

import keras

from core.networks.blocks import Blocks
from core.networks.catalogue import assemble
from core.networks.preprocessing import preprocessing


def build_model(config, image_shape, classes=10, mean_image=None, deviation=1.0):
    """The network a RunConfig describes, initialised from its seed.

    Reseeds Python, NumPy and the backend with `config.seed`, so that initial weights, dropout and augmentation are
    the same for the same seed on the same backend.

    Args:
        config: a RunConfig.
        image_shape: (h, w, c) of the raw images.
        classes: how many logits.
        mean_image: float32 (config.image_size, config.image_size, c) to subtract, 0-255 scale; None for zeros.
        deviation: what to divide by where config.standardize; more than 0.

    Returns:
        A keras.Model from raw uint8 images (batch, h, w, c) to float32 logits (batch, classes). The images go through
        its layer "preprocessing", everything after that is the network proper.

    Raises:
        ValueError: the mean image has another shape.
    """
    keras.utils.set_random_seed(config.seed)
    images = keras.Input(image_shape, dtype="uint8", name="images")
    with _precision(config.precision):
        pixels = preprocessing(config, image_shape, mean_image, deviation)(images)
        return keras.Model(images, assemble(config.network, Blocks(config, classes), pixels), name=config.network)


@contextlib.contextmanager
def _precision(policy):
    """Layers made inside have this dtype policy; naming it in each would let one be forgotten."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
