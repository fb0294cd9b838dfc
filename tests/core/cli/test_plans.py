"""A plan is checked line by line before anything is packed or trained."""

import pytest

from core.__main__ import main
from core.cli.plans import read_plan
from core.config.recipes import make_config
from core.runs.run import list_runs

FIRST = "alexnet mnist --recipe report --seed 1\n"
MISTAKES = {
    "vgg61 cifar10": "Network is one of alexnet, ",
    "vgg16": "Name a network and a dataset, as in: alexnet mnist.",
    "vgg16 cifar10 --epochs 0": "Epochs is between 1 and 500, not 0.",
    "vgg16 cifar10 --epochs many": "Argument --epochs: invalid int value: 'many'.",
    "vgg16 cifar10 --speed 3": "Unrecognized arguments: --speed 3.",
    "vgg16 cifar10 --help": "That is not a run.",
    "--run alexnet-mnist-quick-20261128-195530-453f": "Name a network and a dataset",
    "vgg16 cifar10 --finish": "Name a network, a dataset, a recipe and settings, and nothing else.",
    "vgg16 'cifar10": "No closing quotation.",
    "alexnet mnist --seed 1 --recipe report": "That is the run of line 1 again; give it another seed.",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_found_while_packing_and_told_with_its_line(line, artifacts, tmp_path, capsys):
    plan = tmp_path / "plan.txt"
    plan.write_text(f"{FIRST}\n{line}\n")
    for command in (["bundle", str(tmp_path / "bundle"), "--plan", str(plan)], ["plan", str(plan)]):
        assert main(command) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(f"{plan}, line 3: {MISTAKES[line]}")
        assert printed.err.count("\n") == 1
        assert printed.err.endswith(".\n")
    assert not (tmp_path / "bundle").exists()
    assert list_runs() == []


def test_a_plan_names_a_run_a_line_besides_remarks(tmp_path):
    plan = tmp_path / "plan.txt"
    plan.write_text(f"# The first two.\n\n{FIRST}resnet34 mnist --no-flip # slower\n")
    assert read_plan(plan) == [
        make_config("alexnet", "mnist", "report", seed=1),
        make_config("resnet34", "mnist", "quick", flip=False),
    ]


def test_a_plan_that_is_not_there_or_empty_is_one_sentence(tmp_path, capsys):
    assert main(["plan", str(tmp_path / "none.txt")]) == 2
    assert capsys.readouterr().err.endswith("none.txt cannot be read: No such file or directory.\n")
    (tmp_path / "empty.txt").write_text("# nothing yet\n")
    assert main(["plan", str(tmp_path / "empty.txt")]) == 2
    assert "empty.txt names no run" in capsys.readouterr().err
