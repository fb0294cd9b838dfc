"""The grid of networks and datasets: one click on a pair starts its training."""

from pathlib import Path

import streamlit as st

from core.datasets.catalogue import DATASETS
from core.jobs.estimate import estimate
from core.networks.catalogue import FAMILIES, NETWORKS
from core.networks.sizes import size
from core.palette import NETWORK_COLOURS
from core.results.reference import NETWORKS_OF_REPORT
from pages.parts.linked import linked_many
from pages.parts.starting import start
from pages.parts.style import duration, pair_label

_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")


def start_grid(configs, speeds):
    """Draws a button for each pair; returns the Run that a click started, or None.

    Args:
        configs: (network, dataset) -> RunConfig; empty where the settings are wrong, and nothing can be started.
        speeds: what `core.jobs.estimate.measured_speeds` found.
    """
    started = None
    colours = "".join(
        f".st-key-network_{network} {{ --network: {colour}; }}" for network, colour in NETWORK_COLOURS.items()
    )
    st.html(f"<style>{colours}{_CSS}</style>")
    for network in NETWORKS_OF_REPORT:
        started = _row(network, configs, speeds) or started
    labels, notices = {network: NETWORKS[network]["label"] for network in other_networks()}, st.container()
    # The others are not drawn: 72 buttons took half a second.
    for network in linked_many("More networks, by family", "more", labels, labels, notices, most_buttons=len(labels)):
        started = _row(network, configs, speeds) or started
    return started


def other_networks():
    """Those that the report did not train: the oldest family first, and within a family as the catalogue has them."""
    oldest_first = sorted(FAMILIES, key=lambda family: FAMILIES[family]["year"])
    others = [network for network in NETWORKS if network not in NETWORKS_OF_REPORT]
    return sorted(others, key=lambda network: oldest_first.index(NETWORKS[network]["family"]))


def _row(network, configs, speeds):
    """Draws a network's name and its buttons; returns the Run that a click started, or None."""
    started, entry = None, NETWORKS[network]
    with st.container(key=f"network_{network}"):
        heading, *cells = st.columns(1 + len(DATASETS), vertical_alignment="center")
        facts = [f"{entry['year']}", f"{entry['layers']} layers"]
        facts += _parameters([configs[pair] for pair in configs if pair[0] == network])
        heading.html(f'<div class="network"><b>{entry["label"]}</b><span>{" · ".join(facts)}</span></div>')
        for dataset, cell in zip(DATASETS, cells, strict=True):
            config = configs.get((network, dataset))
            time_said, help = _time(config, speeds) if config else ("check the settings", None)
            clicked = cell.button(
                f"{pair_label(network, dataset)} :small[{time_said}]",
                key=f"start_{network}_{dataset}",
                help=help,
                disabled=not config,
                width="stretch",
                wrap=True,
            )
            if clicked and config:
                started = start(config)
    return started


def _parameters(configs):
    """How many parameters the runs on offer train, in words: a list of one phrase, or of none where there is no run."""
    millions = sorted({f"{size(config).parameters / 1e6:.1f}" for config in configs}, key=float)
    return [f"{' to '.join(dict.fromkeys([millions[0], millions[-1]]))} M parameters"] if millions else []


def _time(config, speeds):
    """The time a run takes, and what it will do in that time."""
    seconds, measured, at_most = estimate(config, speeds)
    images, _ = config.split_sizes(DATASETS[config.dataset]["train_examples"])
    origin = "as fast as the last such run here" if measured else "calculated from a test of this machine's speed"
    epochs = f"{config.epochs} epoch{'s' * (config.epochs != 1)}"
    return f"{'at most' if at_most else 'about'} {duration(seconds)}", (
        f"{epochs} of {images:,} images, {config.image_size} pixels a side; {origin}."
    )
