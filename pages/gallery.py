"""Gallery: which test images a network gets right, which wrong, what it takes them for, and when it learned them."""

import math
from typing import NamedTuple

import numpy as np
import streamlit as st

from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable
from core.explain import image_history
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from core.results import scores
from core.runs.run import UNFINISHED, RunError
from pages.parts import data, presenter, story
from pages.parts.charts.confusion import draw_class_accuracies, draw_confusion
from pages.parts.epochs import draw_epochs, epoch_in_url
from pages.parts.glossary import help_on
from pages.parts.image_grid import draw_cases
from pages.parts.inner_links import follow_inner_links, look_inside
from pages.parts.inside.choice import opens, tested_runs
from pages.parts.linked import linked, linked_many, linked_page, linked_switch, put_in_url
from pages.parts.map.in_gallery import choose_view, draw_map_of, map_of, strangers, within_area
from pages.parts.open_image import follow_open_image, image_in_url, predictions_of_others
from pages.parts.refreshing import refreshing
from pages.parts.shell import begin_page
from pages.parts.starting import link_to_training
from pages.parts.style import interval, percent, plain
from pages.parts.urls import runs_in_url

begin_page()

PAGE_SIZE = 100
REFRESH_SECONDS = 3
NEEDED = ("config.json", "status.json", "metrics.json", "test_predictions.npz", "epoch_predictions.bin")
KINDS = {"network": ("Network", NETWORKS), "dataset": ("Dataset", DATASETS)}
# What the URL says -> what the widget says, and what it asks of `scores.fitting`.
SHOW = {"errors": ("Errors", False), "success": ("Successes", True), "all": ("All", None)}
# The same, and which images have that story.
STORIES = {
    "any": ("Any story", None),
    "never": ("Never learned", image_history.never_learned),
    "forgotten": ("Forgotten", image_history.were_forgotten),
    "late": ("Learned late", image_history.learned_late),
}
ABOUT_STORIES = (
    "How its predictions went, epoch by epoch. Never learned: right after no epoch. Forgotten: right after one epoch "
    "and wrong after the next, once or more often. Learned late: right in the end, but only from the second half of "
    "the epochs on."
)
ABOUT_HIDDEN = "For asking a class first: neither the true class of an image nor the prediction is shown."
ABOUT_OTHER = "A network can be looked into when its training is over. Until then the link leads to one that is there."
# Beside the images, not above them, the matrix stays where it is while they scroll.
STICKY = """<style>
@media (min-width: 641px) { [data-testid="stColumn"]:has(> * .st-key-matrix) { position: sticky; top: 3.75rem;
  align-self: flex-start; max-height: calc(100vh - 6.5rem); overflow-y: auto; scrollbar-width: thin; }
  [data-testid="stMainBlockContainer"] { padding-bottom: 2rem; } }
</style>"""
# The same, which of a View's scores it sorts by, and whether the highest comes first.
SORT = {
    "surest": ("Most confident first", "confidence", True),
    "unsurest": ("Least confident first", "confidence", False),
    "worst": ("Highest loss first", "loss", True),
    "best": ("Lowest loss first", "loss", False),
    "forgotten": ("Most forgotten first", "forgetting", True),
    "strangers": ("Most out of place on the map", "strangers", True),
}


class View(NamedTuple):
    """What the Gallery shows of a run: its network after one epoch.

    Attributes:
        epoch: that, from 1.
        predictions: what `draw_cases` needs.
        classes: the predicted ones, (N,).
        matrix: (classes, classes).
        scores: name -> a function that gives the images' scores, (N,), to sort by.
        recorded: the run's `data.Epochs`, or None.
    """

    epoch: int
    predictions: dict
    classes: np.ndarray
    matrix: np.ndarray
    scores: dict
    recorded: data.Epochs | None


