"""Whether an image is unlike everything that a network was tested on: by a distance in its last features."""

import numpy as np

from core.explain.embedding import landmarks, nearest_landmarks, neighbours

# At most this share of the test images is called unlike the others.
MOST_FLAGGED = 0.01
# So many are by the threshold's own measure; the rest is kept for chance.
_AIMED_AT = 0.005


def threshold(arrays):
    """The distance from which on an image is unlike the test images: only one in 200 of those that stand on the run's
    map is farther from its nearest neighbour there.

    Args:
        arrays: of map.npz; see `core.explain.embedding.fit`. Every fifth test image is a landmark there.

    Returns:
        A float, in the units of `distance`; infinite where the map has too few images to tell.
    """
    there = landmarks(arrays)
    if len(there) < 1 / _AIMED_AT:
        return float("inf")
    # The nearest of all is the landmark itself.
    _, squares = nearest_landmarks(arrays, there)
    return float(np.quantile(np.sqrt(squares[:, 1]), 1 - _AIMED_AT))


def distance(arrays, features):
    """How far an image is from the nearest of the map's landmarks; None where the map is of other features.

    Args:
        arrays: as above.
        features: float32 (F,), the network's last features of the image.
    """
    if len(features) != len(arrays["basis"]):
        return None
    return float(np.sqrt(neighbours(arrays, features[None])[1][0, 0]))
