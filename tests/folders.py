"""Run folders in every state, for tests that need something to look at without training it."""

import time

import numpy as np

from core.config.recipes import make_config
from core.datasets.catalogue import DATASETS
from core.jobs import liveness
from core.runs.run import create_run

claims = {}


def started_run(network="alexnet", dataset="mnist", recipe="quick", epochs_done=2, **overrides):
    """A run that this very process claims to be training, with some epochs behind it and one begun."""
    run = create_run(make_config(network, dataset, recipe, **overrides))
    claims[run] = liveness.claim(run)
    config = run.read_config()
    for epoch in range(1, epochs_done + 1):
        run.append_history(
            {
                "epoch": epoch,
                "train_loss": 1 / epoch,
                "train_accuracy": 1 - 0.3 / epoch,
                "validation_loss": 1.1 / epoch,
                "validation_accuracy": 1 - 0.35 / epoch,
                "learning_rate": 0.001,
                "seconds": 12.5,
                "images_per_second": 800.0,
            }
        )
    progress = {"epoch": epochs_done + 1, "step": 5, "steps": 20, "loss": 0.4, "accuracy": 0.8, "learning_rate": 0.001}
    run.append_progress(progress | {"time": time.time(), "images_per_second": 790.0})
    status = {"phase": "training", "epoch": epochs_done + 1, "epochs": config.epochs, "step": 5, "steps": 20}
    run.write_status(state="running", **status)
    return run


def finished_run(network="alexnet", dataset="mnist", recipe="quick", examples=200, wrong=0.1, **overrides):
    """A completed run: random test predictions of which a share `wrong` is wrong; it has no network file."""
    return complete(started_run(network, dataset, recipe, epochs_done=3, **overrides), examples, wrong)


def finished_with(config, **options):
    """A completed run with this RunConfig; `options` as for `finished_run`."""
    settings = {name: value for name, value in config.to_dict().items() if name not in ("network", "dataset", "recipe")}
    return finished_run(config.network, config.dataset, config.recipe, **options, **settings)


def complete(run, examples=200, wrong=0.1):
    """Ends a started run as its worker would; returns it."""
    random = np.random.default_rng(0)
    classes = len(DATASETS[run.read_config().dataset]["classes"])
    labels = np.arange(examples) % classes
    answers = np.where(random.random(examples) < wrong, (labels + 1) % classes, labels)
    # Which are probabilities of 0.82 and nine times 0.02.
    logits = np.zeros((examples, classes))
    logits[np.arange(examples), answers] = np.log(41)
    accuracy = float((answers == labels).mean())
    run.write_predictions(
        logits=logits.astype("float32"),
        labels=labels.astype("uint8"),
        epoch_classes=np.stack([answers] * 3).astype("uint8"),
        epoch_confidences=np.full((3, examples), 200, "uint8"),
    )
    scores = {"train_accuracy": 0.9, "train_loss": 0.3, "validation_accuracy": 0.89, "validation_loss": 0.35}
    row = scores | {"epoch": 3, "test_accuracy": accuracy, "test_loss": 0.4}
    run.write_metrics({"best": row, "last": row, "parameters": 24_744_650, "epochs": 3, "seconds": 37.5})
    run.write_status(state="completed", phase=None)
    claims.pop(run).release()
    return run


def record_epochs(run, examples=200, wrong=(0.5, 0.2, 0.1)):
    """What a run that trains has written after each of some epochs, of which such a share was taken for the next class;
    each epoch's mistakes are of other images. Returns the run.
    """
    labels = np.arange(examples) % 10
    for epoch, share in enumerate(wrong):
        random = np.random.default_rng(epoch).random(examples)
        classes = np.where(random < share, (labels + 1) % 10, labels)
        confidences = 255 - np.arange(examples) % 100
        run.append_epoch_predictions(*(array.astype("uint8") for array in (labels, classes, confidences)))
    return run


def learned(run, wrong=(0.45, 0.4, 0.35)):
    """Gives a finished run epochs that differ, as `record_epochs` makes them; returns it."""
    arrays = kept_arrays(run)
    recorded = record_epochs(run, len(arrays["labels"]), wrong).read_epoch_predictions()
    run.epochs_path.unlink()
    run.write_predictions(**arrays | {name: recorded[name] for name in ("epoch_classes", "epoch_confidences")})
    return run


def kept_arrays(run):
    """What stands in a run's test_predictions.npz, name -> array."""
    with np.load(run.predictions_path) as arrays:
        return dict(arrays.items())


def interrupted_run(**options):
    """A started run whose worker is gone without a word."""
    run = started_run(**options)
    claims.pop(run).release()
    return run


def mapped(run, features=784, examples=200):
    """Gives a run a map on which the classes stand in a row, images of one class above each other; returns it.

    Args:
        features: how many the network makes of an image.
        examples: test images, as in `finished_run`.
    """
    classes = len(DATASETS[run.read_config().dataset]["classes"])
    images = np.arange(examples)
    places = np.stack([(images % classes + 0.5) / classes, (images // classes + 0.5) / -(-examples // classes)], axis=1)
    random = np.random.default_rng(0)
    run.write_map(
        {
            "points": np.rint(65_535 * places).astype("uint16"),
            "basis": random.integers(-127, 128, (features, 4)).astype("int8"),
            "scales": np.full(4, 1e-4, "float32"),
            "offset": np.zeros(4, "float32"),
            "landmarks": random.integers(-127, 128, (examples, 4)).astype("int8"),
            "landmark_scales": np.full(4, 1e-2, "float32"),
            "landmark_images": images.astype("uint16"),
            "distance": np.float32(0.01),
        }
    )
    return run
