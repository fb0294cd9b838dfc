"""Which of a run's files are damaged: told without reading the large ones, so that whole lists of runs can be asked."""

import hashlib
import os
from pathlib import Path

from core.config.fields import UnsoundError
from core.config.run_config import RunConfig
from core.runs.run import RunError
from core.runs.schema import CHECKED, FILES, Facts, check_size

# What these say decides what the others must be; they are looked at in this order.
_TELLING = ("config.json", "status.json", "metrics.json")
_OTHERS = tuple(name for name in CHECKED if name not in _TELLING)


def problems(run):
    """What is wrong with a run's files: file name -> one sentence, in the table's order; empty for a sound run.

    Of progress, predictions and networks only the beginning, the end or the contents are looked at; whoever reads
    them whole may still meet a RunError.
    """
    folder, said, found = str(run.path), {}, {}

    def look(name, facts):
        file, path = FILES[name], f"{folder}/{name}"
        if file.is_needed(_is_completed(said)) or os.path.lexists(path):
            try:
                said[name] = run.check(Path(path), lambda path: file.glance(path, facts))
            except RunError as error:
                found[name] = str(error)

    for name in _TELLING:
        look(name, None)
    config = said.get("config.json")
    dataset = config and RunConfig.from_dict(config["config"]).dataset
    facts = Facts(dataset, said.get("metrics.json"), _is_completed(said))
    for name in _OTHERS:
        look(name, facts)
    return {name: found[name] for name in CHECKED if name in found}


def _is_completed(said):
    return "status.json" in said and said["status.json"]["state"] == "completed"


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
