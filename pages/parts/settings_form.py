"""Every hyperparameter of a RunConfig as a widget, made from its declaration; empty means the recipe's own."""

import html
import re

import streamlit as st

from core.config import run_config as run_config
from core.config.fields import Choice, Number, Switch, shown
from pages.parts.glossary import explained
from pages.parts.urls import address_with

CHOSEN_ELSEWHERE = ("network", "dataset", "recipe")
FIELDS = {name: field for name, field in run_config.FIELDS.items() if name not in CHOSEN_ELSEWHERE}
_SWITCH = {"on": True, "off": False}
# As people write whole numbers, and as the greyed ones are written.
_WITH_COMMAS = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
_WIDTH = 190


def settings_form(configs):
    """Draws the widgets, by group. Their values are in the URL, by the field's name.

    Args:
        configs: what the recipe gives for each pair, to show what an empty widget stands for.

    Returns:
        The settings that were made: field name -> value, unchecked, which is text where a number is wanted and none was
        typed; and a sentence for each that the URL has wrong.
    """
    groups, wrong = {}, []
    for field in FIELDS.values():
        groups.setdefault(field.metadata["group"], []).append(field)
    made = {}
    for group, fields in groups.items():
        st.markdown(f"**{group}**")
        with st.container(horizontal=True):
            for field in fields:
                wrong += _wrong_in_url(field)
                value = _widget(field, _recipe_value(field, configs))
                if value is not None:
                    made[field.name] = value
    return made, wrong


def reset_link():
    """Draws the way to the same page without these settings. It is a link, for `follow_inner_links`, and so one entry
    in the browser's history, where widgets that the server empties are one each.
    """
    address = html.escape(f"train{address_with(**dict.fromkeys(FIELDS)).rstrip('?')}")
    link = f"<a class='inner' style='color: inherit' target='_self' href='{address}'>Reset to the recipe</a>"
    st.html(link, width="content")


def _widget(field, placeholder):
    return _WIDGETS[type(field.metadata["kind"])](
        field,
        label=field.metadata["label"],
        key=field.name,
        placeholder=placeholder,
        bind="query-params",
        width=_WIDTH,
        help=explained(run_config.described(field), field.metadata["label"]),
    )


def _choice(field, **options):
    return st.selectbox(options=field.metadata["kind"].names, index=None, **options)


def _switch(field, **options):
    return _SWITCH.get(st.selectbox(options=tuple(_SWITCH), index=None, **options))


def _number(field, **options):
    # A field for numbers makes 1 of "1e9" and drops "abc". This one hands over whatever is typed, or stands in the
    # address, and RunConfig says what is wrong with it.
    text = (st.text_input(value=None, **options) or "").strip()
    return _as_number(text) if text else None


_WIDGETS = {Choice: _choice, Switch: _switch, Number: _number}


def _as_number(text):
    """The number that a person means, or the text where it is none."""
    try:
        number = float(text.replace(",", "") if _WITH_COMMAS.fullmatch(text) else text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _wrong_in_url(field):
    """Sentences about choices in the URL that there are not: Streamlit drops them in silence."""
    kind = field.metadata["kind"]
    choices = _SWITCH if isinstance(kind, Switch) else getattr(kind, "names", None)
    if choices is None:
        return []
    wrong = [value for value in st.query_params.get_all(field.name) if value not in choices]
    return [
        f"{field.metadata['label']} is one of {', '.join(choices)}, not {shown(value)}, so the link's is ignored."
        for value in wrong
    ]


def _recipe_value(field, configs):
    """What stands, greyed, in an empty widget."""
    values = sorted({getattr(config, field.name) for config in configs})
    said = [run_config.said(field, value) for value in values]
    return " or ".join(said) if len(said) < 3 else f"{said[0]} to {said[-1]}"
