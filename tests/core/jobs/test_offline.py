"""A bundle trains its plan where there is no network, goes on after a cut, and its runs come home."""

import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from core.__main__ import main
from core.config.run_config import ConfigError
from core.export import FORMATS
from core.jobs import liveness, offline
from core.jobs.machine import code_version
from core.runs.integrity import problems
from core.runs.run import Run, list_runs
from tests.workers import QUICKLY, end_workers

PROJECT = Path(__file__).parents[3]
OPTIONS = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in QUICKLY.items())
PLAN = f"""
lenet5 mnist {OPTIONS} --epochs 30   # is cut
lenet5 mnist {OPTIONS} --epochs 1 --seed 1
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.txt"
    path.write_text(PLAN)
    return path


def elsewhere(folder):
    """The environment of a machine that has the packages, and reaches nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAB_", "KERAS_"))}
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return kept | nowhere | {"PYTHON": sys.executable}


def train(folder, *arguments):
    return subprocess.Popen(
        ["sh", str(folder / "train.sh"), *arguments],
        cwd=folder.parent,
        env=elsewhere(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def runs_there(folder):
    return [Run(path) for path in sorted((folder / "artifacts").glob("lenet5-*"))]


@pytest.mark.timeout(600)
def test_a_plan_is_packed_trained_without_a_network_cut_gone_on_with_and_brought_home(
    artifacts, plan, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "bundle"
    assert main(["bundle", str(folder), "--plan", str(plan), "--no-wheels", "--part-size", "9"]) == 0
    assert "in 2 parts: MNIST" in capsys.readouterr().out
    try:
        cut_in_the_middle(folder)
        assert main(["collect", str(folder)]) == 0
        (begun,) = list_runs()
        assert "taken: stopped, trained on " in capsys.readouterr().out
        assert begun.read_status()["note"]
        # It had the time to write everything.
        assert begun.read_sessions()[0]["seconds"] > 0
        epochs = len(begun.read_history())
        assert 0 < epochs < 30

        again = train(folder, "1")
        output, _ = again.communicate(timeout=300)
        assert again.returncode == 0, output
        assert output.count("completed, ") == 2
        assert main(["collect", str(folder / "results.zip")]) == 0
        assert f"{begun.id}  a newer state was taken: completed, " in capsys.readouterr().out
        assert main(["collect", str(folder / "results.zip")]) == 0
        assert capsys.readouterr().out.count("here already: completed, ") == 2
        compare(folder, begun, epochs)
    finally:
        monkeypatch.setenv("LAB_ARTIFACTS", str(folder / "artifacts"))
        end_workers()


def cut_in_the_middle(folder):
    """Ends the training as a machine that is wanted back does, once an epoch is over: every process is told."""
    training = train(folder, "1")
    lines = iter(training.stdout.readline, "")
    try:
        assert any(line.endswith("running\n") for line in lines)
        (run,) = [run for run in runs_there(folder) if liveness.state(run)["state"] == "running"]
        while run.read_history().empty:
            assert liveness.state(run)["state"] == "running"
            assert training.poll() is None
            time.sleep(0.2)
        liveness.worker(run).send_signal(signal.SIGTERM)
        training.send_signal(signal.SIGTERM)
        rest, _ = training.communicate(timeout=60)
    finally:
        training.kill()
    assert training.returncode == 130
    assert rest.endswith("Stopped; the same command goes on where this one was.\n")


def compare(folder, begun, epochs):
    """What is at home is what was trained there."""
    assert {run.id for run in list_runs()} == {run.id for run in runs_there(folder)}
    for run in list_runs():
        there = Run(folder / "artifacts" / run.id)
        assert problems(run) == {}
        for path in run.path.iterdir():
            assert path.name == "status.json" or path.read_bytes() == (there.path / path.name).read_bytes()
        sessions = run.read_sessions()
        assert all(session["code"] == code_version() and session["cores"] for session in sessions)
    assert len(begun.read_history()) == 30
    first, second = begun.read_sessions()
    assert first["last_epoch"] >= epochs
    assert second["last_epoch"] == 30


def test_another_folder_is_not_overwritten(plan, tmp_path, capsys):
    (tmp_path / "full" / "code").mkdir(parents=True)
    for name in ("full", "plan.txt"):
        assert main(["bundle", str(tmp_path / name), "--plan", str(plan), "--no-wheels"]) == 2
        assert capsys.readouterr().err == f"{tmp_path / name} is there and is no bundle; name a new folder.\n"
    assert (tmp_path / "full" / "code").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--python 2.7", "--python is a version such as 3.11, not 2.7."),
        ("--python 3.11;true", "--python is a version such as 3.11, not 3.11;true."),
        ("--part-size 0", "--part-size is above 0."),
    ],
)
def test_a_wrong_option_is_one_sentence(options, sentence, plan, tmp_path, capsys):
    assert main(["bundle", str(tmp_path / "bundle"), "--plan", str(plan), *options.split()]) == 2
    assert capsys.readouterr().err == sentence + "\n"


def test_what_trains_on_jax_is_given_neither_tensorflow_nor_pages_but_the_list_of_what_formats_need(tmp_path):
    machine = offline.Machine(extra=("jax[cuda13]==0.10.2",))
    assert machine.backend == "jax"
    lines = offline._write_code(tmp_path / "code", machine).read_text().splitlines()
    names = {line.split("=")[0] for line in lines}
    for format in FORMATS.values():
        there = (tmp_path / "code" / "requirements-export.txt").read_text().lower()
        assert all(f"\n{package.lower()}==" in there for package in format.needs)
    assert {"keras", "numpy", "jax[cuda13]"} <= names
    assert not names & {"tensorflow", "streamlit", "plotly"}
    assert offline.Machine(extra=("jaxtyping==1.0",)).backend == "tensorflow"


def wheel(folder, name, version, tag, files=()):
    """Writes a wheel by hand."""
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, text in files:
            archive.writestr(path, text)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{about}/RECORD", "".join(f"{path},,\n" for path in archive.namelist()))


def test_wheels_are_those_of_the_other_machine(tmp_path, monkeypatch):
    """From a folder in place of a package index."""
    index, requirements = tmp_path / "index", tmp_path / "requirements.txt"
    index.mkdir()
    for tag in ("cp312-cp312-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-win_amd64"):
        wheel(index, "tiny", "1.0", tag)
    wheel(index, "pip", importlib.metadata.version("pip"), "py3-none-any")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    requirements.write_text("tiny==1.0\n")
    offline._write_wheels(tmp_path / "wheels", requirements, "3.12", "manylinux_2_28_x86_64")
    names = sorted(path.name for path in (tmp_path / "wheels").iterdir())
    assert names[1:] == ["tiny-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"]
    assert names[0].startswith("pip-")
    with pytest.raises(ConfigError, match=r"^The wheels for Python 3\.13 cannot be had: .*tiny==1\.0\.$"):
        offline._write_wheels(tmp_path / "others", requirements, "3.13", "manylinux_2_28_x86_64")


def test_the_environment_is_made_of_the_wheels_alone_and_once(tmp_path):
    """With a lab of two lines; the pip is the one that Python itself brings."""
    pips = list((Path(shutil.__file__).parent / "ensurepip" / "_bundled").glob("pip-*.whl"))
    if not pips:
        pytest.skip("this Python comes without pip's wheel")
    folder = tmp_path / "a bundle"
    for part in ("wheels", "code/core"):
        (folder / part).mkdir(parents=True)
    shutil.copy(PROJECT / "core" / "jobs" / "train.sh", folder)
    shutil.copy(pips[0], folder / "wheels")
    wheel(folder / "wheels", "tiny", "1.0", "py3-none-any", [("tiny.py", "answer = 42\n")])
    (folder / "code" / "requirements.txt").write_text("tiny==1.0\n")
    lab = "import os, sys, tiny\nprint(tiny.answer, os.environ['KERAS_BACKEND'], *sys.argv[1:])\n"
    (folder / "code" / "core" / "__main__.py").write_text(lab)
    version = "{}.{}".format(*sys.version_info)
    (folder / "bundle.env").write_text(f"PYTHON_VERSION={version}\nBACKEND=jax\n")
    done = f"plan {folder}/plan.txt --results {folder}/results.zip"
    assert said(folder, "4", "--networks") == (
        0,
        f"Installing the wheels, which is done once.\n42 jax {done} --at-once 4 --networks\n",
    )
    assert said(folder) == (0, f"42 jax {done}\n")
    assert said(folder, "stop", "RUN") == (0, "42 jax stop RUN\n")
    (folder / "bundle.env").write_text("PYTHON_VERSION=3.99\nBACKEND=jax\n")
    shutil.rmtree(folder / "env")
    code, words = said(folder)
    assert code == 2
    assert words.startswith("The wheels are for Python 3.99, which is not here: name it, ")


def said(folder, *arguments):
    """The exit code, and what it prints."""
    started = train(folder, *arguments)
    output, _ = started.communicate(timeout=120)
    return started.returncode, output
