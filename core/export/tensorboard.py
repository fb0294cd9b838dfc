"""A run as an event file of TensorBoard: its curves by epoch and by step, its settings and its test figures.

tensorboardX writes it, which needs neither TensorFlow nor TensorBoard. All times in it are those of the training.
"""

from core.config.recipes import overrides, training_command
from core.config.run_config import FIELDS, said
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.runs import provenance

# TensorBoard takes any file for one of events that has "tfevents" in its name.
FILE = "events.out.tfevents"
# Column of history.csv -> its chart in TensorBoard: what stands before the slash is a group of charts.
_EPOCHS = {
    "train_accuracy": "accuracy/training",
    "validation_accuracy": "accuracy/validation",
    "train_loss": "loss/training",
    "validation_loss": "loss/validation",
    "learning_rate": "learning_rate/epoch",
    "images_per_second": "images_per_second/epoch",
}
# The same of progress.jsonl.
_STEPS = {
    "loss": "loss/training_by_step",
    "accuracy": "accuracy/training_by_step",
    "learning_rate": "learning_rate/step",
    "images_per_second": "images_per_second/step",
}
_TEST = {"test_accuracy": "accuracy/test", "test_loss": "loss/test"}


def write(run, folder):
    """Writes a run's events into a folder."""
    from tensorboardX.record_writer import RecordWriter

    writer = RecordWriter(str(folder / FILE))
    try:
        for event in _events(run):
            writer.write(event.SerializeToString(deterministic=True))
    finally:
        writer.close()


def _events(run):
    """All of them, in the order of time as far as it is known."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    record, config, history, metrics = run.read_record(), run.read_config(), run.read_history(), run.read_metrics()
    progress, _ = run.read_progress()
    created = record["created"]

    def scalars(time, step, values):
        found = [Summary.Value(tag=tag, simple_value=float(value)) for tag, value in values.items()]
        return Event(wall_time=time, step=step, summary=Summary(value=found))

    yield Event(wall_time=created, file_version="brain.Event:2")
    for tag, text in _texts(run, config).items():
        yield Event(wall_time=created, step=0, summary=_text(tag, text))
    test = {_TEST[name]: metrics["best"][name] for name in _TEST}
    yield from (Event(wall_time=created, step=0, summary=summary) for summary in _hparams(config, test))
    for row in progress:
        step = (row["epoch"] - 1) * row["steps"] + row["step"]
        yield scalars(row["time"], step, {tag: row[name] for name, tag in _STEPS.items()})
    # When an epoch was over, its last step tells; where no step was recorded, how long the epochs took.
    last_steps = {row["epoch"]: row["time"] for row in progress}
    time = created
    for row in history.to_dict("records"):
        time = last_steps.get(row["epoch"], time + row["seconds"])
        yield scalars(time, int(row["epoch"]), {tag: row[name] for name, tag in _EPOCHS.items()})
    for scores in {metrics[which]["epoch"]: metrics[which] for which in ("best", "last")}.values():
        yield scalars(time, scores["epoch"], {tag: scores[name] for name, tag in _TEST.items()})


def _texts(run, config):
    """What is to be read of the run, in Markdown: name of the text -> text."""
    note, changed = run.read_note(), overrides(config)
    about = [
        f"{NETWORKS[config.network]['label']} on {DATASETS[config.dataset]['label']}, run `{run.id}`.",
        note["name"],
        note["note"],
        provenance.in_words(run.read_sessions()),
        f"    {training_command(config)}",
    ]
    rows = [
        f"| {field.metadata['label']} | {said(field, getattr(config, name))} | {'changed' if name in changed else ''} |"
        for name, field in FIELDS.items()
    ]
    table = "\n".join(["| Setting | Value | Beside its recipe |", "|---|---|---|", *rows])
    return {"run": "\n\n".join(filter(None, about)), "settings": table}


def _text(tag, text):
    from tensorboardX.summary import text as summary

    return summary(tag, text)


def _hparams(config, metrics):
    """The settings for TensorBoard's HParams page, on which runs are compared by them."""
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
    from tensorboardX.summary import hparams

    for summary in hparams(config.to_dict(), metrics):
        for value in summary.value:
            data = value.metadata.plugin_data
            # They would come in another order each time.
            data.content = HParamsPluginData.FromString(data.content).SerializeToString(deterministic=True)
        yield summary
