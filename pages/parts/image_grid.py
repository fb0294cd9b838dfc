"""Test images in a grid: what each is, what it was taken for and how surely; a click shows all its probabilities."""

import base64
import html
import io

import numpy as np
import streamlit as st
from PIL import Image

from core.evaluation import confidences, losses, predicted_classes

_STYLE = """
<style>
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.6rem, 1fr)); grid-auto-flow: dense;
  gap: .6rem; font-size: .8rem; line-height: 1.3; }
.cases details { border: 1px solid color-mix(in srgb, currentColor 16%, transparent); border-radius: .6rem;
  overflow: hidden; background: color-mix(in srgb, currentColor 3%, transparent); }
.cases details[open] { grid-column: span 2; grid-row: span 2; }
.cases summary { list-style: none; cursor: pointer; }
.cases summary:focus-visible { outline: 2px solid currentColor; outline-offset: -2px; }
.cases img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; display: block;
  background: #000; }
.cases details[open] img { width: 55%; margin: .6rem auto 0; border-radius: .3rem; }
.cases p { margin: 0; padding: .35rem .5rem 0; font-size: inherit; font-weight: 600; overflow-wrap: anywhere; }
.cases small { display: flex; justify-content: space-between; padding: .1rem .5rem .4rem; font-size: .74rem;
  opacity: .75; }
.cases .right { color: light-dark(#12703f, #5fd394); }
.cases .wrong { color: light-dark(#b3261e, #ff8a80); }
.cases ul { list-style: none; margin: 0; padding: .2rem .6rem .6rem; }
.cases li { display: grid; grid-template-columns: 5rem 1fr 3.2rem; gap: .4rem; align-items: center; margin: 0;
  font-size: .74rem; }
.cases li b { font-weight: 400; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.cases li i { height: .55rem; border-radius: .2rem; background: var(--bar); }
.cases li span { text-align: right; font-variant-numeric: tabular-nums; }
</style>
"""


def draw_cases(images, labels, probabilities, indices, classes, colour):
    """Draws some of the test images.

    Args:
        images: (N, h, w, c) uint8, the whole test set; c is 1 or 3.
        labels: (N,) true classes.
        probabilities: (N, classes).
        indices: which images, in this order.
        classes: their names.
        colour: of the bars, in CSS.
    """
    chosen = probabilities[indices]
    facts = zip(indices, labels[indices], predicted_classes(chosen), confidences(chosen), strict=True)
    costs = losses(chosen, labels[indices])
    tiles = [
        _tile(images[index], index, label, prediction, confidence, row, cost, classes)
        for (index, label, prediction, confidence), row, cost in zip(facts, chosen, costs, strict=True)
    ]
    st.html(f'{_STYLE}<div class="cases" style="--bar: {html.escape(colour)}">{"".join(tiles)}</div>')


def _tile(image, index, label, prediction, confidence, probabilities, loss, classes):
    right = label == prediction
    truth, answer = html.escape(classes[label]), html.escape(classes[prediction])
    says = f"✓ {truth}" if right else f"× {truth} → {answer}"
    meaning = f"{truth}, recognised" if right else f"{truth}, taken for {answer}"
    bars = "".join(
        f'<li><b>{html.escape(name)}</b><i style="width: {100 * share:.1f}%"></i><span>{100 * share:.1f} %</span></li>'
        for name, share in zip(classes, probabilities.astype(float), strict=True)
    )
    return (
        f'<details><summary title="{meaning}; click for all probabilities">'
        f'<img alt="Test image {index}: {meaning}" src="{png_address(image)}">'
        f'<p class="{"right" if right else "wrong"}">{says}</p>'
        f"<small><span>{100 * confidence:.1f} %</span><span>no. {index}</span></small></summary>"
        f"<ul>{bars}</ul><small><span>Loss {loss:.2f} nats</span></small></details>"
    )


def png_address(image):
    """An image (h, w, c) uint8 as a PNG in a data: address; c is 1 or 3."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image.squeeze(-1) if image.shape[-1] == 1 else image)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
