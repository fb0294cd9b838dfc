"""Gallery: which test images a network gets right, which wrong, and what it takes them for."""

import math

import numpy as np
import streamlit as st

from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable
from core.networks.catalogue import NETWORKS
from core.results import scores
from core.runs.run import UNFINISHED, RunError
from pages.parts import data, presenter
from pages.parts.charts.confusion import draw_class_accuracies, draw_confusion
from pages.parts.glossary import help_on
from pages.parts.image_grid import draw_cases
from pages.parts.inner_links import follow_inner_links
from pages.parts.linked import linked, linked_many, linked_page, put_in_url
from pages.parts.open_image import follow_open_image, image_in_url
from pages.parts.shell import begin_page
from pages.parts.starting import link_to_training
from pages.parts.style import NETWORK_COLOURS, percent, plain
from pages.parts.urls import runs_in_url

begin_page()

PAGE_SIZE = 100
NEEDED = ("config.json", "status.json", "metrics.json", "test_predictions.npz")
KINDS = {"network": ("Network", NETWORKS), "dataset": ("Dataset", DATASETS)}
# What the URL says -> what the widget says, and what it asks of `evaluation.cases`.
SHOW = {"errors": ("Errors", False), "success": ("Successes", True), "all": ("All", None)}
# Beside the images, not above them, the matrix stays where it is while they scroll.
STICKY = """<style>
@media (min-width: 641px) { [data-testid="stColumn"]:has(> * .st-key-matrix) { position: sticky; top: 3.75rem;
  align-self: flex-start; max-height: calc(100vh - 6.5rem); overflow-y: auto; scrollbar-width: thin; }
  [data-testid="stMainBlockContainer"] { padding-bottom: 2rem; } }
</style>"""
SORT = {
    "surest": ("Most confident first", {"sort_by": "confidence", "descending": True}),
    "unsurest": ("Least confident first", {"sort_by": "confidence", "descending": False}),
    "worst": ("Highest loss first", {"sort_by": "loss", "descending": True}),
    "best": ("Lowest loss first", {"sort_by": "loss", "descending": False}),
}


def choose_run():
    """The run that the URL names, else the newest that was tested and fits what is chosen, or None where there is
    nothing to look at; and the networks chosen, a list, empty for all.
    """
    readable, damaged = data.readable_runs()
    sound = [run for run in readable if not damage_of(run)]
    tested = {run.id: run for run in sound if data.metrics(run)}
    named = next(iter(runs_in_url()), None)
    if named:
        if named.id not in tested:
            say_untested(named)
    elif not tested:
        for sentence in damaged:
            st.error(plain(sentence), icon=":material/broken_image:")
        if sound:
            say_untested(sound[0])
        elif not damaged:
            st.info("Nothing to browse yet: the gallery shows the test images as a trained network sees them.")
            link_to_training()
    if not tested:
        return None, []
    notices = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kinds = choose_kinds(list(tested.values()), named, notices)
        fitting = [run.id for run in fit(tested.values(), kinds)]
        wanted = named.id if named else next(iter(fitting), None)
        # A run that a link names is shown whatever else is chosen.
        offered = [run_id for run_id in tested if run_id in fitting or run_id == wanted]
        st.session_state["gallery run"] = wanted if wanted in tested else None
        chosen = st.selectbox(
            "Run",
            offered,
            key="gallery run",
            format_func=lambda run_id: data.name(tested[run_id]),
            placeholder="Choose a run that has been tested",
            on_change=lambda: put_in_url(run=st.session_state["gallery run"], image=st.query_params.get_all("image")),
        )
    if not offered:
        st.info("No tested run fits these choices. Take one of them back.", icon=":material/filter_alt_off:")
    return tested.get(chosen), kinds["network"]


def choose_kinds(tested, named, notices):
    """Which networks and datasets the list of runs is about, in the URL: "network" and "dataset" -> a list of names,
    empty for all.

    Args:
        tested: the runs there are to choose from, newest first.
        named: the run that the URL names, or None.
        notices: a container for a sentence about what the URL says wrongly.
    """
    chosen = {}
    for column, (label, registry) in KINDS.items():
        labels = {name: entry["label"] for name, entry in registry.items()}
        offered = {getattr(data.config(run), column) for run in tested}

        def also(before, now, column=column):
            # A click shows a run of what it adds, the present one where that fits.
            present = named or next(iter(fit(tested, chosen)), None)
            found = fit(tested, chosen | {column: [name for name in now if name not in before] or now})
            shown = present if present in found else next(iter(found), None)
            default = next(iter(fit(tested, chosen | {column: now})), None)
            same_images = shown and present and data.config(shown).dataset == data.config(present).dataset
            return {
                "run": None if shown == default else shown.id,
                "image": st.query_params.get_all("image") if same_images else None,
            }

        chosen[column] = linked_many(label, column, labels, offered, notices, also=also)
    return chosen


def fit(runs, chosen):
    """Those of the runs that are of the kinds chosen, a dict as from `choose_kinds`."""
    return [
        run
        for run in runs
        if all(not names or getattr(data.config(run), column) in names for column, names in chosen.items())
    ]


def damage_of(run):
    """What is wrong with the files that the gallery reads: a sentence each, or nothing."""
    damaged = data.damaged_files(run)
    return " ".join(damaged[name] for name in NEEDED if name in damaged)


