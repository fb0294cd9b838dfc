"""Layers in networks that earlier versions of this project saved: for reading those files, and nothing else."""

import keras


@keras.saving.register_keras_serializable(package="deeper_networks")
class ResizeAndCentre(keras.layers.Layer):
    """What `core.networks.preprocessing` now does with Keras' own layers.

    Takes uint8 or float (batch, h, w, c), gives float32 (batch, image_size, image_size, c). Its weights, the resizing
    matrices and the mean image, come from the file.
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

    def call(self, images):
        pixels = keras.ops.cast(images, "float32")
        pixels = keras.ops.einsum("bhwc,Hh->bHwc", pixels, self.rows)
        pixels = keras.ops.einsum("bHwc,Ww->bHWc", pixels, self.columns)
        return (pixels - self.mean) / self.deviation

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.image_size, self.image_size, input_shape[-1])

    def get_config(self):
        return super().get_config() | {"image_size": self.image_size, "deviation": self.deviation}
