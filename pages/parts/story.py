"""How a network's predictions for one test image went, epoch by epoch, in words and as a strip of bars."""

import html
from itertools import groupby
from pathlib import Path

import streamlit as st

from core.explain import image_history
from pages.parts.style import percent

_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")


def draw_style():
    """Once a page, before the first strip."""
    st.html(f"<style>{_CSS}</style>")


def in_words(recorded, image):
    """The story of a test image of a run's `pages.parts.data.Epochs`."""
    return image_history.in_words(recorded.stories, image, len(recorded.classes))


def strip(recorded, image, classes, now):
    """The story as HTML: in words, and a bar an epoch, high where the network was right.

    Args:
        recorded, image: as in `in_words`.
        classes: their names.
        now: the epoch that stands out, from 1.
    """
    label, predicted = recorded.labels[image], recorded.classes[:, image]
    sure = recorded.confidences[:, image] / 255
    bars = "".join(
        f'<i class="{"right" if each == label else "wrong"}{" now" * (epoch == now)}" '
        f'title="Epoch {epoch}: {html.escape(classes[each])}, {percent(share, 1)}"></i>'
        for epoch, (each, share) in enumerate(zip(predicted, sure, strict=True), start=1)
    )
    words = in_words(recorded, image)
    return f'<p>{words[0].upper()}{words[1:]}</p><div class="story" role="img" aria-label="{words}">{bars}</div>'


def parts(recorded, image, classes):
    """What it was taken for from when to when, in words: "Epoch 1: Dog, 40.2 % sure", "Epochs 2 to 9: Cat, ..."."""
    predicted, sure, first = recorded.classes[:, image], recorded.confidences[:, image] / 255, 1
    for each, group in groupby(predicted.tolist()):
        last = first + len(list(group)) - 1
        when = f"Epoch {first}" if first == last else f"Epochs {first} to {last}"
        # Of several epochs the mean.
        yield f"{when}: {classes[each]}, {percent(float(sure[first - 1 : last].mean()), 1)} sure"
        first = last + 1
