"""Whatever a page's address or a command's argument says: a page or one sentence, nothing executed, nothing written."""

import contextlib
import os
import platform
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.config.recipes import RECIPES
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.runs.run import RunError, open_run
from pages.parts.settings_form import FIELDS
from tests.every_page import PAGES, opened
from tests.folders import finished_run, started_run

PROJECT = Path(__file__).parents[2]
# The same examples each time: a test that fails should fail for whoever looks into it.
COMMON = {"derandomize": True, "deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}

EVIL = ("<script>alert(1)</script>", "'\"><b id=evil>", "![x](http://evil.example/x)", "[x](http://evil.example)")
TEXT = st.text(max_size=30) | st.sampled_from(
    [*EVIL, "", "..", "../..", "a-b/../..", "/etc/passwd", "a-b\0", "é-ü", "0", "-1", "1e400", "nan", "9" * 400]
)
CHOICES = [
    *NETWORKS,
    *DATASETS,
    *RECIPES,
    "errors",
    "all",
    "any",
    "3",
    "best",
    "worst",
    "last",
    "true",
    "on",
    "adam",
    "newest",
    "qFwR4NuDAuDA",
]
NAMES = [
    "run",
    "epoch",
    "show",
    "true",
    "predicted",
    "page",
    "sort",
    "recipe",
    "network",
    "dataset",
    "report",
    "present",
    "answer",
    "drawing",
    "beside",
    "size",
    "block",
    "costs",
    "image",
    "picture",
    "hidden",
    "stage",
    "draws",
    "steps",
    "filter",
    "heat",
    "class",
    "strength",
    "rotate",
    "blur",
    "mirror",
    "erased",
    "over",
    "curves",
    "flips",
    "more",
    "images",
    "round",
    "answers",
    "since",
    "seconds",
    "lesson",
    *FIELDS,
]

_listeners = []
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
_PROGRAMS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork"}


def _hear(event, arguments):
    if not _listeners:
        return
    flags = arguments[2] if event == "open" and isinstance(arguments[2], int) else 0
    if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or event in _CHANGES | _PROGRAMS:
        _listeners[-1].append((event, str(arguments[0])))


sys.addaudithook(_hear)


@contextlib.contextmanager
def watched():
    """What is written, and which programs are started, meanwhile: a list of (event, path)."""
    _listeners.append([])
    try:
        yield _listeners[-1]
    finally:
        _listeners.pop()


@pytest.fixture
def run(artifacts):
    """A finished run beside one at work."""
    platform.platform()  # Which asks a program once.
    started_run("vgg16")
    return finished_run(examples=20)


def everything_in(page):
    """The page's HTML, and its markdown that may hold HTML."""
    html = [element.proto.body for element in page.get("html")]
    return html + [element.value for element in page.markdown if element.allow_html]


@pytest.mark.parametrize("title", PAGES)
@settings(max_examples=6, **COMMON)
@given(
    address=st.dictionaries(
        st.sampled_from(NAMES) | st.text(min_size=1, max_size=5),
        TEXT | st.sampled_from(CHOICES) | st.lists(TEXT, max_size=3),
        max_size=6,
    ),
    named=st.booleans(),
)
@example(address=dict.fromkeys(NAMES, EVIL[0]), named=False)
@example(address=dict.fromkeys(NAMES, "9" * 400), named=True)
@example(address=dict.fromkeys(NAMES, "inf"), named=True)
@example(address=dict.fromkeys(NAMES, ""), named=True)
@example(address={name: ["", "-inf"] for name in NAMES}, named=True)
def test_any_address_opens_a_page(run, title, address, named):
    page = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    page.switch_page(f"pages/{title}.py")
    for name, value in address.items():
        page.query_params[name] = value
    if named:
        page.query_params["run"] = [run.id, *(address.get("run") or [])]
    with watched() as touched:
        page.run()
    assert not page.exception
    assert page.title
    allowed = (str(run.path.parent), "/dev/null", str(PROJECT / "static"))
    assert [(event, path) for event, path in touched if not path.startswith(allowed)] == []
    assert [(evil, html) for evil in EVIL for html in everything_in(page) if evil in html] == []
    said = [element.value for element in [*page.warning, *page.error, *page.info, *page.caption]]
    assert [(evil, text) for evil in EVIL for text in said if evil in text] == []


@settings(max_examples=300, **COMMON)
@given(name=TEXT | st.from_regex(r"[a-z0-9_./-]{1,30}", fullmatch=True) | st.none() | st.integers())
@example("alexnet-mnist/../..")
@example("-".join(["a"] * 5000))
def test_no_name_opens_anything_but_a_run(run, name):
    try:
        assert open_run(name).path.parent == run.path.parent
        said = None
    except RunError as error:
        said = str(error)
    assert said is None or said.endswith(".")
    assert not [evil for evil in EVIL if evil in (said or "")]


@settings(max_examples=60, **COMMON)
@given(name=TEXT, command=st.sampled_from([("evaluate",), ("export",), ("stop",), ("train", "--run")]))
def test_no_name_makes_a_command_do_anything(run, name, command):
    with watched() as touched:
        try:
            code = main([*command, name, *["nowhere"] * (command == ("export",))])
        except SystemExit as leaving:
            code = leaving.code
    assert code == 2 or (code == 0 and name.startswith("-h"))
    assert touched == []


@pytest.mark.parametrize("option", FIELDS)
@settings(max_examples=10, **COMMON)
@given(value=TEXT.filter(lambda text: not text.strip().lstrip("0").isdecimal()))
def test_no_value_of_a_setting_is_more_than_refused(artifacts, option, value):
    with watched() as touched:
        try:
            code = main(["train", "alexnet", "mnist", f"--{option.replace('_', '-')}={value}", "--epochs=0"])
        except SystemExit as leaving:
            code = leaving.code
    assert code == 2
    assert touched == []


def test_presenter_mode_keeps_nothing_in_the_session_but_its_own_switch(artifacts):
    page = opened("overview", present="true")
    assert page.toggle(key="present").value
    page.toggle(key="present").set_value(False).run()
    assert not page.exception
    assert "presenter style" not in page.session_state
