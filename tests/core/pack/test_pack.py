"""The pack that a researcher hands in: what is in it is true, the same each time, and can be read by what it is for."""

import io
import json
import math
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.config.recipes import training_command
from core.datasets.catalogue import DATASETS
from core.pack import NAME, figures, making, tables
from core.pack.figures import Case, cases, in_percent
from core.pack.forms import Column, Row, Table, as_html, as_latex, as_markdown, latex
from core.results import table as results
from core.results.reference import REPORT
from core.results.scores import predicted_classes
from core.runs.run import RunError
from tests.folders import finished_run, started_run

PROJECT = Path(__file__).parents[3]
# What tables, TeX and browsers take for something else.
ODD = "100 % of A_B & C^2 #1 {x} ~ $5 | <b>\\n</b> “née” 中 − ≥"
CLAIM = """
text = '''%s'''
how = "The test accuracy."
[[comparisons]]
statistic = "accuracy"
of = {network = "alexnet", dataset = "mnist", train_examples = 500}
at_least = -1
scales = ["quick"]
"""


def make_twice(folder, *runs):
    """The same pack by the command line, by two processes at the same time; returns the bytes of each."""
    command = [sys.executable, "-m", "core", "pack"]
    options = ["--runs", *runs] if runs else []
    makers = [
        subprocess.Popen([*command, str(folder / name), *options], cwd=PROJECT, stderr=subprocess.PIPE, text=True)
        for name in ("first", "second")
    ]
    for maker in makers:
        _, said = maker.communicate(timeout=200)
        assert maker.returncode == 0, said
        assert "100 % Done" in said
    return [(folder / name / NAME).read_bytes() for name in ("first", "second")]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """(the runs in it, the folder that the pack was unpacked into, the bytes of two makings)."""
    folder = tmp_path_factory.mktemp("pack")
    (folder / "claims").mkdir()
    (folder / "claims" / "odd.toml").write_text(CLAIM % ODD, "utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LAB_ARTIFACTS", str(folder / "artifacts"))
        patched.setenv("LAB_CLAIMS", str(folder / "claims"))
        patched.setenv("LAB_READ_ONLY", "1")
        runs = [finished_run("alexnet", seed=seed, wrong=0.1 + 0.05 * seed, train_examples=500) for seed in range(2)]
        runs.append(finished_run("lenet5", "cifar10"))
        finished_run("alexnet", "fashion_mnist")
        before = contents_of(folder / "artifacts")
        both = make_twice(folder, *[run.id for run in runs])
        assert contents_of(folder / "artifacts") == before
    with zipfile.ZipFile(io.BytesIO(both[0])) as archive:
        archive.extractall(folder / "unpacked")
    return runs, folder / "unpacked", both


