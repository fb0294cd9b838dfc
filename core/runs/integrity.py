"""Which of a run's files are damaged: told without reading the large ones, so that whole lists of runs can be asked."""

import contextlib
import hashlib
import os
from pathlib import Path

from core.config.fields import UnsoundError
from core.runs.run import RunError
from core.runs.schema import FILES, Facts, check_size


def problems(run):
    """What is wrong with a run's files: file name -> one sentence, in the table's order; empty for a sound run.

    Of progress, predictions and networks only the beginning, the end or the contents are looked at; whoever reads
    them whole may still meet a RunError.
    """
    facts, found = _facts(run), {}
    for file in FILES.values():
        path = run.path / file.name
        if file.glance and (file.is_needed(facts.completed) or os.path.lexists(path)):
            try:
                run.check(path, lambda path, file=file: file.glance(path, facts))
            except RunError as error:
                found[file.name] = str(error)
    return found


def _facts(run):
    """What the files say of one another, as far as they are sound."""
    dataset = metrics = state = None
    with contextlib.suppress(RunError):
        dataset = run.read_config().dataset
    with contextlib.suppress(RunError):
        metrics = run.read_metrics()
    with contextlib.suppress(RunError):
        state = run.read_status()["state"]
    return Facts(dataset, metrics, state == "completed")


def fingerprints(run):
    """What a run's metrics keep of its network files: name -> {"bytes": size, "sha256": hexadecimal digits}."""
    found = {}
    for path in filter(Path.exists, (run.model_path, run.tflite_path)):
        found[path.name] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    return found


def check_fingerprint(path, metrics):
    """Checks that a network file is, to the bit, the one that was trained. One wrong bit can halt what loads it.

    Raises:
        core.config.fields.UnsoundError: it is another, by what the run's metrics (None: there are none) tell of it.
    """
    check_size(path, metrics)
    known = (metrics or {}).get("files", {}).get(path.name)
    if known and _sha256(path) != known["sha256"]:
        raise UnsoundError("it is not the file that was trained: its checksum is another")


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
