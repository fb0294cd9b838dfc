"""Draw: a digit with mouse, pen or finger, and what every trained MNIST network reads in it, while you draw."""

from collections import Counter

import streamlit as st

from core.config.recipes import RECIPES
from core.digits.strokes import DATASET, DrawingError
from core.explain.pictures import in_address
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from core.results import table as results
from core.results.reference import NETWORKS_OF_REPORT
from core.runs.run import UNFINISHED, RunError, open_run
from core.settings import read_only
from pages.parts import data
from pages.parts.draw.pad import drawing_in_address, drawing_pad, open_drawing
from pages.parts.draw.picture_choice import picture_choice
from pages.parts.draw.predictions import MOST_AT_ONCE, Reader, draw_predictions
from pages.parts.inside.choice import MOST_RUNS, opens
from pages.parts.linked import linked, linked_switch, put_runs_in_url
from pages.parts.map.placed import draw_placed
from pages.parts.refreshing import refreshing
from pages.parts.shell import begin_page
from pages.parts.starting import quick_start_button
from pages.parts.style import moment, pair_label, plain
from pages.parts.unlike import is_unlike, warn_of_unlike
from pages.parts.urls import runs_in_url

begin_page()

REFRESH_SECONDS = 2
ABOUT_MAP = "Shows where the drawing lies among the 10,000 test images, as each network sees them."
NEWEST, BEST, CHOSEN = "newest", "best", "any"
# What the URL says -> what the widget says, and what becomes of a network that is still learning.
CHOICES = {
    NEWEST: ("Newest", "It answers here when it is done."),
    BEST: ("Best", "It answers here when it is done, if it is the best of its kind."),
    CHOSEN: ("Choose", "When it is done, you can choose it here."),
}
# Beside the pad the answers, below it the place for a picture; on a phone the answers come first. The choice of who
# answers stands below the answers, so that nothing is between the pad and the verdict there.
_STYLE = """<style>
.st-key-drawing { display: grid; gap: 1rem 2rem; grid-template: auto 1fr / minmax(0, 2fr) minmax(0, 3fr); }
.st-key-drawing > :nth-child(2) { grid-area: 1 / 2 / 3 / 3; }
.st-key-drawing > :nth-child(3) { grid-column: 1; }
@media (max-width: 640px) { .st-key-drawing { display: flex; } }
</style>"""


def answering(choice, completed):
    """Run id -> test accuracy of the runs whose networks answer, in the networks' order; and how many others could.

    Args:
        choice: one of CHOICES.
        completed: the runs that have learned digits, newest first.
    """
    named = [run for run in runs_in_url() if reads_digits(run)]
    proposed = [] if choice == CHOSEN and named else best(completed) if choice == BEST else newest(completed)
    asked = list(dict.fromkeys([*named, *proposed[:MOST_AT_ONCE]]))
    rows, problems = data.table(asked)
    for problem in problems:
        st.warning(plain(problem))
    return dict(zip(rows["run"], rows["test_accuracy"], strict=True)), len(set(proposed) - set(asked))


def newest(completed):
    """Each network's newest run, the last ones trained first."""
    first = {}
    for run, config in zip(completed, data.configs(completed), strict=True):
        first.setdefault(config.network, run)
    return list(first.values())


def best(completed):
    """Each network's best run; see `core.results.table.best_runs`."""
    rows, _ = data.table(completed)
    return [open_run(row["run"]) for row in results.best_runs(rows).values()]


def reads_digits(run):
    """Whether a run from the URL has learned digits to the end; says so if not."""
    try:
        config, tested = data.config(run), data.metrics(run) is not None
    except RunError as error:
        st.warning(plain(str(error)))
        return False
    if config.dataset != DATASET:
        st.info(f"{pair_label(config.network, config.dataset)} has not learned digits, so it does not answer here.")
    elif not tested:
        st.info(f"{run.id} has not been trained and tested yet, so it does not answer here.")
    return tested and config.dataset == DATASET