def say_untested(run):
    """Why a run has no gallery, and where to go."""
    if damage_of(run):
        st.error(plain(damage_of(run)), icon=":material/broken_image:")
        return
    name, state = data.name(run), data.state(run)["state"]
    if state in UNFINISHED:
        st.info(f"{name} is {state}: its gallery opens when its network has been tested.")
    else:
        st.info(f"{name} has not been tested ({state}), so it has no gallery.")
    st.page_link("pages/train.py", label="See it on Train", icon=":material/show_chart:", query_params={"run": run.id})


def draw_facts(run, matrix):
    """How good the run is, and with which weights."""
    metrics = data.metrics(run)
    images, right = int(matrix.sum()), int(matrix.diagonal().sum())
    accuracy, wrong, epoch = st.columns(3)
    accuracy.metric("Test accuracy", percent(right / images), help=help_on("accuracy"))
    wrong.metric(f"Wrong of {images:,}", f"{images - right:,}")
    epoch.metric("Weights of epoch", f"{metrics['best']['epoch']} of {metrics['epochs']}", help=help_on("epoch"))


def draw_filters(classes):
    """The filters' widgets; returns the arguments of `evaluation.cases`."""
    numbers = {str(number): name for number, name in enumerate(classes)}
    any_class = {"any": "Any class"} | numbers
    notices = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        labels = {name: label for name, (label, _) in SHOW.items()}
        show = linked(st.segmented_control, "Show", "show", labels, "errors", notices, required=True)
        true = linked(st.selectbox, "True class", "true", any_class, "any", notices, width=presenter.grown(119))
        predicted = linked(
            st.selectbox, "Predicted class", "predicted", any_class, "any", notices, width=presenter.grown(119)
        )
        labels = {name: label for name, (label, _) in SORT.items()}
        sort = linked(st.selectbox, "Sort by", "sort", labels, "surest", notices, width=presenter.grown(190))
    return {
        "correct": SHOW[show][1],
        "true_class": int(true) if true in numbers else None,
        "predicted_class": int(predicted) if predicted in numbers else None,
        **SORT[sort][1],
    }


def draw_page_of_cases(run, networks, predictions, indices, classes, colour, cell):
    """A hundred of the images, and which of how many they are; the one that the URL names is open."""
    image = image_in_url(len(predictions["labels"]))
    if image is not None and image not in indices:
        st.caption(f"No. {image} does not fit the choices above, and stands before those that do.")
        indices = np.concatenate([[image], indices])
    if not len(indices):
        st.info("No test image fits these filters.")
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        count = st.empty()
        at = None if image is None else 1 + int(np.flatnonzero(indices == image)[0]) // PAGE_SIZE
        page, draw_pager = linked_page(math.ceil(len(indices) / PAGE_SIZE), at)
        draw_pager("top")
    first = (page - 1) * PAGE_SIZE
    shown = indices[first : first + PAGE_SIZE]
    count.caption(
        f"**{first + 1:,}–{first + len(shown):,} of {len(indices):,}** · click one for details",
        help="Under each: what it is → what it was taken for, how confident it was, its number in the test set. "
        "Opened, it also shows what the other networks take it for, or those chosen above; the address then leads to "
        "it.",
    )
    try:
        images = data.test_images(data.config(run).dataset)
    except DatasetUnavailable as error:
        st.error(str(error))
        return
    draw_cases(images, predictions, shown, classes, colour, run.id)
    with st.container(horizontal=True, horizontal_alignment="right"):
        draw_pager("bottom")
    follow_open_image(run, image, page, f"{cell[0]} {cell[1]}", networks)


def choose_cell(true_class, predicted_class):
    """Filters by a clicked cell of the matrix; a second click takes the filter away."""
    cell = {"true": str(true_class), "predicted": str(predicted_class)}
    if all(st.query_params.get(name) == value for name, value in cell.items()):
        put_in_url(true=None, predicted=None)
    elif st.query_params.get("show") == "all":
        put_in_url(**cell)
    else:
        put_in_url(**cell, show="success" if true_class == predicted_class else "errors")


def draw_matrix(run, matrix, classes, colour, cell):
    """The matrix, what is chosen in it, and each class's accuracy."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown("## Confusion matrix", width="content")
        st.button(
            "Clear",
            help="Show every cell's images",
            icon=":material/filter_alt_off:",
            type="tertiary",
            disabled=cell == (None, None),
            on_click=put_in_url,
            kwargs={"true": None, "predicted": None},
        )
    st.caption("Click a cell to see its images.")
    draw_confusion(matrix, classes, colour, cell, f"matrix {run.id}", choose_cell)
    st.markdown("## Accuracy of each class")
    draw_class_accuracies(matrix, classes, colour)


def draw_gallery(run, networks):
    """Everything about a run that was tested; beside it, in an open image, runs of these networks, or of all."""
    config, predictions = data.config(run), data.predictions(run)
    classes, colour = DATASETS[config.dataset]["classes"], NETWORK_COLOURS[config.network]
    logits, labels = predictions["logits"], predictions["labels"]
    matrix = scores.confusion_matrix(logits, labels)
    draw_facts(run, matrix)
    st.html(STICKY)
    left, right = st.columns([6, 7], gap="medium")
    images = right.container(key="images")
    with images:
        filters = draw_filters(classes)
    cell = filters["true_class"], filters["predicted_class"]
    with left, st.container(key="matrix"):
        draw_matrix(run, matrix, classes, colour, cell)
    with images:
        indices = scores.cases(logits, labels, **filters)
        draw_page_of_cases(run, networks, predictions, indices, classes, colour, cell)


follow_inner_links()
st.title("Gallery")
run, networks = choose_run()
if run:
    try:
        draw_gallery(run, networks)
    except RunError as error:
        st.error(plain(str(error)))
