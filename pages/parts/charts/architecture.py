"""A network as a drawing: its layers as boxes, as high as their maps have pixels and as wide as there are maps, with
arrows between them. Blocks that follow one another alike are drawn once.
"""

import math
from collections import Counter
from itertools import groupby

import streamlit as st

from core.networks.sizes import block_of, times
from pages.parts import presenter

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
# Of arrows, and of those that leave layers out.
_LINE, _BOLD = 1, 2.5


def is_wide(layers):
    """Whether more than two ways lead on from one layer, which a narrow drawing has no room for."""
    return max(Counter(source for layer in layers for source in layer.inputs).values()) > 2


def draw_architecture(layers, image_shape, colour, label, block=None):
    """Draws a network in its colour, or one block of it with what goes in and where it leads.

    Args:
        layers: as from `core.networks.sizes.layers`.
        image_shape: (side, side, channels) of the preprocessed image.
        colour: as "#RRGGBB".
        label: what the network is called.
        block: as from `block_of`, or None.
    """
    # Graphviz has made the boxes for letters of this size.
    letters = f"[data-testid='stGraphVizChart'] text {{ font-size: {presenter.grown(_LETTERS)}px; }}"
    st.html(f"{_STYLE}<style>{letters}</style>")
    drawing = dot(layers, image_shape, colour) if block is None else dot_of_block(layers, image_shape, colour, block)
    of_what = label if block is None else f"{block} of {label}"
    st.graphviz_chart(drawing, alt=f"{of_what} as boxes and arrows; the table has the same layer by layer.")


def dot(layers, image_shape, colour):
    """The drawing in Graphviz' language; arguments as above."""
    shown, repeats = _drawn_once(layers)
    lines = [*_beginning(colour), _outside(-1, "image", image_shape)]

    def together(at):
        """What layers that stand in one frame have in common: the frame's name, and what is said of it or None."""
        if layers[at].training_only:
            # Its words at the bottom, as the arrow comes in at the top.
            return block_of(layers[at].name), 'label="only while it trains"; labelloc=b; style="rounded,dashed";'
        run, count = repeats.get(at, (None, 1))
        return run, f'label="× {count}"; labeljust=r;' if count > 1 else None

    for (number, said), members in groupby(sorted(set(shown)), key=together):
        inside = [f"{_node(at)} [{_look(layers[at], colour)}];" for at in members]
        if said:
            lines += [f"subgraph cluster_{number} {{ {said}", *inside, "}"]
        else:
            lines += inside
    for at in sorted(set(shown)):
        # Each once: in a block that stands for many, what comes from the one before comes from itself.
        sources = dict.fromkeys(shown[source] if source >= 0 else -1 for source in layers[at].inputs)
        lines += _arrows(layers[at], at, list(sources), colour)
    return "\n".join([*lines, "}"])


def dot_of_block(layers, image_shape, colour, block):
    """The drawing of one block in Graphviz' language, with what goes in and to which blocks it leads; arguments as of
    `draw_architecture`.
    """
    inside = [at for at, layer in enumerate(layers) if block_of(layer.name) == block]
    lines = _beginning(colour)
    for source in sorted({source for at in inside for source in layers[at].inputs} - set(inside)):
        name, shape = (layers[source].name, layers[source].shape) if source >= 0 else ("image", image_shape)
        lines.append(_outside(source, f"from {name}" if source >= 0 else name, shape))
    lines += [f"{_node(at)} [{_look(layers[at], colour)}];" for at in inside]
    for at in inside:
        lines += _arrows(layers[at], at, list(dict.fromkeys(layers[at].inputs)), colour)
        on = [layer.name for layer in layers if at in layer.inputs and block_of(layer.name) != block]
        if on:
            said = "to " + ", ".join(dict.fromkeys(map(block_of, on)))
            lines += [f'out{at} [label="{said}" fillcolor="transparent"];', f"{_node(at)} -> out{at};"]
    return "\n".join([*lines, "}"])


def _beginning(colour):
    size = presenter.grown(_LETTERS)
    return [
        "digraph {",
        'bgcolor="transparent"; nodesep=0.25; ranksep=0.22;',
        f'node [shape=box style="filled,rounded" fontname="sans-serif" fontsize={size} color="{colour}"];',
        f"edge [arrowsize=0.6 penwidth={presenter.line(_LINE)}];",
        f'graph [fontname="sans-serif" fontsize={size} style="rounded"];',
    ]


def _outside(at, said, shape):
    """What goes in: the image, or a layer of another block."""
    return f'{_node(at)} [label="{said}\\n{times(shape)}" fillcolor="transparent"{_size(shape)}];'


def _arrows(layer, at, sources, colour):
    """Those that lead to the layer of this number."""
    shortcuts = layer.kind in _SHORTCUTS and len(sources) == _SHORTCUTS[layer.kind]
    bold = f' [color="{colour}" penwidth={presenter.line(_BOLD)}]'
    dashed = " [style=dashed]" if layer.training_only else ""
    return [
        f"{_node(source)} -> {_node(at)}{bold if shortcuts and source != at - 1 else dashed};"
        for source in sources
        if source < at
    ]


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
    dashed = ' style="filled,rounded,dashed"' if layer.training_only else ""
    return f'label="{label}" fillcolor="{colour}{strength}"{_size(layer.shape)}{dashed}'


def _size(shape):
    side = shape[0] if len(shape) == 3 else 1
    return f" width={1.3 + 0.08 * math.log2(shape[-1] + 1):.2f} height={0.3 + 0.09 * math.log2(side):.2f}"


def _node(number):
    return f"n{number + 1}"
