"""Widgets whose value is in the URL (?show=errors&true=4): the URL decides, the widget shows and changes it.

Each change is one entry in the browser's history, so that one press of Back undoes one click. Streamlit's own
bind="query-params" makes none without `changes_are_entries`.
"""

import functools
from pathlib import Path

import streamlit as st

from pages.parts import presenter
from pages.parts.glossary import explained

# So many in a row are still read at a glance.
MOST_BUTTONS = 8

# A widget's key says how its value is said in the URL: "url true" as it is, "url epoch=best" too, but for "best",
# which the URL leaves out.
_KEY = "url "
_component = st.components.v2.component(
    "linked", js=Path(__file__).with_suffix(".js").read_text("utf-8"), isolate_styles=False
)
# Its own style would come after it. The line of the page that it would stand in takes no gap either.
_STYLE = "<style>.st-key-linked { display: none; } :has(> .st-key-linked) { position: absolute; }</style>"


def changes_are_entries():
    """Makes each change of a widget with bind="query-params" one entry in the browser's history; for app.py only."""
    st.html(_STYLE)
    with st.container(key="linked"):
        _component(key="changes are entries")


def linked(widget, label, name, choices, default, notices, **options):
    """A widget that chooses one of `choices`, kept in the URL as ?name=; returns the chosen key. Its help also explains
    the words of the trade in its label and in the choices.

    Args:
        widget: st.selectbox, st.segmented_control or another that takes options, format_func, key and on_change.
        choices: dict, what the URL says -> what the widget says. What the widget says is taken from the URL too.
        default: the key that the URL leaves out, and that stands in where the URL names none of the choices.
        notices: a container for a sentence about the latter.
    """
    (value,) = _named(label, name, choices, notices)[-1:] or [default]
    key = f"{_KEY}{name}={default}"
    st.session_state[key] = value
    options["help"] = _help(label, choices, options.get("help"))
    return widget(label, choices, key=key, format_func=choices.get, on_change=put_in_url, **options)


def _help(label, choices, help=None):
    return explained(help, " ".join([label, *choices.values()]))


def linked_many(label, name, choices, offered, notices, most_buttons=None, also=None):
    """Buttons, or a list where they are many, that choose any number of `choices`, kept in the URL as ?name=&name=.
    Their help is as in `linked`.

    Args:
        choices, notices: as in `linked`.
        offered: those of the choices that are shown; any others that the URL names are shown besides.
        most_buttons: where there are more, they are a list; None for MOST_BUTTONS.
        also: a function of the keys chosen before and now that gives what else the URL says from then on, a dict.

    Returns:
        The chosen keys, a list.
    """
    values = _named(label, name, choices, notices)
    key = f"{_KEY}{name}"
    st.session_state[key] = values
    shown = [choice for choice in choices if choice in offered or choice in values]

    def changed():
        put_in_url(**(also(values, list(st.session_state[key])) if also else {}))

    options = {"key": key, "format_func": choices.get, "on_change": changed, "help": _help(label, choices)}
    if len(shown) <= (most_buttons or MOST_BUTTONS):
        return st.pills(label, shown, selection_mode="multi", wrap=True, **options)
    return st.multiselect(label, shown, placeholder="All", width=presenter.grown(260), **options)


def linked_switch(label, name, notices, **options):
    """A switch, kept in the URL as ?name=true where it is on; returns whether it is. The page and the open image stay
    as they are.
    """
    key = f"{_KEY}{name}"
    st.session_state[key] = _named(label, name, {"true": None, "false": None}, notices)[-1:] == ["true"]
    return st.toggle(label, key=key, on_change=lambda: _update({}), **options)


def linked_slider(label, name, low, high, default, notices, step=1, **options):
    """A slider, kept in the URL as ?name=; returns its value. The page and the open image stay as they are.

    Args:
        low, high: the ends, which must differ; of the same type as `step`.
        default: the value that the URL leaves out, and that stands in where the URL names none from low to high.
        notices: a container for a sentence about the latter.
        step: a whole number, or a float.
    """
    key = _shows_number(label, name, low, high, default, notices, step)
    return st.slider(label, low, high, step=step, key=key, on_change=lambda: _update({}), **options)


