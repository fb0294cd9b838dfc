"""Every hyperparameter of a RunConfig as a widget, made from its declaration; empty means the recipe's own."""

import math

import streamlit as st

from core.config import run_config as run_config
from core.config.fields import Choice, Number, Switch

CHOSEN_ELSEWHERE = ("network", "dataset", "recipe")
FIELDS = {name: field for name, field in run_config.FIELDS.items() if name not in CHOSEN_ELSEWHERE}
_SWITCH = {"on": True, "off": False}
_WIDTH = 190


def settings_form(configs):
    """Draws the widgets, by group. Their values are in the URL, by the field's name.

    Args:
        configs: what the recipe gives for each pair, to show what an empty widget stands for.

    Returns:
        The settings that were made: field name -> value, unchecked.
    """
    groups = {}
    for field in FIELDS.values():
        groups.setdefault(field.metadata["group"], []).append(field)
    made = {}
    for group, fields in groups.items():
        st.markdown(f"**{group}**")
        with st.container(horizontal=True):
            for field in fields:
                value = _widget(field, _recipe_value(field, configs))
                if value is not None:
                    made[field.name] = value
    return made


def reset_settings():
    """Empties every widget of the form; a callback."""
    for name in FIELDS:
        st.session_state[name] = None


def _widget(field, placeholder):
    return _WIDGETS[type(field.metadata["kind"])](
        field,
        label=field.metadata["label"],
        key=field.name,
        placeholder=placeholder,
        bind="query-params",
        width=_WIDTH,
        help=run_config.described(field),
    )


def _choice(field, **options):
    return st.selectbox(options=field.metadata["kind"].names, index=None, **options)


def _switch(field, **options):
    return _SWITCH.get(st.selectbox(options=tuple(_SWITCH), index=None, **options))


def _number(field, **options):
    # Without bounds of its own the widget hands over whatever is typed, and RunConfig says what is wrong with it.
    whole = field.metadata["kind"].whole
    kind = {"step": 1} if whole else {"step": 0.01, "format": "%g"}
    if whole and any(map(_is_endless, st.query_params.get_all(field.name))):
        # Streamlit passes over what is no number in the address, but trips over an infinite one where it wants a whole.
        del st.query_params[field.name]
        options["bind"] = None
    return st.number_input(value=None, **kind, **options)


_WIDGETS = {Choice: _choice, Switch: _switch, Number: _number}


def _is_endless(text):
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def _recipe_value(field, configs):
    """What stands, greyed, in an empty widget."""
    values = sorted({getattr(config, field.name) for config in configs})
    said = [run_config.said(field, value) for value in values]
    return " or ".join(said) if len(said) < 3 else f"{said[0]} to {said[-1]}"
