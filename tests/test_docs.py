"""The README and docs/ are true: their commands, figures, links, folders and variables."""

import re
import shlex
import string
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from streamlit.web.cli import main_run

from core.cli.parser import parser
from core.config.recipes import RECIPES, make_config, training_command
from core.config.run_config import FIELDS, option
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.networks.sizes import size
from core.results import claims, seeds
from core.results import table as results
from core.results.reference import REPORT
from core.runs.run import Run
from core.settings import PREFIX, SETTINGS
from pages.parts.style import duration

PROJECT = Path(__file__).parent.parent
README = PROJECT / "README.md"
GUIDES = sorted((PROJECT / "docs").rglob("*.md"))
TEXTS = {path: path.read_text("utf-8") for path in (README, *GUIDES, PROJECT / "artifacts" / "README.md")}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LANGUAGES = {"sh", "powershell", "nginx", "python", "text", "toml"}
SHIPPED = [Run(path.parent) for path in sorted((PROJECT / "artifacts").glob("*/shipped"))]
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
every_text = pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(PROJECT).as_posix())


def blocks(path, language):
    return [body for kind, body in BLOCK.findall(TEXTS[path]) if kind == language]


def prose(path):
    """The text without its blocks, each paragraph on one line."""
    return " ".join(BLOCK.sub("", TEXTS[path]).split())


def code_in_prose(path):
    return re.findall(r"`([^`]+)`", prose(path))


def tables(path):
    """The rows of all tables, without their headings, each as a list of cells."""
    rows = []
    for line in TEXTS[path].splitlines():
        if line.startswith("|---"):
            rows.pop()
        elif line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def section(path, heading):
    """What stands between a heading and the next one."""
    return re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", TEXTS[path], re.M | re.S).group(1)


# Commands


def parses(words):
    """Exits where the command line would."""
    assert parser().parse_args(words).run


def runs_python(words):
    if words[:2] == ["-m", "core"]:
        parses([word for word in words[2:] if word != "--help"])
    elif words[0] == "-m":
        assert words[1:] == ["venv", ".venv"]
    else:
        (script,) = words
        assert script.startswith("benchmarks/")
        assert (PROJECT / script).is_file()


def installs(words):
    verb, *rest = words
    assert verb == "install"
    pinned = dict(
        line.split("==")
        for path in ("requirements.txt", "tests/requirements.txt")
        for line in (PROJECT / path).read_text("utf-8").splitlines()
        if "==" in line
    )
    while rest:
        word = rest.pop(0)
        if word == "-r":
            assert (PROJECT / rest.pop(0)).is_file()
        else:
            name, version = re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z0-9-]+\])?==([0-9.]+)", word).groups()
            assert version == pinned.get(name, version)


def serves(words):
    assert words[:2] == ["run", "app.py"]
    main_run.make_context("run", words[1:])


def activates(words):
    assert words == [".venv/bin/activate"]


def is_bare(words):
    assert not words


def trains_elsewhere(words):
    script, *rest = words
    assert script == "FOLDER/train.sh"
    parses(rest if rest and not rest[0].isdecimal() else ["plan", "plan.txt", "--at-once", *rest])


def shows_curves(words):
    option, _folder = words
    assert option == "--logdir"


def prints(words):
    assert len(words) == 1


# What a line of a block may begin with -> what checks the rest.
PROGRAMS = {
    "python": runs_python,
    "python3": runs_python,
    "pip": installs,
    "streamlit": serves,
    "pytest": is_bare,
    "source": activates,
    "sh": trains_elsewhere,
    "tensorboard": shows_curves,
    "echo": prints,
}


def commands(line):
    """The commands that && joins, each as (name -> value of its variables, its words)."""
    for command in line.split(" && "):
        words, variables = shlex.split(command), {}
        while re.fullmatch(r"[A-Z_]+=\S+", words[0]):
            name, _, value = words.pop(0).partition("=")
            variables[name] = value
        yield variables, [words[0].removeprefix(".venv/bin/"), *words[1:]]


LINES = [line for path in TEXTS for block in blocks(path, "sh") for line in block.splitlines()]


@pytest.mark.parametrize("line", dict.fromkeys(LINES))
def test_every_line_that_can_be_copied_is_a_command(line):
    for variables, (program, *words) in commands(line):
        assert variables.keys() <= documented_variables()
        PROGRAMS[program](words)


