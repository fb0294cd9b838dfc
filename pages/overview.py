"""Overview: what the lab is, and how far each network has come on each dataset beside the report."""

from collections import Counter

import streamlit as st

from core import comparison
from core.datasets import DATASETS
from core.environment import read_only
from core.models import MODELS
from core.runs import UNFINISHED, RunError
from pages.parts import data
from pages.parts.refreshing import refreshing
from pages.parts.scorecard import draw_scorecard
from pages.parts.shell import begin_page

begin_page()

REFRESH_SECONDS = 4
CARDS = {
    "train": ("play_circle", "Choose a network, a dataset and a recipe, and watch the curves grow."),
    "compare": ("table_chart", "All runs in one table beside the report's, and their curves over one another."),
    "gallery": ("photo_library", "What a network gets right and what it gets wrong, image by image."),
    "draw": ("draw", "Write a digit and see what each trained network makes of it."),
}
# The link covers its card.
CARD_STYLE = """<style>
[class*="st-key-card-"] { position: relative; }
[class*="st-key-card-"]:hover { border-color: currentColor; }
[class*="st-key-card-"] [data-testid="stPageLink-NavLink"] { padding-left: 0; background: none; }
[class*="st-key-card-"] [data-testid="stPageLink-NavLink"]::after { content: ""; position: absolute; inset: 0; }
[class*="st-key-card-"] :has(> [data-testid="stPageLink-NavLink"]) { position: static; }
</style>"""


def running_runs(runs):
    """(model, dataset) -> (run, status) of the newest run at work, from runs with the newest first."""
    found = {}
    for run in runs:
        try:
            status, config = data.state(run), data.config(run)
        except RunError:
            continue  # Deleted or damaged a moment ago; the next look at the disk says so.
        if status["state"] in UNFINISHED:
            found.setdefault((config.model, config.dataset), (run, status))
    return found


def summary(best):
    """ "4 of 9 pairs trained: 1 better than the report, 2 equal, 1 worse."."""
    pairs = len(MODELS) * len(DATASETS)
    if not best:
        start = "" if read_only() else ": start with any of them, quick ones take minutes"
        return f"None of the {pairs} pairs is trained yet{start}."
    words = Counter(row["verdict"] for row in best.values())
    return (
        f"{len(best)} of {pairs} pairs trained: {words['better']} better than the report, {words['equal']} equal, "
        f"{words['worse']} worse."
    )


def draw_scores(watching):
    """The scorecard as the disk has it now. `watching`: this is redrawn every few seconds, while anything runs."""
    runs, problems = data.readable_runs()
    rows, more_problems = data.table(runs)
    best, running = comparison.best_runs(rows), running_runs(runs)
    if watching and not running:
        st.rerun()
    st.markdown(summary(best))
    draw_scorecard(best, running)
    if best:
        st.caption(
            "Test accuracy of each pair's best run. Best is the highest validation accuracy, so that the test images "
            "choose nothing. Equal: the report's figure lies in the 95 % interval of ours."
        )
    for sentence in dict.fromkeys(problems + more_problems):
        st.warning(sentence, icon=":material/broken_image:")


st.title("Deeper Networks Lab")
st.markdown("Train three classic networks on three datasets, look inside, and hold them against a published report.")
watching = bool(running_runs(data.readable_runs()[0]))
refreshing(lambda: draw_scores(watching), REFRESH_SECONDS if watching else None)
st.html(CARD_STYLE)
if read_only():
    CARDS["train"] = ("play_circle", "Watch the curves grow.")
for column, (page, (icon, about)) in zip(st.columns(len(CARDS)), CARDS.items(), strict=True):
    with column, st.container(border=True, height="stretch", gap="xsmall", key=f"card-{page}"):
        st.page_link(f"pages/{page}.py", label=f"**{page.capitalize()}**", icon=f":material/{icon}:")
        st.caption(about)
