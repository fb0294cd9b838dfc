"""The map of a run's test images: moved, enlarged and pointed at in the browser; images of it or a class are chosen.

Whoever cannot point moves from image to image with the arrow keys, and hears what is there.
"""

import base64
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st

from core.datasets.catalogue import DATASETS
from core.palette import colours
from pages.parts import presenter
from pages.parts.map import pictures

# Corners of an area in the address: whole thousandths of the map's side.
_GRID = 1000
_AREA = re.compile(r"\d{1,4}-\d{1,4}(_\d{1,4}-\d{1,4}){2,39}")
_HTML = """
<div class="map">
  <div class="tools" role="toolbar" aria-label="Map">
    <button type="button" data-mode="lasso" title="Draw a line around images to see them">Lasso</button>
    <button type="button" data-mode="box" title="Draw a box around images to see them">Box</button>
    <button type="button" data-mode="move" title="Move the map">Move</button>
    <span></span>
    <button type="button" data-zoom="2" aria-label="Enlarge" title="Enlarge (+)">+</button>
    <button type="button" data-zoom="0.5" aria-label="Make smaller" title="Make smaller (−)">−</button>
    <button type="button" data-zoom="0" title="The whole map (0)">Whole</button>
  </div>
  <div class="paper">
    <canvas class="points"></canvas>
    <canvas class="above" tabindex="0" role="application" aria-describedby="map-how"></canvas>
    <div class="tip" hidden><canvas></canvas><p></p></div>
    <span class="how" id="map-how">The arrow keys go from image to image, Enter opens one, S chooses what lies
      around it, and Escape takes that back. Plus and minus enlarge the map and make it smaller, 0 shows the
      whole.</span>
    <span class="spoken" role="status"></span>
  </div>
  <div class="legend" role="group" aria-label="Classes"></div>
</div>
"""
_component = st.components.v2.component(
    "image_map",
    html=_HTML,
    css=Path(__file__).with_suffix(".css").read_text("utf-8"),
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
)


class Wishes(NamedTuple):
    """What is called with what somebody chooses on the map.

    Attributes:
        open: the number of a test image.
        area: corners as the address has them, or None to choose no area.
        choose: the number of a class.
    """

    open: object
    area: object
    choose: object


def area_in_url():
    """The corners, float64 (M, 2) in 0..1, of the area that the URL names; None where it names none."""
    for value in st.query_params.get_all("area")[-1:]:
        if _AREA.fullmatch(value):
            corners = np.array([corner.split("-") for corner in value.split("_")], float) / _GRID
            if corners.max() <= 1:
                return corners
    return None


class Look(NamedTuple):
    """How a map is shown.

    Attributes:
        by: the classes that give the colours: "true", "predicted", or "none" where they are not to be told.
        chosen: the number of the class that stands out, or None.
        area: corners (M, 2) in 0..1 of what stands out, or None.
        image: the number of the image that is open, or None.
        placed: where somebody's own image lies, right and down in 0..1, or None.
    """

    by: str
    chosen: int | None
    area: np.ndarray | None
    image: int | None
    placed: np.ndarray | None


def draw_map(key, dataset, arrays, verdicts, look, wishes):
    """Draws a map.

    Args:
        key: the element's key; another one begins with the whole map.
        dataset: its name.
        arrays: of `core.runs.run.Run.read_map`.
        verdicts: the classes of its N test images, as in `data.Verdicts`; their confidences may be None.
        look: the Look.
        wishes: the Wishes.
    """
    names, told = DATASETS[dataset]["classes"], {}

    def called(name, with_value):
        told[f"on_{name}_change"] = lambda: with_value(st.session_state[key][name])

    called("opened", lambda value: _in_range(value, len(verdicts.labels), wishes.open))
    called("area", lambda value: wishes.area(value if _AREA.fullmatch(str(value)) else None))
    called("chosen", lambda value: _in_range(value, len(names), wishes.choose))
    _component(
        key=key,
        data={
            "points": _bytes(arrays["points"], "<u2"),
            "labels": _bytes(verdicts.labels, "u1"),
            "predicted": _bytes(verdicts.classes, "u1"),
            "confidences": None if verdicts.confidences is None else _bytes(np.rint(255 * verdicts.confidences), "u1"),
            "classes": list(names),
            "colours": list(colours(len(names))),
            "by": look.by,
            "chosen": look.chosen,
            "area": None if look.area is None else np.rint(_GRID * look.area).astype(int).tolist(),
            "image": look.image,
            "placed": None if look.placed is None else np.round(look.placed, 4).tolist(),
            "shape": DATASETS[dataset]["image_shape"][:2],
            "strips": pictures.strips(dataset),
            "perStrip": pictures.PER_STRIP,
            "text": presenter.text_size(),
        },
        **told,
    )


def _in_range(value, end, wish):
    # What a browser sends is never believed.
    if isinstance(value, int) and 0 <= value < end:
        wish(value)


def _bytes(array, kind):
    return base64.b64encode(np.asarray(array).astype(kind).tobytes()).decode()
