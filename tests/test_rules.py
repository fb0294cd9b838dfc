"""The house rules that can be checked by reading the source."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
SOURCES = sorted(
    PROJECT / name
    for name in subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"], cwd=PROJECT, text=True
    ).split()
)
KERAS = {"keras", "tensorflow", "jax"}
# Modules of the training worker. The catalogue of networks, their families and their sizes are read by pages too.
MAY_IMPORT_KERAS = {
    *(f"training/{name}" for name in ("train", "batches", "callbacks", "checkpoint", "devices", "last_features")),
    *(
        f"networks/{name}"
        for name in ("augmentation", "blocks", "build", "older_layers", "preprocessing", "summary", "training_only")
    ),
    "export/keras",
    "export/litert",
}
# The rooms of core from the ground up: each imports only from those below it. Those in one line know nothing of each
# other.
FLOORS = (
    {"files", "settings"},
    {"environment"},
    {"datasets", "digits"},
    {"networks"},
    {"config", "lesson", "palette"},
    {"runs"},
    {"results"},
    {"export"},
    {"explain"},
    {"training"},
    {"jobs"},
    {"pack"},
    {"cli"},
    {"__main__"},
)


def imported(path, everywhere=True):
    """The names a file imports; with `everywhere` false, only those that importing the file itself brings in."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = ast.walk(tree) if everywhere else tree.body
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources_in(folder):
    return [path for path in SOURCES if PROJECT / folder in path.parents]


def top_names(path, **options):
    return {name.split(".")[0] for name in imported(path, **options)}


@pytest.mark.parametrize("path", sources_in("core"), ids=lambda path: path.name)
def test_core_imports_neither_streamlit_nor_the_pages(path):
    assert not top_names(path) & {"streamlit", "pages", "app"}


@pytest.mark.parametrize("path", sources_in("pages/parts"), ids=lambda path: path.name)
def test_parts_do_not_import_pages(path):
    assert not [name for name in imported(path) if re.match(r"pages\.(?!parts)", name) or name.split(".")[0] == "app"]


def test_only_training_code_imports_keras_when_it_is_imported():
    modules = {path.relative_to(PROJECT / "core").with_suffix("").as_posix(): path for path in sources_in("core")}
    assert set(modules) >= MAY_IMPORT_KERAS
    others = [path for name, path in modules.items() if name not in MAY_IMPORT_KERAS]
    assert [path.name for path in others if top_names(path, everywhere=False) & KERAS] == []


def test_one_module_imports_ray_and_nothing_that_pages_import_imports_it():
    users = [path for path in SOURCES if "ray" in top_names(path)]
    assert users == [PROJECT / "core/jobs/ray_cluster.py"]
    importers = {path for path in SOURCES if "core.jobs.ray_cluster" in imported(path)}
    assert importers <= {*users, PROJECT / "tests/core/jobs/test_cluster.py"}


def test_only_the_export_touches_tensorflow_by_name():
    users = [path.name for path in sources_in("core") if "tensorflow" in top_names(path)]
    assert users == ["litert.py"]


def test_figures_are_drawn_by_one_module_that_nothing_which_serves_pages_imports():
    users = [path for path in SOURCES if "matplotlib" in top_names(path)]
    assert users == [PROJECT / "core/pack/figures.py"]
    assert "matplotlib" not in top_names(*users, everywhere=False)
    pages = [path for path in SOURCES if path == PROJECT / "app.py" or PROJECT / "pages" in path.parents]
    drawing = {f"core.pack.{path.stem}" for path in sources_in("core/pack") if path.stem != "__init__"}
    assert [path.name for path in pages if drawing & set(imported(path))] == []


@pytest.mark.parametrize("path", [PROJECT / "app.py", *sources_in("pages")], ids=lambda path: path.name)
def test_no_page_imports_training_code(path):
    reached, todo = set(), [path]
    while todo:
        for name in imported(todo.pop()):
            candidate = PROJECT / (name.replace(".", "/") + ".py")
            if candidate.exists() and candidate not in reached:
                reached.add(candidate)
                todo.append(candidate)
            assert name.split(".")[0] not in KERAS
    names = {file.relative_to(PROJECT / "core").with_suffix("").as_posix() for file in reached if "core" in file.parts}
    assert not names & MAY_IMPORT_KERAS


@pytest.mark.parametrize("path", sources_in("core") + sources_in("pages"), ids=lambda path: str(path.name))
def test_nothing_is_unpickled(path):
    assert not top_names(path) & {"pickle", "dill", "joblib", "shelve", "marshal"}
    assert "allow_pickle=True" not in path.read_text("utf-8")


def test_every_room_of_core_has_its_floor():
    rooms = {path.relative_to(PROJECT / "core").parts[0].removesuffix(".py") for path in sources_in("core")}
    assert rooms - {"__init__"} == set.union(*FLOORS)


@pytest.mark.parametrize("path", sources_in("core"), ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_run_downwards_only(path):
    floors = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    room = path.relative_to(PROJECT / "core").parts[0].removesuffix(".py")
    others = {name.split(".")[1] for name in imported(path) if name.startswith("core.")} - {room}
    assert [other for other in others if floors[other] >= floors.get(room, -1)] == []


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py" and "tests" not in path.parts])
def test_every_package_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
