"""The road from LeNet to networks of a thousand layers: every network under its year, each a link to its place."""

from collections import defaultdict

import streamlit as st

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from pages.parts.style import NETWORK_COLOURS, percent

_STYLE = """<style>
.st-key-road [data-testid="stHorizontalBlock"] { gap: .75rem; }
[class*="st-key-stop-"] { border-left: .25rem solid var(--network); padding-left: .5rem; }
[class*="st-key-stop-"] [data-testid="stPageLink-NavLink"] { padding: 0; background: none !important; }
[class*="st-key-stop-"] [data-testid="stPageLink-NavLink"] :is(span, p) { white-space: normal; overflow: visible; }
[class*="st-key-stop-"] [data-testid="stPageLink-NavLink"]:hover { text-decoration: underline; }
[class*="st-key-stop-"][class*="-chosen"] { background: color-mix(in srgb, var(--network) 14%, transparent); }
.road-year { font-weight: 600; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.road-best { font-size: .8125rem; opacity: .85; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) { .st-key-road [data-testid="stColumn"] > [data-testid="stVerticalBlock"] {
  flex-flow: row wrap; } .st-key-road .stElementContainer:has(.road-year) { width: 100%; } }
@media (min-width: 641px) and (max-width: 1100px) {
  .st-key-road [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-road [data-testid="stColumn"] { min-width: 30%; } }
</style>"""


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
        f"[class*='st-key-stop-{network}-'] {{ --network: {colour}; }}" for network, colour in NETWORK_COLOURS.items()
    )
    st.html(f"{_STYLE}<style>{colours}</style>")
    with st.container(key="road"):
        for column, (year, networks) in zip(st.columns(len(years)), sorted(years.items()), strict=True):
            with column:
                st.html(f"<div class='road-year'>{year}</div>")
                for network in sorted(networks, key=lambda name: NETWORKS[name]["layers"]):
                    _draw_stop(network, best, network in chosen)


def _draw_stop(network, best, chosen):
    with st.container(key=f"stop-{network}-{'chosen' if chosen else 'other'}", gap=None):
        label = NETWORKS[network]["label"]
        st.page_link("pages/networks.py", label=label, query_params={"network": network})
        figures = [
            f"{DATASETS[dataset]['label']} {percent(best[network, dataset]['test_accuracy'])}"
            for dataset in DATASETS
            if (network, dataset) in best
        ]
        if figures:
            st.html(f"<div class='road-best'>{'<br>'.join(figures)}</div>")
