"""The map: what a network makes of the test images just before it decides, in two dimensions, so that images that are
alike to it lie side by side; and where a new image lies among them.
"""

import numpy as np

from core.environment import bring_back

# After so many seconds of training the map takes no more than a small part of a run.
AFTER_SECONDS = 180
# Fewer do not make a map.
FEWEST = 10
_FEW = 500
_PERPLEXITY = 30
_STEPS = 500
# What t-SNE looks at, as its authors do.
_COMPONENTS = 50
# What a new image is compared in. Of a trained network the first dozen hold nearly all that differs between images;
# more bytes would not fit into a file that ships.
_FEW_COMPONENTS = 16
_BASIS_BYTES = 60_000
# The images that a new one is compared with, and how many of them, the nearest, decide where it lies.
_LANDMARKS = 2_000
_NEAREST = 3
_END = 65_535


class NoMapError(ValueError):
    """Images of which no map can be made; the message says why, for a person."""


def is_wanted(config, seconds):
    """Whether a run with this RunConfig, whose epochs take so many seconds, makes a map at its end."""
    return config.map == "on" or (config.map == "auto" and seconds >= AFTER_SECONDS)


def fit(features):
    """The map of images, by their last features.

    t-SNE (van der Maaten and Hinton 2008) keeps neighbours together: what lies side by side is alike to the network.
    How far apart two groups lie, and how large they are, says little.

    Args:
        features: float32 (N, F), what goes into the layer that gives the logits.

    Returns:
        The arrays of map.npz, name -> array. points: uint16 (N, 2), right and down, 65,535 being the map's side. What
        `place` needs: basis int8 (F, K), with its scales and offset float32 (K,), which lead to K principal components;
        landmarks int8 (L, K), with their scales float32 (K,), and landmark_images uint16 (L,), which images they are.
        distance: float32 (), in shares of the map's side: the median distance of where `place` puts an image from where
        it lies, of those that are no landmarks; 0 where all are.

    Raises:
        NoMapError: there are fewer than FEWEST images, or all are alike, or a feature is not a number.
    """
    features = np.asarray(features, np.float32)
    if len(features) < FEWEST:
        raise NoMapError(f"it takes {FEWEST} of them, not {len(features)}")
    if not np.isfinite(features).all():
        raise NoMapError("what the network makes of them is not a number")
    if not np.ptp(features, axis=0).any():
        raise NoMapError("they are all alike to the network")
    # Here, and not above: they take a second to import and 100 MB.
    bring_back("sklearn")
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    components = PCA(min(_COMPONENTS, *features.shape), random_state=0).fit(features)
    # In units of the strongest, so that neither very large nor very small features are beyond float32.
    unit = np.sqrt(components.explained_variance_[0])
    projected = (components.transform(features) / unit).astype(np.float32)
    tsne = TSNE(
        perplexity=min(_PERPLEXITY, (len(features) - 1) / 3),
        max_iter=_STEPS,
        init=_first_two(projected),
        random_state=0,
        # The other one is for many: of few its threads mostly wait for each other.
        method="exact" if len(features) <= _FEW else "barnes_hut",
    )
    points = _on_the_map(tsne.fit_transform(projected))
    count = max(1, min(_FEW_COMPONENTS, len(components.components_), _BASIS_BYTES // features.shape[1]))
    basis, scales = _in_bytes(components.components_[:count].T / unit)
    offset = components.mean_ @ (basis * scales)
    images = np.arange(0, len(features), -(-len(features) // _LANDMARKS))
    landmarks, landmark_scales = _in_bytes(features[images] @ (basis * scales) - offset)
    arrays = {
        "points": points,
        "basis": basis,
        "scales": scales,
        "offset": offset.astype(np.float32),
        "landmarks": landmarks,
        "landmark_scales": landmark_scales,
        "landmark_images": images.astype(np.uint16),
    }
    others = np.setdiff1d(np.arange(len(features)), images)
    away = place(arrays, features[others]) - points[others] / _END
    distance = np.median(np.hypot(*away.T)) if len(others) else 0
    return arrays | {"distance": np.float32(distance)}


def place(arrays, features):
    """Where images lie on a map: at the mean of the nearest landmarks, of which the nearer counts the more.

    Args:
        arrays: what `fit` gave.
        features: float32 (n, F).

    Returns:
        float64 (n, 2), right and down, in 0..1.

    Raises:
        ValueError: the map is of another number of features.
    """
    images, squares = neighbours(arrays, features)
    closeness = 1 / (squares + 1e-9)
    shares = closeness / closeness.sum(1, keepdims=True)
    return (shares[..., None] * positions(arrays)[images]).sum(1)


def neighbours(arrays, features):
    """The landmarks that are nearest to images, and how far away each is.

    Args and errors as for `place`.

    Returns:
        The numbers of the test images that they are, int64 (n, 3), the nearest first, and squared distances in
        principal components, float64 (n, 3); fewer where the map has fewer landmarks.
    """
    here = np.asarray(features, np.float32) @ (arrays["basis"] * arrays["scales"]) - arrays["offset"]
    nearest, squares = nearest_landmarks(arrays, here)
    return arrays["landmark_images"].astype(np.int64)[nearest], squares


def landmarks(arrays):
    """The principal components of a map's landmarks, float32 (L, K)."""
    return arrays["landmarks"] * arrays["landmark_scales"]


def nearest_landmarks(arrays, here):
    """The positions of the nearest landmarks among all, int64 (n, 3), the nearest first, and their squared distances,
    float64 (n, 3), of images with these principal components, (n, K); fewer where the map has fewer landmarks.
    """
    there, nearest, squares = landmarks(arrays), [], []
    # In parts, since a distance from each to each takes much memory.
    for part in np.array_split(here, -(-len(here) // 500) or 1):
        all_ = ((part**2).sum(1)[:, None] + (there**2).sum(1) - 2 * part @ there.T).clip(0).astype(np.float64)
        nearest.append(np.argsort(all_, axis=1)[:, :_NEAREST])
        squares.append(np.take_along_axis(all_, nearest[-1], 1))
    return np.concatenate(nearest), np.concatenate(squares)


def positions(arrays):
    """Where the test images lie, float64 (N, 2), right and down, in 0..1."""
    return arrays["points"] / _END


def strangers(positions, labels):
    """How much each image lies among those of other classes, (N,) in 0..1: their share of the images around it, a half
    where there are none.

    Args:
        positions: (N, 2) in 0..1.
        labels: (N,) the class of each.
    """
    cells = 48
    # Each image with a border around, so that what is around a cell needs no exception.
    rows, columns = 1 + np.minimum(np.asarray(positions) * cells, cells - 1).astype(int).T
    counts = np.zeros((int(np.max(labels, initial=0)) + 1, cells + 2, cells + 2))
    np.add.at(counts, (labels, rows, columns), 1)
    around = sum(np.roll(counts, (down, right), (1, 2)) for down in (-1, 0, 1) for right in (-1, 0, 1))
    # Not itself.
    own, all_ = around[labels, rows, columns] - 1, around.sum(0)[rows, columns] - 1
    return 1 - np.divide(own, all_, out=np.full(len(rows), 0.5), where=all_ > 0)


def inside(positions, corners):
    """Which images lie inside an area, (N,) bool.

    Args:
        positions: (N, 2).
        corners: (M, 2) of a polygon, M at least 3, in the same units.
    """
    x, y = np.asarray(positions, float).T
    found = np.zeros(len(x), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        # An odd number of sides to the right of a point.
        beside = (y0 > y) != (y1 > y)
        found ^= beside & (x < x0 + (x1 - x0) * np.divide(y - y0, y1 - y0, out=np.zeros(len(y)), where=beside))
    return found


def _first_two(projected):
    """Where t-SNE begins: at the first two components, so close together that it can still move everything."""
    first = np.zeros((len(projected), 2), np.float32)
    first[:, : projected.shape[1]] = projected[:, :2]
    return first * np.float32(1e-4) / max(first[:, 0].std(), np.float32(1e-12))


def _on_the_map(points):
    """uint16 (N, 2): a square that just holds all points, with one scale for both directions."""
    low, high = points.min(0), points.max(0)
    side = max(high - low) or 1
    return np.rint((0.5 + (points - (low + high) / 2) / side).clip(0, 1) * _END).astype(np.uint16)


def _in_bytes(columns):
    """int8 and float32 scales, one a column, whose product is nearly the columns."""
    scales = np.abs(columns).max(0) / 127
    scales = np.where(scales > 0, scales, 1).astype(np.float32)
    return np.rint(columns / scales).clip(-127, 127).astype(np.int8), scales
