"""One training step as core/training/train.py takes it, again and again: the Keras side of training_throughput.py."""

import json
import math
import sys
from pathlib import Path

import numpy as np
from stepping import take_turns

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.config.run_config import RunConfig
from core.networks.build import build_model
from core.training.batches import Batches
from core.training.train import compile_model


def main(config, image_shape, classes):
    """Trains on random images, which cost what real ones do."""
    config = RunConfig.from_dict(config)
    mean_image = np.full((config.image_size, config.image_size, image_shape[-1]), 33, "float32")
    model = build_model(config, image_shape, classes, mean_image)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (4 * config.batch_size, *image_shape), dtype=np.uint8)
    batches = Batches(images, random.integers(0, classes, len(images)), config, classes)
    compile_model(model, config, steps=1000)
    taken = iter(range(sys.maxsize))
    parameters = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    take_turns(lambda: model.train_on_batch(*batches[next(taken) % len(batches)]), parameters)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
