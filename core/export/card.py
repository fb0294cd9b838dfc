"""The model card of a run: what it was trained on and how, how good it is and how far that is known, and what not to
use it for. In Markdown, with the fields of Hugging Face's model cards on top.
"""

import json
import os

from core.config.recipes import RECIPES, make_config, overrides, training_command
from core.config.run_config import FIELDS, said
from core.datasets.catalogue import DATASETS, DOUBTED
from core.export import description
from core.networks.catalogue import NETWORKS
from core.results.calibration import BINS, calibration
from core.results.scores import confusion_matrix, predicted_classes
from core.results.statistics import wilson_interval
from core.runs import provenance

# What Hugging Face shows as a repository's card.
FILE = "README.md"


def write(run, folder):
    """Writes README.md into a folder."""
    (folder / FILE).write_text(card(run), "utf-8")


def card(run):
    """The whole card, as text."""
    config, metrics, predictions = run.read_config(), run.read_metrics(), run.read_predictions()
    network, dataset = NETWORKS[config.network], DATASETS[config.dataset]
    title = f"{network['label']} on {dataset['label']}"
    note = run.read_note()
    summary = (
        f"{network['label']} ({network['year']}), trained on {dataset['label']} to tell {len(dataset['classes'])} "
        f"classes apart: {', '.join(dataset['classes'])}. It has {metrics['parameters']:,} parameters. Of the test "
        f"images it recognises {_share(metrics['best']['test_accuracy'], len(predictions['labels']))}."
    )
    parts = [
        f"---\n{_yaml(_header(run, config, metrics))}---",
        f"# {title}",
        summary,
        " ".join(filter(None, (note["name"] and f"**{note['name']}.**", note["note"]))),
        *_data(config, dataset),
        *_training(run, config, metrics),
        *_figures(config, dataset, metrics, predictions),
        *_use(run),
        *_limits(config, dataset, predictions),
        *_sources(network, dataset),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _header(run, config, metrics):
    """Hugging Face's fields. There is no licence among them: that is for whoever publishes the network."""
    dataset = DATASETS[config.dataset]
    library = {"library_name": "keras"} if os.path.lexists(run.model_path) else {}
    return library | {
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", config.network, config.dataset],
        "datasets": [dataset["hub"]],
        "metrics": ["accuracy"],
        "model-index": [
            {
                "name": run.id,
                "results": [
                    {
                        "task": {"type": "image-classification"},
                        "dataset": {"type": dataset["hub"], "name": dataset["label"], "split": "test"},
                        "metrics": [{"type": "accuracy", "value": metrics["best"]["test_accuracy"]}],
                    }
                ],
            }
        ],
    }


def _yaml(value, indent=""):
    """Dicts and lists as YAML, of which JSON's texts and numbers are a part."""
    lines = []
    for name, inside in value.items():
        if isinstance(inside, dict):
            lines.append(f"{indent}{name}:\n{_yaml(inside, indent + '  ')}")
        elif isinstance(inside, list):
            lines.append(f"{indent}{name}:\n")
            for item in inside:
                text = _yaml(item, indent + "  ") if isinstance(item, dict) else f"{indent}  {json.dumps(item)}\n"
                lines.append(f"{indent}- {text[len(indent) + 2 :]}")
        else:
            lines.append(f"{indent}{name}: {json.dumps(inside, ensure_ascii=False)}\n")
    return "".join(lines)


def _data(config, dataset):
    trained_on, held_back = config.split_sizes(dataset["train_examples"])
    height, width, channels = dataset["image_shape"]
    yield "## Data"
    yield (
        f"{dataset['about']} {height}×{width} pixels, {'grey' if channels == 1 else 'in colour'}. "
        f"Of the {dataset['train_examples']:,} training images, the first {held_back:,} were held back to validate and "
        f"the next {trained_on:,} were trained on; the {dataset['test_examples']:,} test images only measure."
    )
    yield (f"- Source: <{dataset['home']}>\n- Licence: {dataset['licence']}.\n- Paper: {dataset['paper']}.")


def _training(run, config, metrics):
    recipe, changed = make_config(config.network, config.dataset, config.recipe), overrides(config)
    known = RECIPES[config.recipe]
    yield "## How it was trained"
    yield (
        f"With the {known['label']} recipe ({known['about'].rstrip('.')}), "
        + (f"of which {len(changed)} settings were changed." if len(changed) > 1 else "")
        + ("of which one setting was changed." if len(changed) == 1 else "")
        + ("unchanged." if not changed else "")
    )
    rows = [("Setting", "Value", "Recipe's")]
    for name, field in FIELDS.items():
        value = said(field, getattr(config, name))
        own = said(field, getattr(recipe, name)) if name in changed else ""
        rows.append((field.metadata["label"], f"**{value}** (changed)" if name in changed else value, own))
    yield _table(rows)
    yield f"The same again:\n\n```sh\n{training_command(config)}\n```"
    epochs, seconds = metrics["epochs"], metrics.get("total_seconds", metrics["seconds"])
    yield " ".join(
        filter(
            None,
            (
                provenance.in_words(run.read_sessions()),
                f"It took {epochs} epoch{'s' * (epochs != 1)} and {seconds / 60:,.1f} minutes.",
            ),
        )
    )


def _figures(config, dataset, metrics, predictions):
    best, last = metrics["best"], metrics["last"]
    _, held_back = config.split_sizes(dataset["train_examples"])
    tested = len(predictions["labels"])
    yield "## Figures"
    yield (
        "The network is that of the best epoch by validation; the last is beside it. In brackets: the 95 % interval "
        "(Wilson's), in which the accuracy on ever more images of the same kind would lie, and how many images were "
        "looked at. It says nothing of other seeds."
    )
    rows = [("", f"Best epoch ({best['epoch']})", f"Last epoch ({last['epoch']})")]
    for label, name, images in (
        ("Test accuracy", "test_accuracy", tested),
        ("Validation accuracy", "validation_accuracy", held_back),
    ):
        rows.append((label, _share(best[name], images), _share(last[name], images)))
    for label, name in (("Training accuracy, with augmentation and dropout", "train_accuracy"),):
        rows.append((label, f"{_percent(best[name])}", f"{_percent(last[name])}"))
    if "fitted_accuracy" in best:
        values = [_share(scores["fitted_accuracy"], scores["fitted_images"]) for scores in (best, last)]
        rows.append(("Training accuracy, without them", *values))
    for label, part in (("Test", "test"), ("Validation", "validation"), ("Training", "train")):
        rows.append((f"{label} loss, nats", f"{best[f'{part}_loss']:.4f}", f"{last[f'{part}_loss']:.4f}"))
    if "quantized" in metrics:
        rows.append(("Test accuracy with 8-bit weights", _share(metrics["quantized"]["test_accuracy"], tested), ""))
    yield _table(rows)
    found = calibration(predictions["probabilities"], predictions["logits"], predictions["labels"])
    yield (
        f"Calibration, on the same {tested:,} test images: it is {_percent(found.mean_confidence)} sure on average and "
        f"right in {_percent(best['test_accuracy'])}. The expected calibration error ({BINS} bins) is "
        f"{_percent(found.error)}, the mean negative log-likelihood {found.likelihood:.4f} nats."
    )
    matrix = confusion_matrix(predictions["logits"], predictions["labels"])
    rows = [("Class", "Recognised", "Most often taken for")]
    for number, name in enumerate(dataset["classes"]):
        images, right = int(matrix[number].sum()), int(matrix[number, number])
        others = matrix[number].copy()
        others[number] = 0
        wrong = f"{dataset['classes'][others.argmax()]} ({others.max():,})" if others.any() else ""
        rows.append((name, _share(right / images, images) if images else "", wrong))
    yield _table(rows)


def _use(run):
    yield "## How to use it"
    if why := _without(run):
        yield why
        return
    yield (
        "Save this as `example.py` beside the network and `model.json`, which the export writes too, and run "
        "`python example.py PICTURE`. Pictures go in as they are: resizing and the mean image are layers of the "
        "network."
    )
    yield f"```python\n{description.example(run).rstrip()}\n```"


def _without(run):
    if os.path.lexists(run.model_path) or os.path.lexists(run.tflite_path):
        return ""
    return (
        "This card comes without a network: the run was kept without its weights. Train it yourself with the command "
        "above."
    )


def _limits(config, dataset, predictions):
    doubted = [number for number in DOUBTED[config.dataset] if number < len(predictions["labels"])]
    wrong = int((predicted_classes(predictions["logits"]) != predictions["labels"])[doubted].sum()) if doubted else 0
    height, width, _ = dataset["image_shape"]
    classes = len(dataset["classes"])
    yield "## Limits"
    lines = [
        f"It knows images of {height}×{width} pixels. Larger pictures are reduced to that, and what is small in them "
        "is gone.",
        f"It knows {classes} classes and nothing else. Of a picture of anything else it still names one of the "
        f"{classes}, often with confidence: there is no answer for “none of these”.",
        f"Its figures hold for pictures made as those of {dataset['label']} were. {dataset['limits']}",
        "It was made to study networks. Nobody has tested it for use on people or for decisions about them.",
    ]
    if DOUBTED[config.dataset]:
        lines.append(
            f"Of {len(doubted)} test images people doubt the labels (Northcutt, Athalye and Mueller, 2021); this "
            f"network contradicts {wrong} of these labels, and each counts as an error."
        )
    else:
        lines.append("Some labels are surely wrong; nobody has published which.")
    yield "\n".join(f"- {line}" for line in lines)


def _sources(network, dataset):
    yield "## Sources"
    yield (
        f"- The network: {network['paper']} ({network['year']}), <{network['link']}>\n"
        f"- The data: {dataset['paper']}, <{dataset['home']}>"
    )


def _percent(share):
    return f"{100 * share:.2f} %"


def _share(share, images):
    """ "99.10 % (98.90 % to 99.27 %, n = 10,000)"."""
    low, high = wilson_interval(round(share * images), images)
    return f"{_percent(share)} ({_percent(low)} to {_percent(high)}, n = {images:,})"


def _table(rows):
    head, *rest = rows
    lines = [head, ("---",) * len(head), *rest]
    return "\n".join(f"| {' | '.join(str(cell) for cell in cells)} |" for cells in lines)
