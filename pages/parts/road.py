"""The road from LeNet to networks of a thousand layers: every network under its year, each a link to its place."""

from collections import defaultdict
from html import escape

import streamlit as st

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from pages.parts.style import percent

_STYLE = """<style>
.road { display: grid; grid-template-columns: repeat(auto-fit, minmax(5.4rem, 1fr)); gap: 1rem .75rem; margin: 0; }
.road section { display: flex; flex-direction: column; gap: .4rem; min-width: 0; }
.road b { font-weight: 600; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.road a { padding: 0 0 0 .5rem; border-left: .25rem solid; border-color: var(--network); color: inherit;
  text-decoration: none; line-height: 1.35; }
.road a:is(:hover, :focus-visible) span { text-decoration: underline; }
.road a[aria-current] { background: color-mix(in srgb, var(--network) 16%, transparent); }
.road small { display: block; font-size: .8125rem; opacity: .85; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) { .road { grid-template-columns: repeat(2, 1fr); } }
</style>"""


def draw_road(best, page, chosen=()):
    """Draws it, with the test accuracy of each network's best run on each dataset. The links are inner links.

    Args:
        best: (network, dataset) -> row, as from `core.results.table.best_runs`.
        page: "networks", or "" where the road stands on that page itself.
        chosen: the names of the networks that the page shows.
    """
    years = defaultdict(list)
    for network, entry in NETWORKS.items():
        years[entry["year"]].append(network)
    stops = ""
    for year, networks in sorted(years.items()):
        shallow_first = sorted(networks, key=lambda name: NETWORKS[name]["layers"])
        links = "".join(_stop(network, best, page, network in chosen) for network in shallow_first)
        stops += f"<section><b>{year}</b>{links}</section>"
    st.html(f"{_STYLE}<nav class='road' aria-label='Networks by year'>{stops}</nav>")


def _stop(network, best, page, chosen):
    figures = "".join(
        _figure(best[network, dataset], DATASETS[dataset]["label"])
        for dataset in DATASETS
        if (network, dataset) in best
    )
    return (
        f"<a class='inner' target='_self' href='{page}?network={network}'{' aria-current=true' * chosen}"
        f" style='--network:{NETWORK_COLOURS[network]}'><span>{escape(NETWORKS[network]['label'])}</span>{figures}</a>"
    )


def _figure(row, label):
    low, high = percent(row["test_accuracy_low"]), percent(row["test_accuracy_high"])
    about = f"{row['run']}: {percent(row['test_accuracy'])} of the test images, 95 % interval {low} to {high}"
    return f"<small title='{escape(about)}'>{escape(label)} {percent(row['test_accuracy'])}</small>"
