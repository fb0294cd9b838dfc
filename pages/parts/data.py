"""What pages read from disk, read once per change: the only caches. Nobody may change what these functions return."""

import contextlib
import functools
import operator
import sys
from typing import NamedTuple

import numpy as np
import streamlit as st

from core.config.run_config import RunConfig
from core.datasets import test_images as sheets
from core.datasets.catalogue import DATASETS
from core.explain import image_history
from core.jobs import liveness, scheduler
from core.jobs.estimate import here, is_here, measured_speeds
from core.networks.catalogue import NETWORKS
from core.results import table as results
from core.results.calibration import calibration as calibrated
from core.results.claims import figures
from core.results.scores import cases, confidences, predicted_classes
from core.results.seeds import together
from core.runs import integrity
from core.runs.run import UNFINISHED, Run, RunError, list_runs
from core.runs.schema import CHECKED
from core.runs.sessions import trained_on
from core.settings import ray_address
from pages.parts.image_grid import png_address
from pages.parts.kept import Kept, OfEach, once_a_look
from pages.parts.kept import stamps as stamps_of
from pages.parts.shelf import shelf
from pages.parts.style import run_name

# Without these two a run can neither be named nor watched.
NAMING = {"config.json", "status.json"}
# What a run's row in the table is made of.
_ROW = ("config.json", "metrics.json", "note.json", "shipped")
# The networks that one page may ask, in bytes of their files; in memory they take three times as much.
NETWORK_BYTES = 400_000_000
# What else is kept of each file, where it is not much, as by far the most are small.
_A_LITTLE = 500
_records, _progress = Kept(100_000_000), Kept(64_000_000)
_predictions, _networks = Kept(50_000_000), Kept(NETWORK_BYTES)


def _read(run, what, make, *names, kept=_records, bytes_=None, load=None):
    """What `make` makes of a run, made anew when one of the files with these names changes; `what` tells it from what
    else is made of the run. With `load` the next server need not make it again: then `make` makes a JSON value, and
    `load` makes of that what is returned.
    """
    folder = str(run.path)
    stamps = stamps_of(folder, names)
    if bytes_ is None:
        bytes_ = _A_LITTLE + sum(stamp.size for stamp in stamps if stamp)

    def make_or_load(last):
        if not load:
            return make(run)
        return load(shelf(str(run.path.parent)).get(run.id, what, stamps, lambda: make(run)))

    return kept.get((what, folder), stamps, bytes_, make_or_load)


@once_a_look
def _listed():
    """Every run, newest first, and why they cannot be listed, or None."""
    try:
        return list_runs(), None
    except RunError as error:
        return [], str(error)


def _runs():
    return _listed()[0]


def _as_it_is(value):
    return value


class _About(NamedTuple):
    config: RunConfig
    created: float
    environment: dict


def _about(run):
    def make(run):
        record = run.read_record()
        return RunConfig.from_dict(record["config"]).to_dict(), record["created"], trained_on(record)

    def load(value):
        settings, created, environment = value
        return _About(RunConfig(**settings), created, environment)

    return _read(run, "about", make, "config.json", load=load)


def config(run):
    """The run's RunConfig."""
    return _about(run).config


# The RunConfig of each of some runs. Raises RunError where one has none that can be read.
configs = OfEach(config)


def created(run):
    """When the run was created, in seconds since 1970."""
    return _about(run).created


def note(run):
    """What people call the run and noted of it: {"name": text, "note": text}."""
    return _read(run, "note", Run.read_note, "note.json")


def name(run):
    """The run's name, among all runs, and after it what people call it; see `pages.parts.style.run_name`."""
    about = _about(run)
    given = ""
    # A damaged note must not keep a run from being named.
    with contextlib.suppress(RunError):
        given = note(run)["name"]
    return run_name(run, about.config, about.created) + (f" · {given}" if given else "")


# The name of each of some runs.
names = OfEach(name)


def history(run):
    """The run's history, a row an epoch."""
    return _read(run, "history", Run.read_history, "history.csv")


def sessions(run):
    """Where and when the run was trained; see `core.runs.run.Run.read_sessions`."""
    return _read(run, "sessions", Run.read_sessions, "config.json", "history.csv")


def metrics(run):
    """The run's metrics, or None."""
    return _read(run, "metrics", Run.read_metrics, "metrics.json", load=_as_it_is)


# Whether each of some runs was tested, and its metrics are sound.
were_tested = OfEach(lambda run: metrics(run) is not None, failed=lambda error: False)


