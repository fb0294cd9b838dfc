"""Which GPUs a run may be given: those that its environment lets it see, and never another."""

import functools
import os
import re
import subprocess

MASK = "CUDA_VISIBLE_DEVICES"
NONE_FOUND = "A GPU was given to this run, but keras found none; it trains on the processor."
# How two runs of one GPU share its memory: TensorFlow takes what it needs, JAX the share that it is told.
GROWTH, SHARE = "TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_MEM_FRACTION"
# JAX refuses to start where both names are set.
NEW_SHARE = "XLA_CLIENT_MEM_FRACTION"
# The rest of the memory is for CUDA itself.
SHARED = 0.9
_ASK_SECONDS = 20


def visible(environment):
    """The GPUs that a process with this environment may use, a list of names as CUDA_VISIBLE_DEVICES has them.

    Args:
        environment: variables, name -> value. Where it has no mask, every GPU of the driver's list is visible; a GPU
            that is divided (MIG) is given out in its parts.
    """
    listed, mask = _listed(), environment.get(MASK)
    if mask is None:
        return [name for number, (_, *parts) in enumerate(listed or ()) for name in parts or [str(number)]]
    names = []
    for name in mask.split(","):
        # As CUDA does: whatever follows a name that stands for no GPU is not visible either.
        if not _is_there(name.strip(), listed):
            break
        names.append(name.strip())
    return list(dict.fromkeys(names))


def confine(gpu, runs):
    """Keeps this process to some GPUs. Call it before Keras is imported.

    Args:
        gpu: names from `visible`, with a comma between them.
        runs: how many runs may train on each at once; more than one share its memory.
    """
    os.environ[MASK] = gpu
    if runs > 1:
        os.environ.setdefault(GROWTH, "true")
        if NEW_SHARE not in os.environ:
            os.environ.setdefault(SHARE, f"{SHARED / runs:.3f}")


@functools.cache
def _listed():
    """The driver's GPUs, in its order: a list of UUIDs each, its own and those of its parts. None without a driver."""
    try:
        said = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=_ASK_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if said.returncode:
        return None
    gpus = []
    for line in said.stdout.splitlines():
        uuid = re.search(r"\(UUID: ([^)]+)\)", line)
        if line.startswith("GPU "):
            gpus.append([uuid[1] if uuid else ""])
        elif gpus and uuid:
            gpus[-1].append(uuid[1])
    return gpus


def _is_there(name, listed):
    if name.isascii() and name.isdecimal():
        return listed is None or int(name) < len(listed)
    # The beginning of a UUID is enough for CUDA.
    is_uuid = name.startswith(("GPU-", "MIG-"))
    return is_uuid and (listed is None or any(uuid.startswith(name) for gpu in listed for uuid in gpu))
