"""What the Inside page looks at: one network or two, and a test image, a drawing or a picture, all in the address."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable
from core.digits import strokes
from core.digits.strokes import DrawingError, digit_image, strokes_in_address
from core.explain.pictures import fitted, in_address, picture_in_address
from pages.parts import data, presenter
from pages.parts.draw.picture_choice import ENDINGS
from pages.parts.linked import linked_number, put_in_url
from pages.parts.urls import runs_in_url

MOST_RUNS = 2
_NO_OTHER = "no other"


class Looked(NamedTuple):
    """The image that is looked at.

    Attributes:
        image: uint8 (h, w, c).
        label: the number of its class; None where nobody knows it.
        number: of a test image, or None.
        words: what it is, such as "test image 17".
        address: what the URL says of it, name -> text.
    """

    image: np.ndarray
    label: int | None
    number: int | None
    words: str
    address: dict


def opens(run):
    """Whether the run's network is here, so that it can be looked into."""
    return data.network_bytes(run) > 0


def tested_runs():
    """The runs that were tested, those whose networks are here before the others; see `data.own_first`."""
    runs = data.nameable_runs()
    found = data.own_first(run for run, was_tested in zip(runs, data.were_tested(runs), strict=True) if was_tested)
    open_ones = dict(zip(found, data.open_to_looks(found), strict=True))
    return sorted(found, key=lambda run: not open_ones[run])


def choose_runs(tested):
    """The runs that the URL names, else the first one: one, or two of the same dataset; widgets choose others."""
    by_id = {run.id: run for run in tested}
    named = [run for run in runs_in_url() if run.id in by_id or _say_untested(run)][:MOST_RUNS]
    first = named[0] if named else tested[0]
    dataset = data.config(first).dataset
    beside = next((run for run in named[1:] if data.config(run).dataset == dataset), None)
    others = [
        run.id
        for run, config in zip(tested, data.configs(tested), strict=True)
        if config.dataset == dataset and run != first
    ]
    names = dict(zip(by_id, data.names(tested), strict=True))
    st.session_state["inside first"], st.session_state["inside second"] = first.id, beside.id if beside else _NO_OTHER

    def says(run_id):
        if run_id == _NO_OTHER:
            return "No other"
        return names[run_id] + " (predictions only)" * (not opens(by_id[run_id]))

    def changed():
        now = by_id[st.session_state["inside first"]]
        second = by_id.get(st.session_state["inside second"])
        same = data.config(now).dataset == dataset
        kept = [now.id, second.id] if same and second and second != now else [now.id]
        put_in_url(run=kept, **({} if same else {"image": None, "picture": None, "drawing": None, "class": None}))

    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox("Network", list(by_id), key="inside first", format_func=says, on_change=changed)
        st.selectbox("Beside it", [_NO_OTHER, *others], key="inside second", format_func=says, on_change=changed)
    return [first, beside] if beside else [first]


def _say_untested(run):
    st.info(f"{run.id} has not been trained and tested yet, so there is nothing inside to see.")


def choose_image(dataset, notices):
    """What the URL says is looked at, else the first test image: a Looked; None where it cannot be had, after saying
    why. Widgets choose others.
    """
    own = own_image(dataset, notices)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        count = DATASETS[dataset]["test_examples"]
        number = linked_number(
            "Test image",
            "image",
            0,
            count - 1,
            0,
            notices,
            also={"drawing": None, "picture": None},
            width=presenter.grown(150),
        )
        st.button(
            "Any other",
            icon=":material/casino:",
            help="A test image at random",
            on_click=lambda: _look_at(image=str(np.random.default_rng().integers(count))),
        )
        with st.popover("A picture of yours", icon=":material/image:"):
            _choose_picture(dataset)
        if dataset == strokes.DATASET:
            drawing = st.query_params.get("drawing")
            st.page_link(
                "pages/draw.py",
                label="Draw one",
                icon=":material/draw:",
                query_params={"drawing": drawing} if drawing else None,
            )
        if own:
            st.button("Back to the test images", icon=":material/undo:", on_click=_look_at)
    if own:
        return own
    try:
        images = data.test_images(dataset)
    except DatasetUnavailable as error:
        st.error(str(error))
        return None
    return Looked(images[number], None, number, f"test image {number:,}", {"image": str(number)})


def own_image(dataset, notices):
    """The drawing or the picture in the URL as a Looked, or None; a sentence in `notices` where it cannot be shown."""
    shape = DATASETS[dataset]["image_shape"]
    drawing, picture = st.query_params.get("drawing"), st.query_params.get("picture")
    try:
        if drawing:
            digit = digit_image(strokes_in_address(drawing))
            if digit is not None and (*digit.shape, 1) == shape:
                return Looked(digit[..., None], None, None, "your drawing", {"drawing": drawing})
            notices.warning(
                "The drawing in the link is of a digit, which this network has not learned, so it is ignored.",
                icon=":material/link_off:",
            )
        if picture:
            return Looked(picture_in_address(picture, shape), None, None, "your picture", {"picture": picture})
    except DrawingError as error:
        notices.warning(str(error), icon=":material/link_off:")
    return None


def _look_at(**what):
    put_in_url(**{"image": None, "drawing": None, "picture": None} | what)


def _choose_picture(dataset):
    """A place to choose a picture file; what is made of it goes into the URL."""
    tries, refused = "inside pictures chosen", "inside picture refused"
    # A chooser of its own for each try, so that none shows a file that no longer counts.
    chooser = f"inside picture {st.session_state.get(tries, 0)}"

    def chosen():
        file, session = st.session_state[chooser], get_script_run_ctx()
        st.session_state[tries] = st.session_state.get(tries, 0) + 1
        try:
            _look_at(picture=in_address(fitted(file.getvalue(), dataset)))
        except DrawingError as error:
            st.session_state[refused] = str(error)
        # Streamlit would keep the file until the page is closed.
        session.uploaded_file_mgr.remove_file(session.session_id, file.file_id)

    if refused in st.session_state:
        st.error(st.session_state.pop(refused))
    st.file_uploader("Choose a picture", type=ENDINGS, key=chooser, on_change=chosen)
    height, width, _ = DATASETS[dataset]["image_shape"]
    st.caption(
        f"It is made {width}×{height} pixels large, as the network's images are, and kept in the address; nothing is "
        "stored on the server."
    )
