"""Draw: a digit with mouse, pen or finger, and what every trained MNIST network reads in it, while you draw."""

from collections import Counter

import streamlit as st

from core.digits.strokes import DATASET, DrawingError
from core.networks.catalogue import NETWORKS
from core.results import table as results
from core.results.reference import NETWORKS_OF_REPORT
from core.runs.run import UNFINISHED, RunError, open_run
from core.settings import read_only
from pages.parts import data
from pages.parts.draw.pad import drawing_pad
from pages.parts.draw.picture_choice import picture_choice
from pages.parts.draw.predictions import Reader, draw_predictions
from pages.parts.refreshing import refreshing
from pages.parts.shell import begin_page
from pages.parts.starting import quick_start_button
from pages.parts.style import NETWORK_COLOURS, pair_label, plain
from pages.parts.urls import runs_in_url

begin_page()

REFRESH_SECONDS = 2


def chosen_runs(mnist_runs):
    """Run id -> test accuracy: the best completed run of each network, in the networks' order, and those in the URL."""
    completed = [run for run in mnist_runs if data.state(run)["state"] == "completed" and run.tflite_path.exists()]
    rows, problems = data.table(completed)
    best = results.best_runs(rows)
    named, more = data.table([run for run in runs_in_url() if reads_digits(run)])
    for problem in problems + more:
        st.warning(plain(problem))
    rows = [best[network, DATASET] for network in NETWORKS if (network, DATASET) in best] + named.to_dict("records")
    return {row["run"]: row["test_accuracy"] for row in rows}


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
    labels = [NETWORKS[data.config(run).network]["label"] for run in runs]
    often = Counter(labels)
    return [
        Reader(
            run,
            f"{label} {run.id[-4:]}" if often[label] > 1 else label,
            NETWORK_COLOURS[data.config(run).network],
            data.name(run),
            accuracies[run.id],
            data.metrics(run).get("quantized", {}).get("test_accuracy"),
        )
        for run, label in zip(runs, labels, strict=True)
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
    """Ten probabilities for one uint8 (28, 28) digit."""
    return data.classifier(reader.run).classify(image[None, :, :, None])[0]


@st.fragment
def draw(found, missing):
    """The pad, the answers, and networks to train instead: all that a stroke runs again."""
    left, right = st.columns([2, 3], gap="medium")
    image, predictions = None, []
    with left:
        try:
            image = drawing_pad("pad")
        except DrawingError as error:
            st.error(plain(str(error)))
        picture_choice("pad")
    with right:
        try:
            predictions = [] if image is None else [ask(reader, image) for reader in found]
        except RunError as error:
            st.error(plain(str(error)))
            image = None
        draw_predictions(image, found, predictions, "predictions")
        if missing:
            offer(missing, bool(found))


def offer(networks, beside):
    """Buttons that train what is missing, quick; `beside` says whether others answer already."""
    if beside:
        st.caption("Not trained on MNIST yet. Train one, quick: minutes, then it answers here too.")
    else:
        st.info("Train a network on MNIST, quick: it takes minutes, and then it reads what you draw.")
    with st.container(horizontal=True):
        for network in networks:
            quick_start_button(f"Train {NETWORKS[network]['label']}", network, DATASET)


def await_training(runs):
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
            label=f"{label} is learning digits{epoch}. It answers here when it is done.",
            icon=":material/show_chart:",
            query_params={"run": run.id},
        )


def main():
    st.title("Draw")
    st.write("Draw a digit, or choose a picture of one. Each network that was trained on MNIST says what it reads.")
    mnist_runs = [run for run in data.readable_runs()[0] if data.config(run).dataset == DATASET]
    found = readers(chosen_runs(mnist_runs))
    learning = [run for run in mnist_runs if data.state(run)["state"] in UNFINISHED]
    there = {data.config(run).network for run in [*learning, *(reader.run for reader in found)]}
    draw(found, [] if read_only() else [network for network in NETWORKS_OF_REPORT if network not in there])
    if learning:
        refreshing(lambda: await_training(learning), REFRESH_SECONDS)


main()
