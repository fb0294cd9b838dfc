"""Deeper Networks Lab: the list of its pages, and the start of its server."""

import contextlib
import sys

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from core import settings
from core.jobs import background
from core.runs.run import RunError
from pages.parts.compare import pack
from pages.parts.kept import one_look
from pages.parts.lesson import lesson_bar
from pages.parts.linked import changes_are_entries
from pages.parts.map import pictures
from pages.parts.presenter import page_frame, presenter_switch
from pages.parts.run import downloads
from pages.parts.shelf import write_shelf
from pages.parts.style import plain


def draw_page():
    """Draws the page that the address names, under the navigation."""
    # Before the navigation: a page's Material icon would otherwise be fetched from an outside host as the tab's icon.
    st.set_page_config(page_icon="🔬", layout="wide")
    page = st.navigation(
        [
            st.Page("pages/overview.py", title="Overview", icon=":material/grid_view:", default=True),
            st.Page("pages/networks.py", title="Networks", icon=":material/account_tree:"),
            st.Page("pages/train.py", title="Train", icon=":material/play_circle:"),
            st.Page("pages/compare.py", title="Compare", icon=":material/table_chart:"),
            st.Page("pages/claims.py", title="Claims", icon=":material/balance:"),
            st.Page("pages/gallery.py", title="Gallery", icon=":material/photo_library:"),
            st.Page("pages/inside.py", title="Inside", icon=":material/search_insights:"),
            st.Page("pages/draw.py", title="Draw", icon=":material/draw:"),
            st.Page("pages/round.py", title="Round", icon=":material/sports_esports:"),
            st.Page("pages/lesson.py", title="Lesson", icon=":material/school:"),
        ],
        position="top",
    )
    st.set_page_config(page_title=f"{page.title} · Deeper Networks Lab")
    presenter_switch()
    changes_are_entries()
    lesson_bar(page.url_path)
    try:
        with one_look(), page_frame():
            page.run()
    except RunError as error:
        # A run that was deleted or damaged while the page was being drawn.
        st.error(plain(str(error)))
    finally:
        write_shelf()


def stop_at_wrong_settings():
    """Ends the process with code 2 and one sentence where a LAB_* variable means nothing."""
    try:
        settings.check()
    except settings.SettingError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


@contextlib.asynccontextmanager
async def welcome(server):
    """Says where the lab is and opens a browser there, as Streamlit does for scripts that do not start a server. At the
    end nothing stays of the packs and files that it has made.
    """
    from streamlit import cli_util
    from streamlit.web.server import server_util

    host = server_util.get_display_address(st.get_option("server.address") or "localhost")
    url = server_util.get_url(host)
    print(f"Deeper Networks Lab: {url}", flush=True)
    if not st.get_option("server.headless"):
        cli_util.open_browser(url)
    yield
    background.end()


# Streamlit imports this file once, when the server starts, and runs it as a script for every page that is drawn.
if __name__ == "__main__":
    draw_page()
else:
    stop_at_wrong_settings()
    # Else Streamlit takes a folder called `pages` for its older kind of app, with a sidebar of file names, until
    # `st.navigation` has been called once: an open tab showed that for a moment when the server was started anew.
    PagesManager.uses_pages_directory = False
    app = st.App(__file__, lifespan=welcome, routes=[*downloads.routes(), *pack.routes(), *pictures.routes()])