def table(runs, which="best"):
    """What `core.results.table.table` makes of a list of runs."""
    found = _rows(which)(runs)
    sound, problems = [row for row in found if not isinstance(row, str)], [row for row in found if isinstance(row, str)]
    return made_of(found, f"table of {which}", lambda: results.as_table(sound)), problems


def seeds_together(runs, which="best"):
    """The same with one row for runs that differ in nothing but the seed; see `core.results.seeds.together`."""
    rows, problems = table(runs, which)
    return made_of(_rows(which)(runs), f"seeds together of {which}", lambda: together(rows)), problems


def made_of(values, what, make):
    """What is made of a list of values, such as those of runs, made anew when one of them is another than the last
    time; `what` tells it from what else is made of them. Nobody may change any of these.
    """
    # That two lists are of the very same values is told at once.
    return _records.get((what, len(values)), values, _A_LITTLE * len(values), lambda last: make())


@functools.cache
def _rows(which):
    """A function of some runs: the row of each, None where it was not evaluated, or a sentence where it is damaged."""

    return OfEach(lambda run: _row(run, which), failed=str)


def _row(run, which):
    def make(run):
        row = results.row_of(run, which)
        return row and list(row.values())

    def load(values):
        # With the names that all rows share, which take as much memory as all the rest.
        return values and dict(zip(results.COLUMNS, values, strict=True))

    return _read(run, f"{which} row", make, *_ROW, bytes_=_A_LITTLE, load=load)


def predictions(run):
    """The run's test predictions. Raises RunError where there are none."""
    return _read(run, "predictions", Run.read_predictions, "test_predictions.npz", kept=_predictions)


class Epochs(NamedTuple):
    """What a run recorded of N test images after each of E epochs.

    Attributes:
        labels: (N,) uint8.
        classes, confidences: (E, N) uint8; confidence 255 is certainty.
        stories: what `core.explain.image_history.stories` makes of them.
        matrices: the confusion matrices, (E, classes, classes).
        right: how many images were right, (E,).
    """

    labels: np.ndarray
    classes: np.ndarray
    confidences: np.ndarray
    stories: image_history.Stories
    matrices: np.ndarray
    right: np.ndarray


def epochs(run):
    """The run's Epochs, also while it trains; None where it records none, or none is over. Raises RunError where they
    are damaged.
    """

    def make(run):
        found = predictions(run) if run.predictions_path.exists() else run.read_epoch_predictions()
        if not found or not len(found.get("epoch_classes", ())):
            return None
        labels, classes = found["labels"], found["epoch_classes"]
        count = len(DATASETS[config(run).dataset]["classes"])
        matrices = image_history.matrices(classes, labels, count)
        right = matrices.trace(axis1=1, axis2=2)
        stories = image_history.stories(classes, labels)
        return Epochs(labels, classes, found["epoch_confidences"], stories, matrices, right)

    names = "config.json", "test_predictions.npz", "epoch_predictions.bin"
    return _read(run, "epochs", make, *names, kept=_predictions)


class Verdicts(NamedTuple):
    """What a run's best epoch makes of the test images, an array (N,) each: true and predicted classes, uint8, and the
    confidence in the latter, float32 in 0..1.
    """

    labels: np.ndarray
    classes: np.ndarray
    confidences: np.ndarray


def verdicts(run):
    """The run's Verdicts, a fiftieth of its predictions. Raises RunError where there are none."""

    def make(run):
        found = run.read_predictions()
        return Verdicts(
            found["labels"],
            predicted_classes(found["logits"]).astype("uint8"),
            confidences(found["probabilities"]).astype("float32"),
        )

    return _read(run, "verdicts", make, "test_predictions.npz", bytes_=_A_LITTLE + 60_000)


def calibration(run):
    """How sure the run is and how often right; see `core.results.calibration`. Raises RunError without predictions."""

    def make(run):
        found = run.read_predictions()
        return calibrated(found["probabilities"], found["logits"], found["labels"])

    return _read(run, "calibration", make, "test_predictions.npz", bytes_=_A_LITTLE + 1_000)


def test_map(run):
    """The run's map; see `core.runs.run.Run.read_map`."""
    return _read(run, "map", Run.read_map, "config.json", "map.npz")


def claim_figures(run):
    """What the run tells of the claims; see `core.results.claims.figures`. Raises RunError."""
    files = ("config.json", "history.csv", "metrics.json", "test_predictions.npz")
    return _read(run, "claim figures", figures, *files, bytes_=_A_LITTLE + 10_000)


