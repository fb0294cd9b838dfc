"""What happens to images at random while a network trains, as layers that do nothing when it predicts."""

import keras

from core.networks.raw_augmentation import alternates

# Setting -> the layer for its value, which moves pixels by parts of one: between them it is bilinear.
_MOVING = {
    "rotate": lambda degrees, **options: keras.layers.RandomRotation(degrees / 360, **options),
    "scale": lambda share, **options: keras.layers.RandomZoom((-share, share), **options),
    "translate": lambda share, **options: keras.layers.RandomTranslation(share, share, **options),
}


def augmentation(config):
    """The layers that the RunConfig asks for, from float32 (batch, size, size, channels) to the same.

    Layers of Keras only, so that a saved network opens without this project.
    """
    for name, layer in _MOVING.items():
        if share := getattr(config, name):
            moving = layer(share, fill_mode="nearest", dtype="float32", name=name)
            # Keras keeps these out of XLA for TensorFlow's sake; on JAX that would keep the whole training step out.
            moving.supports_jit = keras.backend.backend() == "jax"
            yield moving
    # No layer knows the epoch: alternating flips are those of core.networks.raw_augmentation, as are crops.
    if config.flip and not alternates(config):
        yield keras.layers.RandomFlip("horizontal", dtype="float32", name="flip")
    if config.erase:
        # All of them, with a square of this area. Here 0 is the mean image.
        yield keras.layers.RandomErasing(
            factor=(1.0, 1.0), scale=(config.erase**2, config.erase**2), fill_value=0.0, dtype="float32", name="erase"
        )
