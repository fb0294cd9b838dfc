"""Presenter mode: every page large enough for the last row, by a switch that stands in the address (?present=true).

What is sized in rem grows by itself. Charts are sized in pixels: each one goes through one of these functions.
"""

import contextlib
import threading
import time

import streamlit as st

KEY = "present"
# Pixels a rem. The smallest text of a page has 0.7 rem.
ROOT_SIZE = 24
LEAST_LINE = 3
_TEXT, _LINES, _HEIGHT = ROOT_SIZE / 16, 1.7, 1.4
# What Plotly and Vega, with Streamlit's theme, draw where nobody says otherwise.
_PLOTLY_LINE, _PLOTLY_MARKER, _CHART_TEXT = 2, 6, 14
# The browser has the style before it has the first table, see `page_frame`.
_STYLE_SECONDS = 0.25
# Whether the switch was turned just before this run of the script, which is in the same thread.
_turned = threading.local()
_SWITCH_STYLE = """<style>
.st-key-presenter { position: fixed; z-index: 999991; top: 0.9rem; right: 4.5rem; width: auto; }
[data-testid="stStatusWidget"] { margin-right: 11.5rem; }
/* Where names of pages do not fit, Streamlit leaves a place beside them that is not quite as wide. */
[data-testid="stTopNav"] { margin-right: 2rem; }
/* On a phone. */
@media (max-width: 640px) { [data-testid="stStatusWidget"] { margin-right: 0; }
  .st-key-presenter:not(:has(input:checked)) { display: none; } }
</style>"""
# Letters one and a half times as large leave the pages' icons no room beside the names but on a wide screen.
_STYLE = f"""<style>html {{ font-size: {ROOT_SIZE}px; }}
@media (max-width: 1800px) {{
  [data-testid="stTopNavLink"] > :has([data-testid="stIconMaterial"]) {{ display: none; }} }}
</style>"""


def presenter_switch():
    """Draws the switch, and makes the page large where it is on.

    For app.py only: a widget of that file keeps its value, and its part of the address, from page to page.
    """
    said = st.query_params.get(KEY, "true").lower()
    if presenting() and KEY not in st.query_params:
        # `st.switch_page` has emptied the address; to set the value puts it there again.
        st.session_state[KEY] = True
    is_first_page = KEY not in st.session_state
    with st.container(key="presenter"):
        on = st.toggle(
            "Presenter mode",
            key=KEY,
            bind="query-params",
            on_change=lambda: setattr(_turned, "now", True),
            help="Large type and thick lines, for a projector",
        )
    st.html(_SWITCH_STYLE + (_STYLE if on else ""))
    if vars(_turned).pop("now", False) or (is_first_page and on):
        time.sleep(_STYLE_SECONDS)
    if said not in ("true", "false"):
        st.warning(
            "“Presenter mode” in the link is neither true nor false, so it is ignored.", icon=":material/link_off:"
        )


def page_frame():
    """What a page is drawn in, a context. A table measures the page's letters when it comes onto the page, and only
    then: in presenter mode it comes into a container that is not there otherwise, so that the switch makes a new one.
    """
    return st.container() if presenting() else contextlib.nullcontext()


def presenting():
    """Whether the page is drawn for a projector."""
    return bool(st.session_state.get(KEY))


def on_phone():
    """Whether the page is drawn for a phone, as far as its browser says so."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def grown(pixels):
    """The width of a widget that holds text: so many pixels, or more in presenter mode."""
    return round(_TEXT * pixels) if presenting() else pixels


def line(pixels):
    """The width of a line in a chart: so many pixels, or more in presenter mode."""
    return max(LEAST_LINE, _LINES * pixels) if presenting() else pixels


def text_size():
    """Pixels of the text that a component draws itself."""
    return round(14 * (_TEXT if presenting() else 1))


def projected():
    """By what a component that draws a chart enlarges it; None where it does not.

    Returns:
        text, lines, height: factors; leastLine: pixels.
    """
    if not presenting():
        return None
    return {"text": _TEXT, "lines": _LINES, "height": _HEIGHT, "leastLine": LEAST_LINE}


def plotly(figure):
    """A Plotly figure as it is shown: changed in place where the page is drawn for a projector; returns the figure."""
    if not presenting():
        return figure
    text = _TEXT * _CHART_TEXT
    figure.update_layout(
        height=_HEIGHT * figure.layout.height,
        font_size=text,
        legend={"font_size": text, "itemwidth": _HEIGHT * (figure.layout.legend.itemwidth or 30)},
        hoverlabel_font_size=text,
    )
    figure.update_xaxes(tickfont_size=text, title_font_size=text)
    figure.update_yaxes(tickfont_size=text, title_font_size=text)
    for trace in figure.data:
        trace.line.width = line(trace.line.width or _PLOTLY_LINE)
        if "error_y" in trace and trace.error_y.thickness:
            trace.error_y.thickness = line(trace.error_y.thickness)
        sizes = _PLOTLY_MARKER if trace.marker.size is None else trace.marker.size
        trace.marker.size = [_LINES * size for size in sizes] if isinstance(sizes, tuple) else _LINES * sizes
    return figure


def vega(chart):
    """A Vega-Lite chart, with a height in pixels, as it is shown; returns a chart."""
    # The last label of an axis is a pixel wider than its place.
    chart = chart | {"padding": {"right": 4}}
    if not presenting():
        return chart
    text = _TEXT * _CHART_TEXT
    return chart | {
        "height": _HEIGHT * chart["height"],
        "config": {
            # A matrix and bars need the place more than their axes do.
            "axis": {"labelFontSize": text, "titleFontSize": text, "labelLimit": 300},
            "text": {"fontSize": text},
            "legend": {"labelFontSize": text, "titleFontSize": text},
            "line": {"strokeWidth": _LINES * LEAST_LINE},
            "rule": {"strokeWidth": LEAST_LINE},
        },
    }
