"""A warning where an image is unlike those that networks were tested on: then what they say means little."""

import streamlit as st

from core.explain import familiarity
from core.runs.run import RunError
from pages.parts import data
from pages.parts.kept import Kept, stamps
from pages.parts.style import percent

_thresholds = Kept(1_000_000)


def is_unlike(run, features):
    """Whether an image is unlike the test images to a run's network; False where the run has no map to tell by.

    Args:
        features: float32 (F,), the network's last features of the image.
    """
    try:
        arrays = data.test_map(run)
    except RunError:
        return False  # Damaged, which the pages that draw the map say.
    if arrays is None:
        return False
    away = familiarity.distance(arrays, features)
    return away is not None and away > _threshold(run, arrays)


def _threshold(run, arrays):
    folder = str(run.path)
    return _thresholds.get(folder, stamps(folder, ("map.npz",)), 100, lambda last: familiarity.threshold(arrays))


def warn_of_unlike(what, runs):
    """Draws the warning.

    Args:
        what: the image, as the beginning of a sentence: "Your drawing".
        runs: what a network is called -> its run, of those to which it is unlike the test images; where there are none,
            nothing is drawn.
    """
    if not runs:
        return
    labels = list(runs)
    names = " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))
    st.warning(
        f"{what} is unlike the images that {names} {'was' if len(labels) == 1 else 'were'} tested on, so the answer "
        "means little.",
        icon=":material/help:",
    )
    st.caption(
        "It is told by the last features, those that the network decides by: how far they are from the nearest of the "
        f"test images that stand on the run's map. {' '.join(_calibrated(*each) for each in runs.items())} "
        "Not everything strange is noticed: to a network, noise may look like a digit."
    )


def _calibrated(label, run):
    """How a network's threshold was found, a sentence."""
    arrays, most = data.test_map(run), f"{100 * familiarity.MOST_FLAGGED:.0f} %"
    limit = f"{label}’s threshold is a distance of {_threshold(run, arrays):.2g}"
    if "threshold" not in arrays:
        return f"{limit}; no more than {most} of the test images are farther away."
    images, beyond = (int(arrays[name]) for name in ("validation_images", "validation_beyond"))
    return (
        f"{limit}, calibrated on {images:,} validation images: {beyond} of them ({percent(beyond / images, 1)}) are "
        f"farther away, so with a confidence of {100 * familiarity.CONFIDENCE:.0f} % at most {most} of all images like "
        "them are."
    )