def choose_run():
    """The run that the URL names, else the first of `data.own_first` that was tested and fits what is chosen, else one
    that still trains, or None where there is nothing to look at; and the networks chosen, a list, empty for all.
    """
    readable, damaged = data.readable_runs()
    damages = zip(readable, data.damages(readable), strict=True)
    sound = data.own_first(run for run, damaged in damages if damaged.keys().isdisjoint(NEEDED))
    tested, others = [], []
    for run, was_tested in zip(sound, data.were_tested(sound), strict=True):
        (tested if was_tested else others).append(run)
    shown = {run.id: run for run in [*tested, *filter(data.epochs, others)]}
    named = next(iter(runs_in_url()), None)
    if named:
        if named.id not in shown:
            say_untested(named)
    elif not shown:
        for sentence in damaged:
            st.error(plain(sentence), icon=":material/broken_image:")
        if sound:
            say_untested(sound[0])
        elif not damaged:
            st.info("Nothing to browse yet: the gallery shows the test images as a trained network sees them.")
            link_to_training()
    if not shown:
        return None, []
    notices = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kinds = choose_kinds(list(shown.values()), named, notices)
        fitting = dict.fromkeys(run.id for run in fit(shown.values(), kinds))
        wanted = named.id if named else next(iter(fitting), None)
        # A run that a link names is shown whatever else is chosen.
        offered = [run_id for run_id in shown if run_id in fitting or run_id == wanted]
        st.session_state["gallery run"] = wanted if wanted in shown else None
        chosen = st.selectbox(
            "Run",
            offered,
            key="gallery run",
            format_func=dict(zip(shown, data.names(shown.values()), strict=True)).get,
            placeholder="Choose a run that has been tested",
            on_change=lambda: put_in_url(run=st.session_state["gallery run"], epoch=None, area=None, **open_image()),
        )
    if not offered:
        st.info("No tested run fits these choices. Remove one of them.", icon=":material/filter_alt_off:")
    return shown.get(chosen), kinds["network"]


def open_image():
    """What the URL says of the image, to be said again."""
    return {"image": st.query_params.get_all("image")}


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
        offered = {getattr(config, column) for config in data.configs(tested)}

        def also(before, now, column=column):
            # A click shows a run of what it adds, the present one where that fits.
            present = named or next(iter(fit(tested, chosen)), None)
            found = fit(tested, chosen | {column: [name for name in now if name not in before] or now})
            shown = present if present in found else next(iter(found), None)
            default = next(iter(fit(tested, chosen | {column: now})), None)
            same_images = shown and present and data.config(shown).dataset == data.config(present).dataset
            return {
                "run": None if shown == default else shown.id,
                **{name: st.query_params.get_all(name) if shown == present else None for name in ("epoch", "area")},
                "image": st.query_params.get_all("image") if same_images else None,
            }

        chosen[column] = linked_many(label, column, labels, offered, notices, also=also)
    return chosen