@every_text
def test_every_command_in_a_sentence_is_one(path):
    options = {option for command in subcommands().values() for option in command._option_string_actions}
    for code in code_in_prose(path):
        if code.startswith("python -m core "):
            parses(shlex.split(code)[3:])
        elif code.startswith("--") and "." not in code:
            assert code.split()[0] in options
        elif code.startswith("--"):
            main_run.make_context("run", ["app.py", f"{code}=x"])


def subcommands():
    """Name -> the argument parser of each command."""
    (verbs,) = (action for action in parser()._actions if action.dest == "COMMAND" or action.choices)
    return verbs.choices


def test_every_command_and_every_benchmark_is_documented():
    named = {row[0].strip("`") for row in tables(PROJECT / "docs/command-line.md") if len(row) == 2}
    assert subcommands().keys() <= named
    scripts = {path.name for path in (PROJECT / "benchmarks").glob("*.py") if "ArgumentParser" in path.read_text()}
    assert {row[0].strip("`") for row in tables(PROJECT / "docs/benchmarks.md")} == scripts


def documented_variables():
    rows = section(PROJECT / "docs/command-line.md", "Environment variables").splitlines()
    return {name for row in rows for name in re.findall(r"^\| `([A-Z_]+)` \|", row)}


def test_every_variable_is_documented_and_no_other():
    assert {name for name in documented_variables() if name.startswith(PREFIX)} == SETTINGS.keys()
    for path in TEXTS:
        assert set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", TEXTS[path])) <= SETTINGS.keys()


def test_the_line_for_windows_does_the_same():
    (windows,), first = blocks(README, "powershell"), blocks(README, "sh")[0]
    assert windows.replace("; ", " && ").replace("\\Scripts\\", "/bin/").replace("python -m", "python3 -m") == first


def test_each_of_the_readmes_two_commands_makes_its_own_environment():
    opening, testing = blocks(README, "sh")[:2]
    for line in (opening, testing):
        *_, (_, (program, *_)) = list(commands(line))
        assert line.startswith("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
        assert f"&& .venv/bin/{program}" in line
    assert [line for line in TEXTS[README].splitlines() if line.endswith("pytest")] == testing.splitlines()


def test_every_pin_is_exact():
    names = ("requirements.txt", "requirements-cluster.txt", "requirements-export.txt", "tests/requirements.txt")
    for path in (PROJECT / name for name in names):
        lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith(("#", "-r "))]
        assert lines
        assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in lines)


# Form


def test_the_readme_is_a_screen_or_two():
    assert len(TEXTS[README].splitlines()) <= 150


@every_text
def test_every_block_says_what_it_is(path):
    opened = re.findall(r"^```(.*)$", TEXTS[path], re.M)
    assert set(opened[::2]) <= LANGUAGES
    assert set(opened[1::2]) <= {""}


def anchors(path):
    """What GitHub calls the headings of a text."""
    slugs = []
    for heading in re.findall(r"^#+ (.+)$", BLOCK.sub("", TEXTS[path]), re.M):
        slug = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_").replace(" ", "-")
        slugs.append(slug if slug not in slugs else f"{slug}-{slugs.count(slug)}")
    return slugs