class Mistake(NamedTuple):
    """A test image that a run gets wrong: its number, two classes, the confidence in 0..1, and a PNG's address."""

    image: int
    label: int
    predicted: int
    confidence: float
    address: str


def mistakes(run, images_of, count=2):
    """The wrong predictions that a run is surest of, a list of Mistake.

    Args:
        images_of: a function of a dataset's name, its test images (N, h, w, c); called only where nothing is kept.

    Raises:
        RunError: there are no sound predictions.
        core.datasets.loading.DatasetUnavailable: from `images_of`.
    """

    def make(run):
        found = run.read_predictions()
        logits, labels = found["logits"], found["labels"]
        wrong = cases(logits, labels, correct=False)[:count]
        images = images_of(config(run).dataset)
        classes, sure = predicted_classes(logits), confidences(found["probabilities"])
        return [
            Mistake(int(at), int(labels[at]), int(classes[at]), float(sure[at]), png_address(images[at]))
            for at in wrong
        ]

    return _read(run, "mistakes", make, "config.json", "test_predictions.npz", bytes_=_A_LITTLE + 4_000)


class _Tail(NamedTuple):
    file: int | None
    offset: int
    rows: list


def progress(run):
    """The run's progress rows, of which only the new ones are read from disk."""
    (stamp,) = stamps = stamps_of(str(run.path), ("progress.jsonl",))
    size, file = (stamp.size, stamp.inode) if stamp else (0, None)

    def go_on(last):
        if not last or last.file != file or last.offset > size:
            last = _Tail(file, 0, [])
        rows, offset = run.read_progress(last.offset)
        # Each row has the names as texts of its own, which take as much memory as all the rest.
        rows = [{sys.intern(name): value for name, value in row.items()} for row in rows]
        return _Tail(file, offset, last.rows + rows)

    return _progress.get(str(run.path), stamps, size, go_on).rows


def speeds(runs):
    """What this machine's runs reached; see `core.jobs.estimate.measured_speeds`."""
    found = {}
    # Of two of the same kind the first is the newer.
    for speed in reversed(_speeds(runs)):
        found.update(speed)
    return found


def _speed(run):
    # What came with the project was trained elsewhere, however much its machine looks like this one.
    if is_shipped(run):
        return {}

    def make(run):
        try:
            config, _, environment = _about(run)
            # The history is not kept: thousands would take much memory, and few are drawn.
            found = measured_speeds([(config, environment, run.read_history())]) if is_here(environment) else {}
            return list(found.items())
        except RunError:
            return []

    def load(value):
        return {tuple(kind): speed for kind, speed in value}

    # What one machine reached says nothing to the next that opens the same folder.
    what = f"speed on {here()}"
    return _read(run, what, make, "config.json", "history.csv", bytes_=_A_LITTLE, load=load)


_speeds = OfEach(_speed)


@st.cache_data(ttl=1, show_spinner=False)
def pending():
    """The pending runs, the next one first, as they were a second ago at most; those of a cluster after the others."""
    if "queued" not in _written_states(_runs()):
        return []
    try:
        return [run for address in (None, *dict.fromkeys(scheduler.clusters())) for run in scheduler.pending(address)]
    except RunError:
        return []


def _written_state(run):
    """The state in the run's status.json, which may be out of date."""
    return _read(run, "state", lambda run: run.read_status()["state"], "status.json", load=_as_it_is)


_written_states = OfEach(_written_state, failed=lambda error: None)


def states(runs):
    """The state of each of some runs as it is now: as `state` has it, None for a run whose status is damaged."""
    written = _written_states(runs)
    return [_state_now(run) if each in UNFINISHED else each for run, each in zip(runs, written, strict=True)]


def _state_now(run):
    try:
        return state(run)["state"]
    except RunError:
        return None  # Deleted or damaged a moment ago.


def _maybe_unfinished():
    """The runs that say that they are at work or wait, newest first."""
    runs = _runs()
    return [run for run, state in zip(runs, _written_states(runs), strict=True) if state in UNFINISHED]


@st.cache_data(ttl=1, show_spinner=False)
def _ensure_scheduler():
    # Whoever may not write here cannot start one; that is no reason not to look.
    with contextlib.suppress(RunError):
        scheduler.ensure()


def cluster():
    """What was last heard of the cluster, see `core.jobs.scheduler.glance`; None where no run is for one. From now on
    somebody asks it.
    """
    if not ray_address() and not any(run.cluster() for run in _maybe_unfinished()):
        return None
    _ensure_scheduler()
    return scheduler.glance()


