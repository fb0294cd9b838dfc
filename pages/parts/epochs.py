"""The run's test images after any of its epochs: a slider and a button that plays the epochs one after another.

The browser has what it plays: the tiles that are shown and the matrix change in place, and the server is asked only
when the slider has come to rest. Then its epoch is in the address.
"""

import base64
from pathlib import Path

import numpy as np
import streamlit as st

from core.palette import ink_on
from pages.parts.linked import number_in_url, put_in_url
from pages.parts.style import interval

_HTML = """
<div class="epochs" role="group" aria-label="Epochs">
  <button type="button">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path/></svg>
    <span></span>
  </button>
  <input type="range" min="1" step="1" aria-label="Epoch">
  <svg class="curve" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
    <polyline vector-effect="non-scaling-stroke"/>
  </svg>
  <p><span></span><small></small></p>
</div>
"""
_component = st.components.v2.component(
    "epochs",
    html=_HTML,
    css=Path(__file__).with_suffix(".css").read_text("utf-8"),
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
)


def epoch_in_url(epochs, default, notices):
    """Which epoch the URL names, from 1; `default`, which it leaves out, where it names none of so many."""
    return number_in_url("Epoch", "epoch", 1, epochs, default, notices)


def draw_epochs(key, recorded, about, shown, names, colour):
    """Draws the slider, for what is drawn besides: the tiles of `pages.parts.image_grid`, a confusion matrix in the
    container "matrix", and accuracy, errors and epoch as the first metrics of the container "facts".

    Args:
        key: of the widget.
        recorded: the run's `pages.parts.data.Epochs`.
        about: a dict: "epoch", the one that is shown, from 1; "usual", the one that the URL leaves out; "total", how
            many epochs the run has, or shall have; "note", a sentence about them; "now", what is known of the one that
            is shown: how many images are "right", the "interval" of that in words, and the "classes" and
            "confidences" that the tiles say, as numbers and as texts, lists.
        shown: the numbers of the test images whose tiles are drawn, (M,).
        names: of the classes.
        colour: of the matrix, in CSS.
    """

    def chosen():
        said = st.session_state[key].epoch
        if isinstance(said, int) and 1 <= said <= len(recorded.classes):
            put_in_url(epoch=None if said == about["usual"] else said, image=st.query_params.get_all("image"))

    _component(
        key=key,
        data={
            **about,
            "images": len(recorded.labels),
            "right": recorded.right.tolist(),
            "intervals": [interval(int(right), len(recorded.labels)) for right in recorded.right],
            "matrices": _packed(recorded.matrices, np.uint16),
            "shown": {
                "numbers": shown.tolist(),
                "labels": recorded.labels[shown].tolist(),
                "classes": _packed(recorded.classes[:, shown], np.uint8),
                "confidences": _packed(recorded.confidences[:, shown], np.uint8),
            },
            "names": list(names),
            "ink": ink_on(colour),
        },
        on_epoch_change=chosen,
    )


def _packed(array, kind):
    """An array as base64 of its numbers, row by row; those of two bytes have the lower one first."""
    return base64.b64encode(np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<")).tobytes()).decode()
