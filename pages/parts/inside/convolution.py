"""The first convolution of a network, step by step: a filter slides over the image, and its products are added up."""

import base64
from pathlib import Path

import numpy as np
import streamlit as st

_HTML = """
<div class="convolution">
  <div class="tools" role="toolbar" aria-label="Steps">
    <button type="button" class="play">Play</button>
    <button type="button" class="back" aria-label="One step back">◀</button>
    <button type="button" class="on" aria-label="One step on">▶</button>
    <input type="range" class="position" min="0" step="1" aria-label="Position of the filter">
    <label class="numbers"><input type="checkbox"> Numbers in the cells</label>
  </div>
  <div class="row">
    <figure><div class="paper"><canvas class="image" role="img" aria-label="What the first layer sees"></canvas>
      <i class="frame"></i></div><figcaption>What the first layer sees</figcaption></figure>
    <figure><div class="cells patch" tabindex="0" role="group"
      aria-label="The pixels under the filter. The arrow keys choose a cell."></div>
      <figcaption>The pixels under it</figcaption></figure>
    <span class="sign" aria-label="times">×</span>
    <figure><div class="cells kernel" tabindex="0" role="group"
      aria-label="The filter. The arrow keys choose a cell."></div>
      <figcaption>The filter</figcaption></figure>
    <span class="sign" aria-label="equals">=</span>
    <figure><div class="cells products" tabindex="0" role="group"
      aria-label="The products. The arrow keys choose a cell."></div>
      <figcaption>The products</figcaption></figure>
    <span class="sign" aria-label="add up to">Σ</span>
    <figure><div class="paper"><canvas class="map" role="img" aria-label="The map so far"></canvas>
      <i class="frame"></i></div><figcaption>The map so far</figcaption></figure>
  </div>
  <p class="cell" role="status"></p>
  <p class="said" role="status"></p>
</div>
"""
_component = st.components.v2.component(
    "convolution",
    html=_HTML,
    css=Path(__file__).with_suffix(".css").read_text("utf-8"),
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
)


def draw_convolution(shown, image, filter_):
    """Draws it.

    Args:
        shown: a pages.parts.inside.network.Network whose network is here and begins with a convolution.
        image: uint8 (h, w, c).
        filter_: the number of the filter.
    """
    network = shown.opened()
    first, pixels = network.first_layer(), network.open(image, []).preprocessed
    _component(
        key=f"convolution {shown.number}",
        data={
            "colour": shown.colour,
            "pixels": _floats(pixels),
            "kernel": _floats(first.kernels[filter_]),
            "bias": float(first.biases[filter_]),
            "side": pixels.shape[0],
            "channels": pixels.shape[2],
            "size": first.kernels.shape[1],
            "strides": first.strides,
            "padding": first.padding,
            "out": first.out_side,
        },
    )


def _floats(values):
    """float32, in base64."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
