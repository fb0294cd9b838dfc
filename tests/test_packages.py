"""What the program imports is declared, and what the tests import is theirs."""

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from core.jobs.offline import PAGES

PROJECT = Path(__file__).parent.parent
OURS = {"app", "benchmarks", "core", "pages", "tests"}


def imported_packages(*folders):
    """The top-level packages, neither ours nor Python's, that any file of these folders imports anywhere."""
    found = set()
    for path in [path for folder in folders for path in sorted(PROJECT.glob(folder))]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - OURS - sys.stdlib_module_names


def declared(*files):
    """The distributions that these requirements files name."""
    lines = [line for file in files for line in (PROJECT / file).read_text("utf-8").splitlines()]
    return {_plain(line.split("==")[0]) for line in lines if line and not line.startswith("#")}


def _plain(name):
    """One spelling of a distribution's name of the many that are the same to pip."""
    return re.sub(r"[-_.]+", "-", name).lower()


def undeclared(packages, distributions):
    installed = packages_distributions()
    names = {package: {_plain(name) for name in installed.get(package, [package])} for package in packages}
    return [package for package, provided_by in names.items() if not provided_by & distributions]


def test_every_package_that_the_program_imports_is_declared():
    packages = imported_packages("app.py", "core/**/*.py", "pages/**/*.py")
    assert {"streamlit", "keras", "requests", "PIL"} <= packages
    assert (
        undeclared(packages, declared("requirements.txt", "requirements-cluster.txt", "requirements-export.txt")) == []
    )


def test_what_a_machine_without_a_network_is_given_is_all_that_training_imports():
    assert (
        undeclared(
            imported_packages("core/**/*.py"),
            declared("requirements.txt", "requirements-cluster.txt", "requirements-export.txt") - set(PAGES),
        )
        == []
    )


def test_every_package_that_the_tests_import_is_declared():
    packages = imported_packages("tests/**/*.py")
    assert {"pytest", "playwright", "hypothesis"} <= packages
    assert undeclared(packages, declared("requirements.txt", "requirements-export.txt", "tests/requirements.txt")) == []


@pytest.mark.parametrize("place", ["before", "after"])
def test_an_installed_package_called_tests_is_not_taken_for_ours(tmp_path, place):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").write_text("raise ImportError('this is not the project')\n")
    search = [str(tmp_path), str(PROJECT)] if place == "before" else [str(PROJECT), str(tmp_path)]
    collect = [sys.executable, "-P", "-m", "pytest", "--collect-only", "--numprocesses=0"]
    ended = subprocess.run(
        [*collect, "tests/core/runs/test_runs.py", "tests/e2e/test_closed.py"],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(search)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_folder_of_tests_is_a_package():
    folders = {path.parent for path in PROJECT.glob("tests/**/*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
