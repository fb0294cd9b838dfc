"""The environment variables that a training process is started with; what is set already is left alone."""

import contextlib
import os
import sys

from core import settings

# Read once, by the C library or at the import of TensorFlow, so that they must be there before the process starts.
SETTINGS = {
    # TensorFlow leaves oneDNN off on CPUs that have AVX2 at most, where it makes ResNet-34 3.5, AlexNet 2 and VGG-16
    # 1.5 times faster; elsewhere this changes nothing. Nothing else that can be set here helped: oneDNN's own pool
    # leaves malloc settings and huge pages without effect (VGG-16 has a twentieth of PyTorch's page faults), and a
    # single inter-op thread costs 5 to 16 %.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # The worker's log is for people, and would report a failed CUDA call on every machine without a GPU. What really
    # fails raises an exception besides.
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Only the map uses OpenMP. Where others use the processor too, its threads would spin while one of them waits for
    # its turn: 57 seconds of the processor for a map that takes 34 where they sleep.
    "OMP_WAIT_POLICY": "PASSIVE",
}

# What a person can ask of a training by its environment, by how the name begins. A run keeps it while it waits, since
# whoever starts the worker may have been asked for something else. Names that begin with TF_ alone are also those of
# another program, and some of its values are secret.
ASKED = ("CUDA_", "JAX_", "KERAS_", "OMP_", "XLA_", *settings.KEPT)
ASKED += ("TF_CPP_", "TF_DETERMINISTIC_", "TF_ENABLE_", "TF_FORCE_", "TF_GPU_", "TF_NUM_", "TF_USE_", "TF_XLA_")


def worker_environment(asked_for=None):
    """The whole environment for a training process, for `subprocess.Popen(env=...)`: name -> value.

    Args:
        asked_for: what `asked` gave where the run was queued; None for what this process is asked for.
    """
    here = SETTINGS | os.environ | settings.for_workers()
    if asked_for is None:
        return here
    return SETTINGS | {name: value for name, value in here.items() if not name.startswith(ASKED)} | asked_for


def asked(at_once=None):
    """What this environment asks of a training: name -> value. `at_once` is as in `core.jobs.control.start`."""
    return {name: value for name, value in os.environ.items() if name.startswith(ASKED)} | settings.for_runs(at_once)


def leave_out():
    """Keeps Keras and TensorFlow from importing what they look for, but this program does not use them with. Call it
    before Keras is imported.

    TensorFlow's converter to LiteRT imports JAX wherever it is installed, which takes a second; here it is left alone
    where another backend was asked for by name. Keras imports scikit-learn and matplotlib, which takes 0.7 seconds
    each: see `bring_back`.
    """
    for name in ("matplotlib", "sklearn"):
        sys.modules.setdefault(name, None)
    if os.environ.get("KERAS_BACKEND", "jax") != "jax":
        sys.modules.setdefault("jax", None)


def bring_back(name):
    """Makes a package that was left out one that can be imported again."""
    if name in sys.modules and sys.modules[name] is None:
        del sys.modules[name]


# TensorFlow follows a training step from its end to its beginning, deeper and deeper into the stack: with the usual
# 8 MB a network of a thousand layers ends the process without a word. Only what is used takes memory, but whoever
# limits the addresses of a process counts all of it, for each thread; so networks that need it get it, and no others.
STACK_BYTES = 1_024_000_000
DEEP = 400


@contextlib.contextmanager
def stack_for(layers):
    """Gives the processes that are started inside a stack for a network of so many layers; not on Windows."""
    wanted = _missing_stack(layers)
    if wanted is None:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (wanted, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, before)


def _missing_stack(layers):
    """The bytes of stack that such a network needs and processes do not get here; None where there is no such need."""
    if os.name != "posix" or layers < DEEP:
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
    return wanted if soft != resource.RLIM_INFINITY and soft < wanted else None


def reexec_with(environment, layers=0):
    """Starts this very command anew, in its place, where a variable of `environment` or the stack for a network of so
    many layers is missing; else returns.

    Call it before anything slow is imported. Windows has no such call that keeps the console: there the variables are
    set for what is imported later, which is enough for all but the C library's.
    """
    if environment.keys() <= os.environ.keys() and _missing_stack(layers) is None:
        return
    os.environ.update(environment)
    if os.name == "posix":
        sys.stdout.flush()
        with stack_for(layers):
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
