"""What happens to images at random while a network trains, as layers that do nothing when it predicts."""

import keras


def augmentation(config):
    """The layers that the RunConfig asks for, from float32 (batch, size, size, channels) to the same.

    Layers of Keras only, so that a saved network opens without this project.
    """
    if config.translate:
        translate = keras.layers.RandomTranslation(
            config.translate, config.translate, fill_mode="nearest", dtype="float32", name="translate"
        )
        # Keras keeps this layer out of XLA for TensorFlow's sake; on JAX that would keep the whole training step out.
        translate.supports_jit = keras.backend.backend() == "jax"
        yield translate
    if config.flip:
        yield keras.layers.RandomFlip("horizontal", dtype="float32", name="flip")
