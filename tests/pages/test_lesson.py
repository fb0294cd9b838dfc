"""The Lesson page, the bar on the other pages, and every link of the lesson that comes with the project."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from core.lesson import read_lesson
from core.runs.run import Run
from core.settings import lesson_file
from tests.every_page import PAGES, opened
from tests.folders import finished_run

STEPS = read_lesson(lesson_file().read_text("utf-8"), set(PAGES)).steps
OWN = """# Mine

## Only this

Open `gallery?run=vgg16/mnist&show=all`

Look. *Closely*.

> What <b>is</b> it?
"""


def bodies(page, kind):
    return [element.proto.body for element in page.get("html") if kind in element.proto.body.split("</style>")[-1]]


def links(page, kind):
    """Where the links in a part of the page lead: what is said of each -> its address."""
    found = re.findall(r"<a [^>]*href='([^']*)'[^>]*>(.*?)</a>", "".join(bodies(page, kind)))
    return {re.sub("<.*?>", "", words): unescape(address) for address, words in found}


@pytest.fixture
def own(artifacts, tmp_path, monkeypatch):
    """A lesson of one's own, of one step, as a path."""
    path = tmp_path / "own.md"
    path.write_text(OWN, "utf-8")
    monkeypatch.setenv("LAB_LESSON", str(path))
    return path


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_each_step_opens_a_page_that_shows_what_it_is_about(number):
    lesson = opened("lesson", lesson=str(number))
    title = STEPS[number - 1].title
    (address,) = [address for words, address in links(lesson, "lesson-links").items() if words.startswith("Open ")]
    there = urlsplit(address)
    page = opened(there.path.removeprefix("./") or "overview", **parse_qs(there.query))
    said = [element.value for element in [*lesson.info, *page.warning, *page.error, *page.info]]
    # Where the question is what it will say.
    said = [words for words in said if not words.startswith("What the networks say is hidden")]
    assert said == [], f"Step {number}, “{title}”, does not work: edit it in docs/lesson.md."
    headings = {heading.value.lower().replace(" ", "-") for heading in page.header}
    assert there.fragment in {"", *headings}, f"Step {number}: there is no such heading; edit it in docs/lesson.md."
    (bar,) = bodies(page, "lesson-bar")
    assert f"Lesson: step {number} of {len(STEPS)}" in bar


def test_what_the_lesson_says_of_single_images_is_true_of_the_included_runs():
    def says(run, image):
        return str(run.read_predictions()["logits"][image].argmax())

    runs = [Run(path.parent) for path in Path(lesson_file()).parents[1].glob("artifacts/*/shipped")]
    # The others are the evidence for claims.
    runs = [run for run in runs if run.read_config().dataset == "mnist" and not run.read_config().train_examples]
    texts = {step.title: " ".join(step.text.split()) for step in STEPS}
    assert (
        "this image is a 4, and every network that learned from all training images says 9"
        in texts["Are the labels right?"]
    )
    assert {says(run, 2130) for run in runs} == {"9"}, "Edit step 4 of docs/lesson.md."
    learned_from = {run.read_config().split_sizes(60_000)[0] for run in runs if run.read_config().network == "lenet5"}
    learned = re.search(r"It learned from ([\d,]+) other digits", texts["What does it get wrong?"])[1]
    assert {learned} == {f"{count:,}" for count in learned_from}, "Edit step 3 of docs/lesson.md."
    (looked,) = [step for step in STEPS if step.title == "What does it look at?"]
    assert "LeNet-5 takes this 4 for a 9, and AlexNet does not" in texts[looked.title]
    by_id = {run.id: run for run in runs}
    two = [by_id.get(value) for name, value in looked.query if name == "run"]
    assert None not in two, "A run of step 6 of docs/lesson.md is not included any more: name another there."
    assert [says(run, 4783) for run in two] == ["9", "4"], "Edit step 6 of docs/lesson.md."


def test_a_step_beyond_the_last_is_said_to_be_none(own):
    page = opened("lesson", lesson="2")
    assert "is not one from 1 to 1" in page.warning[0].value


def test_the_page_begins_with_the_first_step_and_names_all():
    page = opened("lesson")
    assert not bodies(page, "lesson-bar")
    named = links(page, "lesson-steps")
    assert list(named.values()) == [f"lesson?lesson={number}" for number in range(1, len(STEPS) + 1)]
    assert f"Step 1 of {len(STEPS)}" in bodies(page, "lesson-step'")[0]
    middle = links(opened("lesson", lesson="5"), "lesson-links")
    assert middle["‹ Previous"] == "lesson?lesson=4"
    assert middle["Next ›"] == "lesson?lesson=6"


def test_another_lesson_is_shown_and_followed_when_it_changes(own):
    run = finished_run("vgg16")
    page = opened("lesson")
    assert links(page, "lesson-links") == {"Open Gallery": f"gallery?run={run.id}&show=all&lesson=1"}
    assert "What &lt;b&gt;is&lt;/b&gt; it?" in bodies(page, "lesson-question")[0]
    own.write_text(OWN.replace("Only this", "Only that"), "utf-8")
    assert list(links(opened("lesson"), "lesson-steps")) == ["1Only that"]


def test_a_run_that_is_not_there_is_said(own):
    page = opened("lesson")
    assert page.info[0].value.startswith("This step needs a finished run of VGG-16 on MNIST")
    assert links(page, "lesson-links") == {"Open Gallery": "gallery?show=all&lesson=1"}


def test_a_mistake_in_the_file_is_one_sentence_on_the_page_and_nothing_on_the_others(own):
    own.write_text(OWN.replace("gallery", "galery"), "utf-8")
    page = opened("lesson")
    assert [error.value for error in page.error] == [
        f"own.md, line 5: there is no page called “galery”; there are {', '.join(sorted(PAGES))}."
    ]
    other = opened("overview", lesson="1")
    assert not other.error
    assert not bodies(other, "lesson-bar")


def test_a_file_that_is_no_text_or_is_gone_is_one_sentence(own):
    for spoil in (lambda: own.write_bytes(b"\xff\xfe# Mine"), own.unlink):
        spoil()
        page = opened("lesson")
        assert [error.value for error in page.error] == [
            "own.md cannot be read as text; check LAB_LESSON and the file."
        ]


@pytest.mark.parametrize("said", ["13", "0", "-1", "x", "<b>", "9" * 400])
def test_a_step_that_is_none_is_said_in_one_sentence(said):
    page = opened("overview", lesson=said)
    assert [warning.value for warning in page.warning] == [
        f"The link's step of the lesson is not one from 1 to {len(STEPS)}, so it is ignored."
    ]
    assert not bodies(page, "lesson-bar")


def test_the_bar_leads_to_the_page_of_the_next_step_and_ends_with_the_cross(own):
    own.write_text(OWN + OWN.partition("\n\n")[2].replace("gallery?run=vgg16/mnist&show=all", "overview"), "utf-8")
    run = finished_run("vgg16")
    page = opened("compare", lesson="1")
    assert links(page, "lesson-bar")["next ›"] == "./?lesson=2"
    page = opened("compare", lesson="2")
    assert links(page, "lesson-bar") == {
        "‹": f"gallery?run={run.id}&show=all&lesson=1",
        "all steps": "lesson?lesson=2",
        "end": "lesson?lesson=2",
    }
    page.button(key="leave lesson").click().run()
    assert not bodies(page, "lesson-bar")
