"""A network as a drawing: its layers as boxes, as high as their maps have pixels and as wide as there are maps, with
arrows between them. Blocks that follow one another alike are drawn once.
"""

import math
import re
from collections import Counter
from itertools import groupby

import streamlit as st

from core.networks.sizes import times
from pages.parts import presenter

# The block of a layer is the first part of its name, with its number: conv2_1 of conv2_1_a, inception3a, block1.
_BLOCK = re.compile(r"[^_]+(_\d+)?(?=_|$)")
# Kinds that only put together what came before; how they are drawn.
_MERGES = {"sum": "+", "mean of paths": "mean", "joined maps": "join"}
# Into these, of so many, leads an arrow that leaves layers out.
_SHORTCUTS = {"sum": 2, "joined maps": 2}
# As large as it is made, wherever it stands, and in the page's colour where it has none.
_STYLE = """<style>
[data-testid="stGraphVizChart"] svg { max-width: none; }
[data-testid="stGraphVizChart"] :is([fill="black"], text) { fill: currentColor; }
[data-testid="stGraphVizChart"] [stroke="black"] { stroke: currentColor; }
</style>"""
_LETTERS = 11


def block_of(name):
    """The block that a layer of this name is in."""
    return _BLOCK.match(name)[0]


def is_wide(layers):
    """Whether more than two ways lead on from one layer, which a narrow drawing has no room for."""
    return max(Counter(source for layer in layers for source in layer.inputs).values()) > 2


def draw_architecture(layers, image_shape, colour, label):
    """Draws a network in its colour.

    Args:
        layers: as from `core.networks.sizes.layers`.
        image_shape: (side, side, channels) of the preprocessed image.
        colour: as "#RRGGBB".
        label: what the network is called.
    """
    # Graphviz has made the boxes for letters of this size.
    letters = f"[data-testid='stGraphVizChart'] text {{ font-size: {presenter.grown(_LETTERS)}px; }}"
    st.html(f"{_STYLE}<style>{letters}</style>")
    drawing = dot(layers, image_shape, colour)
    st.graphviz_chart(drawing, alt=f"{label} as boxes and arrows; the table has the same layer by layer.")


def dot(layers, image_shape, colour):
    """The drawing in Graphviz' language; arguments as above."""
    shown, repeats = _drawn_once(layers)
    size = presenter.grown(_LETTERS)
    lines = [
        "digraph {",
        'bgcolor="transparent"; nodesep=0.25; ranksep=0.22;',
        f'node [shape=box style="filled,rounded" fontname="sans-serif" fontsize={size} color="{colour}"];',
        f'edge [arrowsize=0.6]; graph [fontname="sans-serif" fontsize={size} style="rounded"];',
        f'{_node(-1)} [label="image\\n{times(image_shape)}" fillcolor="transparent"{_size(image_shape)}];',
    ]
    for number, members in groupby(sorted(set(shown)), key=lambda at: repeats.get(at, (None, 1))):
        inside = [f"{_node(at)} [{_look(layers[at], colour)}];" for at in members]
        run, count = number
        if count > 1:
            lines += [f'subgraph cluster_{run} {{ label="× {count}"; labeljust=r;', *inside, "}"]
        else:
            lines += inside
    for at in sorted(set(shown)):
        # Each once: in a block that stands for many, what comes from the one before comes from itself.
        sources = dict.fromkeys(shown[source] if source >= 0 else -1 for source in layers[at].inputs)
        shortcuts = layers[at].kind in _SHORTCUTS and len(sources) == _SHORTCUTS[layers[at].kind]
        for source in sources:
            if source < at:
                bold = f' [color="{colour}" penwidth=2.5]' if shortcuts and source != at - 1 else ""
                lines.append(f"{_node(source)} -> {_node(at)}{bold};")
    return "\n".join([*lines, "}"])


def _drawn_once(layers):
    """The number of the layer that is drawn for each, a list; and the number of the run and how many blocks it stands
    for of each layer in a block that stands for several: layer -> (run, times).
    """
    blocks = [list(members) for _, members in groupby(range(len(layers)), key=lambda at: block_of(layers[at].name))]
    shown, repeats = [], {}
    for run, (_, alike) in enumerate(groupby(blocks, key=lambda block: [_signature(layers, at) for at in block])):
        first, *others = alike
        shown += first * (1 + len(others))
        if others:
            repeats |= dict.fromkeys(first, (run, 1 + len(others)))
    return shown, repeats


def _signature(layers, at):
    """What must be alike in two layers, for which one stands."""
    layer = layers[at]
    # Maps that are joined get more from block to block.
    filters = layer.shape[-1] if "convolution" in layer.kind or "dense" in layer.kind else None
    return layer.words, filters, layer.shape[0], tuple(at - source for source in layer.inputs)


def _look(layer, colour):
    if layer.kind in _MERGES:
        return f'label="{_MERGES[layer.kind]}" shape=ellipse fillcolor="transparent" width=0.3 height=0.3 margin=0.02'
    strength = "55" if layer.parameters and "normalisation" not in layer.kind else "18"
    label = f"{layer.words}\\n{times(layer.shape)}"
    return f'label="{label}" fillcolor="{colour}{strength}"{_size(layer.shape)}'


def _size(shape):
    side = shape[0] if len(shape) == 3 else 1
    return f" width={1.3 + 0.08 * math.log2(shape[-1] + 1):.2f} height={0.3 + 0.09 * math.log2(side):.2f}"


def _node(number):
    return f"n{number + 1}"
