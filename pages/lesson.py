"""Lesson: a guided tour through the lab in a few steps, each a link into a page, with a question."""

from html import escape

import streamlit as st

from core.lesson import LessonError
from pages.parts.glossary import help_on
from pages.parts.inner_links import follow_inner_links
from pages.parts.lesson import KEY, address_of, missing_words, step_in_url, the_lesson
from pages.parts.shell import begin_page
from pages.parts.style import plain

begin_page()

STYLE = """<style>
.lesson-steps { display: grid; gap: .15rem; counter-reset: step; }
.lesson-steps a { display: grid; grid-template-columns: 1.9rem 1fr; align-items: baseline; padding: .45rem .6rem;
  border-radius: .6rem; color: inherit; text-decoration: none; line-height: 1.35; }
.lesson-steps a b { font-variant-numeric: tabular-nums; opacity: .8; }
.lesson-steps a:hover span { text-decoration: underline; }
.lesson-steps a[aria-current] { background: color-mix(in srgb, light-dark(#0b6bcb, #4da3ff) 15%, transparent);
  font-weight: 600; }
/* On a phone the step comes first. */
@media (max-width: 640px) { [data-testid="stHorizontalBlock"]:has(.lesson-steps) { flex-direction: column-reverse;
  flex-wrap: nowrap; } }
.lesson-step h2 { font-size: 2.25rem; line-height: 1.2; margin: 0; padding: .2rem 0 0; text-wrap: balance; }
.lesson-step p { margin: 0; opacity: .85; font-weight: 600; }
.st-key-lesson-text p { font-size: 1.25rem; line-height: 1.55; max-width: 42rem; }
.lesson-question { margin: 0; padding: 1.1rem 1.4rem; border-radius: .9rem; font-size: 1.5rem; line-height: 1.4;
  font-weight: 600; max-width: 44rem; text-wrap: pretty;
  background: color-mix(in srgb, light-dark(#0b6bcb, #4da3ff) 9%, transparent);
  border-left: .4rem solid light-dark(#0b6bcb, #4da3ff); }
.lesson-links { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; }
.lesson-links a.inner { padding: .6rem 1.2rem; border-radius: .6rem; font-weight: 600; text-decoration: none;
  color: inherit; border: 1px solid color-mix(in srgb, currentColor 28%, transparent); }
.lesson-links a.inner.open { background: light-dark(#0b6bcb, #4da3ff); color: light-dark(#fff, #11151c);
  border-color: transparent; }
.lesson-links a:hover { text-decoration: underline; }
</style>"""


def link(address, text, kind=""):
    """An inner link, as HTML."""
    return f"<a class='inner {kind}' target='_self' href='{escape(address)}'>{escape(text)}</a>"


def draw_steps(lesson, number):
    """The steps under one another, each a link to its text."""
    steps = "".join(
        f"<a class='inner' target='_self' href='lesson?{KEY}={at}'{' aria-current=step' * (at == number)}>"
        f"<b>{at}</b><span>{escape(step.title)}</span></a>"
        for at, step in enumerate(lesson.steps, start=1)
    )
    st.html(f"<nav class='lesson-steps' aria-label='Steps'>{steps}</nav>")


def draw_step(lesson, number):
    """One step: its sentences, its question, and the page that it opens."""
    step, count = lesson.steps[number - 1], len(lesson.steps)
    address, missing = address_of(lesson, number)
    st.html(f"<div class='lesson-step'><p>Step {number} of {count}</p><h2>{escape(step.title)}</h2></div>")
    with st.container(key="lesson-text"):
        st.markdown(step.text, help=help_on(step.text))
    st.html(f"<blockquote class='lesson-question'>{escape(step.question)}</blockquote>")
    if missing:
        st.info(missing_words(missing))
    links = link(address, f"Open {step.page.capitalize()}", "open")
    if number > 1:
        links += link(f"lesson?{KEY}={number - 1}", "‹ Previous")
    if number < count:
        links += link(f"lesson?{KEY}={number + 1}", "Next ›")
    st.html(f"<div class='lesson-links'>{links}</div>")


def main():
    follow_inner_links()
    st.html(STYLE)
    st.title("Lesson")
    try:
        lesson = the_lesson()
    except LessonError as error:
        st.error(plain(str(error)))
        return
    number = step_in_url(lesson) or 1
    steps, step = st.columns([4, 8], gap="large")
    with step, st.container(gap="medium"):
        draw_step(lesson, number)
    with steps:
        st.markdown(f"## {lesson.title}")
        st.markdown(lesson.about)
        draw_steps(lesson, number)


main()
