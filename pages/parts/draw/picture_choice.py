"""Choosing a picture of a digit to lay on the pad, and taking it off again."""

import html

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.digits.pictures import FORMATS, read_picture
from core.digits.strokes import DrawingError
from pages.parts.draw.pad import lay_picture, new_sheet, sheet_on

ENDINGS = [ending for endings in FORMATS.values() for ending in endings]
# As wide as the pad, and on one line, however long the name of the file.
_STYLE = """<style>
[class*="st-key-beside-pad"] { max-width: 460px; }
.st-key-beside-pad-picture { flex-wrap: nowrap; }
.picture-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; opacity: 0.8; }
</style>"""


def picture_choice(key):
    """Below the pad with this key: a place to choose a picture, or the name of the one that lies on the pad."""
    st.html(_STYLE)
    picture = sheet_on(key)["picture"]
    if picture:
        with st.container(horizontal=True, vertical_alignment="center", key="beside-pad-picture"):
            st.html(f'<div class="picture-name">{html.escape(picture["name"])}</div>', width="stretch")
            st.button("Remove", icon=":material/close:", on_click=new_sheet, args=(key,))
        return
    refused, tries = f"{key} picture refused", f"{key} pictures chosen"
    # A chooser of its own for each try, so that none shows a file that no longer counts.
    chooser = f"{key} picture {st.session_state.get(tries, 0)}"

    def chosen():
        file, session = st.session_state[chooser], get_script_run_ctx()
        st.session_state[tries] = st.session_state.get(tries, 0) + 1
        try:
            lay_picture(key, file.name, read_picture(file.getvalue()))
        except DrawingError as error:
            st.session_state[refused] = str(error)
        # Streamlit would keep the file until the page is closed.
        session.uploaded_file_mgr.remove_file(session.session_id, file.file_id)

    with st.container(key="beside-pad"):
        if refused in st.session_state:
            st.error(st.session_state.pop(refused))
        st.file_uploader("or choose a picture", type=ENDINGS, key=chooser, on_change=chosen)
