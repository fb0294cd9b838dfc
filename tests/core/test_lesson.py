"""The lesson's text file: what it says is read, and each mistake in it is one sentence that names the line."""

import re
from pathlib import Path

import pytest

from core.lesson import LessonError, Step, pairs_of, query_of, read_lesson

OURS = Path(__file__).parents[2] / "docs" / "lesson.md"
PAGES = {path.stem for path in Path(__file__).parents[2].glob("pages/*.py")}
TEXT = """# Seeing

An introduction
of two lines.

## 1. First things

Open `gallery?run=lenet5/mnist&true=4&run=a-b#confusion-matrix`

One sentence. **Another**.

And a paragraph.

> Why is it so,
> and not otherwise?

## Second

Open `overview`.

Look.

> What?

---

## Not a step
"""


def read(text, name="my.md"):
    return read_lesson(text, PAGES, name)


def test_a_lesson_is_read():
    lesson = read(TEXT)
    assert (lesson.title, lesson.about) == ("Seeing", "An introduction\nof two lines.")
    assert lesson.steps == [
        Step(
            "First things",
            "gallery",
            [("run", "lenet5/mnist"), ("true", "4"), ("run", "a-b")],
            "confusion-matrix",
            "One sentence. **Another**.\n\nAnd a paragraph.",
            "Why is it so, and not otherwise?",
        ),
        Step("Second", "overview", [], "", "Look.", "What?"),
    ]


def test_a_pair_stands_for_its_best_run_and_is_left_out_where_there_is_none():
    step = read(TEXT).steps[0]
    assert pairs_of(step) == [("lenet5", "mnist")]
    assert query_of(step, {("lenet5", "mnist"): "x"}) == [("run", "x"), ("true", "4"), ("run", "a-b")]
    assert query_of(step, {}) == [("true", "4"), ("run", "a-b")]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# Seeing", "Seeing", "my.md, line 1: write the lesson's title there, as in "),
        ("An introduction", "# Again", "my.md, line 3: a lesson has one title; begin a step with two #."),
        ("Open `gallery", "Open gallery", "my.md, line 8: write the page that the step opens as in "),
        (
            "Open `gallery",
            "Open `galery",
            "my.md, line 8: there is no page called “galery”; there are claims, compare, ",
        ),
        ("Open `overview`.", "", "my.md, line 17: this step lacks a line as in "),
        ("Look.", "Open `draw`", "my.md, line 21: a step opens one page, and this one opens one already."),
        ("Look.", "", "my.md, line 17: this step lacks a sentence."),
        ("> What?", "What?", "my.md, line 17: this step lacks a question, quoted with >."),
        ("## Second", "## ", "my.md, line 17: this step lacks a title after the ##."),
        ("true=4", "true", "my.md, line 8: what follows the question mark is not of the form name=value&name=value."),
        ("true=4", "lesson=4", "my.md, line 8: leave out “lesson=”, which the lab adds by itself."),
        ("lenet5/", "lenet/", "my.md, line 8: there is no network called “lenet”; there are alexnet, "),
        ("/mnist", "/digits", "my.md, line 8: there is no dataset called “digits”; there are mnist, "),
        (TEXT, "# Seeing\n", "my.md has no steps; begin each with a heading, as in "),
        (TEXT, "", "my.md, line 1: write the lesson's title there"),
    ],
)
def test_each_mistake_is_one_sentence_that_names_the_line(old, new, says):
    assert old in TEXT
    with pytest.raises(LessonError) as caught:
        read(TEXT.replace(old, new, 1))
    assert str(caught.value).startswith(says)
    assert re.search(r"[.…]$", str(caught.value))
    assert "\n" not in str(caught.value)


def test_the_lesson_that_comes_with_the_project_has_twelve_steps_of_two_sentences_and_a_question():
    lesson = read(OURS.read_text("utf-8"))
    assert len(lesson.steps) == 12
    for number, step in enumerate(lesson.steps, start=1):
        assert f"## {number}. {step.title}\n" in OURS.read_text("utf-8")
        assert len(re.findall(r"[.?!](?=\s|$)", step.text)) == 2, step.title
        assert "?" in step.question
