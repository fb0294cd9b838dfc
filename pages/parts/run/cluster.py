"""The cluster at a glance: its nodes, what is free on them, and which runs they train."""

import html
import time

import streamlit as st

from core.runs.run import RunError, open_run
from pages.parts import data
from pages.parts.style import duration, pair_label

# What was heard longer ago says nothing about now.
OLD_SECONDS = 15
_STYLE = """<style>
.cluster { display: flex; flex-wrap: wrap; gap: .5rem; }
.cluster > div { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem;
  padding: .4rem .75rem; font-size: .875rem; }
.cluster span { display: block; opacity: .8; }
</style>"""


def draw_cluster():
    """Draws it; nothing where there is none."""
    said = data.cluster()
    if not said:
        return
    ago = max(0, time.time() - said["time"])
    if said["state"] != "connected":
        st.warning(
            f"The cluster at {said['address']} does not answer. Its runs go on from their last checkpoints when it "
            "does; nothing is lost.",
            icon=":material/cloud_off:",
        )
        return
    cores, gpus = (sum(node[kind] for node in said["nodes"]) for kind in ("cores", "gpus"))
    free = f"{said['free_cores']:.0f} of {cores:.0f} cores free"
    if gpus:
        free += f", {said['free_gpus']:.0f} of {gpus:.0f} GPUs free"
    when = f", as it was {duration(ago)} ago" if ago > OLD_SECONDS else ""
    nodes = "".join(
        f"<div><b>{html.escape(node['name'])}</b><span>{html.escape(_work(node['runs']))}</span></div>"
        for node in said["nodes"]
    )
    its_own = f" · [Ray's own dashboard](http://{said['dashboard']})" if said["dashboard"] else ""
    st.markdown(f"**Cluster** at {said['address']}: {_nodes(len(said['nodes']))}, {free}{when}{its_own}")
    st.html(f"{_STYLE}<div class='cluster'>{nodes}</div>")


def _nodes(count):
    return "1 node" if count == 1 else f"{count} nodes"


def _work(ids):
    """What a node trains, in words."""
    found = []
    for id_ in ids:
        try:
            config = data.config(open_run(id_))
            found.append(pair_label(config.network, config.dataset))
        except RunError:
            continue  # Deleted a moment ago.
    return ", ".join(found) or "trains nothing"
