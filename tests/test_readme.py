"""The README is true: its tree of folders, its commands and its links."""

import re
import subprocess
from pathlib import Path

import pytest

from core.__main__ import parser

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", README, re.M | re.S)
TREE = next(block for block in BLOCKS if block.startswith("pages/"))
COMMANDS = re.findall(r"^(?:.*&& )?(?:KERAS_BACKEND=jax )?python -m core (.+)$", "".join(BLOCKS), re.M)


def tree_paths():
    """Each folder in the tree, from its indentation, with its sentence."""
    parents = []
    for line in TREE.splitlines():
        indent, name, sentence = re.fullmatch(r"( *)(\S+)/(?: {2,}(.+))?", line).groups()
        del parents[len(indent) // 2 :]
        parents.append(name)
        yield "/".join(parents), sentence


def project_folders():
    """Every folder at the top, and every folder that holds Python files."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    paths = [Path(line) for line in subprocess.check_output(command, cwd=PROJECT, text=True).splitlines()]
    present = [path for path in paths if (PROJECT / path).exists()]
    top = {path.parts[0] for path in present if len(path.parts) > 1}
    return top | {path.parent.as_posix() for path in present if path.suffix == ".py" and len(path.parts) > 1}


def test_the_tree_names_every_folder_and_no_other():
    listed = [path for path, _ in tree_paths()]
    assert len(listed) == len(set(listed))
    assert set(listed) == project_folders()


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
