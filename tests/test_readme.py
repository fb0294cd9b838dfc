"""The README is true: its file tree, its commands and its links."""

import re
import subprocess
from pathlib import Path

import pytest

from core.__main__ import parser

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", README, re.M | re.S)
TREE = next(block for block in BLOCKS if "app.py  " in block)
COMMANDS = re.findall(r"^(?:.*&& )?(?:KERAS_BACKEND=jax )?python -m core (.+)$", "".join(BLOCKS), re.M)


def tree_paths():
    """Each path in the tree, from its indentation, with its sentence."""
    parents = []
    for line in TREE.splitlines():
        indent, name, sentence = re.fullmatch(r"( *)(\S+)(?: {2,}(.+))?", line).groups()
        del parents[len(indent) // 2 :]
        parents.append(name.rstrip("/"))
        yield "/".join(parents), sentence


def test_the_tree_names_every_source_file_and_no_other():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "*.js", "*.css"]
    tracked = subprocess.check_output(command, cwd=PROJECT, text=True).split()
    present = {path for path in tracked if (PROJECT / path).exists()}
    listed = [path for path, _ in tree_paths()]
    assert len(listed) == len(set(listed))
    assert {path for path in listed if path.endswith((".py", ".js", ".css"))} == present
    assert [path for path in listed if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize(("path", "sentence"), list(tree_paths()))
def test_every_line_of_the_tree_says_something(path, sentence):
    assert sentence


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_readme_is_one(command):
    assert parser().parse_args(command.split()).run


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (PROJECT / target).exists(), target


def test_every_pin_is_exact():
    for path in (PROJECT / "requirements.txt", PROJECT / "tests" / "requirements.txt"):
        lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
        assert lines
        assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in lines)
