"""Whether an image is unlike everything that a network was tested on: by a distance in its last features."""

import numpy as np

from core.explain.embedding import landmarks, nearest_landmarks, neighbours

# At most this share of images like the test images is called unlike them,
MOST_FLAGGED = 0.01
# which is as sure as this where the run's validation images tell the threshold.
CONFIDENCE = 0.99
# From fewer of those nothing so rare can be told.
FEWEST = int(np.ceil(np.log(1 - CONFIDENCE) / np.log(1 - MOST_FLAGGED)))
# So many test images are flagged by the measure of a map without validation images; the rest is kept for chance.
_AIMED_AT = 0.005


def calibration(arrays, features):
    """The threshold that a run's validation images tell: as many of them are farther away as there may be, so that of
    all images like them no more than MOST_FLAGGED are.

    Args:
        arrays: of map.npz; see `core.explain.embedding.fit`.
        features: float32 (n, F), the network's last features of the validation images, none of which are on the map.

    Returns:
        What is added to map.npz, name -> array: threshold, float32 (), in the units of `distance`; validation_images,
        uint32 (), which is n; validation_beyond, uint32 (), how many of them are farther away. Empty where n is less
        than FEWEST.

    Raises:
        ValueError: the map is of another number of features.
    """
    if len(features) < FEWEST:
        return {}
    # Here, and not above: it takes a moment to import.
    from scipy.stats import beta

    away = np.sort(np.sqrt(neighbours(arrays, features)[1][:, 0]))
    # Clopper and Pearson's upper limit of the share, were so many of them beyond.
    limits = beta.ppf(CONFIDENCE, np.arange(len(away)) + 1, len(away) - np.arange(len(away)))
    most = np.searchsorted(limits, MOST_FLAGGED, side="right") - 1
    # Not below that distance, whichever way it is rounded.
    threshold = np.nextafter(np.float32(away[-1 - most]), np.float32(np.inf))
    return {
        "threshold": threshold,
        "validation_images": np.uint32(len(away)),
        "validation_beyond": np.uint32((away > threshold).sum()),
    }


def threshold(arrays):
    """The distance from which on an image is unlike the test images: that of `calibration` where the map has it. Else
    only one in 200 of the test images that stand on the run's map is farther from its nearest neighbour there.

    Args:
        arrays: of map.npz; see `core.explain.embedding.fit`. Every fifth test image is a landmark there.

    Returns:
        A float, in the units of `distance`; infinite where the map has too few images to tell.
    """
    if "threshold" in arrays:
        return float(arrays["threshold"])
    there = landmarks(arrays)
    if len(there) < 1 / _AIMED_AT:
        return float("inf")
    return float(np.quantile(between_landmarks(arrays), 1 - _AIMED_AT))


def between_landmarks(arrays):
    """How far each of a map's landmarks is from the nearest other one, (L,) float64, in the units of `distance`."""
    # The nearest of all is the landmark itself.
    return np.sqrt(nearest_landmarks(arrays, landmarks(arrays))[1][:, 1])


def distance(arrays, features):
    """How far an image is from the nearest of the map's landmarks; None where the map is of other features.

    Args:
        arrays: as above.
        features: float32 (F,), the network's last features of the image.
    """
    if len(features) != len(arrays["basis"]):
        return None
    return float(np.sqrt(neighbours(arrays, features[None])[1][0, 0]))
