"""Overview: what the lab is, and how far each network has come on each dataset beside the report."""

from collections import Counter
from html import escape
from pathlib import Path

import streamlit as st

from core.results import table as results
from core.results.reference import AUTHOR, REPORT, TEST_IMAGES, TITLE
from core.results.statistics import BETTER, NO_CLEAR_DIFFERENCE, WORSE
from core.settings import read_only
from pages.parts import data
from pages.parts.glossary import help_on
from pages.parts.inner_links import follow_inner_links
from pages.parts.refreshing import refreshing
from pages.parts.road import draw_road
from pages.parts.scorecard import draw_scorecard
from pages.parts.shell import begin_page
from pages.parts.style import plain

begin_page()

REFRESH_SECONDS = 4
# In the order in which to try them: page -> (icon, what to do there, what comes of it).
CARDS = {
    "draw": ("draw", "Draw a digit", "Start here: write one and watch the trained networks read it."),
    "gallery": (
        "photo_library",
        "See the mistakes",
        "Every test image that a network gets wrong, and what it takes it for.",
    ),
    "inside": ("search_insights", "Look inside", "What each layer makes of an image, down to the prediction."),
    "networks": ("account_tree", "Walk the road", "Every network from LeNet to a thousand layers, layer by layer."),
    "compare": ("table_chart", "Compare the runs", "All in one table beside the report's, curves over one another."),
    "train": ("play_circle", "Train a network", "Choose one and watch its curves grow; a quick one takes minutes."),
}
FURTHER = {
    "lesson": ("school", "Take the lesson, step by step"),
    "claims": ("balance", "See whether the report is right"),
    "round": ("sports_esports", "Play against the networks"),
}
REPORT_TEXT = Path(__file__).parents[1] / "docs" / "report.md"
TOGETHER = (
    "Each card judges its pair alone: of twenty pairs of equally good networks, about one looks different by chance. "
    "A sentence that counts several pairs asks for more evidence from each of them, so a pair can be better on its "
    "card without being counted as better here."
)
ABOUT_CARDS = (
    "Each card shows the test accuracy of the pair's best run and its difference from the report's. Both were measured "
    f"on {TEST_IMAGES:,} images, so the difference is known only up to its 95 % interval; where that contains zero, "
    "there is no clear difference. The best run is the one with the highest validation accuracy among those that were "
    "trained on all images, or on the most; the test images choose nothing. Runs that differ in nothing but the seed "
    "count as one, with their mean."
)
_STYLE = """<style>
.doors { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 1rem; }
.doors > div { position: relative; display: flex; flex-direction: column; gap: .35rem; padding: .9rem 1rem;
  border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: .5rem; line-height: 1.4; }
.doors > div:is(:hover, :focus-within) { border-color: currentColor; }
.doors a { font-weight: 600; display: flex; gap: .5rem; align-items: center; line-height: 1.3; color: inherit;
  text-decoration: none; }
.doors a::after { content: ""; position: absolute; inset: 0; }
.doors span { font-size: .875rem; color: color-mix(in srgb, currentColor 72%, transparent); }
.further { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin-top: 1rem; }
.further a { display: flex; gap: .4rem; align-items: center; color: inherit; padding: .25rem 0; text-decoration: none; }
.further a:is(:hover, :focus-visible) { text-decoration: underline; }
:is(.doors, .further) i { font: 1.25rem/1 "Material Symbols Rounded"; font-feature-settings: "liga"; }
@media (max-width: 1350px) { .doors i { display: none; } }
@media (max-width: 1000px) { .doors { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
@media (max-width: 640px) { .doors { grid-template-columns: 1fr; } .doors i { display: block; } }
</style>"""


def running_runs():
    """(network, dataset) -> (run, status) of the newest run at work."""
    found = {}
    for run, config, status in data.unfinished_runs():
        found.setdefault((config.network, config.dataset), (run, status))
    return found


def summary(best):
    """How many of the report's pairs are trained, and how they stand beside it when they are judged together."""
    pairs = len(REPORT)
    if not best:
        start = "" if read_only() else ": start with any of them, quick ones take minutes"
        return f"None of the {pairs} pairs is trained yet{start}."
    together, alone = results.count_verdicts(best), Counter(row["verdict"] for row in best.values() if row["verdict"])
    said = [f"{len(best)} of {pairs} pairs trained."]
    how = "Judged together, with Holm's correction: " if together.total() > 1 else ""
    said.append(f"{how}{_counted(together)}.")
    if alone != together:
        said.append(f"Judged one by one, as on the cards: {_counted(alone)}.")
    return " ".join(said)


def _counted(count):
    better, none, worse = (count[verdict] for verdict in (BETTER, NO_CLEAR_DIFFERENCE, WORSE))
    return f"{better} better than the report, {none} with no clear difference, {worse} worse"


def draw_scores(watching):
    """The scorecard as the disk has it now. `watching`: this is redrawn every few seconds, while anything runs."""
    runs, problems = data.readable_runs()
    rows, more_problems = data.seeds_together(runs)
    every = results.best_runs(rows)
    best, running = {pair: row for pair, row in every.items() if pair in REPORT}, running_runs()
    if watching and not running:
        st.rerun()
    st.markdown(summary(best), help=TOGETHER if len(best) > 1 else None)
    draw_scorecard(best, running)
    if best:
        st.caption(ABOUT_CARDS, help=help_on(ABOUT_CARDS))
    st.header("The road")
    st.caption("Every network of the lab under the year of its paper, with the best run on each dataset.")
    draw_road(every, "networks")
    for sentence in dict.fromkeys(problems + more_problems):
        st.warning(plain(sentence), icon=":material/broken_image:")


def draw_introduction():
    """What this is, which report it repeats, and what to do first."""
    st.title("Deeper Networks Lab")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            "See how deep networks learn to tell images apart, look at their mistakes, and train your own. The lab "
            f"repeats the report **{TITLE}** by {AUTHOR}, and compares its own results with those.",
            width="stretch",
        )
        with st.popover("About the report", icon=":material/menu_book:", type="tertiary"):
            # Without its heading, which the button is.
            st.markdown(REPORT_TEXT.read_text("utf-8").partition("\n")[2])
    # Our own HTML, as nine of Streamlit's links take the page longer than all else above the grid.
    doors = "".join(
        f"<div>{_link(page, icon, title)}<span>{escape(about)}</span></div>"
        for page, (icon, title, about) in CARDS.items()
    )
    further = "".join(_link(page, icon, title) for page, (icon, title) in FURTHER.items())
    links = f"<div class='doors'>{doors}</div><div class='further'>{further}</div>"
    st.html(f"{_STYLE}<nav aria-label='Where to go'>{links}</nav>")


def _link(page, icon, title):
    icon = f"<i aria-hidden='true' translate='no'>{icon}</i>"
    return f"<a class='inner' target='_self' href='{page}'>{icon}{escape(title)}</a>"


if read_only():
    CARDS["train"] = ("play_circle", "Watch them learn", "The curves of whatever is being trained, as they grow.")
follow_inner_links()
draw_introduction()
st.header("How far each network has come")
watching = bool(data.unfinished_runs())
refreshing(lambda: draw_scores(watching), REFRESH_SECONDS if watching else None)
