"""What a network makes of each test image, as a table."""

import numpy as np
import pandas as pd

from core.datasets.catalogue import DATASETS


def table(run):
    """A DataFrame with a row a test image: its number, its label, the class that it was taken for, and the probability
    (0..1) of each class.
    """
    predictions = run.read_predictions()
    probabilities = predictions["probabilities"]
    names = DATASETS[run.read_config().dataset]["classes"]
    found = pd.DataFrame(probabilities, columns=[f"probability of {name}" for name in names])
    found.insert(0, "predicted", np.take(names, probabilities.argmax(axis=1)))
    found.insert(0, "label", np.take(names, predictions["labels"]))
    return found.rename_axis("test_image").reset_index()


def write(run, folder):
    """Writes the table into a folder, as test_predictions.csv."""
    table(run).to_csv(folder / "test_predictions.csv", index=False)
