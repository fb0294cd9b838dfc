"""What a run depends on besides its settings: the hardware, the libraries' versions, and the version of the code."""

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

import psutil

UNKNOWN = "unknown"
# Where the code says of which commit it is a copy, beside core/.
COPY_OF = "code_version.txt"
CHANGED = "+changes"
# Those that decide how fast a CPU multiplies matrices.
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
_PROJECT = Path(__file__).parents[2]
CPUINFO = Path("/proc/cpuinfo")
# What decides how a network is trained; a change elsewhere, as in a page, makes no other version of it.
_CODE = ("core", "requirements.txt")
_COMMIT_LENGTH = 10
_ASK_SECONDS = 20
_VERSION = re.compile(rf"[0-9a-f]{{{_COMMIT_LENGTH}}}({re.escape(CHANGED)})?")


def describe(keras):
    """This machine and the program, as they are recorded with a run: name -> value.

    Nothing in it names a person, a computer or a folder.

    Args:
        keras: the module; whoever trains has imported it, and nobody else may.

    Returns:
        python, keras, backend (its name), backend_version, platform, processor (a name), instructions (those of
        INSTRUCTIONS that it has), cores, memory_bytes, devices (as Keras calls them), gpus (a name each, of those that
        Keras trains on) and code (see `code_version`).
    """
    backend = keras.backend.backend()
    devices = [str(device) for device in keras.distribution.list_devices()]
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": backend,
        "backend_version": importlib.metadata.version(backend),
        "platform": platform.platform(),
        "processor": processor(),
        "instructions": instructions(),
        "cores": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "devices": devices,
        "gpus": gpu_names([device for device in devices if not device.lower().startswith("cpu")]),
        "code": code_version(),
    }


def processor():
    """The processor's name, such as "AMD EPYC 9R14"; "unknown" where the system does not tell."""
    if platform.system() == "Darwin":
        name = _said("sysctl", "-n", "machdep.cpu.brand_string")
    else:
        name = _cpuinfo("model name")
    return name or platform.processor() or platform.machine() or UNKNOWN


def instructions():
    """Those of INSTRUCTIONS that the processor has; none where the system does not list them."""
    flags = _cpuinfo("flags").split()
    return [name for name in INSTRUCTIONS if name in flags]


def gpu_names(devices):
    """The GPUs' names, one for each of the devices that Keras found; a device's own where the driver tells none."""
    listed = _said("nvidia-smi", "--query-gpu=index,uuid,name", "--format=csv,noheader") if devices else ""
    gpus = [[part.strip() for part in line.split(",", 2)] for line in listed.splitlines() if line.count(",") >= 2]
    mask = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    if mask:
        gpus = [gpu for name in mask for gpu in gpus if name == gpu[0] or gpu[1].startswith(name)]
    names = [name for _, _, name in gpus]
    return names if len(names) == len(devices) else list(devices)


def code_version(project=_PROJECT):
    """The commit of the project's code, ten digits, with "+changes" where the code differs from it.

    Without git only the commit can be told; of a copy, what it says itself; "unknown" where the folder is neither.
    """
    # Only the project's own repository: a folder may lie, untracked, in somebody else's.
    if not (project / ".git").exists():
        return _copied(project)
    commit = _said("git", "-C", str(project), "rev-parse", "HEAD") or _head(project)
    changed = _said("git", "-C", str(project), "status", "--porcelain", "--", *_CODE)
    return (commit[:_COMMIT_LENGTH] + (CHANGED if changed else "")) if commit else UNKNOWN


def _copied(project):
    """The version of which the project is a copy without its history."""
    try:
        said = (project / COPY_OF).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return UNKNOWN
    return said if _VERSION.fullmatch(said) else UNKNOWN


def _head(project):
    """The commit in .git/HEAD; "" where it cannot be found."""
    try:
        folder = project / ".git"
        if folder.is_file():
            folder = project / folder.read_text("utf-8").removeprefix("gitdir:").strip()
        head = (folder / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref:"):
            return head
        branch = head.removeprefix("ref:").strip()
        # A further work tree of a clone keeps its branches in the clone.
        shared = folder / "commondir"
        if shared.exists():
            folder = folder / shared.read_text("utf-8").strip()
        if (folder / branch).exists():
            return (folder / branch).read_text("utf-8").strip()
        packed = (folder / "packed-refs").read_text("utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {branch}")), "")
    except (OSError, UnicodeDecodeError):
        return ""


def _cpuinfo(name):
    """The first value of this name that Linux tells of its processors; "" elsewhere."""
    try:
        lines = CPUINFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    values = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in values if key.strip() == name), "")


def _said(*command):
    """What a command prints; "" where it is not installed, fails or takes too long."""
    # Inside a hook of git's, the environment names another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_ASK_SECONDS, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""
