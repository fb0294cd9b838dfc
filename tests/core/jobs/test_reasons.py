"""Why a run ended, in one sentence each, with real workers: a full disk, a folder that cannot be written, no memory."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import psutil
import pytest
from streamlit.testing.v1 import AppTest

from core.config.recipes import make_config
from core.jobs import control, liveness
from core.jobs.worker import sentence
from core.runs.integrity import problems
from core.runs.run import UNFINISHED, RunError, create_run
from core.training import checkpoint
from tests.workers import SMALL, end_workers, wait_for

APP = str(Path(__file__).parents[3] / "app.py")
LONG = SMALL | {"record_test_predictions": False}
WALL_TIME = ["seconds", "images_per_second"]
FULL = "The disk is full; delete something, then resume."
UNWRITABLE = "The run's folder cannot be written; check its permissions, then resume."
NO_MEMORY = "The memory ran out; try a smaller batch or a smaller image size."
# The administrator may write everywhere; a worker without these rights is stopped by permissions as anybody else is.
RIGHTS = "-dac_override,-dac_read_search"
AS_ANYBODY = ["setpriv", f"--bounding-set={RIGHTS}", f"--inh-caps={RIGHTS}"] if os.geteuid() == 0 else []


@pytest.fixture
def small_disk(artifacts):
    """The artifacts folder as a disk of its own, in memory."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1g", "none", artifacts], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield artifacts
    end_workers()
    subprocess.run(["umount", artifacts], check=True)


def fill(path):
    """Writes a file until not one byte more has room."""
    with open(path, "wb", buffering=0) as file:
        for size in (2**20, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


def ended(run, seconds=240):
    """The state of a run whose worker is gone."""
    wait_for(run, lambda status: status["state"] not in UNFINISHED, seconds)
    return wait_for(run, lambda status: not liveness.has_worker(run, status), 30)


@pytest.mark.timeout(900)
def test_a_full_disk_is_said_and_loses_nothing(small_disk):
    run = control.start(make_config("lenet5", "mnist", "quick", **LONG))
    wait_for(run, lambda status: status.get("epoch", 0) >= 3)
    fill(small_disk / "filler")
    assert (ended(run)["state"], ended(run)["error"]) == ("failed", FULL)

    # Nothing can be started or resumed, and each page says so or shows what there is.
    with pytest.raises(RunError, match="No space left on device"):
        control.resume(run)
    with pytest.raises(RunError, match=r"No run can be written to .*: No space left on device"):
        create_run(run.read_config())
    page = AppTest.from_file(APP, default_timeout=60).run()
    assert not page.exception
    page = page.switch_page("pages/train.py").run()
    assert not page.exception
    assert [error.value for error in page.error] == [FULL]

    (small_disk / "filler").unlink()
    before = run.read_history().drop(columns=WALL_TIME)
    control.resume(run)
    wait_for(run, lambda status: status["state"] == "running" and status.get("epoch", 0) > len(before) + 1)
    after = run.read_history().drop(columns=WALL_TIME)
    assert list(after["epoch"]) == list(range(1, len(after) + 1))
    # The last of them may have been trained anew.
    pd.testing.assert_frame_equal(after[: len(before)], before)
    # Nor before that: it has a checkpoint, from which this session went on.
    assert run.read_sessions()[-1]["first_epoch"] >= len(before) > 1


def worker_of(run):
    """A worker for it with the rights of anybody."""
    if AS_ANYBODY and not shutil.which("setpriv"):
        pytest.skip("the administrator may write everywhere, and setpriv is not there to give that up")
    with open(run.log_path, "ab") as log:
        return subprocess.Popen([*AS_ANYBODY, sys.executable, "-m", "core.jobs.worker", run.id], stdout=log, stderr=log)


def test_a_folder_that_cannot_be_written_is_said_and_loses_nothing(artifacts):
    run = create_run(make_config("lenet5", "mnist", "quick", **LONG))
    folders = (run.path, run.checkpoint_path)
    with worker_of(run):
        wait_for(run, lambda status: status.get("epoch", 0) >= 3)
        for folder in folders:
            folder.chmod(0o555)
        assert ended(run)["error"] == UNWRITABLE, run.read_log()
    for folder in folders:
        folder.chmod(0o755)
    epochs = list(run.read_history()["epoch"])
    assert epochs == list(range(1, len(epochs) + 1))
    assert list(problems(run)) == []
    # The last epoch is begun anew at most.
    assert checkpoint.latest(run).epoch >= len(epochs) - 1 > 0


def test_a_folder_that_cannot_be_written_from_the_beginning_is_said_where_the_person_asks(artifacts):
    run = create_run(make_config("lenet5", "mnist", "quick", **LONG))
    run.path.chmod(0o555)
    asking = "import sys; from core.jobs import control; from core.runs.run import open_run\n"
    asking += "control.resume(open_run(sys.argv[1]))"
    command = [*AS_ANYBODY, sys.executable, "-c", asking, run.id]
    if AS_ANYBODY and not shutil.which("setpriv"):
        pytest.skip("the administrator may write everywhere, and setpriv is not there to give that up")
    said = subprocess.run(command, capture_output=True, text=True).stderr
    assert (
        said.splitlines()[-1] == f"core.runs.run.RunError: {run.id}: its folder cannot be written (Permission denied)."
    )


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_AS"), reason="no process can be given less memory here")
def test_memory_that_runs_out_is_said(artifacts):
    """The worker may have no more than it has as it begins to build its network."""
    run = control.start(make_config("vgg16", "mnist", "quick", image_size=224, train_examples=100, epochs=1))
    worker = psutil.Process(wait_for(run, lambda status: status.get("phase") == "preparing data")["pid"])
    limit = worker.memory_info().vms + 300 * 2**20
    worker.rlimit(psutil.RLIMIT_AS, (limit, limit))
    status = ended(run)
    assert (status["state"], status["error"]) == ("failed", NO_MEMORY), run.read_log()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 13153337344 bytes."),
        RuntimeError("OOM when allocating tensor with shape[25088,4096] and type float"),
        RuntimeError("Compute received an exception:Status:1, message: could not create a memory object."),
    ],
)
def test_the_ways_of_saying_that_there_is_no_memory_are_known(error):
    assert sentence(error) == NO_MEMORY
