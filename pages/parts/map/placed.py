"""Where a drawing lies on the map of each network that has one, and which test images are the nearest to it."""

import html
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable
from core.explain.embedding import neighbours, place, positions
from core.runs.run import RunError
from pages.parts import data
from pages.parts.image_grid import png_address
from pages.parts.inner_links import follow_inner_links, look_inside
from pages.parts.inside.choice import opens
from pages.parts.map.pictures import picture
from pages.parts.style import plain

_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")
ABOUT = (
    "Each dot is a test image, in the colour of its class. Neighbours are images of which the network makes nearly the "
    "same, just before it decides. The ring is your drawing; under the map stand the test images that are nearest to "
    "it. How far apart two groups lie says little."
)


def draw_placed(image, readers):
    """Draws the map of each network that has one, with a digit on it; says of damaged ones why they are not drawn.

    Args:
        image: uint8 (28, 28), or None for an empty pad.
        readers: a list of `pages.parts.draw.predictions.Reader`.
    """
    often, figures, said = Counter(reader.label for reader in readers), [], False
    for reader in readers:
        try:
            if data.test_map(reader.run) is not None:
                label = f"{reader.label} ({reader.which})" if often[reader.label] > 1 else reader.label
                figures.append(_figure(image, reader.run, label))
        except (RunError, DatasetUnavailable) as error:
            said = True
            st.error(plain(str(error)), icon=":material/broken_image:")
    if figures:
        follow_inner_links()
        st.html(f'<style>{_CSS}</style><div class="placed">{"".join(figures)}</div><p class="placed-about">{ABOUT}</p>')
    elif not said:
        st.info(
            "None of these networks has a map. A run makes one at its end where its epochs took three minutes or more; "
            "python -m core map RUN makes one for a run that is finished."
        )


def link_to_map(run, label, address):
    """The way to an image on the run's map in the Gallery, where it has a map.

    Args:
        label: what its network is called.
        address: what the URL says of the image, a dict: a test image's number, a drawing or a picture.
    """
    try:
        if data.test_map(run) is None:
            return
    except RunError:
        return  # Among the damaged files, which other pages name.
    st.page_link(
        "pages/gallery.py",
        label=f"On {label}'s map",
        icon=":material/scatter_plot:",
        query_params={"run": run.id, "view": "map", "show": "all", **address},
    )


def placement(run, image):
    """Where an image lies on the run's map, and which test images are the nearest to it there.

    Args:
        run: a Run that has a map.
        image: uint8 (h, w, c).

    Returns:
        (2,) floats, right and down, in 0..1; the numbers of a few test images, the nearest first.

    Raises:
        RunError: its network is not here, or the map is not its.
    """
    if not opens(run):
        raise RunError(f"{run.id}: its network is not here, so nothing can be placed on its map.")
    arrays, features = data.test_map(run), data.classifier(run).last_features(image[None])
    if features.shape[1] != len(arrays["basis"]):
        raise RunError(f"{run.id}: map.npz: it is of another network; delete it, and make it anew.")
    return place(arrays, features)[0], neighbours(arrays, features)[0][0]


def draw_nearest(run, label, numbers, address):
    """The test images that are the nearest to something on the run's map, which the links that open them keep.

    Args:
        address: what the URL says of it, a dict.
    """
    follow = _nearest(run, label, numbers, address)
    st.html(f'<style>{_CSS}</style><div class="placed"><figure><div class="nearest">{follow}</div></figure></div>')


def _nearest(run, label, numbers, address):
    dataset, labels = data.config(run).dataset, data.verdicts(run).labels
    images, classes = data.test_images(dataset), DATASETS[dataset]["classes"]
    kept = html.escape(urlencode({"run": run.id, "view": "map", "show": "all", **address}))
    return "<span>Nearest test images</span>" + "".join(
        f'<div><a class="inner" target="_self" href="gallery?{kept}&amp;image={number}">'
        f'<img src="{png_address(images[number])}" alt="No. {number}: {html.escape(classes[labels[number]])}"></a>'
        f"{look_inside(number, [run.id], 'Inside', of=label)}</div>"
        for number in numbers
    )


def _figure(image, run, label):
    arrays, labels = data.test_map(run), data.verdicts(run).labels
    classes = DATASETS[data.config(run).dataset]["classes"]
    around, here, nearest = positions(arrays), "", ""
    names = "".join(
        f'<b style="{_at(np.median(around[labels == number], axis=0))}">{html.escape(name)}</b>'
        for number, name in enumerate(classes)
        if (labels == number).any()
    )
    if image is not None:
        where, numbers = placement(run, image[..., None])
        here, nearest = f'<i style="{_at(where)}"></i>', _nearest(run, label, numbers, {})
    title = html.escape(label)
    return (
        f'<figure><figcaption>{title}</figcaption><div class="sheet"><div><img src="{html.escape(picture(run))}" '
        f'alt="Map of the test images as {title} sees them">{names}{here}</div></div>'
        f'<div class="nearest">{nearest}</div></figure>'
    )


def _at(place):
    return f"left: {100 * place[0]:.1f}%; top: {100 * place[1]:.1f}%"