def fit(runs, chosen):
    """Those of the runs that are of the kinds chosen, a dict as from `choose_kinds`."""
    return [
        run
        for run, config in zip(runs, data.configs(runs), strict=True)
        if all(not names or getattr(config, column) in names for column, names in chosen.items())
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
        opens = "its first epoch is over" if data.config(run).record_test_predictions else "its network has been tested"
        st.info(f"{name} is {state}: its gallery opens when {opens}.")
        follow_training(run)
    else:
        st.info(f"{name} has not been tested ({state}), so it has no gallery.")
    st.page_link("pages/train.py", label="See it on Train", icon=":material/show_chart:", query_params={"run": run.id})


def follow_training(run):
    """Draws the page again when there is more to see of a run that trains."""

    def what_is_there():
        try:
            recorded, trains = data.epochs(run), data.state(run)["state"] in UNFINISHED
            return recorded and len(recorded.classes), bool(data.metrics(run)), trains
        except RunError:
            return None

    seen = what_is_there()

    def look():
        if what_is_there() != seen:
            st.rerun()

    refreshing(look, REFRESH_SECONDS)


def view_of(run, notices):
    """What the URL asks to see of a run.

    Returns:
        The View of the epoch that the URL names; the epoch that it does not need to name, which is the best of a run
        that was tested and the newest of another; how many epochs there are, or shall be.
    """
    metrics, recorded = data.metrics(run), data.epochs(run)
    default = metrics["best"]["epoch"] if metrics else len(recorded.classes)
    epoch = epoch_in_url(len(recorded.classes), default, notices) if recorded else default
    if metrics and epoch == default:
        predictions = data.predictions(run)
        logits, labels = predictions["logits"], predictions["labels"]
        classes, matrix = scores.predicted_classes(logits), scores.confusion_matrix(logits, labels)
        scored = {
            "confidence": lambda: scores.log_odds(logits, classes),
            # What is the least probable costs the most.
            "loss": lambda: -scores.log_odds(logits, labels),
        }
    else:
        labels, classes = recorded.labels, recorded.classes[epoch - 1]
        confidences = recorded.confidences[epoch - 1] / 255
        predictions = {"labels": labels, "classes": classes, "confidences": confidences}
        matrix = recorded.matrices[epoch - 1]
        scored = {
            "confidence": lambda: confidences,
            "loss": lambda: image_history.least_losses(classes, confidences, labels),
        }
    if map_of(run, labels) is not None:
        scored["strangers"] = lambda: strangers(run, labels)
    if recorded:
        # The place of each in that order.
        scored["forgetting"] = lambda: -np.argsort(image_history.by_forgetting(recorded.stories))
    total = metrics["epochs"] if metrics else data.config(run).epochs
    return View(epoch, predictions, classes, matrix, scored, recorded), default, total


def draw_facts(view, total, notices):
    """How good the network of this epoch is, and the switch that hides all answers; returns whether they are hidden."""
    images, right = int(view.matrix.sum()), int(view.matrix.diagonal().sum())
    with st.container(key="facts"):
        accuracy, wrong, epoch, switch = st.columns(4)
    with switch:
        hidden = linked_switch("Hide the answers", "hidden", notices, help=ABOUT_HIDDEN)
    accuracy.metric(
        "Test accuracy",
        "?" if hidden else percent(right / images),
        None if hidden else interval(right, images),
        delta_color="off",
        delta_arrow="off",
        help=help_on("accuracy"),
    )
    wrong.metric(f"Wrong of {images:,}", "?" if hidden else f"{images - right:,}")
    epoch.metric("Weights of epoch", f"{view.epoch} of {total}", help=help_on("epoch"))
    return hidden


def reveal():
    """Takes the hiding out of the URL, and leaves the page and the open image."""
    put_in_url(hidden=None, page=st.query_params.get_all("page"), **open_image())


def default_show():
    """What the Gallery shows where the URL does not say: who asks for a story wants all that have it."""
    return "all" if st.query_params.get("story") in STORIES else "errors"


def draw_filters(classes, view):
    """The filters' widgets; returns what they say: "show", "story" and "sort", a key each, "true" and "predicted", a
    class or None.
    """
    recorded, numbers = view.recorded, {str(number): name for number, name in enumerate(classes)}
    any_class = {"any": "Any class"} | numbers
    notices, found = st.container(), {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        labels = {name: label for name, (label, _) in SHOW.items()}
        found["show"] = linked(st.segmented_control, "Show", "show", labels, default_show(), notices, required=True)
        for name, label in (("true", "True class"), ("predicted", "Predicted class")):
            said = linked(st.selectbox, label, name, any_class, "any", notices, width=presenter.grown(119))
            found[name] = int(said) if said in numbers else None
        # What was not recorded is not offered.
        stories = {name: label for name, (label, _) in STORIES.items() if recorded or name == "any"}
        found["story"] = linked(
            st.selectbox,
            "Learned",
            "story",
            stories,
            "any",
            notices,
            width=presenter.grown(130),
            help=ABOUT_STORIES,
            disabled=not recorded,
        )
        labels = {name: label for name, (label, by, _) in SORT.items() if by in view.scores}
        default = "forgotten" if found["story"] == "forgotten" else "surest"
        found["sort"] = linked(st.selectbox, "Sort by", "sort", labels, default, notices, width=presenter.grown(190))
    return found


def chosen_images(view, filters):
    """The numbers of the test images that fit, in their order."""
    labels = view.predictions["labels"]
    wanted = scores.fitting(view.classes, labels, SHOW[filters["show"]][1], filters["true"], filters["predicted"])
    _, has_story = STORIES[filters["story"]]
    if has_story:
        wanted &= has_story(view.recorded.stories, len(view.recorded.classes))
    _, by, descending = SORT[filters["sort"]]
    return scores.in_order(wanted, view.scores[by](), descending)


def draw_page_of_cases(run, networks, view, filters, hidden, shows_map):
    """A hundred of the images, and which of how many they are; the one that the URL names is open. Returns the numbers
    of those that are drawn.
    """
    config, indices = data.config(run), chosen_images(view, filters)
    if shows_map:
        indices = within_area(run, indices, view.predictions["labels"])
    nothing = np.empty(0, int)
    image = image_in_url(len(view.classes))
    if image is not None and image not in indices:
        st.caption(f"No. {image} does not fit the choices above; it is shown before those that do.")
        indices = np.concatenate([[image], indices])
    if not len(indices):
        st.info("No test image fits these filters.")
        return nothing
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        count = st.empty()
        at = None if image is None else 1 + int(np.flatnonzero(indices == image)[0]) // PAGE_SIZE
        page, draw_pager = linked_page(math.ceil(len(indices) / PAGE_SIZE), at)
        draw_pager("top")
    first = (page - 1) * PAGE_SIZE
    shown = indices[first : first + PAGE_SIZE]
    count.caption(
        f"**{first + 1:,}–{first + len(shown):,} of {len(indices):,}** · click one for details",
        help="Under each image: its true class → the predicted class, how confident the network was, and the image's "
        "number in the test set. An open image also shows when it was learned, and what the other networks, or those "
        "chosen above, take it for; the address then leads to it.",
    )
    try:
        images = data.test_images(config.dataset)
    except DatasetUnavailable as error:
        st.error(str(error))
        return nothing
    colour, classes = NETWORK_COLOURS[config.network], DATASETS[config.dataset]["classes"]
    with_stories = view.recorded and (filters["story"] != "any" or SORT[filters["sort"]][1] == "forgetting")
    notes = [story.in_words(view.recorded, each) for each in shown] if with_stories else None
    draw_cases(images, view.predictions, shown, classes, colour, way_inside(run, hidden), notes, hidden)
    with st.container(horizontal=True, horizontal_alignment="right"):
        draw_pager("bottom")
    aside = ""
    if image is not None and not hidden:
        told = story.strip(view.recorded, image, classes, view.epoch) if view.recorded else ""
        aside = told + predictions_of_others(run, image, networks)
    chosen = [str(filters["true"]), str(filters["predicted"]), *st.query_params.get_all("area") * shows_map]
    follow_open_image(image, page, " ".join(chosen), aside)
    return shown


def way_inside(run, hidden):
    """What leads from an image to what is inside the run's network, for `draw_cases`: before it is there, to another
    network that is.
    """
    if data.metrics(run):
        return lambda image: look_inside(image, [run.id], hidden=hidden)
    network, dataset = data.config(run).network, data.config(run).dataset
    others = [each for each in tested_runs() if opens(each) and data.config(each).dataset == dataset]
    if not others:
        return lambda image: "<span>Look inside it when its training is over.</span>"
    other = min(others, key=lambda each: data.config(each).network != network)
    words = f"Look inside {NETWORKS[data.config(other).network]['label']}"
    told = f'<span title="{ABOUT_OTHER}">Not inside this one yet</span>'
    return lambda image: told + look_inside(image, [other.id], words, hidden=hidden)


def choose_cell(true_class, predicted_class):
    """Filters by a clicked cell of the matrix; a second click takes the filter away."""
    cell = {"true": str(true_class), "predicted": str(predicted_class)}
    if all(st.query_params.get(name) == value for name, value in cell.items()):
        put_in_url(true=None, predicted=None)
    elif st.query_params.get("show", default_show()) == "all":
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
    with st.container(key="classes"):
        draw_class_accuracies(matrix, classes, colour)


def about_epochs(run, view, default):
    """What there is to know about the epochs of a run, in a sentence or two."""
    if not view.recorded:
        return (
            "This run did not record its predictions after each epoch, so nobody can see when it learned: train it "
            "with “Test predictions per epoch” under “More settings”."
        )
    if data.metrics(run):
        return f"Epoch {default} did best on validation and was kept."
    newest = len(view.recorded.classes)
    if data.state(run)["state"] not in UNFINISHED:
        return f"Its training ended after epoch {newest}, and its network was not tested."
    if view.epoch == newest:
        return f"The run is still training. Epoch {newest} is the newest, and this page follows it."
    return f"The run is still training. Epoch {newest} is the newest; move the slider there to follow it."


def verdicts_of(run, view):
    """What the network of a View's epoch makes of each image, as `data.Verdicts`."""
    found = view.predictions
    sure = found["confidences"] if "confidences" in found else data.verdicts(run).confidences
    return data.Verdicts(found["labels"], view.classes, sure)


def now(view, verdicts, shown):
    """What `draw_epochs` is told of the epoch that is shown."""
    return {
        "right": int(view.matrix.trace()),
        "interval": interval(int(view.matrix.trace()), len(view.classes)),
        "classes": view.classes[shown].tolist(),
        "confidences": [percent(float(each), 1) for each in verdicts.confidences[shown]],
    }


def draw_gallery(run, networks):
    """Everything about a run; beside it, in an open image, runs of these networks, or of all."""
    config = data.config(run)
    classes, colour = DATASETS[config.dataset]["classes"], NETWORK_COLOURS[config.network]
    notices = st.container()
    view, default, total = view_of(run, notices)
    hidden = draw_facts(view, total, notices)
    st.html(STICKY)
    story.draw_style()
    left, right = st.columns([6, 7], gap="medium")
    images, beside = right.container(key="images"), left.container(key="matrix")
    with beside:
        notices, row = st.container(), st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        shows_map = choose_view(notices) == "map"
    with images:
        filters = draw_filters(classes, view)
        shown = draw_page_of_cases(run, networks, view, filters, hidden, shows_map)
    with beside:
        note, verdicts = about_epochs(run, view, default), verdicts_of(run, view)
        if hidden:
            comes = "The colours of the map come" if shows_map else "The matrix comes"
            st.info(f"What will it say? {comes} with the answers.", icon=":material/help:")
            st.button("Reveal", icon=":material/visibility:", on_click=reveal)
        if view.recorded and len(view.recorded.classes) > 1 and not hidden:
            about = {"epoch": view.epoch, "usual": default, "total": total, "note": note}
            about["now"] = now(view, verdicts, shown)
            draw_epochs(f"epochs {run.id}", view.recorded, about, shown, classes, colour)
        else:
            st.caption(note)
        cell = filters["true"], filters["predicted"]
        if shows_map:
            draw_map_of(run, verdicts, cell, image_in_url(len(view.classes)), row, hidden)
        elif not hidden:
            draw_matrix(run, view.matrix, classes, colour, cell)
    if not data.metrics(run) and data.state(run)["state"] in UNFINISHED:
        follow_training(run)


follow_inner_links()
st.title("Gallery")
run, networks = choose_run()
if run:
    try:
        draw_gallery(run, networks)
    except RunError as error:
        st.error(plain(str(error)))
