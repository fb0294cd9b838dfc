"""A lesson: a guided tour through the pages, kept in one text file that a teacher can edit.

docs/lesson.md is such a file, and says at its end how it is written.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS

# Another could be meant by a link of another page, so the file may not say them itself.
_OURS = ("lesson", "present")
_STEP = re.compile(r"##(?!#)\s*(?:\d+\.\s*)?(.*)")
_OPEN = re.compile(r"Open `([^`]*)`\.?")


class LessonError(ValueError):
    """A lesson's file makes no sense; the message is one sentence that names the line."""


class Step(NamedTuple):
    """One step: its title, the page that it opens, that page's query, a list of (name, value), and the heading to which
    it is scrolled, as an address has it, or ""; a few sentences and a question, in Markdown. A run stands in the query
    by its id, or as NETWORK/DATASET for the best of a pair.
    """

    title: str
    page: str
    query: list
    heading: str
    text: str
    question: str


class Lesson(NamedTuple):
    """A title, an introduction in Markdown, and a list of Step, at least one."""

    title: str
    about: str
    steps: list


def read_lesson(text, pages, name="The lesson"):
    """The Lesson in a text.

    Args:
        text: Markdown: a heading with #, an introduction, and for each step a heading with ##, one line
            "Open `PAGE?QUERY#HEADING`", some sentences, and one question, quoted with >. What comes after a line of
            three dashes is for those who read the file.
        pages: the names of the pages there are.
        name: what the file is called in an error.

    Raises:
        LessonError: with the number of the line.
    """
    title, about, steps = None, [], []
    for number, line in enumerate(text.splitlines(), start=1):
        line, where = line.strip(), f"{name}, line {number}:"
        if line == "---":
            break
        if found := _STEP.fullmatch(line):
            _finish(steps, name)
            steps.append({"line": number, "title": found[1], "open": None, "text": [], "question": []})
        elif line.startswith("# "):
            if title is not None:
                raise LessonError(f"{where} a lesson has one title; begin a step with two #.")
            title = line[2:].strip()
        elif steps:
            _add(steps[-1], line, pages, where)
        else:
            about.append(line)
    if not title:
        raise LessonError(f"{name}, line 1: write the lesson's title there, as in “# What does a network see?”.")
    if not steps:
        raise LessonError(f"{name} has no steps; begin each with a heading, as in “## 1. What does a network see?”.")
    _finish(steps, name)
    return Lesson(title, _paragraphs(about), [_step(step) for step in steps])


def _add(step, line, pages, where):
    """Puts a line into a step."""
    if line.startswith("Open"):
        _add_address(step, line, pages, where)
    elif line.startswith(">"):
        step["question"].append(line[1:].strip())
    else:
        step["text"].append(line)


def _add_address(step, line, pages, where):
    """Puts the page that a line opens into a step, and its query."""
    found = _OPEN.fullmatch(line)
    if not found:
        raise LessonError(f"{where} write the page that the step opens as in “Open `gallery?show=all`”.")
    if step["open"]:
        raise LessonError(f"{where} a step opens one page, and this one opens one already.")
    address, _, heading = found[1].removeprefix("/").partition("#")
    page, _, query = address.partition("?")
    if page not in pages:
        raise LessonError(f"{where} there is no page called “{page}”; there are {', '.join(sorted(pages))}.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise LessonError(f"{where} what follows the question mark is not of the form name=value&name=value.") from None
    for key, value in pairs:
        if key in _OURS:
            raise LessonError(f"{where} leave out “{key}=”, which the lab adds by itself.")
        if key == "run" and "/" in value:
            _check_pair(*value.split("/", 1), where)
    step["open"] = page, pairs, heading


def _check_pair(network, dataset, where):
    for kind, said, registry in (("network", network, NETWORKS), ("dataset", dataset, DATASETS)):
        if said not in registry:
            raise LessonError(f"{where} there is no {kind} called “{said}”; there are {', '.join(registry)}.")


def _finish(steps, name):
    """Raises LessonError where the last step lacks something."""
    for step in steps[-1:]:
        lacking = {
            "a title after the ##": step["title"],
            "a line as in “Open `gallery?show=all`”": step["open"],
            "a sentence": any(step["text"]),
            "a question, quoted with >": any(step["question"]),
        }
        for what, is_there in lacking.items():
            if not is_there:
                raise LessonError(f"{name}, line {step['line']}: this step lacks {what}.")


def _step(found):
    return Step(found["title"], *found["open"], _paragraphs(found["text"]), " ".join(found["question"]))


def _paragraphs(lines):
    return "\n".join(lines).strip()


def pairs_of(step):
    """The pairs that a step's query names in a run's stead: a list of (network, dataset)."""
    return [tuple(value.split("/", 1)) for name, value in step.query if name == "run" and "/" in value]


def query_of(step, best):
    """A step's query as an address has it: a list of (name, value), without the pairs of which there is no run.

    Args:
        best: (network, dataset) -> a run's id.
    """
    query = []
    for name, value in step.query:
        if name == "run" and "/" in value:
            value = best.get(tuple(value.split("/", 1)))
        if value is not None:
            query.append((name, value))
    return query
