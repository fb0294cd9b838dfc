"""Links in our own HTML (`<a class="inner" target="_self" href="gallery?run=x">`) that lead on as Streamlit's own do.

Without this the browser follows them too, but loads the whole app anew.
"""

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "inner_links",
    css=".st-key-inner-links { display: none; }",
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
    isolate_styles=False,
)


def follow_inner_links():
    """Follows them; once a page."""
    with st.container(key="inner-links"):
        _component(key="inner links")
