"""A trained network's weights as safetensors, which hold no code and open in any framework, and a list of them."""

import json

from core.export import description
from core.export.keras import load_todays_network

FILES = WEIGHTS, LIST = "model.safetensors", "weights.json"


def write(run, folder):
    """Writes the weights by their Keras paths, and weights.json: the settings that build the network, and each weight
    in the order of Keras' `set_weights`.
    """
    from safetensors.numpy import save

    weights = dict(named_weights(load_todays_network(run)))
    arrays = {path: weight.numpy() for path, weight in weights.items()}
    # One entry: of several, the library would write each time in another order.
    (folder / WEIGHTS).write_bytes(save(arrays, metadata={"format": "keras"}))
    rows = [
        {
            "path": path,
            "shape": list(arrays[path].shape),
            "dtype": arrays[path].dtype.name,
            "trainable": weight.trainable,
        }
        for path, weight in weights.items()
    ]
    about = description.describe(run) | {"settings": run.read_config().to_dict(), "weights": rows}
    (folder / LIST).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")


def named_weights(model):
    """(path, variable) of each weight, in the order of `set_weights`. The path begins with the layer's name also where
    the layer is a block, of which Keras forgets the name once the network was saved.
    """
    for layer in model.layers:
        for weight in layer.weights:
            begins = f"{layer.name}/"
            yield weight.path if weight.path.startswith(begins) else f"{begins}{weight.path}", weight
