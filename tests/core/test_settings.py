"""The LAB_* variables: each value means what it says, or stops the server and every command with one sentence."""

import ast
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from core import settings
from core.environment import worker_environment

PROJECT = Path(__file__).parents[2]
START_SECONDS = 60
# name, value, what is said of it.
MEANINGLESS = [
    ("LAB_READ_ONLY", "maybe", "LAB_READ_ONLY is 'maybe'; it is one of 1, true, yes, on, 0, false, no, off."),
    ("LAB_TRAIN_AT_ONCE", "many", "LAB_TRAIN_AT_ONCE is 'many'; it is a whole number from 1."),
    ("LAB_TRAIN_AT_ONCE", "0", "LAB_TRAIN_AT_ONCE is '0'; it is a whole number from 1."),
    ("LAB_ARTIFACTS", __file__, f"LAB_ARTIFACTS is {__file__!r}; that is a file, and it has to be a folder."),
    ("LAB_DATA", "/no/such/folder", "LAB_DATA is '/no/such/folder'; there is no such folder."),
    ("LAB_DATA", __file__, f"LAB_DATA is {__file__!r}; there is no such folder."),
    ("LAB_CLAIMS", "/no/such/folder", "LAB_CLAIMS is '/no/such/folder'; there is no such folder."),
    ("LAB_LESSON", "/no/such/file", "LAB_LESSON is '/no/such/file'; there is no such file."),
    (
        "LAB_READONLY",
        "1",
        "There is no setting called LAB_READONLY; there are LAB_ARTIFACTS, LAB_CLAIMS, LAB_DATA, LAB_LESSON, "
        "LAB_RAY_ADDRESS, LAB_READ_ONLY and LAB_TRAIN_AT_ONCE.",
    ),
    ("LAB_RAY_ADDRESS", "10.0.0.1", "LAB_RAY_ADDRESS is '10.0.0.1'; it is auto or HOST:PORT, as in 10.0.0.1:6379."),
]


def test_a_cluster_without_ray_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("LAB_RAY_ADDRESS", "")
    settings.check()
    with pytest.raises(
        settings.SettingError, match=r"which is not installed: pip install -r requirements-cluster\.txt$"
    ):
        settings.set_ray_address("10.0.0.1:6379")
    with pytest.raises(settings.SettingError, match="A cluster needs Ray"):
        settings.check()


def without_settings(**variables):
    """This process's environment with no LAB_* variable but the given ones."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LAB_")} | variables


def serve(*options, **variables):
    """A real server as a process, and its address; what it says goes into its stdout."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", *options]
    server = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=without_settings(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return server, f"http://127.0.0.1:{port}"


def answers(address):
    """Whether the server at this address is healthy."""
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def wait_until(condition):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize(("name", "value", "sentence"), MEANINGLESS, ids=lambda value: str(value)[:20])
def test_what_means_nothing_is_one_sentence(monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.SettingError) as caught:
        settings.check()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("name", "value", "sentence"), [MEANINGLESS[0], MEANINGLESS[-1]], ids=["value", "name"])
def test_a_command_stops_with_the_sentence(name, value, sentence):
    command = [sys.executable, "-m", "core", "runs"]
    ended = subprocess.run(
        command, cwd=PROJECT, env=without_settings(**{name: value}), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", sentence + "\n")


@pytest.mark.parametrize(("name", "value", "sentence"), [MEANINGLESS[0], MEANINGLESS[-1]], ids=["value", "name"])
def test_the_server_stops_with_the_sentence_before_anybody_comes(name, value, sentence):
    server, _ = serve("--server.headless=true", **{name: value})
    try:
        said, _ = server.communicate(timeout=START_SECONDS)
    finally:
        server.kill()
    assert (server.returncode, said) == (2, sentence + "\n")


@pytest.mark.skipif(sys.platform != "linux", reason="browsers are opened in another way elsewhere")
def test_a_server_with_sound_settings_says_where_it_is_and_opens_a_browser_there(tmp_path):
    opened, opener = tmp_path / "opened", tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    opener.chmod(0o700)
    server, address = serve(
        "--server.headless=false",
        LAB_READ_ONLY="on",
        LAB_TRAIN_AT_ONCE="2",
        LAB_ARTIFACTS=str(tmp_path / "runs"),
        LAB_DATA=str(tmp_path),
        PATH=f"{tmp_path}:{os.environ['PATH']}",
    )
    try:
        wait_until(lambda: server.poll() is not None or (answers(address) and opened.exists()))
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=START_SECONDS)
    assert said == f"Deeper Networks Lab: {address}\n"
    assert opened.read_text() == f"{address}\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [*((value, True) for value in ("1", "true", "YES", "on", " On ")), *((value, False) for value in ("", "0", "OFF"))],
)
def test_yes_and_no_are_said_in_any_case(monkeypatch, value, expected):
    monkeypatch.setenv("LAB_READ_ONLY", value)
    assert settings.read_only() is expected


@pytest.mark.parametrize("value", ["-1", "two", "1.5", "²", "٢", "1e3"])
def test_a_number_of_runs_is_whole_and_from_1(monkeypatch, value):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", value)
    with pytest.raises(settings.SettingError, match="it is a whole number from 1"):
        settings.train_at_once()


def test_what_is_not_set_is_what_the_project_does_by_itself(monkeypatch):
    for name in settings.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    settings.check()
    assert settings.artifacts_folder() == PROJECT / "artifacts"
    assert (settings.data_folder(), settings.read_only(), settings.train_at_once()) == (None, False, None)
    assert not settings.SETTINGS.keys() & worker_environment().keys()


def test_a_worker_is_told_the_folder_that_is_meant_here(monkeypatch, tmp_path):
    """It has another working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_ARTIFACTS", "runs")
    monkeypatch.setenv("LAB_DATA", "~/images")
    told = worker_environment()
    assert Path(told["LAB_ARTIFACTS"]) == tmp_path / "runs"
    assert Path(told["LAB_DATA"]) == Path.home() / "images"


def test_the_variables_are_read_in_one_place():
    users = set()
    for path in [PROJECT / "app.py", *PROJECT.glob("core/**/*.py"), *PROJECT.glob("pages/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = [node.slice] if isinstance(node, ast.Subscript) else getattr(node, "args", [])
            names = {part.value for part in parts if isinstance(part, ast.Constant)} if isinstance(parts, list) else ()
            if settings.SETTINGS.keys() & names:
                users.add(path.relative_to(PROJECT).as_posix())
    assert users == {"core/settings.py"}