def state(run):
    """The run's status as it is now, checked against its process. Where it is queued, a scheduler lives from now on."""
    # Emptied when the status changes.
    ended = _read(run, "ended", lambda run: {}, "status.json")
    if not ended:
        status = liveness.state(run)
        if status["state"] == "queued":
            _ensure_scheduler()
        if status["state"] in UNFINISHED:
            return status
        # Whoever goes on with it writes that into its status; until then nobody needs to look for its process.
        ended["status"] = status
    return ended["status"]


@once_a_look
def unfinished_runs():
    """(run, config, status) of each run that is at work or waits, newest first; damaged ones aside."""
    found = []
    for run in _maybe_unfinished():
        try:
            status = state(run)
            if status["state"] in UNFINISHED:
                found.append((run, config(run), status))
        except RunError:
            continue  # Among the damaged files.
    return found


def network_bytes(run):
    """How large the run's network is, in bytes of its file."""
    (stamp,) = stamps_of(str(run.path), ("model.tflite",))
    return stamp.size if stamp else 0


@OfEach
def open_to_looks(run):
    """Whether the network of each of some runs is here, so that it can be looked into."""
    return network_bytes(run) > 0


def classifier(run):
    """The run's network, ready to answer and to be looked into, a core.explain.features.OpenNetwork. Raises RunError
    where it has no sound model.tflite.
    """
    # Here, and not above: LiteRT takes a moment to import, and only some pages need it. One network for all of them:
    # a second one of the same file would take as much memory again.
    from core.explain.features import OpenNetwork

    return _read(run, "network", OpenNetwork, "model.tflite", kept=_networks, bytes_=network_bytes(run))


@st.cache_resource(show_spinner="Getting the images…")
def test_images(name):
    """The dataset's test images; see `core.datasets.test_images.load_test_images`."""
    return sheets.load_test_images(name)


@once_a_look
def readable_runs():
    """Two lists: the runs that can be named and watched, newest first, and one sentence for each damaged file."""
    runs, problem = _listed()
    found = list(zip(runs, damages(runs), strict=True))
    good = [run for run, damaged in found if not damaged.keys() & NAMING]
    return good, [problem] * bool(problem) + [sentence for _, damaged in found for sentence in damaged.values()]


@once_a_look
def runs_by_id():
    """Name of the folder -> Run, of all that there are."""
    return {run.path.name: run for run in _runs()}


@once_a_look
def nameable_runs():
    """The runs that can be named and watched, newest first: for pages that do not say which other files are damaged,
    and so need not look at all of them.
    """
    return [run for run, can in zip(_runs(), _can_be_named(_runs()), strict=True) if can]


def runs_on(dataset):
    """Those of `nameable_runs` that are on a dataset."""
    runs = nameable_runs()
    return [run for run, found in zip(runs, configs(runs), strict=True) if found.dataset == dataset]


_can_be_named = OfEach(lambda run: bool(_about(run) and _written_state(run)), failed=lambda error: False)


def own_first(runs):
    """The runs that were trained here in the order in which they are given, and then those that came with the project,
    in the order of networks and datasets, those on all training images first: what people train is what they want to
    see.
    """
    runs = list(runs)
    found = zip(_places(runs), runs, strict=True)
    return [run for _, run in sorted(found, key=operator.itemgetter(0))]


@OfEach
def _places(run):
    """What `own_first` sorts by."""
    if not is_shipped(run):
        return ()
    about = config(run)
    return is_evidence(run), list(NETWORKS).index(about.network), list(DATASETS).index(about.dataset)


def is_evidence(run):
    """Whether the run came with the project for the claims alone: it was trained on part of the images."""
    return is_shipped(run) and config(run).train_examples > 0


def is_shipped(run):
    """Whether the run came with the project; see `core.runs.run.Run.is_shipped`."""
    return stamps_of(str(run.path), ("shipped",))[0] is not None


def nameless_runs():
    """The runs that are too damaged to be named and watched, newest first."""
    return [run for run, damaged in zip(_runs(), damages(_runs()), strict=True) if damaged.keys() & NAMING]


def damaged_files(run):
    """What is wrong with a run's files: file name -> one sentence; see `core.runs.integrity.problems`."""
    return _read(run, "problems", integrity.problems, *CHECKED, bytes_=_A_LITTLE, load=_as_it_is)


# The same for each of some runs.
damages = OfEach(damaged_files)
