"""Round: ten test images, you against the networks. All of it is in the address, so a class can play the same round."""

import itertools
import random
import time
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from core.results import rounds
from core.results import table as results
from core.runs.run import RunError, open_run
from pages.parts import data
from pages.parts.charts.curves import short_names
from pages.parts.inner_links import follow_inner_links, look_inside
from pages.parts.inside.choice import opens
from pages.parts.linked import linked, put_in_url
from pages.parts.round_board import (
    Opponent,
    draw_board,
    draw_link,
    draw_picture,
    draw_score,
    draw_standings,
    draw_strips,
    draw_style,
    draw_table,
    draw_verdict,
    keep_focus,
    mark_classes,
)
from pages.parts.shell import begin_page
from pages.parts.starting import link_to_training
from pages.parts.style import duration, plain
from pages.parts.urls import runs_in_url

begin_page()

# So many play where nobody chooses, and so many can be chosen.
AT_FIRST, MOST = 4, 8
HARD, ALL = "hard", "all"
FROM = {HARD: "The hard end", ALL: "All"}
ABOUT_FROM = (
    "The hard end are the images that these networks got wrong or were least sure of: on average a "
    "network is wrong about every second one."
)
DATASET_LABELS = {name: entry["label"] for name, entry in DATASETS.items()}


class Round(NamedTuple):
    """What the address says, worked out.

    Attributes:
        classes: the names of the classes.
        opponents: a list of Opponent.
        numbers, images, labels: the ten images: their numbers in the test set, (10, h, w, c) uint8, their classes.
    """

    classes: tuple
    opponents: list
    numbers: list
    images: np.ndarray
    labels: list

    def opened_by(self):
        """The id of the run in which the images are looked at: the first whose network is here, else the first."""
        return next((each.run for each in self.opponents if opens(each.run)), self.opponents[0].run).id

    def score(self, choices):
        return rounds.score(choices, [each.player for each in self.opponents], self.labels)


class Played(NamedTuple):
    """How far a round has come.

    Attributes:
        choices: the class numbers chosen so far, a list.
        since: when the image came up that is to be named, or after all ten their table, in seconds since 1970; None
            while the clock stands still.
        seconds: what the choices took so far.
    """

    choices: list
    since: int | None
    seconds: int


def said(name, read, default):
    """What the URL says of the round, read; the default and a sentence where it makes no sense."""
    for text in st.query_params.get_all(name)[-1:]:
        try:
            return read(text)
        except rounds.RoundError as error:
            st.warning(str(error), icon=":material/link_off:")
    return default


def one_of(choices, label):
    """A reader for `said`, of a widget that is not shown now."""

    def read(text):
        if text not in choices:
            raise rounds.RoundError(f"“{label}” in the link is none of the choices, so it is ignored.")
        return text

    return read


def playing(dataset):
    """(The runs that play, all that could): those that the URL names, else the best of each network, a few."""
    runs = data.runs_on(dataset)
    rows, _ = data.table(runs)
    tested = set(rows["run"])
    # Only of those that play are the predictions read: of all runs that could they may be gigabytes.
    could = [
        run
        for run, damaged in zip(runs, data.damages(runs), strict=True)
        if run.id in tested and "test_predictions.npz" not in damaged
    ]
    named = [run for run in runs_in_url() if plays(run, dataset, could)]
    if named:
        return named[:MOST], could
    best = sorted(results.best_runs(rows).values(), key=lambda row: -row["validation_accuracy"])
    ready = (run for run in (open_run(row["run"]) for row in best) if run in could and predicts(run))
    first = list(itertools.islice(ready, AT_FIRST))
    return sorted(first, key=lambda run: list(NETWORKS).index(data.config(run).network)), could


def predicts(run):
    """Whether a run has sound predictions."""
    try:
        return len(data.verdicts(run).labels) >= rounds.IMAGES
    except RunError:
        return False


def plays(run, dataset, could):
    """Whether a run of the URL can play; says why not."""
    can = run in could and predicts(run)
    if not can:
        st.info(f"{run.id} has no predictions of the test images of {DATASET_LABELS[dataset]}, so it does not play.")
    return can


def round_of(dataset, kind, number, runs):
    """The Round of these runs. Raises RunError and DatasetUnavailable."""
    verdicts = [data.verdicts(run) for run in runs]
    count = min(len(each.labels) for each in verdicts)
    labels = verdicts[0].labels[:count]
    players = [rounds.Player(each.classes[:count], each.confidences[:count]) for each in verdicts]
    pool = rounds.hard_images(players, labels) if kind == HARD else range(count)
    numbers = rounds.drawn(pool, number)
    configs = [data.config(run) for run in runs]
    opponents = [
        Opponent(run, name, NETWORK_COLOURS[config.network], rounds.Player(*(part[numbers] for part in player)))
        for run, name, config, player in zip(runs, names_of(runs, configs), configs, players, strict=True)
    ]
    images = data.test_images(dataset)[numbers]
    return Round(DATASETS[dataset]["classes"], opponents, numbers, images, [int(label) for label in labels[numbers]])


