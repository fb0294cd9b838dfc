"""The road from LeNet to networks of a thousand layers: every network under its year, each a link to its place."""

from collections import defaultdict

import streamlit as st

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from pages.parts.style import NETWORK_COLOURS, percent

# A link's colour goes by where it leads, which costs a page nothing.
_STYLE = """<style>
.st-key-road [data-testid="stHorizontalBlock"] { gap: .75rem; }
.st-key-road [data-testid="stVerticalBlock"] { gap: .4rem; }
.st-key-road a { padding: 0 0 0 .5rem; border-radius: 0; background: none; border-left: .25rem solid; }
.st-key-road a :is(span, p) { white-space: normal; overflow: visible; }
.st-key-road a:hover { text-decoration: underline; }
.road-year { font-weight: 600; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.road-best { font-size: .8125rem; opacity: .85; font-variant-numeric: tabular-nums; padding-left: .75rem; }
@media (min-width: 641px) and (max-width: 1100px) {
  .st-key-road [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-road [data-testid="stColumn"] { min-width: 30%; } }
"""
_COLOUR = """.st-key-road a:is([href$='network={0}'], [href*='network={0}&']) {{
  border-color: {1}; background: {2} !important; }}
"""


def draw_road(best, chosen=()):
    """Draws it, with the test accuracy of each network's best run on each dataset.

    Args:
        best: (network, dataset) -> row, as from `core.results.table.best_runs`.
        chosen: the names of the networks that the page shows.
    """
    years = defaultdict(list)
    for network, entry in NETWORKS.items():
        years[entry["year"]].append(network)
    colours = "".join(
        _COLOUR.format(network, colour, f"{colour}2A" if network in chosen else "none")
        for network, colour in NETWORK_COLOURS.items()
    )
    st.html(f"{_STYLE}{colours}</style>")
    with st.container(key="road"):
        for column, (year, networks) in zip(st.columns(len(years)), sorted(years.items()), strict=True):
            with column:
                st.html(f"<div class='road-year'>{year}</div>")
                for network in sorted(networks, key=lambda name: NETWORKS[name]["layers"]):
                    _draw_stop(network, best)


def _draw_stop(network, best):
    label = NETWORKS[network]["label"]
    st.page_link("pages/networks.py", label=label, query_params={"network": network})
    figures = [
        f"{DATASETS[dataset]['label']} {percent(best[network, dataset]['test_accuracy'])}"
        for dataset in DATASETS
        if (network, dataset) in best
    ]
    if figures:
        st.html(f"<div class='road-best'>{'<br>'.join(figures)}</div>")