@every_text
def test_every_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)]+)\)", TEXTS[path]):
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_every_guide_and_every_picture_is_linked_from_the_readme():
    linked = {(PROJECT / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", TEXTS[README])}
    assert {path for path in (PROJECT / "docs").iterdir() if path.is_file()} <= linked


# Folders


def tree_paths(tree):
    """Each line of a tree, from its indentation, with its sentence."""
    parents = []
    for line in tree.splitlines():
        indent, name, sentence = re.fullmatch(r"( *)(\S+)(?: {2,}(.+))?", line).groups()
        del parents[len(indent) // 2 :]
        parents.append(name.rstrip("/"))
        yield "/".join(parents), sentence


def project_folders():
    """Every folder at the top, and every folder that holds Python files; the tests' own tree is that of the rest."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    paths = [Path(line) for line in subprocess.check_output(command, cwd=PROJECT, text=True).splitlines()]
    present = [path for path in paths if (PROJECT / path).exists()]
    top = {path.parts[0] for path in present if len(path.parts) > 1}
    folders = {path.parent.as_posix() for path in present if path.suffix == ".py" and len(path.parts) > 1}
    return top | {folder for folder in folders if not re.match(r"tests/(core|pages)", folder)}


def test_the_readmes_tree_names_every_folder_and_no_other():
    listed = dict(tree_paths(*blocks(README, "text")))
    assert listed.keys() == project_folders()
    assert len(blocks(README, "text")[0].splitlines()) == len(listed)
    assert all(listed.values())


def test_the_architecture_names_only_what_there_is():
    path = PROJECT / "docs/architecture.md"
    listed = dict(tree_paths(*blocks(path, "text")))
    assert all(listed.values())
    in_sentences = {code for code in code_in_prose(path) if re.fullmatch(r"(core|pages|docs)/[a-z_/.]*", code)}
    assert [name for name in listed.keys() | in_sentences if not (PROJECT / name).exists()] == []


# Figures


def percent(share):
    return f"{100 * share:.2f}"


def points(share):
    return f"{100 * share:+.2f}".replace("-", "−")


def beside_the_report(row):
    """The cells of a row of `comparison.table` that hold it against the report."""
    low, high = percent(row["test_accuracy_low"]), percent(row["test_accuracy_high"])
    ends = points(row["test_accuracy_difference_low"]), points(row["test_accuracy_difference_high"])
    return [
        f"{percent(row['test_accuracy'])} ({low} to {high})",
        percent(row["report_test_accuracy"]),
        f"{points(row['test_accuracy_difference'])} ({ends[0]} to {ends[1]})",
        row["verdict"],
    ]


def pair(row):
    return [NETWORKS[row["network"]]["label"], DATASETS[row["dataset"]]["label"]]


EVERY_ROW = results.table(SHIPPED)[0]
# Of the networks that the report has, and of the others; and what the claims rest on.
ROWS, OTHERS = [], []
EVIDENCE = EVERY_ROW[EVERY_ROW["recipe"] == "quick"]
for each in EVERY_ROW.drop(EVIDENCE.index).to_dict("records"):
    (ROWS if (each["network"], each["dataset"]) in REPORT else OTHERS).append(each)
BEST = {pair: row for pair, row in results.best_runs(EVERY_ROW).items() if pair in REPORT}


def in_order(rows):
    return sorted(rows, key=lambda row: (list(DATASETS).index(row["dataset"]), list(NETWORKS).index(row["network"])))


def test_the_readme_has_the_result_of_each_pair():
    assert len(BEST) == len(REPORT)
    assert tables(README) == [pair(row) + beside_the_report(row) for row in in_order(BEST.values())]


def test_the_results_have_every_run_that_comes_with_the_project():
    expected = [
        [
            *pair(row),
            RECIPES[row["recipe"]]["label"],
            *beside_the_report(row),
            f"{row['epochs']:.0f} ({row['report_epochs']:.0f})".replace("nan", "not said"),
            duration(row["seconds"]),
        ]
        for row in ROWS
    ]
    assert [row for row in tables(PROJECT / "docs/results.md") if len(row) == len(expected[0])] == expected


def test_the_results_say_how_each_run_was_trained():
    (lines,) = blocks_of(section(PROJECT / "docs/results.md", "How each run was trained"))
    by_id = {run.id: run for run in SHIPPED}
    assert lines.splitlines() == [training_command(by_id[row["run"]].read_config()) for row in ROWS]


def test_the_results_have_the_other_networks_with_their_8_bit_form():
    about = section(PROJECT / "docs/results.md", "The other networks")
    expected = []
    for row in OTHERS:
        ends = [f"{100 * row[f'test_accuracy_{end}']:.2f}" for end in ("low", "high")]
        metrics = Run(PROJECT / "artifacts" / row["run"]).read_metrics()
        expected.append(
            [
                *pair(row),
                f"{100 * row['test_accuracy']:.2f} ({ends[0]} to {ends[1]})",
                f"{100 * metrics['quantized']['test_accuracy']:.2f}",
                f"{row['epochs']:.0f}",
                duration(row["seconds"]),
            ]
        )
    assert [row for row in tables(PROJECT / "docs/results.md") if len(row) == 6] == expected
    by_id = {run.id: run for run in SHIPPED}
    (lines,) = blocks_of(about)
    assert lines.splitlines() == [training_command(by_id[row["run"]].read_config()) for row in OTHERS]


def test_the_results_have_the_evidence_for_the_claims():
    asked = claims.missing(
        one for claim in claims.claims()[0] for one in claims.judge(claim, "quick", lambda config: None)[1]
    )
    about = section(PROJECT / "docs/results.md", "The evidence for the claims")
    assert f"{len(EVIDENCE)} of the {len(asked)} runs" in " ".join(about.split())
    expected = []
    for row in in_order(seeds.together(EVIDENCE).to_dict("records")):
        # All of them have this in common.
        changed = re.sub(r"(, )?training images 20,000", "", row["changed_settings"])
        low, accuracy, high = (f"{100 * row[f'test_accuracy{end}']:.2f}" for end in ("_low", "", "_high"))
        expected.append([*pair(row), changed or "as it is", f"{row['seeds']}", f"{accuracy} ({low} to {high})"])
    assert [row for row in tables(PROJECT / "docs/results.md") if len(row) == 5] == expected


def blocks_of(text):
    return [body for _, body in BLOCK.findall(text)]


@pytest.mark.parametrize("path", [README, PROJECT / "docs/results.md"], ids=lambda path: path.name)
def test_the_pairs_are_counted_as_the_statistics_count_them(path):
    alone = Counter(row["verdict"] for row in BEST.values())
    together = results.count_verdicts(BEST)
    counts = [
        f"{NUMBERS[count['better']]} of the nine pairs are better and {NUMBERS[count['worse']]} is worse"
        for count in (alone, together)
    ]
    assert f"one by one, {counts[0]}" in prose(path)
    assert f"with Holm's correction, {counts[1]}" in prose(path)


def test_the_results_have_the_8_bit_networks():
    expected = [
        [
            NETWORKS[row["network"]]["label"],
            f"{row['epochs']:.0f}",
            percent(row["test_accuracy"]),
            percent(Run(PROJECT / "artifacts" / row["run"]).read_metrics()["quantized"]["test_accuracy"]),
        ]
        for row in ROWS
        if (PROJECT / "artifacts" / row["run"] / "model.tflite").exists()
    ]
    assert [row for row in tables(PROJECT / "docs/results.md") if len(row) == 4] == expected


def test_the_recipes_are_what_their_table_says():
    said = {}
    for label, _, sizes, epochs, images in (row for row in tables(PROJECT / "docs/recipes.md") if len(row) == 5):
        said[label] = [
            [int(number) for number in re.findall(r"\d+", cell.replace(",", ""))] for cell in (sizes, epochs)
        ]
        said[label].append([int(number) for number in re.findall(r"\d+", images.replace(",", ""))] or [0])
    for name, recipe in RECIPES.items():
        configs = [make_config(network, dataset, name) for network in NETWORKS for dataset in DATASETS]
        columns = ("image_size", "epochs", "train_examples")
        found = [sorted({getattr(config, column) for config in configs}) for column in columns]
        assert said.pop(recipe["label"]) == [sorted({values[0], values[-1]}) for values in found]
    assert not said


def test_the_techniques_stand_in_a_table_with_their_source_and_are_off_in_the_reports_recipe():
    rows = [row for row in tables(PROJECT / "docs/recipes.md") if len(row) == 4]
    techniques = {written.strip("`"): (label, source) for label, written, _, source in rows}
    augmentation = {name for name, field in FIELDS.items() if field.metadata["group"] == "Augmentation"}
    assert {option(name) for name in augmentation - {"translate", "flip"}} <= set(techniques)
    for name in FIELDS:
        label, source = techniques.pop(option(name), (None, None))
        if label:
            assert label == FIELDS[name].metadata["label"]
            assert re.search(r"\b(19|20)\d\d\b", source)
            for network in NETWORKS:
                assert not getattr(make_config(network, "cifar10", "report"), name)
    assert not techniques


def test_the_figures_in_sentences_are_those_of_the_runs():
    by_pair = {(row["network"], row["dataset"], row["recipe"]): row for row in ROWS}
    results, recipes = prose(PROJECT / "docs/results.md"), prose(PROJECT / "docs/recipes.md")
    mnist, fashion = by_pair["alexnet", "mnist", "report"], by_pair["alexnet", "fashion_mnist", "report"]
    assert f"at its best after {mnist['epoch']} epochs and stopped by itself after {mnist['epochs']:.0f}" in results
    assert f"best epoch was {fashion['epoch']} of {fashion['epochs']:.0f}" in results
    small = by_pair["vgg16", "mnist", "modern"]["parameters"] / 1e6
    large = size(make_config("vgg16", "mnist", "report")).parameters / 1e6
    assert f"has {small:.1f} million parameters and not {large:.1f} million" in recipes
    whole = count_in_words(len(ROWS) + len(OTHERS))
    assert f"{string.capwords(whole)} trained runs" in results
    assert f"all {whole} runs" in prose(README)


def count_in_words(number):
    words = (*NUMBERS, "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen")
    return words[number]
