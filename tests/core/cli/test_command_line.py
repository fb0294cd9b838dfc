"""The command line: every command's help, one sentence and exit code 2 on bad input, and a run from end to end."""

import csv
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image

from core.__main__ import main
from core.cli import runs as cli_runs
from core.cli.parser import parser
from core.config.recipes import make_config, training_command
from core.datasets.loading import load
from core.export import FORMATS
from core.networks.catalogue import NETWORKS
from core.runs.integrity import problems
from core.runs.run import Run, list_runs, open_run
from tests import folders
from tests.few_images import few
from tests.penmanship import teach
from tests.workers import SMALL, wait_for

COMMANDS = ("data", "networks", "settings", "train", "sweep", "runs", "stop", "evaluate", "export", "ship", "map")
COMMANDS += ("bundle", "plan", "collect")


def test_the_help_names_every_command(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    assert all(f"  {command} " in printed for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert command in capsys.readouterr().out


BAD = {
    "": "are required",
    "fly": "choose from",
    "train": "Name a network and a dataset",
    "train lenet mnist": "Network is one of alexnet, vgg16, resnet34",
    "train alexnet svhn": "Dataset is one of mnist, fashion_mnist, cifar10",
    "train alexnet mnist --recipe slow": "Recipe is one of report, quick, modern",
    "train alexnet mnist --epochs 0": "Epochs is between 1 and 500",
    "train alexnet mnist --epochs many": "invalid int value",
    "train alexnet mnist --activation tanh": "Activation is one of relu, leaky_relu",
    "train --run nothing-here": "There is no run called",
    "train --run ../../etc": "That is not the name of a run",
    "train --run nothing-here --epochs 3": "A run goes on with its own settings",
    "train --finish": "Name the run to finish",
    "stop nothing-here": "There is no run called",
    "data svhn": "There is no dataset called 'svhn'",
    "networks lenet": "There is no network called 'lenet'",
    "networks --dropout 2": "Dropout is between 0 and 0.9",
    "evaluate nothing-here": "There is no run called",
    "export nothing-here /tmp/x": "There is no run called",
}


@pytest.mark.parametrize("arguments", BAD, ids=lambda arguments: arguments or "nothing")
def test_bad_input_is_answered_in_one_line_with_exit_code_2(artifacts, capsys, arguments):
    try:
        code = main(arguments.split())
    except SystemExit as leaving:
        code = leaving.code
    assert code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert BAD[arguments] in said.err
    assert said.err.count("\n") == 1
    assert list_runs() == []


def test_the_parameter_counts_are_printed_for_every_network(capsys):
    assert main(["networks"]) == 0
    printed = capsys.readouterr().out
    for network, count in {"alexnet": "24,744,650", "vgg16": "39,928,522", "resnet34": "21,309,066"}.items():
        assert f"{NETWORKS[network]['label']} on 64×64×1" in printed
        assert f"{count} parameters" in printed


def test_runs_lists_what_there_is(artifacts, capsys):
    main(["runs"])
    assert "python -m core train" in capsys.readouterr().out
    run = folders.finished_run()
    main(["runs"])
    assert run.id in capsys.readouterr().out


def test_runs_tells_what_a_run_was_trained_on_and_which_settings_were_changed(artifacts, capsys):
    run, plain = folders.finished_run(epochs=2), folders.finished_run("vgg16")
    run.describe(sessions=[{"started": 1.0, "first_epoch": 1, "first_step": 0, "gpus": ["NVIDIA H100"]}])
    main(["runs"])
    heading, *rows = capsys.readouterr().out.splitlines()
    assert re.findall(r"trained on|changed settings", heading) == ["trained on", "changed settings"]
    (row,) = (row for row in rows if row.startswith(run.id))
    assert re.search(r"NVIDIA H100 +epochs 2$", row)
    (row,) = (row for row in rows if row.startswith(plain.id))
    assert row.endswith(" 3")


def test_a_command_on_no_run_says_how_to_list_them_on_a_command_line(artifacts, capsys):
    assert main(["evaluate", "no-such-run"]) == 2
    said = capsys.readouterr().err
    assert said == "There is no run called no-such-run. To see what runs there are: python -m core runs\n"


def test_an_unfinished_run_can_be_neither_evaluated_nor_exported(artifacts, tmp_path, capsys):
    run = folders.started_run()
    assert main(["evaluate", run.id]) == main(["export", run.id, str(tmp_path)]) == 2
    assert "train it to its end first" in capsys.readouterr().err


@pytest.mark.timeout(600)
def test_a_run_is_stopped_by_ctrl_c_and_as_it_waits_by_stop_finished_as_it_is_evaluated_and_exported(
    artifacts, capsys, tmp_path
):
    def train(*arguments):
        return subprocess.Popen([sys.executable, "-m", "core", "train", *arguments], stdout=subprocess.PIPE, text=True)

    def in_epoch(number):
        return lambda status: status.get("epoch", 0) >= number and status["phase"] == "training"

    with train("lenet5", "mnist", *(f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items())) as process:
        run = open_run(Path(process.stdout.readline().strip()).name)
        wait_for(run, in_epoch(2))
        process.send_signal(signal.SIGINT)
        assert f"stopped; go on with: python -m core train --run {run.id}" in process.stdout.read()
    assert process.returncode == 0
    epochs = len(run.read_history())
    assert epochs >= 1

    with FileLock(artifacts / ".slots" / "0.lock"), train("--run", run.id) as process:
        assert process.stdout.readline() == "Waiting, first in line.\n"
        assert main(["train", "--run", run.id]) == 2
        assert main(["stop", run.id]) == 0
        assert process.wait(60) == 0
    said = capsys.readouterr()
    assert said.err == f"{run.id} is being trained already.\n"
    assert said.out == f"{run.id} is stopped\n"

    with train("--run", run.id, "--finish") as process:
        assert "completed: " in process.stdout.read()
    assert run.read_metrics()["epochs"] == len(run.read_history()) == epochs
    assert main(["train", "--run", run.id]) == 2
    assert "is finished already" in capsys.readouterr().err

    assert main(["evaluate", run.id]) == 0
    lines = capsys.readouterr().out.splitlines()
    figures = [line.split()[1:] for line in lines if line.startswith(("recorded", "model."))]
    assert figures[0] == figures[1]
    assert float(figures[2][0]) == pytest.approx(float(figures[0][0]), abs=2)
    assert main(["export", run.id, str(tmp_path / "out")]) == 0
    names = {path.name for path in Path(tmp_path / "out").iterdir()}
    # Nobody has noted anything of it.
    assert names == {file for format in FORMATS.values() for file in format.files} - {"note.json"}
    with open(tmp_path / "out" / "test_predictions.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10_000
    assert rows[0]["label"] == "7"
    Image.fromarray(load("mnist").test_images[0, ..., 0]).save(tmp_path / "seven.png")
    example = [sys.executable, "example.py", "../seven.png"]
    surest = subprocess.check_output(example, cwd=tmp_path / "out", text=True).splitlines()[0]
    share = float(rows[0][f"probability of {rows[0]['predicted']}"])
    assert surest == f"{rows[0]['predicted']}: {share:.2%}"


def test_a_finished_run_is_given_a_map_by_its_8_bit_network(artifacts, monkeypatch, capsys):
    run = teach(folders.finished_run(examples=20))
    monkeypatch.setattr(cli_runs, "load", few)
    assert main(["map", run.id]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(run.map_path)
    assert len(run.read_map()["points"]) == 20
    assert problems(run) == {}

    assert main(["map", run.id]) == 2
    assert "has a map already; delete its map.npz" in capsys.readouterr().err
    for other in (folders.finished_run("vgg16"), folders.started_run("vgg16")):
        assert main(["map", other.id]) == 2
    assert re.search("model.keras is missing.*\n.*train it to its end first", capsys.readouterr().err)


def test_a_map_from_an_older_version_keeps_its_points_and_is_calibrated_on_the_validation_images(
    artifacts, monkeypatch, capsys
):
    (folder,) = (Path(__file__).parents[3] / "artifacts").glob("lenet5-mnist-*")
    run = Run(shutil.copytree(folder, artifacts / folder.name))
    arrays = run.read_map()
    added = {name: arrays.pop(name) for name in ("threshold", "validation_images", "validation_beyond")}
    run.write_map(arrays)
    data = load("mnist")
    monkeypatch.setattr(cli_runs, "load", lambda name: data._replace(train_images=data.train_images[:10_000]))
    assert main(["map", run.id]) == 0
    found = run.read_map()
    assert all((found[name] == array).all() for name, array in arrays.items())
    # A tenth of the training images are held back.
    assert found["validation_images"] == 1_000
    assert found["threshold"] == pytest.approx(added["threshold"], rel=0.3)
    assert problems(run) == {}
    assert main(["map", run.id]) == 2
    assert "has a map already" in capsys.readouterr().err


def test_the_command_that_trains_a_run_again_makes_the_same_config():
    for network, recipe in (("alexnet", "report"), ("vgg16", "quick"), ("resnet34", "modern")):
        config = make_config(network, "cifar10", recipe, flip=False, seed=3, precision="mixed_bfloat16", warmup=1 / 3)
        words = training_command(config).split()
        assert words[:3] == ["python", "-m", "core"]
        options = vars(parser().parse_args(words[3:]))
        for name in ("run", "run_id", "finish", "cluster"):
            options.pop(name, None)
        assert make_config(**options) == config


def test_every_setting_has_an_option():
    options = parser().parse_args(["train", "alexnet", "mnist", "--learning-rate", "0.5", "--batch-normalization"])
    assert (options.learning_rate, options.batch_normalization) == (0.5, True)
