"""From raw uint8 images to what the first convolution sees, as layers: a saved network holds its whole recipe."""

import keras
import numpy as np
from PIL import Image

from core.networks.augmentation import augmentation

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


def preprocessing(config, image_shape, mean_image=None, deviation=1.0):
    """Resizing as Pillow's bicubic does, standardising and, while training only, random translations and flips: one
    block, called `NAME`, from uint8 or float (batch, h, w, c) to float32 (batch, image_size, image_size, c).

    Layers of Keras only, so that a saved network opens without this project, in safe mode too. Pillow's matrices and
    the mean image are weights that nothing trains: two products resize, the second of which divides by the deviation
    and has the mean image, negative, for its bias. Nothing but weights depends on the data, so that copying the
    weights copies the preprocessing.

    Args and errors as for `core.networks.build.build_model`.
    """
    height, width, channels = image_shape
    size = config.image_size
    mean_shape = (size, size, channels)
    if mean_image is None:
        mean_image = np.zeros(mean_shape, np.float32)
    if np.shape(mean_image) != mean_shape:
        raise ValueError(f"The mean image is {np.shape(mean_image)}; this network needs {mean_shape}.")
    divisor = deviation if config.standardize else 1.0
    # float32 also where the network computes in bfloat16, whose 8 bits would round the pixels. Zeros, because random
    # kernels would take from the seed what the network's own begin with.
    fixed = {"dtype": "float32", "trainable": False, "kernel_initializer": "zeros"}
    resize_rows = keras.layers.EinsumDense("bhwc,Hh->bHwc", (size, width, channels), name="resize_rows", **fixed)
    standardize = keras.layers.EinsumDense(
        "bhwc,Ww->bhWc", mean_shape, bias_axes="hWc", name="resize_columns_and_standardize", **fixed
    )
    # By 1: it only makes floats of the bytes.
    to_floats = keras.layers.Rescaling(1.0, dtype="float32", name="to_floats")
    block = keras.Sequential([keras.Input(image_shape, dtype="uint8"), to_floats, resize_rows, standardize], name=NAME)
    resize_rows.set_weights([resizing_matrix(height, size)])
    standardize.set_weights([resizing_matrix(width, size) / divisor, -mean_image / divisor])
    for layer in augmentation(config):
        block.add(layer)
    return block


def fixed_weights(model):
    """The weights of a built network that come from the data and not from training: the first of `model.weights`."""
    return model.get_layer(NAME).weights
