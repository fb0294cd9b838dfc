"""Every page goes through app.py, also where a link to it is the first thing a fresh server is asked for."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def go_through_app():
    """The first call of every page.

    Streamlit takes a folder called `pages` for its older kind of app, with a sidebar of file names, until
    `st.navigation` has been called once; whoever comes before that is sent through app.py.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
