"""The commands for runs that there are: list them, test them again, and take them elsewhere."""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from core.config.recipes import overrides, training_command
from core.config.run_config import in_words
from core.datasets.loading import load
from core.jobs import liveness
from core.runs.integrity import problems
from core.runs.provenance import machines
from core.runs.run import RunError, list_runs, open_run

# Images between two steps of a progress bar.
_AT_ONCE = 100


def runs():
    """List the runs, newest first."""
    rows = []
    for run in list_runs():
        damaged = problems(run)
        try:
            state = f"damaged: {', '.join(damaged)}" if damaged else liveness.state(run)["state"]
            metrics = None if "metrics.json" in damaged else run.read_metrics()
        except RunError as error:
            print(error, file=sys.stderr)
            continue
        best = metrics["best"] if metrics else {}
        accuracy = f"{100 * best['test_accuracy']:.2f} %" if best else ""
        rows.append(
            {
                "run": run.id,
                "state": state,
                "test accuracy": accuracy,
                "epoch": best.get("epoch", ""),
                **({} if "config.json" in damaged else _origin(run)),
            }
        )
    print(_as_text(rows) if rows else "No runs yet. Try: python -m core train alexnet mnist")
    return 0


def _origin(run):
    """What a run was trained on, and in which settings it departs from its recipe."""
    return {"trained on": machines(run.read_record()), "changed settings": in_words(overrides(run.read_config()))}


def _as_text(rows):
    """Rows, each a dict, as a table for a terminal; words begin at the left, figures end at the right."""
    table = pd.DataFrame(rows).fillna("").astype(str)
    for name in ("run", "state", "trained on", "changed settings"):
        width = max(len(name), *table[name].map(len)) if name in table else 0
        table = table.rename(columns={name: name.ljust(width)})
        if width:
            table[name.ljust(width)] = table[name.ljust(width)].str.ljust(width)
    return "\n".join(line.rstrip() for line in table.to_string(index=False).splitlines())


def evaluate(run_id):
    """Test the networks of a finished run again, as Keras and as LiteRT run them."""
    run = open_run(run_id)
    recorded = _finished(run)["best"]
    has_keras, has_tflite = (os.path.lexists(path) for path in (run.model_path, run.tflite_path))
    if run.is_shipped and not (has_keras or has_tflite):
        raise RunError(f"{run.id} came without its network; train it yourself: {training_command(run.read_config())}")
    from core.export.keras import load_network
    from core.export.litert_reader import Classifier
    from core.results.scores import accuracy
    from core.training.train import PREDICT_BATCH, score

    test = load(run.read_config().dataset)
    print(f"recorded      {100 * recorded['test_accuracy']:.2f} %, loss {recorded['test_loss']:.4f}")
    if has_keras or not run.is_shipped:
        _, scores = score(load_network(run), test.test_images, test.test_labels, bar="model.keras")
        print(f"model.keras   {100 * scores['test_accuracy']:.2f} %, loss {scores['test_loss']:.4f}")
    if has_tflite:
        classifier = Classifier(run)
        starts = tqdm(range(0, len(test.test_labels), PREDICT_BATCH), desc="model.tflite")
        predictions = [classifier.classify(test.test_images[start : start + PREDICT_BATCH]) for start in starts]
        print(f"model.tflite  {100 * accuracy(np.concatenate(predictions), test.test_labels):.2f} %")
    return 0


def map(run_id):
    """Make the map of the test images for a finished run that has none, or calibrate one that an older version made."""
    from core.explain import embedding, familiarity
    from core.export import without_any_network

    run = open_run(run_id)
    _finished(run)
    arrays, config = run.read_map(), run.read_config()
    if sentence := without_any_network(run):
        raise RunError(sentence)
    data = load(config.dataset)
    _, (held_back, _) = config.split(data)
    if arrays is not None and ("threshold" in arrays or len(held_back) < familiarity.FEWEST):
        raise RunError(f"{run.id} has a map already; delete its {run.map_path.name} to have it made anew.")
    features = _features_by(run)
    try:
        if arrays is None:
            found = features(data.test_images)
            print("Now it looks for neighbours, which takes half a minute.", flush=True)
            arrays = embedding.fit(found)
        run.write_map(arrays | familiarity.calibration(arrays, features(held_back)))
    except embedding.NoMapError as error:
        raise RunError(f"{run.id}: there is no map of the test images: {error}.") from None
    print(run.map_path)
    return 0


def _features_by(run):
    """What gives the last features of images, by the run's network: with all its digits where that is here."""
    if os.path.lexists(run.model_path):
        from core.export.keras import load_network
        from core.training.last_features import last_features
        from core.training.train import PREDICT_BATCH

        model = load_network(run)
        return lambda images: last_features(model, images, PREDICT_BATCH, bar="model.keras")
    from core.explain.features import OpenNetwork

    network = OpenNetwork(run)

    def in_8_bits(images):
        starts = tqdm(range(0, len(images), _AT_ONCE), desc="model.tflite")
        return np.concatenate([network.last_features(images[start : start + _AT_ONCE]) for start in starts])

    return in_8_bits


def export(run_id, folder, formats):
    """Write a finished run into a folder: its networks, what they take and give, its tables, curves and predictions."""
    from core.export import export, not_installed

    for path in export(open_run(run_id), Path(folder), formats):
        print(path)
    if not formats:
        for sentence in not_installed().values():
            print(f"Left out: {sentence}", file=sys.stderr)
    return 0


def pack(folder, runs):
    """Put the report's tables with ours beside them, and all that they rest on, into one zip to hand in."""
    from core.pack.making import make

    is_watched = sys.stderr.isatty()
    with tqdm(total=100, bar_format="{percentage:3.0f}% {bar} {elapsed} {desc}", disable=not is_watched) as bar:

        def show(share, words):
            bar.set_description_str(words, refresh=False)
            bar.update(round(100 * share) - bar.n)
            if not is_watched:
                # Whoever started this as a process of its own reads how far it is.
                print(f"{100 * share:.0f} % {words}", file=sys.stderr, flush=True)

        path = make(Path(folder), runs, show)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    return 0


def ship(run_ids, folder, network, thin):
    """Copy finished runs into a project, as ones that come with it, and the test images of their datasets."""
    from core.datasets.test_images import FOLDER, read_sheet, write_sheet
    from core.export.bundles import ship

    project = Path(folder) if folder else FOLDER.parent
    for run in [open_run(run_id) for run_id in run_ids]:
        copy = ship(run, project, network, thin)
        size = sum(path.stat().st_size for path in copy.path.iterdir())
        print(f"{copy.path}  {size / 1e6:.1f} MB", flush=True)
        dataset = copy.read_config().dataset
        if read_sheet(dataset, project / FOLDER.name) is None:
            print(write_sheet(dataset, project / FOLDER.name), flush=True)
    return 0


def _finished(run):
    metrics = run.read_metrics()
    if metrics is None:
        raise RunError(f"{run.id} has no network yet; train it to its end first.")
    return metrics
