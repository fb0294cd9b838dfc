"""What every page begins with: it goes through app.py, also as the first thing a fresh server is asked for."""

from pathlib import Path

import streamlit as st
from streamlit import net_util
from streamlit.runtime.pages_manager import PagesManager

from pages.parts import glossary

_STYLE = f"<style>{Path(__file__).with_suffix('.css').read_text('utf-8')}{glossary.CSS}</style>"


def begin_page():
    """The first call of every page.

    Streamlit takes a folder called `pages` for its older kind of app, with a sidebar of file names, until
    `st.navigation` has been called once; whoever comes before that is sent through app.py.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
    # When a foreign site knocks at the server, Streamlit asks an outside host whether that is this machine, unless it
    # thinks that it knows.
    net_util._external_ip = "127.0.0.1"
    st.html(_STYLE)