def names_of(runs, configs):
    """Short names, which are the networks' own where each plays once."""
    networks = [NETWORKS[config.network]["label"] for config in configs]
    return networks if len(set(networks)) == len(runs) else short_names(runs, configs, with_dataset=False)


def choose(before, label, played):
    """A click on a class, after these choices, a text. It stops the clock."""
    spent = 0 if played.since is None else rounds.seconds_since(played.since, time.time())
    put_in_url(answers=f"{before}{label}", seconds=played.seconds + spent, since=None)


def go_on(runs):
    """The next image, or the end: the clock runs from now on. From the first image on the URL says who plays."""
    put_in_url(run=[run.id for run in runs], since=int(time.time()))


def begin(**values):
    """Back to the beginning of a round."""
    put_in_url(answers=None, seconds=None, since=None, **values)


def another():
    begin(round=random.randint(2, rounds.MOST_ROUNDS))


def columns():
    """The two halves of the stage: the image with the button that leads on, and all the rest."""
    left, right = st.columns([5, 7], gap="medium")
    return left.container(key="round-left"), right


def lead_on(label, runs, disabled=False):
    """The button that leads on, which stays in one position for the whole round."""
    st.button(
        label,
        key="go on",
        type="primary",
        on_click=go_on,
        args=(runs,),
        disabled=disabled,
        shortcut="Right",
        width="stretch",
    )


def draw_players(dataset, runs, could):
    """Who plays, chosen before the round begins."""
    names = short_names(could, data.configs(could), with_dataset=False)
    labels = {run.id: name for run, name in zip(could, names, strict=True)}
    key = f"players on {dataset}"
    st.session_state[key] = [run.id for run in runs]
    st.multiselect(
        "Networks",
        labels,
        key=key,
        format_func=labels.get,
        max_selections=MOST,
        on_change=lambda: put_in_url(run=st.session_state[key]),
        placeholder="The best of each",
    )


def draw_start():
    """What comes before the first image: what the round is of, and who plays."""
    left, right = columns()
    with left:
        draw_picture(None, "?")
        start = st.container()
    with right:
        draw_verdict("You name each image, then the networks do.")
        notices = st.container()
        with st.container(horizontal=True, gap="medium"):
            # What the round is of decides who can play.
            dataset = linked(
                st.segmented_control,
                "Dataset",
                "dataset",
                DATASET_LABELS,
                "mnist",
                notices,
                required=True,
                kwargs={"run": None},
            )
            kind = linked(
                st.segmented_control, "Images from", "images", FROM, HARD, notices, required=True, help=ABOUT_FROM
            )
        runs, could = playing(dataset)
        number = said("round", rounds.read_number, 1)
        if not runs:
            nobody_plays(dataset)
            return
        draw_players(dataset, runs, could)
        found = round_of(dataset, kind, number, runs)
        draw_board(found.opponents, [], found.score([]), found.classes)
        draw_about(number)
    with start:
        lead_on("Start", runs)


def draw_classes(classes, played, label):
    """Ten buttons, a key each. After the choice they stay where they are, with the choice and the truth marked.

    Args:
        label: the number of the true class; None while the image is to be named.
    """
    choices = played.choices
    # A second click that comes before the page has changed counts instead of the first.
    before = "".join(map(str, choices if label is None else choices[:-1]))
    with st.container(key="round-words" if max(map(len, classes)) > 2 else "round-digits"):
        for number, name in enumerate(classes):
            st.button(
                name,
                key=f"class {number}",
                on_click=choose,
                args=(before, number, played),
                disabled=label is not None,
                shortcut=str(number),
                width="stretch",
            )
    if label is not None:
        mark_classes(choices[-1], label)


def draw_stage(found, played, number):
    """One image of the round: to be named, or named by everybody."""
    choices, is_open = played.choices, played.since is not None
    runs, at, score = [each.run for each in found.opponents], len(choices), found.score(choices)
    shown = at if is_open else at - 1
    left, right = columns()
    with left:
        # Its number would tell what it is.
        told = f"Image {at + 1} of the round" if is_open else f"Test image {found.numbers[shown]}"
        draw_picture(found.images[shown], told)
        lead_on("See the result" if at == rounds.IMAGES else "Next image", runs, disabled=is_open)
    with right:
        if is_open:
            draw_verdict(f"Image {at + 1} of {rounds.IMAGES}: what is it?")
        else:
            draw_verdict(reveal_words(found.classes[found.labels[shown]], shown, score), score.mine[shown])
        draw_classes(found.classes, played, None if is_open else found.labels[shown])
        draw_board(found.opponents, choices, score, found.classes, None if is_open else shown)
        draw_about(number, "" if is_open else look_inside(found.numbers[shown], [found.opened_by()]), begun=True)


