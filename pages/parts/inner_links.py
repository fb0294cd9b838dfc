"""Links in our own HTML (`<a class="inner" target="_self" href="gallery?run=x">`) that lead on as Streamlit's own do.

Without this the browser follows them too, but loads the whole app anew.
"""

import html
from pathlib import Path
from urllib.parse import urlencode

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


def look_inside(image, runs, words="Look inside", of="", hidden=False):
    """A link, as HTML, to what is inside networks that see a test image.

    Args:
        image: the number of the test image.
        runs: the ids of one run or of two, a list.
        words: what the link says.
        of: what those who hear the page are told besides, where several links on it lead to one image.
        hidden: whether the page that it leads to shall not tell the answer at once.
    """
    query = urlencode({"run": runs, "image": image} | ({"hidden": "true"} if hidden else {}), doseq=True)
    said = html.escape(f"{words} at test image {image}{of and f', {of}'}")
    return (
        f'<a class="inner look-inside" target="_self" href="inside?{html.escape(query)}" aria-label="{said}">'
        f"{html.escape(words)}</a>"
    )
