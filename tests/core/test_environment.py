"""What a training process is started with."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from core.environment import SETTINGS, STACK_BYTES, worker_environment

PROJECT = Path(__file__).parents[2]
PROGRAM = "from core.environment import *; import os, sys; reexec_with(worker_environment()); "


def run(arguments, **variables):
    """What a fresh Python prints; the settings under test are not in its environment unless given."""
    bare = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=PROJECT, env=bare | variables, capture_output=True, text=True, check=True).stdout


def test_a_users_own_value_is_kept(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert worker_environment()["TF_ENABLE_ONEDNN_OPTS"] == "0"


def test_the_rest_of_the_environment_reaches_the_worker(monkeypatch):
    monkeypatch.setenv("LAB_ARTIFACTS", "/somewhere")
    assert worker_environment()["LAB_ARTIFACTS"] == "/somewhere"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_command_restarts_itself_with_what_is_missing(name):
    assert run(["-c", PROGRAM + f"print(os.environ[{name!r}])"]).strip() == SETTINGS[name]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems replace a process in place")
def test_a_restarted_command_keeps_its_arguments_and_runs_its_body_once():
    printed = run(["-X", "utf8", "-c", PROGRAM + "print(sys.argv[1:], sys.flags.utf8_mode)", "a b", "--c"])
    assert printed == "['a b', '--c'] 1\n"


def test_a_command_that_has_everything_goes_straight_on():
    printed = run(["-c", "print('started'); " + PROGRAM], **SETTINGS)
    assert printed == "started\n"


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems limit the stack so")
@pytest.mark.parametrize("words", ["train preact_resnet1001 mnist", "train --run preact_resnet1001-mnist-quick-1"])
def test_only_a_network_of_a_thousand_layers_has_a_stack_for_that(words):
    told = "import resource; print(resource.getrlimit(resource.RLIMIT_STACK)[0])"
    starting = "import sys; from core.networks.catalogue import deepest; from core.environment import *; "
    starting += "reexec_with(worker_environment(), deepest(sys.argv)); "
    here, hard = resource.getrlimit(resource.RLIMIT_STACK)
    deep = int(run(["-c", starting + told, *words.split()], **SETTINGS))
    assert deep == resource.RLIM_INFINITY or deep >= (STACK_BYTES if hard < 0 else min(STACK_BYTES, hard))
    assert int(run(["-c", starting + told, *words.replace("1001", "164").split()])) == here
