"""From raw uint8 images to what the first convolution sees, as layers: a saved network holds its whole recipe."""

import keras
import numpy as np
from PIL import Image

NAME = "preprocessing"


def resizing_matrix(size, new_size):
    """The float32 (new_size, size) matrix that resizes one axis as Pillow's bicubic does: its effect on an identity."""
    identity = Image.fromarray(np.eye(size, dtype=np.float32))
    return np.asarray(identity.resize((size, new_size), Image.Resampling.BICUBIC))


def pixel_statistics(train_images, image_size, chunk=2000):
    """What the network subtracts and, if asked to, divides by.

    Args:
        train_images: uint8 (n, h, w, c), n at least 1; may be memory-mapped, is read `chunk` images at a time.
        image_size: pixels a side after resizing.

    Returns:
        The per-pixel mean of the resized images, float32 (image_size, image_size, c) on the 0-255 scale, and the
        standard deviation of all pixels around it, a float taken at the images' own size. Resizing is linear, so the
        resized mean is the mean of the resized.
    """
    # Whole numbers all along: exact, and no float copy of the images.
    total, squares = 0, 0
    for start in range(0, len(train_images), chunk):
        pixels = np.asarray(train_images[start : start + chunk])
        total += pixels.sum(axis=0, dtype=np.uint64)
        squares += int(np.square(pixels, dtype=np.uint16).sum(dtype=np.uint64))
    mean = total / len(train_images)
    variance = squares / (len(train_images) * mean.size) - np.mean(mean**2)
    rows, columns = (resizing_matrix(size, image_size) for size in mean.shape[:2])
    resized = np.einsum("hwc,Hh,Ww->HWc", mean, rows, columns)
    return resized.astype(np.float32), float(np.sqrt(max(variance, 0.0)))


@keras.saving.register_keras_serializable(package="deeper_networks")
class ResizeAndCentre(keras.layers.Layer):
    """Resizes as Pillow's bicubic does, subtracts the mean image, divides by the deviation.

    Takes uint8 or float (batch, h, w, c), gives float32 (batch, image_size, image_size, c). The resizing matrices and
    the mean image are weights that nothing trains, so they are in the saved file.
    """

    def __init__(self, image_size, deviation=1.0, **kwargs):
        super().__init__(**{"dtype": "float32", "trainable": False} | kwargs)
        self.image_size = image_size
        self.deviation = deviation

    def build(self, input_shape):
        _, height, width, channels = input_shape
        size = self.image_size
        self.rows = self.add_weight(shape=(size, height), initializer="zeros", trainable=False, name="rows")
        self.columns = self.add_weight(shape=(size, width), initializer="zeros", trainable=False, name="columns")
        self.mean = self.add_weight(shape=(size, size, channels), initializer="zeros", trainable=False, name="mean")
        self.rows.assign(resizing_matrix(height, size))
        self.columns.assign(resizing_matrix(width, size))

    def call(self, images):
        pixels = keras.ops.cast(images, "float32")
        pixels = keras.ops.einsum("bhwc,Hh->bHwc", pixels, self.rows)
        pixels = keras.ops.einsum("bHwc,Ww->bHWc", pixels, self.columns)
        return (pixels - self.mean) / self.deviation

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.image_size, self.image_size, input_shape[-1])

    def get_config(self):
        return super().get_config() | {"image_size": self.image_size, "deviation": self.deviation}


def preprocessing(config, image_shape, mean_image=None, deviation=1.0):
    """Resizing, centring and, while training only, random shifts and flips: one block, called `NAME`.

    Args and errors as for `core.models.build.build_model`.
    """
    resize = ResizeAndCentre(
        config.image_size, deviation if config.divide_by_deviation else 1.0, name="resize_and_centre"
    )
    block = keras.Sequential([keras.Input(image_shape, dtype="uint8"), resize], name=NAME)
    if mean_image is not None:
        if np.shape(mean_image) != resize.mean.shape:
            raise ValueError(f"The mean image is {np.shape(mean_image)}; this network needs {resize.mean.shape}.")
        resize.mean.assign(mean_image)
    if config.shift:
        shift = keras.layers.RandomTranslation(
            config.shift, config.shift, fill_mode="nearest", dtype="float32", name="shift"
        )
        # Keras keeps this layer out of XLA for TensorFlow's sake; on JAX that would keep the whole training step out.
        shift.supports_jit = keras.backend.backend() == "jax"
        block.add(shift)
    if config.flip:
        block.add(keras.layers.RandomFlip("horizontal", dtype="float32", name="flip"))
    return block
