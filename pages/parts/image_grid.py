"""Test images in a grid: what each is, what it was taken for and how surely; a click shows all its probabilities."""

import base64
import functools
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

from core.results.scores import confidences, losses, predicted_classes

_LOSS = "Minus the natural logarithm of the probability of the true class: 0 where the network is sure and right"
_ALL_KNOWN = f'<ul>{{bars}}</ul><small><span class="loss" title="{_LOSS}">Loss {{loss:.2f}}</span>'
_LITTLE_KNOWN = "<small><span>Of this epoch only the class and its confidence were recorded.</span>"
_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")


def draw_cases(images, predictions, indices, classes, colour, inside=None, notes=None, hidden=False):
    """Draws some of the test images.

    Args:
        images: (N, h, w, c) uint8, the whole test set; c is 1 or 3.
        predictions: what `core.runs.run.Run.read_predictions` gives; or, where only that is known, labels, classes and
            confidences in 0..1, all (N,).
        indices: which images, in this order.
        classes: their names.
        colour: of the bars, in CSS.
        inside: a function that gives, for the number of an image, the HTML that leads to what is inside; None for
            nothing.
        notes: a text under each of them, or None.
        hidden: whether neither what they are nor what they were taken for is said.
    """
    inside = inside or (lambda image: "")
    if hidden:
        tiles = [_hidden_tile(images[index], index, inside(index)) for index in indices]
    else:
        notes = notes or [""] * len(indices)
        tiles = [
            _tile(images[about.index], about, classes, note, inside(about.index))
            for about, note in zip(_about(predictions, indices), notes, strict=True)
        ]
    st.html(f'<style>{_CSS}</style><div class="cases" style="--bar: {html.escape(colour)}">{"".join(tiles)}</div>')


class _About(NamedTuple):
    index: int
    label: int
    prediction: int
    confidence: float
    probabilities: Sequence = ()
    loss: float | None = None


def _about(predictions, indices):
    if "logits" not in predictions:
        parts = (predictions[name][indices] for name in ("labels", "classes", "confidences"))
        return [_About(*facts) for facts in zip(indices, *parts, strict=True)]
    chosen, labels, logits = (predictions[name][indices] for name in ("probabilities", "labels", "logits"))
    found = indices, labels, predicted_classes(logits), confidences(chosen), chosen, losses(logits, labels)
    return [_About(*facts) for facts in zip(*found, strict=True)]


def _hidden_tile(image, index, inside):
    return (
        f'<details data-image="{index}"><summary title="What is it, and what will the network say?">'
        f'<img alt="Test image {index}" src="{png_address(image)}"><p>?</p>'
        f"<small><span>?</span><span>no. {index}</span></small></summary>"
        f"{inside and f'<small>{inside}</small>'}</details>"
    )


def _tile(image, about, classes, note, inside):
    index, right = about.index, about.label == about.prediction
    truth, answer = html.escape(classes[about.label]), html.escape(classes[about.prediction])
    says = f"✓ {truth}" if right else f"× {truth} → {answer}"
    meaning = f"{truth}, recognised" if right else f"{truth}, taken for {answer}"
    bars = "".join(
        f'<li><b>{html.escape(name)}</b><i style="width: {100 * share:.1f}%"></i><span>{100 * share:.1f} %</span></li>'
        for name, share in zip(classes[: len(about.probabilities)], map(float, about.probabilities), strict=True)
    )
    known = _ALL_KNOWN.format(bars=bars, loss=about.loss) if bars else _LITTLE_KNOWN
    note = note and f'<small class="note">{html.escape(note)}</small>'
    return (
        f'<details data-image="{index}"><summary title="{meaning}; click for details">'
        f'<img alt="Test image {index}: {meaning}" src="{png_address(image)}">'
        f'<p class="{"right" if right else "wrong"}">{says}</p>'
        f"<small><span>{100 * about.confidence:.1f} %</span><span>no. {index}</span></small>{note}</summary>"
        f"{known}{inside}</small></details>"
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
