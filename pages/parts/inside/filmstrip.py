"""What one network makes of an image, from its pixels to its prediction, as a strip of frames."""

import base64
from pathlib import Path

import numpy as np
import streamlit as st

from core.explain.augmented import augmented, augments
from core.explain.features import resized, strongest
from pages.parts.style import plain

# So many maps of a stage, and filters, stand in the strip; all of them below it when somebody asks for them.
STRONGEST = 8
VERSIONS = 3
_HTML = """
<div class="filmstrip">
  <div class="raw">
    <div class="paper"><canvas role="img"></canvas><i class="seen" hidden></i></div>
    <p class="title"></p>
    <p class="about"></p>
  </div>
  <div class="frames" role="region" tabindex="0" aria-label="From the image to the prediction"></div>
  <p class="pointed" role="status"></p>
  <section class="all" hidden>
    <header><h3></h3><button type="button" class="close">Close</button></header>
    <div class="sheet" role="group"></div>
  </section>
  <dialog aria-label="A map, enlarged">
    <div class="large">
      <div class="paper"><canvas role="img"></canvas></div>
      <div class="paper"><canvas role="img"></canvas><i class="seen"></i></div>
    </div>
    <p></p>
    <form method="dialog"><button>Close</button></form>
  </dialog>
</div>
"""
_component = st.components.v2.component(
    "filmstrip",
    html=_HTML,
    css=Path(__file__).with_suffix(".css").read_text("utf-8"),
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
)


def draw_filmstrip(shown, image, draws, opened, hidden, on_open):
    """Draws the strip.

    Args:
        shown: a pages.parts.inside.network.Network whose network is here.
        image: uint8 (h, w, c).
        draws: a number that the random draws of the augmentation begin with.
        opened: the key of the Stage of which all maps are shown, or None.
        hidden: whether the prediction is not shown yet.
        on_open: called with the key of a Stage that somebody opens, or None where it is closed.
    """
    network, key = shown.opened(), f"filmstrip {shown.number}"
    # Another network's, or one that has no maps.
    stage = network.stage(opened) if opened else None
    stage = stage if stage and stage.has_maps else None
    stages = network.main_stages()
    inside = network.open(image, {each.key for each in [*stages, *([stage] if stage else [])]})

    def told():
        wanted = st.session_state[key].opened
        on_open(wanted if network.stage(str(wanted)) else None)

    _component(
        key=key,
        data={
            "colour": shown.colour,
            "raw": _image("Image", f"{image.shape[1]}×{image.shape[0]} pixels, as it was stored", image),
            "side": network.config.image_size,
            "frames": [
                *_before(network, image, inside, draws),
                *_filters(network),
                *[_stage(each, inside.outputs[each.key], STRONGEST) for each in stages],
                _features(inside.features),
                _prediction(inside, shown.classes, hidden),
            ],
            "all": _stage(stage, inside.outputs[stage.key], None) if stage else None,
        },
        on_opened_change=told,
    )


def _before(network, image, inside, draws):
    """The frames up to what the first layer sees."""
    config = network.config
    side = config.image_size
    # Bicubic resizing may leave the range of bytes a little.
    yield _image("Resized", f"{side}×{side} pixels, bicubic", resized(image, side), (0, 255))
    if inside.preprocessed is None:
        return
    pixels = inside.preprocessed
    title = "Mean subtracted" + ", standardised" * network.is_standardized
    about = "less the mean of all training images" + ", divided by their deviation" * network.is_standardized
    low, high = float(pixels.min()), float(pixels.max())
    yield _image(title, f"{about}: {_number(low)} to {_number(high)}. This is what the first layer sees.", pixels)
    if not augments(config):
        return

    def preprocess(version):
        return pixels if version is image else network.open(version, set()).preprocessed

    random = np.random.default_rng(draws)
    for number in range(1, VERSIONS + 1):
        version, said = augmented(image, preprocess, config, random)
        mixed = ", before it was mixed with another" * bool(config.mixup)
        yield _image(f"Augmented {number}", f"as training may have seen it{mixed}: {said}", version, (low, high))


