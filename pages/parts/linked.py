"""Widgets whose value is in the URL (?show=errors&true=4): the URL decides, the widget shows and changes it."""

import streamlit as st


def linked(widget, label, name, choices, default, notices, **options):
    """A widget that chooses one of `choices`, kept in the URL as ?name=; returns the chosen key.

    Args:
        widget: st.selectbox, st.segmented_control or another that takes options, format_func, key and on_change.
        choices: dict, what the URL says -> what the widget says.
        default: the key that the URL leaves out, and that stands in where the URL names none of the choices.
        notices: a container for a sentence about the latter.
    """
    value = st.query_params.get(name, default)
    if value not in choices:
        notices.warning(f"“{label}” in the link is none of the choices, so it is ignored.", icon=":material/link_off:")
        del st.query_params[name]
        value = default
    key = f"url {name}"
    st.session_state[key] = value

    def changed():
        chosen = st.session_state[key]
        put_in_url(**{name: None if chosen == default else chosen})

    return widget(label, choices, key=key, format_func=choices.get, on_change=changed, **options)


def linked_page(pages):
    """Which of so many pages (from 1) is shown, kept in the URL as ?page=; draws the buttons where there are more."""
    choices = {str(number): number for number in range(1, pages + 1)}
    page = choices.get(st.query_params.get("page", "1"))
    if page is None:
        st.warning(f"The link's page is not one from 1 to {pages}, so it is ignored.", icon=":material/link_off:")
        del st.query_params["page"]
        page = 1
    if pages > 1:
        # Keyed by the page: unlike the other widgets it always has a default, which must not be set by its state too.
        key = f"url page {page} of {pages}"
        st.pagination(pages, default=page, key=key, on_change=lambda: put_in_url(page=st.session_state[key]))
    return page


def put_in_url(**values):
    """Makes the URL say these values, None for none, and go back to the first page."""
    st.query_params.pop("page", None)
    for name, value in values.items():
        st.query_params.pop(name, None)
        if value is not None:
            st.query_params[name] = value
