"""The button that packs runs to hand in, how far that is, and the way to the file."""

import html
import time

import streamlit as st
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Route
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from core.jobs import background
from core.pack import NAME
from core.runs.run import RunError
from pages.parts.refreshing import refreshing
from pages.parts.style import plain

_PATH = f"pack/{{token}}/{NAME}"
_REFRESH_SECONDS = 1
_HELP = (
    "One zip: the report's tables with ours beside them as LaTeX, Markdown and CSV, curves and matrices, the claims, "
    "every run's settings and command, and a report that opens without a network. Of the ticked runs; where none is "
    "ticked, of the best run of each network and dataset, with all its seeds."
)
_STYLE = """<style>
.pack { display: inline-flex; flex-wrap: wrap; gap: 0 .5rem; align-items: center; padding: .45rem .9rem;
  border: 1px solid color-mix(in srgb, currentColor 35%, transparent); border-radius: .5rem;
  color: inherit; font-weight: 600; text-decoration: none; }
.pack:is(:hover, :focus-visible) { border-color: currentColor; }
.pack small { font-weight: 400; opacity: .85; }
</style>"""


def command(runs):
    """The one that packs these runs, in whatever order they are ticked; none for those that it takes by itself."""
    names = sorted(run.id for run in runs)
    return ("pack", background.FOLDER, *(["--runs", *names] if names else []))


def pack_button(runs):
    """Draws the button. `runs`: the ticked ones."""
    found = background.state(command(runs))
    words = "Pack again" if found.folder else "Pack to hand in"
    if st.button(words, icon=":material/folder_zip:", type="tertiary", help=_HELP, disabled=found.share is not None):
        try:
            background.start(command(runs))
        except RunError as error:
            st.toast(plain(str(error)), icon=":material/hourglass_top:")
        else:
            st.rerun()


def draw_pack(runs):
    """Draws how far the pack of the ticked runs is, or the way to it; nothing where nobody asked for one."""
    found = background.state(command(runs))
    if found.share is not None:
        refreshing(lambda: _draw_progress(command(runs)), _REFRESH_SECONDS)
    elif found.error:
        st.error(plain(found.error))
    elif found.folder:
        address, stat = _PATH.format(token=background.token(command(runs))), (found.folder / NAME).stat()
        made, size = time.strftime("%H:%M", time.localtime(stat.st_mtime)), stat.st_size / 1e6
        st.html(
            f'{_STYLE}<a class="pack" href="{html.escape(address)}" download="{NAME}">Download {NAME} '
            f"<small>{size:.1f} MB, made at {made}</small></a>"
        )


def _draw_progress(command):
    found = background.state(command)
    if found.share is None:
        st.rerun()
    st.progress(found.share, text=plain(found.words))


def _send(request):
    """Answers a request for a pack; where there is none, with one sentence."""
    if not is_host_allowed(request.headers.get("host")):
        return PlainTextResponse("This lab does not answer to that name.", 403)
    folder = background.state_of(request.path_params["token"]).folder
    if folder is None or not (folder / NAME).is_file():
        return PlainTextResponse("There is no such pack; ask for it on the Compare page.", 404)
    return FileResponse(folder / NAME, filename=NAME)


def routes():
    """What the server answers besides its pages."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"/{base}{'/' * bool(base)}{_PATH}", _send)]
