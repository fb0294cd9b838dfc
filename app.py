"""Deeper Networks Lab: the list of its pages."""

import streamlit as st

from core.runs import RunError

# Before the navigation: a page's Material icon would otherwise be fetched from an outside host as the tab's icon.
st.set_page_config(page_icon="🔬", layout="wide")
page = st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", icon=":material/grid_view:", default=True),
        st.Page("pages/train.py", title="Train", icon=":material/play_circle:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/table_chart:"),
        st.Page("pages/gallery.py", title="Gallery", icon=":material/photo_library:"),
        st.Page("pages/draw.py", title="Draw", icon=":material/draw:"),
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · Deeper Networks Lab")
try:
    page.run()
except RunError as error:
    # A run that was deleted or damaged while the page was being drawn.
    st.error(str(error))