def contents_of(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_two_makings_of_the_same_runs_are_the_same_bytes_without_a_day_or_a_program(packed):
    _, folder, (first, second) = packed
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    pictures = [path for path in folder.rglob("*") if path.suffix == ".png"]
    assert len(pictures) == len(list(folder.rglob("*.svg"))) == len(list(folder.rglob("*.pdf"))) > 10
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.info.keys() <= {"dpi"}, path
    for path in folder.rglob("*.svg"):
        assert "dc:date" not in path.read_text("utf-8")
    for path in folder.rglob("*.pdf"):
        assert b"CreationDate" not in path.read_bytes()


def test_the_readme_names_every_file_and_every_run(packed):
    runs, folder, _ = packed
    said = (folder / "README.md").read_text("utf-8")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    runs_said, files_said = said.split("## Files")
    assert set(re.findall(r"^\| `([^`]+)` \|", files_said, re.M)) == there
    assert re.findall(r"^\| `([^`]+)` \|", runs_said, re.M) == [run.id for run in runs]
    for run in runs:
        assert f"`{training_command(run.read_config())}`" in said
    assert re.search(r"version ([0-9a-f]{10}|unknown)", said)


def test_the_commands_and_the_settings_are_those_of_the_runs(packed):
    runs, folder, _ = packed
    commands = (folder / "commands.sh").read_text("utf-8").splitlines()
    for run in runs:
        assert commands[commands.index(f"# {run.id}") + 1] == training_command(run.read_config())
        for name in ("config.json", "history.csv", "metrics.json"):
            assert (folder / "runs" / run.id / name).read_bytes() == (run.path / name).read_bytes()


def test_table_4_2_has_the_figures_of_the_runs_beside_the_reports(packed):
    (first, second, lenet), folder, _ = packed
    rows = pd.read_csv(folder / "tables/table_4_2.csv").set_index(["network", "dataset"])
    metrics = [run.read_metrics() for run in (first, second)]
    row = rows.loc["alexnet", "mnist"]
    mean = np.mean([each["best"]["test_accuracy"] for each in metrics])
    assert row["test_accuracy_percent"] == pytest.approx(100 * mean)
    assert row["train_loss_nats"] == metrics[0]["last"]["train_loss"]
    assert row["report_test_accuracy_percent"] == pytest.approx(100 * REPORT["alexnet", "mnist"]["test_accuracy"])
    assert row["test_accuracy_difference_points"] == pytest.approx(100 * mean - 99.22)
    assert (row["seeds"], row["verdict"], row["verdict_together"]) == (2, "worse", "worse")
    assert row["run"].split() == [second.id, first.id] or row["run"].split() == [first.id, second.id]
    own = rows.loc["lenet5", "cifar10"]
    assert own["test_accuracy_percent"] == pytest.approx(100 * lenet.read_metrics()["best"]["test_accuracy"])
    assert own.isna()["report_test_accuracy_percent"]
    markdown = (folder / "tables/table_4_2.md").read_text("utf-8")
    assert f"{100 * mean:.2f}" in markdown
    assert "worse†" in markdown
    assert "99.53 | 0.0149 | 98.98 | 0.0359 | 99.22 |" in markdown


def test_each_table_is_there_in_three_forms_with_the_same_figures(packed):
    _, folder, _ = packed
    names = [f"tables/table_{number}" for number in ("4_1", "4_2", "4_3", "4_4", "6_1", "6_2", "6_3", "6_4")]
    page = (folder / "report.html").read_text("utf-8")
    for name in [*names, "claims/claims_quick", "claims/claims_report"]:
        forms = {kind: (folder / f"{name}.{kind}").read_text("utf-8") for kind in ("tex", "md", "csv")}
        # What a picture shows is told to those who do not see it, which TeX has no place for.
        figures = set(re.findall(r"\d+\.\d\d\b", re.sub(r"!\[.*?\]\(.*?\)", "", forms["md"])))
        assert figures <= set(re.findall(r"\d+\.\d\d\b", forms["tex"]))
        assert forms["csv"].count("\n") >= 1
        assert all(figure in page for figure in figures)
        number = name[-3:].replace("_", ".")
        assert not name.startswith("tables") or f"Table {number}." in forms["md"] + page


def test_the_curves_and_cases_in_csv_are_those_of_the_runs(packed):
    (first, second, lenet), folder, _ = packed
    curves = pd.read_csv(folder / "tables/table_4_3.csv")
    assert set(curves["run"]) == {first.id, second.id}
    own = curves[curves["run"] == first.id]
    history = first.read_history()
    np.testing.assert_allclose(own["validation_accuracy_percent"], 100 * history["validation_accuracy"])
    np.testing.assert_array_equal(own["train_loss_nats"], history["train_loss"])
    shown = pd.read_csv(folder / "tables/table_6_4.csv")
    predictions, classes = lenet.read_predictions(), DATASETS["cifar10"]["classes"]
    predicted = predicted_classes(predictions["logits"])
    assert set(shown["case"]) == {"success", "fail"}
    for case in shown.to_dict("records"):
        image = case["test_image"]
        assert case["true_class"] == classes[predictions["labels"][image]]
        assert case["predicted_class"] == classes[predicted[image]]
        assert (case["case"] == "success") == (case["true_class"] == case["predicted_class"])
        sure = predictions["probabilities"][image].max()
        assert case["probability_percent"] == pytest.approx(100 * sure)
    table = pd.read_csv(folder / "runs/runs_last.csv").set_index("run")
    assert table.loc[lenet.id, "test_loss_nats"] == lenet.read_metrics()["last"]["test_loss"]


def test_a_claim_stands_with_its_verdict_and_the_runs_that_it_rests_on(packed):
    runs, folder, _ = packed
    rows = pd.read_csv(folder / "claims/claims_quick.csv").set_index("claim")
    odd = rows.loc["odd"]
    assert (odd["claim_verdict"], odd["text"], odd["seeds"]) == ("holds", ODD, 2)
    assert odd["runs"].split() == [run.id for run in runs[:2]]
    assert rows.drop("odd")["verdict"].eq("cannot be told yet").all()


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no TeX is installed (Debian: texlive-latex-recommended)")
def test_the_latex_compiles_as_it_stands_without_a_warning(packed, tmp_path):
    _, folder, _ = packed
    copy = shutil.copytree(folder, tmp_path / "pack")
    for _ in range(3):
        made = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"], cwd=copy, capture_output=True
        )
        assert made.returncode == 0, made.stdout.decode("utf-8", "replace")[-2000:]
    said = (copy / "report.log").read_text("utf-8", "replace")
    assert not re.findall(r"^.*(?:Warning|Overfull|undefined).*$", said, re.M)
    assert int(re.search(r"Output written on report.pdf \((\d+) pages", said).group(1)) >= 5


def test_what_stands_for_something_else_is_written_so_that_it_is_read_as_it_is():
    assert latex("née 5 % & A_B #1 {x} 中") == r"n\'{e}e 5 \% \& A\_B \#1 \{x\} [U+4E2D]"
    table = Table("t", "9.9", "A | B", (Column("a"), Column("b")), (Row(("<i>", "1 | 2")),), (), "")
    assert r"1 \| 2" in as_markdown(table)
    assert "&lt;i&gt;" in as_html(table, {})
    assert r"$<$i$>$ & 1 $|$ 2\\" in as_latex(table)


