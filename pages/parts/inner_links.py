"""Links in our own HTML (`<a class="inner" target="_self" href="gallery?run=x">`) that lead on as Streamlit's own do.

Without this the browser follows them too, but loads the whole app anew.
"""

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "inner_links",
    css=".st-key-inner-links-page, .st-key-inner-links-lesson { display: none; }",
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
    isolate_styles=False,
)


def follow_inner_links(of="page"):
    """Follows them; once a page, and once more for the "lesson", which app.py draws on all pages."""
    with st.container(key=f"inner-links-{of}"):
        _component(key=f"inner links of the {of}")
