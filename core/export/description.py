"""What an exported network takes and gives, for people and programs that do not have this project: model.json, and a
script that uses the network.
"""

import json
import os

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.runs.sessions import trained_on

# `load` and `logits` depend on the format of the network.
EXAMPLE = '''"""Says what the network in this folder sees in a picture: python example.py PICTURE"""
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
{load}

about = json.loads(Path(__file__).with_name("model.json").read_text("utf-8"))
_, height, width, channels = about["input"]["shape"]
picture = Image.open(sys.argv[1]).convert("L" if channels == 1 else "RGB").resize((width, height))
images = np.asarray(picture, dtype="uint8").reshape(1, height, width, channels)
{logits}
probabilities = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
for number in np.argsort(-probabilities)[:3]:
    print(f"{{about['classes'][number]}}: {{probabilities[number]:.2%}}")
'''
KERAS = {
    "load": "import keras\n\nsys.setrecursionlimit(20_000)  # for networks of a thousand layers",
    "logits": """network = keras.saving.load_model(Path(__file__).with_name("model.keras"))
logits = network.predict(images, verbose=0)[0]""",
}
LITERT = {
    "load": "from ai_edge_litert.interpreter import Interpreter",
    "logits": """network = Interpreter(str(Path(__file__).with_name("model.tflite")))
network.allocate_tensors()
network.set_tensor(network.get_input_details()[0]["index"], images)
network.invoke()
logits = network.get_tensor(network.get_output_details()[0]["index"])[0]""",
}


def describe(run):
    """A dict of what there is to know about a run's network, for JSON."""
    record, config, metrics = run.read_record(), run.read_config(), run.read_metrics()
    dataset, best = DATASETS[config.dataset], metrics["best"]
    environment = trained_on(record)
    backend = environment.get("backend")
    return {
        "network": config.network,
        "label": NETWORKS[config.network]["label"],
        "paper": NETWORKS[config.network]["paper"],
        "parameters": metrics["parameters"],
        "dataset": config.dataset,
        "classes": list(dataset["classes"]),
        "input": {
            "shape": [None, *dataset["image_shape"]],
            "axes": ["image", "row", "column", "channel"],
            "dtype": "uint8",
            "range": [0, 255],
            "preprocessing": "none: resizing and the mean image are layers of the network",
        },
        "output": {
            "shape": [None, len(dataset["classes"])],
            "axes": ["image", "class"],
            "dtype": "float32",
            "values": "logits",
            "probabilities": "the softmax of each row",
        },
        "test_accuracy": best["test_accuracy"],
        "run": run.id,
        "recipe": config.recipe,
        "epoch": best["epoch"],
        "versions": {name: environment[name] for name in ("python", "keras", backend) if name in environment},
    }


def write(run, folder):
    """Writes model.json and example.py into a folder: an example for Keras where the run has model.keras."""
    (folder / "model.json").write_text(json.dumps(describe(run), indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "example.py").write_text(example(run), "utf-8")


def example(run):
    """The text of a program that uses the network: for Keras where the run has model.keras."""
    return EXAMPLE.format(**(KERAS if os.path.lexists(run.model_path) else LITERT))