def test_by_default_the_best_run_of_each_pair_speaks_with_all_its_seeds(artifacts):
    seeds = [finished_run("alexnet", seed=seed) for seed in (1, 0)]
    worse = finished_run("alexnet", epochs=9)
    metrics = worse.read_metrics()
    worse.write_metrics(metrics | {"best": metrics["best"] | {"validation_accuracy": 0.5}})
    other = finished_run("vgg16", "cifar10")
    started_run("vgg16", "mnist")

    def chosen(*names):
        return [[run.id for run in group.runs] for group in making._groups(names)]

    assert chosen() == [[run.id for run in reversed(seeds)], [other.id]]
    assert sorted(map(len, chosen("all"))) == [1, 1, 2]
    assert chosen(worse.id, other.id) == [[worse.id], [other.id]]
    assert results.table([other])[0]["run"].tolist() == [other.id]


def test_what_cannot_be_packed_is_said_in_one_sentence(artifacts, tmp_path, capsys):
    from core.__main__ import main

    def refused(*arguments):
        assert main(["pack", *map(str, arguments)]) == 2
        out, said = capsys.readouterr()
        assert (out, said.count("\n")) == ("", 1)
        return said

    assert refused(tmp_path / "new") == (
        "No run is finished yet, so there is nothing to pack: python -m core train alexnet mnist\n"
    )
    assert not (tmp_path / "new").exists()
    unfinished, whole = started_run(), finished_run()
    assert "There is no run called no-such-run. To see" in refused(tmp_path, "--runs", "no-such-run")
    assert "has no results yet; train it to its end first." in refused(tmp_path, "--runs", unfinished.id)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x")
    assert refused(in_the_way) == f"{in_the_way} cannot be written: File exists.\n"
    whole.predictions_path.write_bytes(b"no archive")
    with pytest.raises(RunError, match="test_predictions"):
        making.make(tmp_path / "new", [whole.id])
    assert list((tmp_path / "new").iterdir()) == []


def test_of_each_class_the_surest_image_is_shown_and_no_uncertain_one_is_called_certain():
    logits = np.zeros((6, 3), np.float32)
    logits[[0, 1, 2, 3, 4, 5], [0, 0, 1, 2, 2, 2]] = [1, 30, 5, 3, 4, 2]
    labels = np.array([0, 0, 1, 1, 1, 2])
    odds = np.exp(logits.astype(float))
    predictions = {"logits": logits, "labels": labels, "probabilities": odds / odds.sum(axis=1, keepdims=True)}
    right, wrong = (cases(predictions, ("a", "b", "c"), correct) for correct in (True, False))
    assert [(case.image, case.label, case.predicted) for case in right] == [(1, "a", "a"), (2, "b", "b"), (5, "c", "c")]
    assert [(case.image, case.label, case.predicted) for case in wrong] == [(4, "b", "c")]
    assert in_percent(right[0].probability) == "> 99.99 %"
    assert in_percent(Case(0, "a", "b", 0.98205).probability) in ("98.20 %", "98.21 %")


def test_the_settings_of_an_older_run_and_its_sessions_are_packed_too():
    old = PROJECT / "artifacts/alexnet-mnist-report-20261124-001406-c7c5"
    assert "environment" in json.loads((old / "config.json").read_text("utf-8"))
    (group,) = making._groups([old.name])
    assert group.about == "Baseline recipe, seed 0"
    assert group.rows["published"]["train_accuracy"] == group.rows["last"]["train_accuracy"]


def test_a_run_that_diverged_and_one_that_errs_nowhere_are_drawn_too(artifacts):
    run = finished_run(wrong=0, seed=1)
    diverged = {"train_loss": math.nan, "validation_loss": math.inf, "train_accuracy": 0.1, "validation_accuracy": 0.1}
    run.append_history(run.read_history().iloc[-1].to_dict() | diverged | {"epoch": 4})
    metrics = run.read_metrics()
    run.write_metrics(metrics | {"last": metrics["last"] | diverged | {"test_loss": math.nan}})
    (group,) = making._groups([run.id])
    found = {}
    group = making._draw_cases(group, lambda path, drawn, alt, about, inside=None: found.update({path: (alt, inside)}))
    assert group.cases[False] == []
    assert found[f"figures/cases/{run.id}-fail"] == ("Fail cases of AlexNet on MNIST: there are none.", "<p>None.</p>")
    written = as_markdown(tables.results_table([group]))
    assert "**ours** | **10.00** | **—** | **10.00** | **inf** | **100.00**" in written
    assert "over 4 epochs: training from 1.0000 to —" in tables.curve_alt(group, "loss")
    assert "over 1 epoch: " in tables.curve_alt(group._replace(history=group.history.iloc[:1]), "loss")
    drawn = figures.curves(group.history, "loss", "#D26E19", report=0.03)
    assert drawn.files["svg"].startswith(b"<?xml")
    assert "currentColor" in drawn.inline
    one = figures.curves(group.history.iloc[:1], "accuracy", "#D26E19")
    assert one.files["png"].startswith(b"\x89PNG")
