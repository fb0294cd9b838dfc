"""Train: start a network on a dataset with one click, and watch its curves grow."""

import streamlit as st

from core.config.recipes import RECIPES, make_config
from core.config.run_config import ConfigError, in_words
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.runs.run import UNFINISHED, RunError
from core.settings import READ_ONLY, read_only
from pages.parts import data
from pages.parts.charts.live_chart import ABOUT_RANGES, RANGES
from pages.parts.glossary import help_on
from pages.parts.inner_links import follow_inner_links
from pages.parts.linked import linked, put_runs_in_url
from pages.parts.refreshing import refreshing
from pages.parts.run.actions import draw_delete
from pages.parts.run.card import run_card
from pages.parts.run.cluster import draw_cluster
from pages.parts.run.details import back_button, details_in_url
from pages.parts.settings_form import reset_link, settings_form
from pages.parts.shell import begin_page
from pages.parts.start_grid import start_grid
from pages.parts.style import pair_label, plain
from pages.parts.urls import runs_in_url

begin_page()

REFRESH_SECONDS = 2
# Between one click and the next of a hurried person.
A_MOMENT = 5  # seconds
FIRST_RECIPE = "quick"


def configs(recipe, settings):
    """(network, dataset) -> RunConfig for every pair. Raises ConfigError."""
    return {
        (network, dataset): make_config(network, dataset, recipe, **settings)
        for network in NETWORKS
        for dataset in DATASETS
    }


def start_section(runs):
    """The recipe, the grid and the settings; returns the Run that a click started, or None."""
    notices = st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        # What most begin with comes first.
        names = sorted(RECIPES, key=lambda name: name != FIRST_RECIPE)
        labels = {name: RECIPES[name]["label"] for name in names}
        recipe = linked(
            st.segmented_control,
            "Recipe",
            "recipe",
            labels,
            FIRST_RECIPE,
            notices,
            required=True,
            label_visibility="collapsed",
        )
        st.caption(RECIPES[recipe]["about"], help=help_on(RECIPES[recipe]["about"]))
    grid, said, form = st.container(), st.container(), st.expander("More settings", icon=":material/tune:")
    with form:
        st.caption("Grey is what the recipe does. What you set here holds for every run that you start next.")
        settings, wrong = settings_form(configs(recipe, {}).values())
    for sentence in wrong:
        notices.warning(plain(sentence), icon=":material/link_off:")
    try:
        ready = configs(recipe, settings)
    except ConfigError as error:
        ready = {}
        said.error(plain(str(error)))
    if settings:
        with said.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/edit: Changed from the recipe: **{plain(in_words(settings))}**", width="content")
            reset_link()
    with grid:
        return start_grid(ready, data.speeds(runs))


def is_unfinished(run):
    """Whether it still trains; no for a run that cannot be named or watched."""
    try:
        return bool(data.config(run)) and data.state(run)["state"] in UNFINISHED
    except RunError:
        return False


def watched_runs(runs, started):
    """What is watched, with a chooser that changes the URL: the runs in the URL, else all unfinished ones, else the
    newest that was trained here, or one that came with the project.

    Returns:
        The runs in the order of their cards: at work, pending in the order of the queue, and the others; and which of
        RANGES their charts show.
    """
    named = runs_in_url()
    unfinished = [run for run, state in zip(runs, data.states(runs), strict=True) if state in UNFINISHED]
    if started:
        # A click comes with the address as it was then, which may not name the run of a click just before it.
        just_now = [run for run in unfinished if data.created(run) > data.created(started) - A_MOMENT]
        # The run of this click comes last, though one of the same second may sort behind it.
        before = dict.fromkeys([*(named or unfinished), *just_now[::-1]])
        named = [*(run for run in before if run != started), started]
        put_runs_in_url(named)
    shown = named or unfinished or data.own_first(runs)[:1]
    # Sorting leaves those of one kind as they are; `in_order` sorts the queue.
    shown.sort(key=lambda run: 2 if not is_unfinished(run) else int(data.state(run)["state"] == "queued"))
    key = "watched runs"
    st.session_state[key] = [run for run in shown if run in runs]
    notices = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.header("Watching", anchor=False, width="content")
        st.multiselect(
            "Runs to watch",
            runs,
            key=key,
            format_func=dict(zip(runs, data.names(runs), strict=True)).get,
            on_change=lambda: put_runs_in_url(st.session_state[key]),
            placeholder="Choose runs to watch",
            label_visibility="collapsed",
        )
        axes = axes_choice(notices)
    return shown, axes


def in_order(runs):
    """The runs with the pending ones among them in the order of the queue; all others stay where they are, so that no
    card moves when a run ends or begins.
    """
    waiting = data.pending()
    pending = iter(sorted((run for run in runs if run in waiting), key=waiting.index))
    return [next(pending) if run in waiting else run for run in runs]


def axes_choice(notices):
    """Draws the choice of what the vertical axes show; returns which of RANGES it is."""
    return linked(
        st.segmented_control,
        "Vertical axes",
        "axes",
        RANGES,
        "fitted",
        notices,
        required=True,
        label_visibility="collapsed",
        help=ABOUT_RANGES,
    )


def watch(runs, axes, with_details=False):
    """The runs' cards, refreshed while one of them is unfinished."""
    live = any(is_unfinished(run) for run in runs)

    def cards():
        if not all(run.path.is_dir() for run in runs):
            st.rerun()
        draw_cluster()
        going_on = [run_card(run, axes, with_details) for run in in_order(runs)]
        if live != any(going_on):
            st.rerun()

    refreshing(cards, REFRESH_SECONDS if live else None)


def all_about(run):
    """The page of one run: its card with all there is about it."""
    notices = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        back_button()
        axes = axes_choice(notices)
    watch([run], axes, with_details=True)


st.title("Train")
if details_in_url() and (named := runs_in_url()):
    all_about(named[0])
    st.stop()
looking = read_only()
start_here = "Click a network and a dataset: it trains at once or waits its turn, and its curves grow below."
st.write(READ_ONLY if looking else start_here)
readable, damaged = data.readable_runs()
started = None if looking else start_section(readable)
if started:
    config = data.config(started)
    st.toast(
        f"{pair_label(config.network, config.dataset)} is in the queue. Its card is below.", icon=":material/check:"
    )
    readable = data.nameable_runs()
if readable:
    watch(*watched_runs(readable, started))
else:
    runs_in_url()
    start = "" if looking else " AlexNet on MNIST with the quick recipe is a good start: click it above."
    st.info(f"Nothing has been trained yet.{start}")
for sentence in damaged:
    st.caption(f":material/warning: {plain(sentence)}")
if damaged:
    with st.container(horizontal=True, key="nameless"):
        for run in data.nameless_runs():
            draw_delete(run, f"Delete {run.id}")
# Last, where it takes no place.
follow_inner_links()