def readers(accuracies):
    """A Reader for each run whose network can be loaded; says why for the others."""
    runs = loaded(map(open_run, accuracies))
    which = told_apart([(data.config(run), data.created(run), run) for run in runs])
    return [
        Reader(
            run,
            NETWORKS[data.config(run).network]["label"],
            NETWORK_COLOURS[data.config(run).network],
            data.name(run),
            accuracies[run.id],
            data.metrics(run).get("quantized", {}).get("test_accuracy"),
            words,
            data.config(run).label_smoothing,
        )
        for run, words in zip(runs, which, strict=True)
    ]


def told_apart(runs):
    """What tells each of (config, created, run) from the others of its network: "quick, 14:05" on the day it was made,
    "modern, 22 Nov" later, "modern, included", and the end of the run's id where two would still be alike.
    """
    words = [
        f"{RECIPES[config.recipe]['label'].lower()}, {'included' if run.is_shipped else moment(created)}"
        for config, created, run in runs
    ]
    often = Counter((config.network, said) for (config, _, _), said in zip(runs, words, strict=True))
    return [
        f"{said}, {run.id[-4:]}" if often[config.network, said] > 1 else said
        for (config, _, run), said in zip(runs, words, strict=True)
    ]


def loaded(runs):
    """Those of the runs whose networks are ready to answer, all at once; says why of the others."""
    ready, room = [], data.NETWORK_BYTES
    for run in runs:
        size = data.network_bytes(run)
        if ready and size > room:
            st.warning(
                f"{run.id} does not answer here: the networks before it take all the memory that is kept for them. "
                "Open this page with fewer runs."
            )
            continue
        try:
            data.classifier(run)
        except RunError as error:
            st.warning(plain(str(error)))
        else:
            ready.append(run)
            room -= size
    return ready


def ask(reader, image):
    """Ten probabilities for one uint8 (28, 28) digit, and whether it is unlike the test digits."""
    inside = data.classifier(reader.run).open(image[..., None], [])
    return inside.probabilities, is_unlike(reader.run, inside.features)


@st.fragment
def draw(found, missing, choice, completed, left_out):
    """The pad, the answers, who answers, and networks to train instead: all that a stroke runs again."""
    image, answers, predictions = None, [], []
    st.html(_STYLE)
    with st.container(key="drawing"):
        with st.container(key="drawing-pad"):
            try:
                image = drawing_pad("pad")
            except DrawingError as error:
                st.error(plain(str(error)))
        with st.container(key="drawing-answers"):
            try:
                answers = [] if image is None else [ask(reader, image) for reader in found]
                predictions = [probabilities for probabilities, _ in answers]
            except RunError as error:
                st.error(plain(str(error)))
                image = None
            draw_predictions(image, found, predictions, "predictions")
            if predictions:
                strange = {
                    reader.label: reader.run for reader, (_, unlike) in zip(found, answers, strict=True) if unlike
                }
                warn_of_unlike("Your drawing", strange)
                link_inside(image, found)
            show_on_maps(image, found)
            if completed:
                choose(choice, completed, found, left_out)
            if missing:
                offer(missing, bool(found))
        with st.container(key="drawing-picture"):
            picture_choice("pad")


def show_on_maps(image, found):
    """A switch, since it costs a moment at every stroke, and where the drawing lies among the test images."""
    if not found:
        return
    notices = st.container()
    if linked_switch("On the map", "map", notices, help=ABOUT_MAP):
        draw_placed(image, found)


def link_inside(image, found):
    """The way to what happens inside the first two networks that answer, with what is on the pad."""
    address = drawing_in_address("pad")
    what = {"drawing": address} if address else {"picture": in_address(image[..., None])}
    st.page_link(
        "pages/inside.py",
        label="Look inside",
        icon=":material/search_insights:",
        query_params={"run": [reader.run.id for reader in found[:MOST_RUNS]], **what},
    )