def reveal_words(name, at, score):
    """Who was fooled by an image, in a sentence."""
    fooled, count = sum(not marks[at] for marks in score.theirs), len(score.theirs)
    if not fooled:
        them = "no network is fooled"
    elif fooled == count:
        them = "it fools every network" if count > 1 else "it fools the network"
    else:
        them = f"it fools {fooled} of {count} networks"
    return f"{'Right' if score.mine[at] else 'No'}, {name}: {them}."


def draw_about(number, inside="", begun=False):
    """Which round it is, the way inside a network with its image, as HTML, and to another, or back to its beginning."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.caption(
            f"Round {number}. Send the address of this page to whoever is to play it too.",
            width="content" if inside else "stretch",
        )
        if inside:
            st.html(inside, width="content")
        if begun:
            st.button("Start over", icon=":material/replay:", type="tertiary", key="over", on_click=begin)
        else:
            st.button("Another round", icon=":material/shuffle:", type="tertiary", key="another", on_click=another)


def draw_end(found, played):
    """How the round went, who was fooled by which image, and the way to play it again."""
    choices, one = played.choices, len(found.opponents) == 1
    score = found.score(choices)
    mine = sum(score.mine)
    standings, fooled = st.columns([7, 5], gap="large")
    with standings:
        draw_score(mine, f"of {rounds.IMAGES} recognised, in {duration(played.seconds)}", standing(found, score))
        draw_standings(found.opponents, score)
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            # Streamlit's own link to the page that is shown leaves the address as it is.
            kept = {name: st.query_params.get_all(name) for name in ("dataset", "images", "round")}
            kept["run"] = [each.run.id for each in found.opponents]
            draw_link("Play the same round", f"round?{urlencode(kept, doseq=True)}")
            st.button("Another round", icon=":material/shuffle:", key="another", on_click=another)
    strips = {
        "You, not the network" if one else "You, not every network": score.fooled_me,
        "The network, not you" if one else "A network, not you": score.fooled_them,
        "Everybody": score.fooled_all,
    }
    with fooled:
        st.markdown("## Who was fooled")
        draw_strips(strips, found.images, found.numbers, [found.classes[label] for label in found.labels])
    st.header("Image by image")
    draw_table(
        found.opponents,
        choices,
        score,
        found.classes,
        [
            (image, number, found.classes[label])
            for image, number, label in zip(found.images, found.numbers, found.labels, strict=True)
        ],
        found.opened_by(),
    )


def standing(found, score):
    """Whom you are ahead of, level with and behind, in a sentence or three."""
    where, mine = {"Ahead of": [], "Level with": [], "Behind": []}, sum(score.mine)
    for each, theirs in zip(found.opponents, map(sum, score.theirs), strict=True):
        word = "Ahead of" if mine > theirs else "Behind" if mine < theirs else "Level with"
        where[word].append(f"{each.name} ({theirs})")
    return " ".join(f"{word} {listed(names)}." for word, names in where.items() if names)


def listed(names):
    """ "A, B and C"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def draw_begun(played):
    """A round from its first image on, whose address says what it is of."""
    dataset = said("dataset", one_of(DATASETS, "Dataset"), "mnist")
    kind = said("images", one_of(FROM, "Images from"), HARD)
    number = said("round", rounds.read_number, 1)
    runs, _ = playing(dataset)
    if set(st.query_params.get_all("run")) - {run.id for run in runs}:
        st.warning("Not every network of this link can play here, so these images may differ from those of the link.")
    if not runs:
        nobody_plays(dataset)
        return
    found = round_of(dataset, kind, number, runs)
    if played.since is not None and len(played.choices) == rounds.IMAGES:
        draw_end(found, played)
    else:
        draw_stage(found, played, number)


def nobody_plays(dataset):
    """What to do where no run has been tested on a dataset."""
    st.info(f"No network has been tested on {DATASET_LABELS[dataset]} yet, so nobody plays against you.")
    link_to_training()


def main():
    follow_inner_links()
    draw_style()
    st.title("Round")
    with st.container(key="round-about"):
        st.write("You against the networks: ten test images that none of them has learned from. Who recognises more?")
    played = Played(
        said("answers", rounds.read_choices, []),
        said("since", rounds.read_seconds, None),
        said("seconds", rounds.read_seconds, 0),
    )
    try:
        ended = played.since is not None and len(played.choices) == rounds.IMAGES
        keep_focus("end" if ended else "lead" if played.since is None else "choose")
        if played.choices or played.since is not None:
            draw_begun(played)
        else:
            draw_start()
    except (RunError, DatasetUnavailable) as error:
        st.error(plain(str(error)))


main()
