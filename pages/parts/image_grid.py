"""Test images in a grid: what each is, what it was taken for and how surely; a click shows all its probabilities."""

import base64
import functools
import html
import io
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from core.results.scores import losses, predicted_classes

_LOSS = "Minus the natural logarithm of the probability of the true class: 0 where the network is sure and right"
_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")


def draw_cases(images, predictions, indices, classes, colour, run):
    """Draws some of the test images.

    Args:
        images: (N, h, w, c) uint8, the whole test set; c is 1 or 3.
        predictions: what `core.runs.run.Run.read_predictions` gives.
        indices: which images, in this order.
        classes: their names.
        colour: of the bars, in CSS.
        run: the id of the run that predicted, for a link to what is inside; an inner link.
    """
    chosen, labels, logits = (predictions[name][indices] for name in ("probabilities", "labels", "logits"))
    facts = zip(indices, labels, predicted_classes(logits), strict=True)
    costs = losses(logits, labels)
    tiles = [
        _tile(images[index], index, label, prediction, row, cost, classes, run)
        for (index, label, prediction), row, cost in zip(facts, chosen, costs, strict=True)
    ]
    st.html(f'<style>{_CSS}</style><div class="cases" style="--bar: {html.escape(colour)}">{"".join(tiles)}</div>')


def _tile(image, index, label, prediction, probabilities, loss, classes, run):
    right, confidence = label == prediction, float(probabilities.max())
    truth, answer = html.escape(classes[label]), html.escape(classes[prediction])
    says = f"✓ {truth}" if right else f"× {truth} → {answer}"
    meaning = f"{truth}, recognised" if right else f"{truth}, taken for {answer}"
    bars = "".join(
        f'<li><b>{html.escape(name)}</b><i style="width: {100 * share:.1f}%"></i><span>{100 * share:.1f} %</span></li>'
        for name, share in zip(classes, probabilities.astype(float), strict=True)
    )
    return (
        f'<details data-image="{index}"><summary title="{meaning}; click for all probabilities">'
        f'<img alt="Test image {index}: {meaning}" src="{png_address(image)}">'
        f'<p class="{"right" if right else "wrong"}">{says}</p>'
        f"<small><span>{100 * confidence:.1f} %</span><span>no. {index}</span></small></summary>"
        f'<ul>{bars}</ul><small><span title="{_LOSS}">Loss {loss:.2f}</span>'
        f'<a class="inner" target="_self" href="inside?run={html.escape(run)}&amp;image={index}">Look inside</a>'
        "</small></details>"
    )


def png_address(image):
    """An image (h, w, c) uint8 as a PNG in a data: address; c is 1 or 3."""
    return _png_address(image.tobytes(), image.shape[:2] if image.shape[-1] == 1 else image.shape)


@functools.lru_cache(maxsize=1000)  # a few megabytes
def _png_address(pixels, shape):
    # Kept, since a click in the Gallery draws a hundred images again, mostly the same.
    buffer = io.BytesIO()
    Image.fromarray(np.frombuffer(pixels, np.uint8).reshape(shape)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
