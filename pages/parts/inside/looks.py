"""Where a network looks: its heat map for a class over the image, with a sentence on what it is and what it is not."""

import base64
import html
import io

import numpy as np
import streamlit as st
from PIL import Image

from core.explain import heat_maps
from pages.parts.image_grid import png_address
from pages.parts.inside.network import kept_answer
from pages.parts.style import percent

# Speaks for the class, and against it: two colours that everybody can tell apart on grey.
_FOR, _AGAINST = (255, 140, 0), (40, 120, 255)
_SIDE = 256
_STYLE = """<style>
.look { display: grid; grid-template-columns: minmax(10rem, 18rem) minmax(0, 26rem); gap: .5rem 1.2rem; }
.look .paper { position: relative; border-radius: .4rem; overflow: hidden; aspect-ratio: 1; }
.look img { position: absolute; inset: 0; width: 100%; height: 100%; }
.look .raw { image-rendering: pixelated; background: #000; }
.look p { margin: 0 0 .5rem; font-size: .9rem; line-height: 1.4; }
.look b i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; margin-right: .3rem; }
@media (max-width: 640px) { .look { grid-template-columns: minmax(0, 1fr); } }
</style>"""
_NOT_PIXELS = (
    "It is as coarse as the maps of that layer, and each of their values sees more than the place where it stands."
)


def activation_map(shown, image, number):
    """The class activation map where it is exact, else Score-CAM: (HeatMap, what it is, what it is not)."""
    network = shown.opened()
    stage = heat_maps.exact_stage(network)
    if stage is not None:
        found = heat_maps.class_activation(network, image, number)
        return (
            found,
            f"Exact: {shown.label} ends in the mean of each map of {stage.key} and no more than one dense layer. So "
            "the mean of this picture, but for a constant, is the logit of the class: orange adds to it, blue takes "
            "away.",
            _NOT_PIXELS,
        )
    if heat_maps.estimate_stage(network) is None:
        return None, "This network has no maps to look at.", ""
    found = heat_maps.score_activation(network, image, number)
    return (
        found,
        f"An estimate, Score-CAM: {shown.label} has dense layers after its maps, so that no exact map exists. Each of "
        f"the {found.maps} strongest maps of {found.stage.key} was laid over the image like a mask, and counts as much "
        "as the class then stays probable.",
        f"It is not what the network computes, and says nothing against a class. {_NOT_PIXELS}",
    )


def common_map(shown, image, number):
    """Eigen-CAM, the same for each class; returns as `activation_map`."""
    network = shown.opened()
    if heat_maps.estimate_stage(network) is None:
        return None, "This network has no maps to look at.", ""
    found = heat_maps.eigen_activation(network, image)
    return (
        found,
        f"Eigen-CAM: what the {found.maps} maps of {found.stage.key} have most in common, their first singular vector.",
        f"It is the same for every class: where something is, not what it speaks for. {_NOT_PIXELS}",
    )


def occlusion_map(shown, image, number):
    """What covering does; returns as `activation_map`, with where it hurts most in the first sentence."""
    before, after = _occluded(shown, image)
    worst = np.unravel_index(after[..., number].argmin(), after.shape[:2])
    covered = heat_maps.windows(image.shape[0])[1]
    return (
        heat_maps.occlusion(before, after, image.shape, number),
        f"A square of {covered}×{covered} pixels in the image's mean colour covers one place after another, "
        f"{after.shape[0]}×{after.shape[1]} times. Orange is where covering makes the class less probable, blue where "
        f"it makes it more probable. The most in row {worst[0] + 1}, column {worst[1] + 1}: from "
        f"{percent(float(before[number]), 1)} to {percent(float(after[worst][number]), 1)}.",
        "It asks the network itself, but about images with a square in them, which are unlike those that it learned.",
    )


def _occluded(shown, image):
    """What the network makes of the whole image and of the covered ones, kept for any class."""

    def make():
        bar = st.progress(0.0, "Covering one place after another…")
        network = shown.opened()
        try:
            return shown.classifies(image), heat_maps.occluded(network, image, progress=bar.progress)
        finally:
            bar.empty()

    return kept_answer(shown, ("occlusion", image), make)


# What the URL says -> what the widget says, and what makes it.
METHODS = {
    "activation": ("Class activation", activation_map),
    "occlusion": ("Occlusion", occlusion_map),
    "common": ("Common to its maps", common_map),
}


def draw_look(shown, image, number, method, strength, hidden, guessed):
    """Draws one network's heat map.

    Args:
        shown: a pages.parts.inside.network.Network whose network is here.
        image: uint8 (h, w, c).
        number: of the class.
        method: one of METHODS.
        strength: how much of the image the map hides, 0..100.
        hidden: whether the answer is hidden, which figures would give away.
        guessed: whether the class is the network's guess, which then is hidden too.
    """
    make = METHODS[method][1]
    found, is_, is_not = kept_answer(shown, (method, number, image), lambda: make(shown, image, number))
    said = "?" if hidden and guessed else shown.classes[number]
    if found is None:
        st.info(is_)
        return
    if hidden and method == "occlusion":
        is_ = is_.partition(" The most in row")[0]
    alt = f"Where {shown.label} looks for {said}"
    orange, blue = (f"rgb{colour}" for colour in (_FOR, _AGAINST))
    against = f'<b><i style="background:{blue}"></i>against it</b>' if found.has_signs else ""
    st.html(
        f'{_STYLE}<div class="look"><div class="paper"><img class="raw" alt="{html.escape(alt)}" '
        f'src="{png_address(image)}"><img alt="" style="opacity:{strength / 100}" src="{_overlay(found)}"></div>'
        f'<div><p><b><i style="background:{orange}"></i>for {html.escape(said)}</b> &nbsp; {against}</p>'
        f"<p>{html.escape(is_)}</p><p>{html.escape(is_not)}</p></div></div>"
    )


def _overlay(found):
    """A heat map as a picture, the more opaque the stronger: a PNG in a data: address."""
    # Without signs, what counts is where it is more than elsewhere.
    values = found.values if found.has_signs else found.values - found.values.min()
    most = float(np.abs(values).max()) or 1.0
    large = heat_maps.enlarged(values / most, (_SIDE, _SIDE))
    pixels = np.zeros((_SIDE, _SIDE, 4), np.uint8)
    pixels[..., :3] = np.where(large[..., None] >= 0, _FOR, _AGAINST)
    pixels[..., 3] = np.round(255 * np.clip(np.abs(large), 0, 1))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
