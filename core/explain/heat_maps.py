"""Where a network looks for a class: exact where its architecture allows it, estimated elsewhere, and by covering parts
of the image everywhere.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from core.explain.features import Stage, strongest
from core.networks.sizes import size

# Occlusion covers the image in so many places a side, one after another, each time so much of its side.
GRID, COVERED = 7, 1 / 4
# Maps smaller than this say nothing about where.
_LEAST_SIDE = 4
# How much Score-CAM may compute, in multiply-adds, and how many maps it asks at least and at most.
_BUDGET, _FEWEST, _MOST = 6e9, 8, 64
# So many images at once: the memory for what a network makes of them grows with their number.
_AT_ONCE = 7


class HeatMap(NamedTuple):
    """Where a network looks.

    Attributes:
        values: float32 (rows, columns). Only their proportions mean something.
        has_signs: whether positive speaks for the class and negative against it; else more is more, and 0 nothing.
        stage: the Stage whose maps it was made of, or None.
        maps: how many of the stage's maps it was made of.
    """

    values: np.ndarray
    has_signs: bool
    stage: Stage | None
    maps: int


def exact_stage(network):
    """The Stage whose maps the logits follow from by their mean and one dense layer at most; None for a network that
    ends otherwise, or whose file does not have them.
    """
    every = [layer for layer in network.layers if not layer.training_only]
    if len(network.stages) < 2 or len(every) < 2:
        return None
    last = every[-1]
    if last.kind == "dense" and network.last_weights() is not None:
        last = network.layers[last.inputs[0]]
    if last.kind != "mean of each map":
        return None
    return network.stage_of(last.inputs[0])


def class_activation(network, image, number):
    """The class activation map (Zhou et al. 2015): the mean of its values, plus a constant, is the logit of the class.

    Args:
        network: a core.explain.features.OpenNetwork for which `exact_stage` gives a Stage.
        image: uint8 (h, w, c).
        number: of the class.

    Returns:
        A HeatMap, as large as the stage's maps.
    """
    stage = exact_stage(network)
    maps = network.open(image, [stage.key]).outputs[stage.key]
    weights = network.last_weights() if network.layers[-1].kind == "dense" else None
    values = maps[..., number] if weights is None else maps @ weights[0][number]
    return HeatMap(values, True, stage, maps.shape[2])


def estimate_stage(network):
    """The Stage that estimates are made of: the last whose maps still say where; None where there are no maps."""
    maps = [stage for stage in network.stages if stage.has_maps]
    large = [stage for stage in maps if stage.layer.shape[0] >= _LEAST_SIDE]
    return large[-1] if large else maps[-1] if maps else None


def eigen_activation(network, image):
    """Eigen-CAM (Muhammad and Yeasin 2020): what the maps of a late layer have most in common, whatever the class.

    Args and returns as of `class_activation`, for any network for which `estimate_stage` gives a Stage.
    """
    stage = estimate_stage(network)
    maps = network.open(image, [stage.key]).outputs[stage.key]
    flat = maps.reshape(-1, maps.shape[2])
    # Of the pixels' products with one another, as they are fewer than the maps.
    _, vectors = np.linalg.eigh(flat @ flat.T)
    values = vectors[:, -1].reshape(maps.shape[:2])
    # A direction has no sign; most of what a map has is meant to be positive.
    return HeatMap((values * (np.sign(values.sum()) or 1)).astype(np.float32), False, stage, maps.shape[2])


def score_activation(network, image, number):
    """Score-CAM (Wang et al. 2019) on the strongest maps of a late layer: each counts as much as the class stays
    probable when the map is laid over the image like a mask.

    Args and returns as of `class_activation`, for any network for which `estimate_stage` gives a Stage.
    """
    stage = estimate_stage(network)
    maps = network.open(image, [stage.key]).outputs[stage.key]
    count = int(np.clip(_BUDGET / max(1, size(network.config).multiply_adds), _FEWEST, _MOST))
    chosen = maps[..., strongest(maps)[:count]].transpose(2, 0, 1)
    low, high = chosen.min(axis=(1, 2), keepdims=True), chosen.max(axis=(1, 2), keepdims=True)
    masks = np.stack([enlarged(each, image.shape[:2]) for each in (chosen - low) / np.maximum(high - low, 1e-12)])
    masked = np.round(image * np.clip(masks, 0, 1)[..., None]).astype(np.uint8)
    weights = _classified(network, masked)[:, number]
    values = np.maximum(np.tensordot(weights, np.maximum(chosen, 0), axes=1), 0)
    return HeatMap(values.astype(np.float32), False, stage, len(chosen))


def windows(side, count=GRID):
    """Where the squares of occlusion begin along one side, a list of whole pixels, and how many pixels each has."""
    covered = max(1, round(side * COVERED))
    return [round(start) for start in np.linspace(0, side - covered, count)], covered


def occluded(network, image, count=GRID, progress=None):
    """What a network makes of an image while a square in the image's mean colour covers one place after another.

    Args:
        network: anything with `classify`.
        image: uint8 (h, w, c).
        count: how many places a side.
        progress: called with the share that is done, 0..1, now and then.

    Returns:
        float32 (count, count, classes): the probabilities, by row and column of the place.
    """
    (tops, height), (lefts, width) = (windows(side, count) for side in image.shape[:2])
    covered = np.repeat(image[None], count * count, axis=0)
    colour = np.round(image.mean(axis=(0, 1))).astype(np.uint8)
    places = [(top, left) for top in tops for left in lefts]
    for number, (top, left) in enumerate(places):
        covered[number, top : top + height, left : left + width] = colour
    return _classified(network, covered, progress).reshape(count, count, -1)


def occlusion(before, after, image_shape, number):
    """The heat map of `occluded` for one class: by how much its log-odds fall where a pixel is covered, on average over
    the squares that cover it.

    Args:
        before: (classes,) probabilities of the whole image.
        after: as from `occluded`.
        image_shape: (h, w, c).
        number: of the class.
    """
    fall = _log_odds(before[number]) - _log_odds(after[..., number])
    (tops, height), (lefts, width) = (windows(side, len(after)) for side in image_shape[:2])
    total, times = np.zeros(image_shape[:2]), np.zeros(image_shape[:2])
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            at = np.s_[top : top + height, left : left + width]
            total[at] += fall[row, column]
            times[at] += 1
    return HeatMap((total / np.maximum(times, 1)).astype(np.float32), True, None, 0)


def enlarged(values, sides):
    """A map made (height, width) pixels large, bilinear: float32."""
    height, width = sides
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))


def _classified(network, images, progress=None):
    parts = []
    for start in range(0, len(images), _AT_ONCE):
        parts.append(network.classify(images[start : start + _AT_ONCE]))
        if progress:
            progress(min(1.0, (start + _AT_ONCE) / len(images)))
    return np.concatenate(parts)


def _log_odds(share):
    share = np.clip(np.asarray(share, np.float64), 1e-9, 1 - 1e-7)
    return np.log(share) - np.log1p(-share)