def _filters(network):
    first = network.first_layer()
    if first is None:
        return
    kernels = first.kernels
    count, height, width, channels = kernels.shape
    order = strongest(kernels.transpose(1, 2, 3, 0).reshape(height, width * channels, count))[:STRONGEST]
    shown = kernels[order] if channels in (1, 3) else kernels[order].mean(axis=3, keepdims=True)
    # Grey is zero, for all alike.
    most = float(np.abs(shown).max()) or 1.0
    yield {
        "kind": "maps",
        "title": "First filters",
        "about": f"{len(order)} of {count}, {height}×{width}" + f"×{channels}" * (channels > 1) + "; grey is zero",
        "sides": [height, width, shown.shape[3]],
        "numbers": order.tolist(),
        "ranges": [[_number(kernels[at].min()), _number(kernels[at].max())] for at in order],
        "pixels": _encoded((shown + most) / (2 * most)),
        "what": "filter",
    }


def _stage(stage, maps, most):
    """A stage's strongest maps, at most so many, or all."""
    order = strongest(maps)[:most]
    chosen = maps[..., order].transpose(2, 0, 1)
    # Each map from its least to its most, but those of one value, which only differ from one another.
    alone = None if chosen[0].size == 1 else (1, 2)
    low, high = (
        np.broadcast_to(end(axis=alone, keepdims=True), (len(order), 1, 1)) for end in (chosen.min, chosen.max)
    )
    total, height, width = maps.shape[2], maps.shape[0], maps.shape[1]
    return {
        "kind": "maps",
        "key": stage.key,
        "title": stage.key,
        "about": f"{len(order)} of {total} maps, {width}×{height}; {stage.layer.words}",
        "total": total,
        "sides": [height, width, 1],
        "numbers": order.tolist(),
        "ranges": [[_number(a), _number(b)] for a, b in zip(low.ravel(), high.ravel(), strict=True)],
        "limits": [[float(a), float(b)] for a, b in zip(low.ravel(), high.ravel(), strict=True)],
        "pixels": _encoded((chosen - low) / np.maximum(high - low, 1e-12)),
        "field": stage.field and list(stage.field),
        "what": "map",
    }


def _features(features):
    """The last features as a sheet of cells, row by row, wider than high."""
    count = len(features)
    width = int(np.ceil(np.sqrt(2 * count)))
    height = -(-count // width)
    low, high = float(features.min()), float(features.max())
    cells = np.full(height * width, low, np.float32)
    cells[:count] = features
    about = f"{count:,} numbers, {_number(low)} to {_number(high)}, row by row"
    return _image("Last features", about, cells.reshape(height, width, 1), (low, high))


def _prediction(inside, classes, hidden):
    return {
        "kind": "bars",
        "title": "Logits and probabilities",
        "about": "Hidden until you reveal it." if hidden else "e to the logits, divided by their sum",
        "rows": None
        if hidden
        else [
            [name, _number(logit), round(float(share), 4)]
            for name, logit, share in zip(classes, inside.logits, inside.probabilities, strict=True)
        ],
    }


def _image(title, about, pixels, limits=None):
    """A frame with one picture; without limits, uint8 is shown as it is, and floats from their least to their most."""
    height, width, channels = pixels.shape
    if pixels.dtype == np.uint8:
        encoded = base64.b64encode(pixels.tobytes()).decode()
    else:
        low, high = limits or (pixels.min(), pixels.max())
        encoded = _encoded((pixels - low) / max(high - low, 1e-12))
    sides = [height, width, channels]
    return {"kind": "image", "title": title, "about": plain(about), "sides": sides, "pixels": encoded}


def _encoded(shares):
    """0..1 as bytes, in base64."""
    return base64.b64encode(np.round(255 * np.clip(shares, 0, 1)).astype(np.uint8).tobytes()).decode()


def _number(value):
    """A number as people read it: "−1.32", "148"."""
    value = float(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}".replace("-", "−")
