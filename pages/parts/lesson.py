"""The lesson on every page: which step somebody is at stands in the address (?lesson=3), and a bar leads on.

The Lesson page shows the whole of it.
"""

import functools
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.datasets.catalogue import DATASETS
from core.lesson import LessonError, pairs_of, query_of, read_lesson
from core.runs.run import RunError
from core.settings import lesson_file
from pages.parts.inner_links import follow_inner_links
from pages.parts.style import pair_label

KEY = "lesson"
_PAGES = Path(__file__).parents[1]
_STYLE = """<style>
/* What stands in no line of the page takes no gap there. */
:has(> :is(.st-key-lesson-step, .st-key-lesson-bar, .st-key-inner-links-lesson)) { position: absolute; }
.st-key-lesson-step { display: none; }
.st-key-lesson-bar { position: fixed; z-index: 999990; bottom: .75rem; left: 50%; transform: translateX(-50%);
  width: max-content; max-width: calc(100vw - 1.5rem); padding: .35rem .5rem .35rem 1rem; border-radius: 1.5rem;
  background: light-dark(#fff, #1a202a); border: 1px solid color-mix(in srgb, currentColor 28%, transparent);
  box-shadow: 0 .25rem 1rem rgb(0 0 0 / .18); }
.st-key-lesson-bar.st-key-lesson-bar { flex-wrap: nowrap; }
.st-key-lesson-bar > :first-child { min-width: 0; flex: 1 1 auto; }
.lesson-bar { display: flex; align-items: center; gap: .2rem 1rem; font-size: .9rem; }
.lesson-bar a { color: inherit; white-space: nowrap; font-weight: 600; text-decoration: none; padding: .3rem; }
.lesson-bar a:is(:hover, :focus-visible) { text-decoration: underline; }
.lesson-bar details { min-width: 0; flex: 1 1 auto; }
.lesson-bar summary { cursor: pointer; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; padding: .3rem; }
/* Above the bar, which so stays where it is. */
.lesson-bar blockquote { position: absolute; bottom: calc(100% + .8rem); left: 0; right: 0; margin: 0;
  padding: 1rem 1.2rem; border-radius: 1rem; font-size: 1.2rem; line-height: 1.4; font-weight: 600; text-wrap: pretty;
  background: light-dark(#fff, #1a202a); border: 1px solid color-mix(in srgb, currentColor 28%, transparent);
  box-shadow: 0 .25rem 1rem rgb(0 0 0 / .18); }
/* The end of a page can be scrolled out from under it. */
[data-testid="stMainBlockContainer"] { padding-bottom: 6rem !important; }
@media (max-width: 640px) { .lesson-bar .title { display: none; } .lesson-bar { gap: .2rem; }
  .st-key-lesson-bar { width: calc(100vw - 1.5rem); } }
</style>"""


def the_lesson():
    """The Lesson in the settings' file. Raises LessonError."""
    path = lesson_file()
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError):
        raise LessonError(f"{path.name} cannot be read as text; check LAB_LESSON and the file.") from None


@functools.lru_cache(2)
def _read(path, changed):
    pages = {page.stem for page in _PAGES.glob("*.py")}
    return read_lesson(path.read_text("utf-8"), pages, path.name)


def step_in_url(lesson):
    """The step that the address names, from 1, or None; a sentence where it names something else."""
    said = st.session_state.get(KEY) or ""
    if said.isdecimal() and len(said) < 5 and 1 <= int(said) <= len(lesson.steps):
        return int(said)
    if said:
        st.warning(
            f"The link's step of the lesson is not one from 1 to {len(lesson.steps)}, so it is ignored.",
            icon=":material/link_off:",
        )
    return None


def address_of(lesson, number):
    """Where a step leads, and a list of the pairs, (network, dataset), of which it needs a run that is not there."""
    step = lesson.steps[number - 1]
    pairs = pairs_of(step)
    best = _best(pairs) if pairs else {}
    query = [*query_of(step, best), (KEY, number)]
    address = f"{_address(step.page)}?{urlencode(query)}{f'#{step.heading}' * bool(step.heading)}"
    return address, [pair for pair in pairs if pair not in best]


def _address(page):
    # From any page: the first one has no name in an address.
    return "./" if page == "overview" else page


def _best(pairs):
    """(network, dataset) -> the id of the run that speaks for the pair, of those where there is one."""
    # Here, and not above: app.py is imported before the server is there, and few steps need this.
    from core.results import table as results
    from pages.parts import data

    found = []
    for run in data.nameable_runs():
        config = data.config(run)
        if (config.network, config.dataset) in pairs:
            found.append(run)
    rows, _ = data.table(found)
    return {pair: row["run"] for pair, row in results.best_runs(rows).items()}


def missing_words(missing):
    """What a step lacks, in a sentence; "" where it lacks nothing."""
    names = " and ".join(pair_label(network, dataset) for network, dataset in missing if dataset in DATASETS)
    return f"This step needs a finished run of {names}; without it the page shows what there is." if missing else ""


def lesson_bar(page):
    """Draws the bar, while a lesson is on, on every page but its own.

    For app.py only: a widget of that file keeps its value, and its part of the address, from page to page.

    Args:
        page: the last part of the page's address.
    """
    if KEY not in st.query_params and not st.session_state.get(KEY):
        return
    if st.session_state.get(KEY) and KEY not in st.query_params:
        # As in `pages.parts.presenter.presenter_switch`.
        st.session_state[KEY] = st.session_state[KEY]
    with st.container(key="lesson-step"):
        st.text_input("Step of the lesson", key=KEY, bind="query-params", max_chars=20)
    st.html(_STYLE)
    if page == "lesson":
        return
    try:
        lesson = the_lesson()
        number = step_in_url(lesson)
        if number:
            _draw_bar(lesson, number)
    except (LessonError, RunError):
        return  # The Lesson page says what is wrong.


def _draw_bar(lesson, number):
    step, count = lesson.steps[number - 1], len(lesson.steps)
    back, _ = address_of(lesson, number - 1) if number > 1 else ("", None)
    on, _ = address_of(lesson, number + 1) if number < count else (f"lesson?{KEY}={number}", None)
    with st.container(key="lesson-bar", horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.html(
            "<nav class='lesson-bar' aria-label='Lesson'>"
            + (_link(back, "‹", "Previous step") if back else "")
            + f"<details><summary>Lesson: step {number} of {count}<span class='title'> · {escape(step.title)}</span>"
            f"</summary><blockquote>{escape(step.question)}</blockquote></details>"
            + _link(f"lesson?{KEY}={number}", "all steps", "All steps, at this one")
            + _link(on, "next ›" if number < count else "end", "Next step" if number < count else "The whole lesson")
            + "</nav>"
        )
        st.button("×", key="leave lesson", type="tertiary", help="Leave the lesson", on_click=leave)
    follow_inner_links("lesson")


def _link(address, text, meaning):
    return (
        f"<a class='inner' target='_self' href='{escape(address)}' title='{meaning}' aria-label='{meaning}'>{text}</a>"
    )


def leave():
    """Ends the lesson."""
    st.session_state[KEY] = ""
