"""Running a test's own script in a process whose Keras is on JAX."""

import os
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

# Compiling takes most of the time, and a few steps run no faster for it.
FLAGS = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false"
)


def run_on_jax(script, *arguments, flags="", **environment):
    """Runs the script from the project's folder, with further flags for XLA; returns what it has said. Skips the test
    where JAX is not installed.
    """
    # In this process JAX is left out, and nothing else would find it.
    if not PathFinder.find_spec("jax"):
        pytest.skip("jax is not installed")
    environment |= {"KERAS_BACKEND": "jax", "PYTHONPATH": ".", "XLA_FLAGS": f"{FLAGS} {flags}"}
    finished = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=os.environ | environment, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]
    return finished.stdout