def linked_number(label, name, low, high, default, notices, also=None, **options):
    """A field for a whole number, kept in the URL as ?name=; returns the number. Arguments as of `linked_slider`.

    Args:
        also: what else the URL says from a change on, a dict; None for nothing.
    """
    key = _shows_number(label, name, low, high, default, notices, step=1)
    changed = functools.partial(put_in_url, **(also or {}))
    return st.number_input(label, low, high, step=1, key=key, on_change=changed, **options)


def _shows_number(label, name, low, high, default, notices, step):
    """Has the widget with the key that is returned show the number in the URL, or the default."""
    key = f"{_KEY}{name}={default}"
    st.session_state[key] = number_in_url(label, name, low, high, default, notices, step)
    return key


def number_in_url(label, name, low, high, default, notices, step=1):
    """The number that the URL names as ?name=, for what is no widget of these. Arguments as of `linked_slider`."""
    value = default
    for said in st.query_params.get_all(name)[-1:]:
        try:
            value = type(step)(said)
        except ValueError:
            value = None
        # What is no number is in no order either.
        if value is None or not low <= value <= high:
            notices.warning(
                f"“{label}” in the link is not a number from {low} to {high}, so it is ignored.",
                icon=":material/link_off:",
            )
            value = default
    return value


def _named(label, name, choices, notices):
    """Those of the choices that the URL names, in its order; a sentence where it names something else."""
    by_label = {says: choice for choice, says in choices.items()}
    named = [by_label.get(value, value) for value in st.query_params.get_all(name)]
    if any(value not in choices for value in named):
        # It stays in the address until the next click: taking it out would be an entry in the history by itself.
        notices.warning(f"“{label}” in the link is none of the choices, so it is ignored.", icon=":material/link_off:")
    return list(dict.fromkeys(value for value in named if value in choices))


def linked_page(pages, at=None):
    """Which of so many pages (from 1) is shown, kept in the URL as ?page=, and a function that draws the buttons.

    Args:
        at: the page that is shown whatever the URL says, or None.

    Returns:
        (the page, a function to be called with a name of its own wherever the buttons shall be; it draws nothing where
        there is one page).
    """
    choices = {str(number): number for number in range(1, pages + 1)}
    said = st.query_params.get_all("page")[-1:] or ["1"]
    page = at or choices.get(said[0])
    if page is None:
        st.warning(f"The link's page is not one from 1 to {pages}, so it is ignored.", icon=":material/link_off:")
        page = 1

    def draw_buttons(where):
        if pages > 1:
            # Keyed by the page: unlike the other widgets it always has a default, which its state must not set too.
            key = f"page {page} of {pages} {where}"
            st.pagination(pages, default=page, key=key, on_change=lambda: put_in_url(page=st.session_state[key]))

    return page, draw_buttons


def put_in_url(**values):
    """Makes the URL say these values, None for none, and what the linked widgets show; and go back to the first page
    and to no open image, unless a widget shows one; all as one entry in the browser's history.
    """
    _update(values, forgotten=("page", "image"))


def put_runs_in_url(runs):
    """Makes the URL name these runs, and leaves the rest of it."""
    _update({"run": [run.id for run in runs]})


def _update(values, forgotten=()):
    # A click comes with the URL as the browser knew it, which may not yet say what was chosen a moment before. The
    # widgets do.
    said = dict.fromkeys(forgotten)
    for key, shown in st.session_state.items():
        if str(key).startswith(_KEY):
            name, _, default = key.removeprefix(_KEY).partition("=")
            said[name] = _in_url(shown, default)
    said |= values
    # An empty list takes a name out of the URL; a `del` of its own would be an entry of its own.
    st.query_params.update({name: [] if value is None else value for name, value in said.items()})


def _in_url(shown, default):
    """How the URL says what a linked widget shows: a text, a list of texts, or None where it says nothing of it."""
    if isinstance(shown, bool):
        return "true" if shown else None
    if isinstance(shown, (int, float)):
        shown = str(shown)
    return None if shown == default else shown
