"""Every LAB_* environment variable, read here alone; a value that means nothing is refused in one sentence."""

import importlib.util
import os
import re
from pathlib import Path

PREFIX = "LAB_"
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
READ_ONLY = "This lab is read-only: watch, compare, browse and draw."
_PROJECT = Path(__file__).parent.parent


class SettingError(ValueError):
    """A LAB_* variable that does not exist or has a value that means nothing; the message is one sentence."""


def artifacts_folder():
    """Where the run folders are, a Path: $LAB_ARTIFACTS, or `artifacts` in the project."""
    said = _said("LAB_ARTIFACTS")
    return Path(said).expanduser().absolute() if said else _PROJECT / "artifacts"


def data_folder():
    """The folder with a user's own copies of the datasets' original files: $LAB_DATA, a Path; else None."""
    said = _said("LAB_DATA")
    return Path(said).expanduser().absolute() if said else None


def lesson_file():
    """The text of the Lesson page, a Path: $LAB_LESSON, or `docs/lesson.md` in the project."""
    said = _said("LAB_LESSON")
    return Path(said).expanduser().absolute() if said else _PROJECT / "docs" / "lesson.md"


def claims_folders():
    """Where the claims are: the project's own folder, and $LAB_CLAIMS where that is set; Paths."""
    said = _said("LAB_CLAIMS")
    return [_PROJECT / "docs" / "claims", *([Path(said).expanduser().absolute()] if said else [])]


def read_only():
    """Whether everyone may look, and nobody train, stop or delete: $LAB_READ_ONLY, in any case; else False."""
    said = _said("LAB_READ_ONLY")
    if said and said.lower() not in YES + NO:
        raise SettingError(f"LAB_READ_ONLY is {said!r}; it is one of {', '.join(YES + NO)}.")
    return said.lower() in YES


def train_at_once(environment=os.environ):
    """How many runs may train at the same time: $LAB_TRAIN_AT_ONCE, from 1; else None.

    Args:
        environment: variables, name -> value: those of the run that asks, or this process's own.
    """
    said = _said("LAB_TRAIN_AT_ONCE", environment)
    if said and not (said.isascii() and said.isdecimal() and int(said)):
        raise SettingError(f"LAB_TRAIN_AT_ONCE is {said!r}; it is a whole number from 1.")
    return int(said) if said else None


def ray_address(environment=os.environ):
    """The Ray cluster that runs are trained on: $LAB_RAY_ADDRESS, "auto" or HOST:PORT; else None, for this machine.

    Args:
        environment: as in `train_at_once`.
    """
    said = _said("LAB_RAY_ADDRESS", environment)
    if said and said != "auto" and not re.fullmatch(r"[\w.-]+:\d{1,5}", said):
        raise SettingError(f"LAB_RAY_ADDRESS is {said!r}; it is auto or HOST:PORT, as in 10.0.0.1:6379.")
    return said or None


# Each variable with its reader.
SETTINGS = {
    "LAB_ARTIFACTS": artifacts_folder,
    "LAB_CLAIMS": claims_folders,
    "LAB_DATA": data_folder,
    "LAB_LESSON": lesson_file,
    "LAB_RAY_ADDRESS": ray_address,
    "LAB_READ_ONLY": read_only,
    "LAB_TRAIN_AT_ONCE": train_at_once,
}


# Those that a run keeps while it waits.
KEPT = ("LAB_DATA", "LAB_TRAIN_AT_ONCE", "LAB_RAY_ADDRESS")


def set_artifacts_folder(folder):
    """For this process and those that it starts."""
    os.environ["LAB_ARTIFACTS"] = str(folder)


def set_ray_address(address):
    """For this process and those that it starts; None for this machine.

    Raises:
        SettingError: it is no address, or Ray is not installed.
    """
    os.environ.pop("LAB_RAY_ADDRESS", None)
    if address:
        os.environ["LAB_RAY_ADDRESS"] = address
    if ray_address():
        need_ray()


def need_ray():
    """Raises SettingError where Ray is not installed; does not import it."""
    if importlib.util.find_spec("ray") is None:
        raise SettingError("A cluster needs Ray, which is not installed: pip install -r requirements-cluster.txt")


def check():
    """Call it before anything else: a server or a command that misreads what it was told does harm.

    Raises:
        SettingError: a LAB_* variable does not exist, or its value means nothing.
    """
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in SETTINGS:
            *others, last = SETTINGS
            raise SettingError(f"There is no setting called {name}; there are {', '.join(others)} and {last}.")
    for read in SETTINGS.values():
        read()
    if ray_address():
        need_ray()
    if _said("LAB_ARTIFACTS") and artifacts_folder().exists() and not artifacts_folder().is_dir():
        raise SettingError(f"LAB_ARTIFACTS is {_said('LAB_ARTIFACTS')!r}; that is a file, and it has to be a folder.")
    if _said("LAB_LESSON") and not lesson_file().is_file():
        raise SettingError(f"LAB_LESSON is {_said('LAB_LESSON')!r}; there is no such file.")
    if _said("LAB_CLAIMS") and not claims_folders()[-1].is_dir():
        raise SettingError(f"LAB_CLAIMS is {_said('LAB_CLAIMS')!r}; there is no such folder.")
    if data_folder() and not data_folder().is_dir():
        raise SettingError(f"LAB_DATA is {_said('LAB_DATA')!r}; there is no such folder.")


def for_workers():
    """The folders as a process in another working directory is told them: name -> value."""
    folders = {"LAB_ARTIFACTS": artifacts_folder, "LAB_DATA": data_folder}
    return {name: str(read()) for name, read in folders.items() if _said(name)}


def for_runs(at_once=None):
    """What a run that is queued keeps of them: name -> value.

    Args:
        at_once: how many runs may train at the same time when its turn comes; None for what the environment says.
    """
    said = zip(KEPT, (data_folder(), at_once or _said("LAB_TRAIN_AT_ONCE"), ray_address()), strict=True)
    return {name: str(value) for name, value in said if value}


def _said(name, environment=os.environ):
    """What the environment says, without blanks around it; "" where it says nothing."""
    return environment.get(name, "").strip()
