"""What every page begins with."""

from pathlib import Path

import streamlit as st
from streamlit import net_util

from pages.parts import glossary

_STYLE = f"<style>{Path(__file__).with_suffix('.css').read_text('utf-8')}{glossary.CSS}</style>"


def begin_page():
    """The first call of every page."""
    # When a foreign site knocks at the server, Streamlit asks an outside host whether that is this machine, unless it
    # thinks that it knows.
    net_util._external_ip = "127.0.0.1"
    st.html(_STYLE)
