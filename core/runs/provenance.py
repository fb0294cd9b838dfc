"""Where and with what a run was trained, in a sentence or two."""

from collections import Counter
from itertools import groupby

from core.runs.sessions import stored


def in_words(sessions):
    """ "Trained in 2 sessions: epochs 1 to 3 on AMD EPYC 9R14, 4 cores; epochs 4 to 9 on NVIDIA H100. Keras 3.15.1 …".

    Args:
        sessions: what `core.runs.run.Run.read_sessions` gives.

    Returns:
        The sentences; "" where no epoch is over, or nothing was recorded.
    """
    trained = [session for session in sessions if session["first_epoch"]]
    if not trained:
        return ""
    parts = [(place, list(there)) for place, there in groupby(trained, _place)]
    count = "one session" if len(trained) == 1 else f"{len(trained)} sessions"
    if len(parts) == 1:
        words = f" on {parts[0][0]}"
    else:
        words = ": " + "; ".join(f"{_epochs(there)} on {place}" for place, there in parts)
    versions = "; later ".join(filter(None, (version for version, _ in groupby(trained, _versions))))
    return f"Trained in {count}{words}." + (f" {versions}." if versions else "")


def machines(record):
    """ "AMD EPYC 9R14, 4 cores; NVIDIA H100": what trained a run, told by its record alone.

    Args:
        record: what `core.runs.run.Run.read_record` gives.

    Returns:
        The machines in the order in which they joined in; "" where no training has begun, or nothing was recorded.
    """
    return "; ".join(dict.fromkeys(_place(session) for session in stored(record) if session.get("first_epoch")))


def _epochs(sessions):
    first, last = sessions[0]["first_epoch"], sessions[-1]["last_epoch"]
    return f"epoch {first}" if first == last else f"epochs {first} to {last}"


def _place(session):
    """The GPUs, else the processor."""
    gpus = session.get("gpus") or [name for name in session.get("devices", ()) if not name.startswith("cpu")]
    if gpus:
        counted = Counter(gpus).items()
        return " and ".join(name if count == 1 else f"{count} × {name}" for name, count in counted)
    processor, cores = session.get("processor"), session.get("cores")
    if processor:
        return f"{processor}, {cores} cores" if cores else processor
    return f"a machine with {cores} cores" if cores else "a machine that was not recorded"


def _versions(session):
    """Libraries and code, as far as they were recorded."""
    names = {
        "Keras": session.get("keras"),
        session.get("backend"): session.get("backend_version"),
        "Python": session.get("python"),
        "code": session.get("code", "unknown").replace("unknown", ""),
    }
    return ", ".join(f"{name} {version}" for name, version in names.items() if version)
