"""What several networks read in one drawing, side by side."""

import base64
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from core.runs.run import Run
from pages.parts.glossary import CSS, marked
from pages.parts.style import percent

# More would not fit beside the pad.
MOST_AT_ONCE = 6
_ABOUT = (
    "What the networks see: your drawing, cut out, made 20 pixels large and centred by mass in 28 × 28 pixels, as the "
    "digits of MNIST were."
)
_HTML = f"""
<div class="predictions">
  <header>
    <canvas width="28" height="28" role="img"></canvas>
    <div>
      <p class="verdict" role="status"></p>
      <p class="about">{marked(_ABOUT)}</p>
    </div>
  </header>
  <div class="cards"></div>
  <p class="why"></p>
  <template>
    <article>
      <h2><i aria-hidden="true"></i><span><span class="name"></span><span class="which"></span></span></h2>
      <span class="differs">differs</span>
      <p class="reading"><b></b><span></span></p>
      <ol></ol>
      <p class="about"></p>
      <p class="run"></p>
    </article>
  </template>
</div>
"""
_NUMBERS = {2: "Both networks", 3: "All three networks"}
_component = st.components.v2.component(
    "predictions",
    html=_HTML,
    css=Path(__file__).with_suffix(".css").read_text("utf-8") + CSS,
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
)


class Reader(NamedTuple):
    """A network on the page: its Run, a short label, its colour, its run's whole name, its test accuracy (0..1), and
    that of the 8-bit network which answers here, or None where it was not measured, what tells it from others of its
    network ("quick, 14:05"), and its label smoothing.
    """

    run: Run
    label: str
    colour: str
    name: str
    test_accuracy: float
    quantized_accuracy: float | None = None
    which: str = ""
    label_smoothing: float = 0.0


def draw_predictions(image, readers, probabilities, key):
    """Shows what the networks see and what each makes of it.

    Args:
        image: uint8 (28, 28), or None for an empty pad.
        readers: a list of Reader.
        probabilities: for each reader 10 floats in 0..1; not looked at on an empty pad.
        key: the element's key.
    """
    readings = [] if image is None else [int(row.argmax()) for row in probabilities]
    often = Counter(reader.label for reader in readers)
    labels = [f"{r.label} ({r.which})" if often[r.label] > 1 else r.label for r in readers]
    _component(
        key=key,
        data={
            "image": None if image is None else base64.b64encode(image.tobytes()).decode(),
            "verdict": verdict(labels, readings),
            "why": marked(why_not_certain(readers)),
            "networks": [
                {
                    "run": reader.name,
                    "label": reader.label,
                    "which": reader.which,
                    "colour": reader.colour,
                    "about": marked(about(reader)),
                    "odd": bool(readings) and readings[number] != common(readings),
                    "reading": readings[number] if readings else None,
                    "probabilities": [round(float(p), 4) for p in probabilities[number]] if readings else None,
                }
                for number, reader in enumerate(readers)
            ],
        },
    )


def about(reader):
    """How good the network is, in words."""
    if reader.quantized_accuracy is None:
        return f"{percent(reader.test_accuracy)} on the test images"
    return f"{percent(reader.quantized_accuracy)} on the test images, with 8-bit weights"


def why_not_certain(readers):
    """Why a perfect digit is not read with certainty, in a sentence; "" where no network here has that reason."""
    smoothed = [reader for reader in readers if reader.label_smoothing]
    if not smoothed:
        return ""
    # The right digit's share of what is taught: what is taken from it is spread over all ten.
    share = 100 * (1 - 0.9 * max(reader.label_smoothing for reader in smoothed))
    names = "These networks" if len(smoothed) == len(readers) else _list([reader.label for reader in smoothed])
    return (
        f"Why is even a perfect 7 only {share:.0f} % sure? {names} learned with label smoothing: the training asks for "
        f"{share:.0f} %, so that a network never becomes too certain."
    )


def common(readings):
    """The digit that more networks read than any other, or None."""
    counts = sorted((readings.count(digit), digit) for digit in set(readings))
    tied = len(counts) > 1 and counts[-1][0] == counts[-2][0]
    return None if tied else counts[-1][1]


def verdict(labels, readings):
    """One sentence on who reads what; `readings` is one digit for each label, or nothing on an empty pad."""
    if not labels:
        return "No network has learned to read digits yet."
    if not readings:
        return "Waiting for a digit."
    who = defaultdict(list)
    for label, digit in zip(labels, readings, strict=True):
        who[digit].append(label)
    if len(labels) == 1:
        return f"{labels[0]} reads {_a(readings[0])}."
    if len(who) == 1:
        return f"{_NUMBERS.get(len(labels), f'All {len(labels)} networks')} read {_a(readings[0])}."
    parts = sorted(who.items(), key=lambda part: -len(part[1]))
    return "They disagree: " + ", ".join(f"{_list(names)} {_reads(names)} {_a(digit)}" for digit, names in parts) + "."


def _a(digit):
    return f"{'an' if digit == 8 else 'a'} {digit}"


def _reads(names):
    return "read" if len(names) > 1 else "reads"


def _list(names):
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
