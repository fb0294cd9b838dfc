"""What each command of the command line does; every function returns the exit code."""

import functools
import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from core.config.recipes import make_config, training_command
from core.config.run_config import ConfigError, settings_table
from core.datasets.catalogue import DATASETS
from core.datasets.loading import load, verify
from core.jobs import control, liveness
from core.networks.catalogue import MODELS
from core.runs.integrity import problems
from core.runs.run import UNFINISHED, RunError, create_run, list_runs, open_run


def data(datasets, folder):
    """Fetch the datasets and verify every byte."""
    for name in _known(datasets, DATASETS, "dataset"):
        with tqdm(
            total=1.0, desc=DATASETS[name]["label"], bar_format="{desc}: {percentage:3.0f}% {bar} {elapsed}"
        ) as bar:

            def show(message, fraction, bar=bar):
                bar.set_description_str(message, refresh=False)
                bar.update((fraction or 0) - bar.n)

            facts = verify(name, folder, show)
            bar.update(1 - bar.n)
        print(f"{DATASETS[name]['label']} is complete, from {facts['source']}, in {facts['folder']}")
        for part, digest in facts["sha256"].items():
            print(f"  {part:<13} sha256 {digest}")
    return 0


def networks(models, dataset, recipe, **settings):
    """Print each network layer by layer."""
    names = _known(models, MODELS, "network")
    configs = [make_config(name, dataset, recipe, **settings) for name in names]
    from core.networks.build import build_model
    from core.networks.summary import count_parameters, layer_table

    for config in configs:
        model = build_model(config, DATASETS[dataset]["image_shape"], len(DATASETS[dataset]["classes"]))
        table = pd.DataFrame(layer_table(model))
        count = count_parameters(model)
        table["output_shape"] = ["×".join(map(str, shape)) for shape in table["output_shape"]]
        size, channels = config.image_size, DATASETS[dataset]["image_shape"][2]
        print(f"\n{MODELS[config.model]['label']} on {size}×{size}×{channels}, {recipe} recipe\n")
        print(
            table.to_string(index=False, formatters={name: "{:,}".format for name in ("parameters", "multiply_adds")})
        )
        print(f"\n{count.total:,} parameters ({count.not_trainable:,} not trainable), ", end="")
        print(f"{table['multiply_adds'].sum():,} multiply-adds an image")
    return 0


def settings():
    """Print every setting, what it may be and what it does, as a Markdown table."""
    print(settings_table(), end="")
    return 0


def train(model, dataset, recipe, run_id, finish, **settings):
    """Train a network, with progress, or go on with a run; Ctrl-C stops after the step in hand and loses nothing."""
    if run_id:
        if model or settings:
            raise ConfigError(
                "A run goes on with its own settings: name it alone, as in: python -m core train --run RUN."
            )
        run = open_run(run_id)
        run.read_config()  # Refused here, and not by the training: a damaged run has not failed.
    elif finish:
        raise ConfigError("Name the run to finish, as in: python -m core train --run RUN --finish.")
    elif model and dataset:
        control.check_allowed()
        # Not queued, or the scheduler might take it.
        run = create_run(make_config(model, dataset, recipe, **settings), state="stopped")
        print(f"{run.path}", flush=True)
    else:
        raise ConfigError("Name a network and a dataset, as in: python -m core train alexnet mnist.")
    from core.jobs.worker import work

    state = work(
        run,
        1 if sys.stdout.isatty() else 2,
        tell=lambda words: print(f"Waiting, {words}.", flush=True),
        claim=functools.partial(control.take, finish=finish),
    )
    metrics = run.read_metrics()
    if state == "stopped":
        print(f"stopped; go on with: python -m core train --run {run.id}")
    elif state == "failed":
        print(run.read_status()["error"], file=sys.stderr)
    elif metrics:
        best = metrics["best"]
        print(f"{state}: {100 * best['test_accuracy']:.2f} % test accuracy with the weights of epoch {best['epoch']}")
    return state == "failed"


def sweep(models, datasets, recipes, seeds, at_once, **settings):
    """Train many pairs, skipping what is finished; cut it whenever you like, the same command goes on."""
    from core.jobs.sweep import sweep

    try:
        trained = sweep(models, datasets, recipes, seeds, at_once, **settings)
    except KeyboardInterrupt:
        print("Stopped; the same command goes on where this one was.")
        return 130
    return int(any(liveness.state(run)["state"] != "completed" for run in trained))


def stop(run_id):
    """Stop a run, wherever it is trained: after the step in hand, with everything written."""
    run = open_run(run_id)
    control.stop(run)
    while (state := liveness.state(run)["state"]) in UNFINISHED:
        time.sleep(0.2)
    print(f"{run.id} is {state}")
    return 0


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
        rows.append({"run": run.id, "state": state, "test accuracy": accuracy, "epoch": best.get("epoch", "")})
    print(pd.DataFrame(rows).to_string(index=False) if rows else "No runs yet. Try: python -m core train alexnet mnist")
    return 0


def evaluate(run_id):
    """Answer the test images again with a run's networks, as Keras and as LiteRT runs them."""
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
        answers = [classifier.classify(test.test_images[start : start + PREDICT_BATCH]) for start in starts]
        print(f"model.tflite  {100 * accuracy(np.concatenate(answers), test.test_labels):.2f} %")
    return 0


def export(run_id, folder, formats):
    """Write a finished run into a folder: its networks, what they take and give, its tables and predictions."""
    from core.export import export

    for path in export(open_run(run_id), Path(folder), formats):
        print(path)
    return 0


def ship(run_ids, folder, network):
    """Copy finished runs into a project, as ones that come with it, and the test images of their datasets."""
    from core.datasets.test_images import FOLDER, read_sheet, write_sheet
    from core.export.bundles import ship

    project = Path(folder) if folder else FOLDER.parent
    for run in map(open_run, run_ids):
        copy = ship(run, project, network)
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


def _known(names, registry, kind):
    unknown = [name for name in names if name not in registry]
    if unknown:
        raise ConfigError(f"There is no {kind} called {unknown[0]!r}; there are {', '.join(registry)}.")
    return names or list(registry)
