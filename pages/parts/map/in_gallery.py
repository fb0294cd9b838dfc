"""The map in the Gallery: what is chosen on it is in the URL, and the images beside it are those that are chosen."""

import os

import streamlit as st

from core.config.recipes import training_command
from core.explain import embedding
from core.networks.catalogue import NETWORKS
from core.runs.run import RunError
from pages.parts import data
from pages.parts.inside.choice import own_image
from pages.parts.linked import linked, put_in_url
from pages.parts.map.image_map import Look, Wishes, area_in_url, draw_map
from pages.parts.map.placed import draw_nearest, placement
from pages.parts.style import plain

VIEWS = {"matrix": "Confusion matrix", "map": "Map"}
ABOUT_VIEWS = (
    "The matrix counts what each class is taken for. On the map each test image is a dot, and neighbours are images of "
    "which the network makes nearly the same, just before it decides. How far apart two groups lie says little."
)
_BY = {"true": "True class", "predicted": "Predicted class"}


def choose_view(notices):
    """Which of VIEWS stands beside the images, kept in the URL."""
    return linked(st.segmented_control, "View", "view", VIEWS, "matrix", notices, help=ABOUT_VIEWS, required=True)


def map_of(run, labels):
    """The run's map, or None where it has none of these test images, or a damaged one."""
    try:
        arrays = data.test_map(run)
    except RunError:
        return None
    return arrays if arrays is not None and len(arrays["points"]) == len(labels) else None


def within_area(run, indices, labels):
    """Those of the images, numbers in an order that stays, that are in the area which the URL names, if it names one;
    `labels` are those of all images.
    """
    area, arrays = area_in_url(), map_of(run, labels)
    if area is None or arrays is None:
        return indices
    return indices[embedding.inside(embedding.positions(arrays)[indices], area)]


def strangers(run, labels):
    """How much each image lies among those of other classes on the run's map, (N,) in 0..1."""
    return embedding.strangers(embedding.positions(map_of(run, labels)), labels)


def draw_map_of(run, verdicts, cell, image, row, is_hidden=False):
    """The map, and what is chosen on it.

    Args:
        run: the Run.
        verdicts: its `data.Verdicts`.
        cell: (true class, predicted class) to which the images are restricted, None for any.
        image: the number of the image that is open, or None.
        row: a container for the choice of colours.
        is_hidden: whether classes are not to be told.
    """
    arrays = map_of(run, verdicts.labels)
    if arrays is None:
        _say_no_map(run)
        return
    notices = st.container()
    by = "true"
    if not is_hidden:
        with row:
            by = linked(st.segmented_control, "Colours", "colour", _BY, by, notices, required=True)
    area = area_in_url()
    if area is None and "area" in st.query_params:
        notices.warning("The link's area is not on the map, so it is ignored.", icon=":material/link_off:")
    chosen = cell[list(_BY).index(by)]
    own, where, nearest = _own_on_map(run, notices)
    look = Look("none" if is_hidden else by, chosen, area, image, where)
    wishes = Wishes(_open, _choose_area, lambda number: _choose_class(by, number, chosen))
    draw_map(f"map {run.id}", data.config(run).dataset, arrays, verdicts, look, wishes)
    if where is not None:
        _draw_own(run, own, nearest, is_hidden)
    if area is None:
        st.caption("Draw a line around images to see them beside the map. Click one to open it.")
        return
    inside = embedding.inside(embedding.positions(arrays), area)
    wrong = int((inside & (verdicts.labels != verdicts.classes)).sum())
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"**{inside.sum():,} images in the area**" + ("" if is_hidden else f", {wrong:,} of them wrong"))
        st.button(
            "Clear the area", icon=":material/filter_alt_off:", type="tertiary", on_click=_choose_area, args=[None]
        )


def _own_on_map(run, notices):
    """The drawing or picture in the URL as a Looked, where it lies on the map, and the numbers of the nearest test
    images; Nones where the URL names none, or where it cannot be placed, after saying why.
    """
    own = own_image(data.config(run).dataset, notices)
    try:
        return (own, *placement(run, own.image)) if own else (None, None, None)
    except RunError as error:
        notices.error(plain(str(error)), icon=":material/broken_image:")
        return None, None, None


def _draw_own(run, own, nearest, is_hidden):
    """What stands below the map about somebody's own image on it."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"**The ring is {own.words}.**")
        st.page_link(
            "pages/inside.py",
            label="Look inside",
            icon=":material/search_insights:",
            query_params={"run": run.id, **own.address},
        )
        st.button(
            "Take it off the map",
            key="off the map",
            icon=":material/close:",
            type="tertiary",
            on_click=put_in_url,
            kwargs={"drawing": None, "picture": None},
        )
    if not is_hidden:
        draw_nearest(run, NETWORKS[data.config(run).network]["label"], nearest, own.address)


def _open(image):
    put_in_url(image=image)


def _choose_area(area):
    # Whoever draws around images wants to see them; later they may look at the errors among them.
    first = area is not None and "area" not in st.query_params
    put_in_url(area=area, **({"show": "all"} if first else {}))


def _choose_class(by, number, chosen):
    put_in_url(**{by: None if number == chosen else str(number)}, **({} if number == chosen else {"show": "all"}))


def _say_no_map(run):
    try:
        data.test_map(run)
    except RunError as error:
        st.error(plain(str(error)), icon=":material/broken_image:")
        return
    if not data.metrics(run):
        st.info("The map is made when the training is over.")
        return
    if os.path.lexists(run.tflite_path) or os.path.lexists(run.model_path):
        st.info("This run has no map of the test images yet. A command makes it, in a minute or so:")
        st.code(f"python -m core map {run.id}", language="sh")
        return
    st.info(
        "A map is made from the network, and this run came without it. Train it here, and it gets a map at its end:"
        if run.is_shipped
        else "A map is made from the network, and this run has none."
    )
    if run.is_shipped:
        st.code(training_command(data.config(run)), language="sh")
