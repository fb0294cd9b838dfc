"""The environment variables that a training process is started with; what is set already is left alone."""

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
}


def worker_environment():
    """The whole environment for a training process, for `subprocess.Popen(env=...)`: name -> value."""
    return SETTINGS | os.environ | settings.for_workers()


def reexec_with(environment):
    """Starts this very command anew, in its place, where a variable of `environment` is missing; else returns.

    Call it before anything slow is imported. Windows has no such call that keeps the console: there the variables are
    set for what is imported later, which is enough for all but the C library's.
    """
    missing = environment.keys() - os.environ.keys()
    if not missing:
        return
    os.environ.update(environment)
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