def choose(choice, completed, found, left_out):
    """Who answers: the newest runs, the best ones, or those that are chosen here. All of it is in the URL."""
    notices = st.container()
    labels = {name: label for name, (label, _) in CHOICES.items()}
    now = linked(st.segmented_control, "Who answers", "answer", labels, NEWEST, notices, required=True)
    if now != choice:
        st.rerun()
    if choice == CHOSEN:
        key = "chosen to answer"
        st.session_state[key] = [reader.run for reader in found if reader.run in completed]
        st.multiselect(
            "Networks that answer",
            completed,
            key=key,
            format_func=data.name,
            on_change=lambda: put_runs_in_url(st.session_state[key]),
            placeholder="Choose networks",
        )
    if left_out:
        others = "1 other network has" if left_out == 1 else f"{left_out} other networks have"
        st.caption(f"{others} learned digits too. To ask them, choose “{CHOICES[CHOSEN][0]}”.")


def name_those_without_networks(runs):
    """Which runs learned digits too and cannot read one here, and the way to what there is of them."""
    st.caption(
        "These learned digits too and came without their networks, to keep the download small: they cannot read a "
        "drawing before they are trained here. The links show what they predict for the test images."
    )
    with st.container(horizontal=True, gap="medium"):
        for run in runs:
            # When it was made says nothing to whoever did not make it.
            name = data.name(run).split(" · ")[0]
            st.page_link("pages/inside.py", label=name, icon=":material/search_insights:", query_params={"run": run.id})


def offer(networks, beside):
    """Buttons that train what is missing, quick; `beside` says whether others answer already."""
    if beside:
        st.caption("Not trained on MNIST yet. A quick training takes minutes; then the network answers here too.")
    else:
        st.info("Train a network on MNIST: a quick training takes minutes, and then the network reads what you draw.")
    with st.container(horizontal=True):
        for network in networks:
            quick_start_button(f"Train {NETWORKS[network]['label']}", network, DATASET)


def await_training(runs, choice):
    """Links to the runs that learn digits now; the page starts anew when one of them ends."""
    for run in runs:
        try:
            status = data.state(run)
        except RunError:
            st.rerun()
        if status["state"] not in UNFINISHED:
            st.rerun()
        label = NETWORKS[data.config(run).network]["label"]
        epoch = f", epoch {status['epoch']} of {status['epochs']}" if status.get("epoch") else ""
        st.page_link(
            "pages/train.py",
            label=f"{label} is learning digits{epoch}. {CHOICES[choice][1]}",
            icon=":material/show_chart:",
            query_params={"run": run.id},
        )


def open_link():
    """Lays the drawing that the address holds on the pad; returns in one sentence why it cannot, or None."""
    try:
        open_drawing("pad", st.query_params.get("drawing"))
    except DrawingError as error:
        return str(error)
    return None


def main():
    st.title("Draw")
    st.write("Draw a digit, or choose a picture of one. Networks that have learned digits say what they read.")
    unreadable = open_link()
    mnist_runs = data.runs_on(DATASET)
    states = data.states(mnist_runs)
    ended = [run for run, state in zip(mnist_runs, states, strict=True) if state == "completed"]
    completed = [run for run in ended if opens(run)]
    choice = st.query_params.get("answer", NEWEST)
    choice = choice if choice in CHOICES else NEWEST
    accuracies, left_out = answering(choice, completed)
    found = readers(accuracies)
    learning = [run for run, state in zip(mnist_runs, states, strict=True) if state in UNFINISHED]
    there = {config.network for config in data.configs([*learning, *completed, *(reader.run for reader in found)])}
    missing = [] if read_only() else [network for network in NETWORKS_OF_REPORT if network not in there]
    absent = [
        run
        for run in mnist_runs
        if data.is_shipped(run) and not data.is_evidence(run) and data.metrics(run) and not opens(run)
    ]
    draw(found, missing, choice, completed, left_out)
    if unreadable:
        # Above the pad it would move the pad from under the pen as it goes.
        st.warning(unreadable, icon=":material/link_off:")
    if learning:
        refreshing(lambda: await_training(learning, choice), REFRESH_SECONDS)
    if absent:
        name_those_without_networks(absent)


main()
