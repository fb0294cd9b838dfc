"""A folder with all that it takes to train a plan of runs on a machine without a network."""

import dataclasses
import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

from core import files
from core.config.run_config import ConfigError
from core.datasets import parts
from core.datasets.catalogue import DATASETS
from core.datasets.decoding import DamagedError, decode
from core.datasets.loading import load, verify
from core.jobs.machine import COPY_OF, code_version
from core.runs.run import RunError

# What only pages need, and what a training on JAX does not.
PAGES = ("streamlit", "starlette", "plotly")
NOT_FOR = {"tensorflow": (), "jax": ("tensorflow", "ai-edge-litert")}
# A folder that has it is one of ours.
MARKER, PLAN = "bundle.env", "plan.txt"
_PROJECT = Path(__file__).parents[2]
_EXPORT = "requirements-export.txt"
_SCRIPT = Path(__file__).with_name("train.sh")
# The oldest glibc that any wheel is made for.
_OLDEST = 5
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclasses.dataclass(frozen=True)
class Machine:
    """What the machine that will train is like.

    Attributes:
        python: its version of Python, such as "3.11"; None for that of the present one.
        platform: what pip calls it, such as "manylinux_2_28_x86_64"; None for the present one.
        extra: requirements besides those of the lab, as pip takes them; with JAX among them it trains on JAX.
        has_packages: whether they are installed there already.
    """

    python: str | None = None
    platform: str | None = None
    extra: tuple = ()
    has_packages: bool = False

    @property
    def backend(self):
        return "jax" if "jax" in map(_name, self.extra) else "tensorflow"


def bundle(folder, text, configs, machine, part_bytes=10**8, tell=print):
    """Packs a folder; what is there of an earlier bundle is replaced, but not what was trained in it.

    Args:
        folder: a path; made if it is not there.
        text: the plan.
        configs: its RunConfigs.
        machine: a Machine.
        part_bytes: the largest that a part of a dataset may be, from 1.
        tell: called with a line for each thing that is packed.

    Raises:
        core.config.run_config.ConfigError: the folder is something else, or there are no such wheels.
        core.datasets.loading.DatasetUnavailable: a dataset cannot be had.
        core.runs.run.RunError: the folder cannot be written.
    """
    folder = Path(folder)
    python = machine.python or "{}.{}".format(*sys.version_info)
    if not re.fullmatch(r"3\.\d+", python):
        raise ConfigError(f"--python is a version such as 3.11, not {python}.")
    if part_bytes < 1:
        raise ConfigError("--part-size is above 0.")
    if folder.exists() and not (folder / MARKER).exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there and is no bundle; name a new folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files.replace_bytes(folder / MARKER, f"PYTHON_VERSION={python}\nBACKEND={machine.backend}\n".encode())
        requirements = _write_code(folder / "code", machine)
        tell(f"code       {_size(folder / 'code')}, version {code_version()}")
        files.discard(folder / "data")
        for name in dict.fromkeys(config.dataset for config in configs):
            pieces = _write_dataset(name, folder / "data" / name, part_bytes)
            count = f"{len(pieces)} part{'s' * (len(pieces) != 1)}"
            tell(f"data       {_size(folder / 'data' / name)} in {count}: {DATASETS[name]['label']}")
        files.discard(folder / "wheels")
        if not machine.has_packages:
            _write_wheels(folder / "wheels", requirements, python, machine.platform)
            tell(f"wheels     {_size(folder / 'wheels')}, Python {python}")
        files.replace_bytes(folder / PLAN, text.encode())
        shutil.copyfile(_SCRIPT, folder / _SCRIPT.name)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror or error}.") from None
    tell(f"plan       {len(configs)} run{'s' * (len(configs) != 1)}")


def _write_code(folder, machine):
    """Copies what trains without pages. Returns the path of its requirements."""
    files.discard(folder)
    shutil.copytree(_PROJECT / "core", folder / "core", ignore=shutil.ignore_patterns("__pycache__"))
    lines = (_PROJECT / "requirements.txt").read_text("utf-8").splitlines()
    left_out = PAGES + NOT_FOR[machine.backend]
    kept = [line for line in lines if line and not line.startswith("#") and _name(line) not in left_out]
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{line}\n" for line in [*kept, *machine.extra]), "utf-8")
    # What some formats of `export` name where their packages are not installed.
    shutil.copyfile(_PROJECT / _EXPORT, folder / _EXPORT)
    (folder / COPY_OF).write_text(code_version() + "\n", "utf-8")
    return requirements


def _name(requirement):
    """ "jax" of "jax[cuda13]==0.10.2"."""
    return re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0].lower()


def _write_dataset(name, folder, part_bytes):
    """Writes the parts of a dataset, of which every byte is checked before and after. Returns their paths."""
    verify(name)
    paths = parts.write(load(name), folder, part_bytes)
    try:
        decode("parts", folder, DATASETS[name])
    except (DamagedError, parts.PartsError) as error:
        raise RunError(f"{folder} does not hold what was written to it ({error}); check the disk.") from None
    return paths


def _write_wheels(folder, requirements, python, platform):
    """Downloads the wheels of the requirements, and pip's own, for the other machine."""
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--dest", str(folder), "--python-version", python]
    command += [word for name in _platforms(platform) for word in ("--platform", name)]
    command += ["-r", str(requirements), f"pip=={importlib.metadata.version('pip')}"]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if line.startswith("ERROR: ")] or ended.stderr.splitlines()
        why = lines[-1].removeprefix("ERROR: ").rstrip(".") if lines else "pip does not say why"
        raise ConfigError(f"The wheels for Python {python} cannot be had: {why}.")


def _platforms(name):
    """The names for pip: a machine with a newer glibc runs what was made for an older one, which pip is not sure of."""
    if not name:
        return []
    newest = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", name)
    if not newest:
        return [name]
    versions, kind = range(int(newest[1]), _OLDEST - 1, -1), newest[2]
    old = [f"{_OLD_NAMES[version]}_{kind}" for version in versions if version in _OLD_NAMES]
    return [*(f"manylinux_2_{version}_{kind}" for version in versions), *old, f"linux_{kind}"]


def _size(folder):
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e6:.1f} MB"
