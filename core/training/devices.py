"""One run on several devices of a machine: each computes its part of every batch."""

import keras

from core.networks.preprocessing import NAME
from core.runs.run import RunError


class DataParallel(keras.distribution.DataParallel):
    """Divides each batch among the devices after its preprocessing. The weights are on all of them; what is computed
    over a batch, as batch normalisation's means, is computed over all of it.

    Keras divides a batch before it comes to the devices, and refuses one that cannot be divided evenly, as an epoch's
    last.
    """

    def get_data_layout(self, data_shape):
        return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)

    def get_tensor_layout(self, path):
        if path.endswith(f"{NAME}/output"):
            return keras.distribution.TensorLayout([self.batch_dim_name, None, None, None], self.device_mesh)
        return None


def spread(config, tell=print):
    """Has the networks that are built from now on trained on `config.devices` devices, or as many as there are.

    Args:
        config: a RunConfig.
        tell: told in a sentence where there are fewer.

    Raises:
        core.runs.run.RunError: it asks for several, and Keras' backend can use one.
    """
    keras.distribution.set_distribution(None)
    if config.devices == 1:
        return
    if keras.backend.backend() != "jax":
        raise RunError("Several devices need JAX: set KERAS_BACKEND to jax, or devices to 1.")
    found = keras.distribution.list_devices()[: config.devices]
    if len(found) < config.devices:
        tell(f"It asks for {config.devices} devices and found {len(found)}, so it trains on {len(found)}.")
    if len(found) > 1:
        keras.distribution.set_distribution(DataParallel(devices=found))
