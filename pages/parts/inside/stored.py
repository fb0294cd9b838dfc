"""What the Inside page shows of a run that came without its network: what it predicted for a test image, when it
learned it, and where to go from there.
"""

import html
from urllib.parse import urlencode

import streamlit as st

from core.config.recipes import training_command
from core.networks.catalogue import NETWORKS
from core.runs.run import RunError
from pages.parts import data, story
from pages.parts.image_grid import png_address
from pages.parts.inside.choice import opens
from pages.parts.starting import quick_start_button
from pages.parts.style import duration, pair_label, percent

_STYLE = """<style>
.stored { display: grid; grid-template-columns: 9rem minmax(0, 24rem) minmax(0, 1fr); gap: 1rem 2rem;
  align-items: start; font-size: .875rem; }
.stored img { width: 100%; image-rendering: pixelated; border-radius: .3rem; display: block; background: #000; }
.stored h4 { font-size: .875rem; font-weight: 600; margin: 0; padding: 0 0 .4rem; }
.stored p { margin: 0 0 .3rem; font-size: inherit; }
.stored ul.stored-bars { list-style: none; margin: 0; padding: 0; display: grid; gap: .15rem .6rem; align-items: center;
  grid-template-columns: max-content 1fr max-content; }
.stored-bars li { display: contents; }
.stored-bars :is(b, span) { font-size: .875rem; line-height: 1.5; }
.stored-bars b { font-weight: 400; }
.stored-bars .top b, .stored-bars .top span { font-weight: 700; }
.stored-bars i { height: .6rem; border-radius: .2rem; background: var(--network); }
.stored-bars span { text-align: right; font-variant-numeric: tabular-nums; }
.stored ol.stored-parts { margin: .6rem 0 0; padding: 0; list-style: none; }
.stored ol.stored-parts li { font-size: .875rem; margin: 0; padding: 0; }
@media (max-width: 640px) { .stored { grid-template-columns: 6rem minmax(0, 1fr); }
  .stored > :nth-child(3) { grid-column: 1 / -1; } }
</style>"""


def draw_stored(network, looked, hidden):
    """What there is of a run whose network is not here.

    Args:
        network: a `pages.parts.inside.network.Network`.
        looked: the `pages.parts.inside.choice.Looked`.
        hidden: whether no answer is told.
    """
    shares, test_image = network.says(looked), looked.number is not None
    why = "came without its network, to keep the download small" if network.run.is_shipped else "has no network here"
    st.markdown(
        f"{network.label} {why}: of each test image there is what it predicts, and nothing of what happens inside."
    )
    if shares is not None and hidden:
        st.caption("Its probabilities, and when it learned the image, come with the answer.")
    elif shares is not None:
        story.draw_style()
        st.html(
            f"{_STYLE}<div class='stored' style='--network: {html.escape(network.colour)}'>"
            f"<img alt='{html.escape(looked.words)}' src='{png_address(looked.image)}'>"
            f"<div><h4>What it predicts</h4>{_bars(shares, network.classes)}</div>"
            f"<div><h4>When it learned it</h4>{_story(network, looked.number)}</div></div>"
        )
    st.html("<style>a.inner.other { color: inherit; font-size: .875rem; }</style>")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if test_image:
            st.page_link(
                "pages/gallery.py",
                label=f"See {looked.words} in the Gallery",
                icon=":material/photo_library:",
                query_params={"run": network.run.id, "show": "all", "image": str(looked.number)},
            )
        other = _one_that_is_here(network)
        if other:
            # Streamlit's own link to the page that is shown leaves the address as it is.
            query = html.escape(urlencode({"run": other.id, **looked.address}))
            words = html.escape(f"Look inside {NETWORKS[data.config(other).network]['label']} with {looked.words}")
            st.html(f'<a class="inner other" target="_self" href="inside?{query}">{words}</a>', width="content")
    _draw_training(network)


def _bars(shares, classes):
    """All probabilities, (classes,), as HTML."""
    best = int(shares.argmax())
    rows = "".join(
        f"<li{' class=top' * (at == best)}><b>{html.escape(name)}</b><i style='width: {100 * share:.1f}%'></i>"
        f"<span>{percent(share, 1)}</span></li>"
        for at, (name, share) in enumerate(zip(classes, map(float, shares), strict=True))
    )
    return f'<ul class="stored-bars">{rows}</ul>'


def _story(network, image):
    """How its predictions for a test image went, as HTML."""
    recorded = data.epochs(network.run)
    if recorded is None:
        return "<p>This run did not record its predictions after each epoch, so nobody can see it.</p>"
    best = data.metrics(network.run)["best"]["epoch"]
    parts = "".join(f"<li>{html.escape(each)}</li>" for each in story.parts(recorded, image, network.classes))
    return f'{story.strip(recorded, image, network.classes, best)}<ol class="stored-parts">{parts}</ol>'


def _one_that_is_here(network):
    """A run on the same dataset whose network can be looked into, or None."""
    for run in data.nameable_runs():
        try:
            if opens(run) and data.config(run).dataset == network.config.dataset and data.metrics(run):
                return run
        except RunError:
            continue  # Among the damaged files, which other pages name.
    return None


def _draw_training(network):
    """What training it here would add, and what that takes."""
    config, took = network.config, data.metrics(network.run).get("seconds")
    label = pair_label(config.network, config.dataset)
    st.caption(
        f"Training {label} here would add the filmstrip, the convolution, the heat maps, the map and what changes its "
        "mind, for drawings and pictures too."
        + (f" The training of this run took {duration(took)}; this command repeats it:" if took else "")
    )
    st.code(training_command(config), language="sh")
    quick_start_button(f"Train {network.label} quickly", config.network, config.dataset)
