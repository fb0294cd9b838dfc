"""The pad to draw a digit on with mouse, pen or finger."""

from pathlib import Path

import streamlit as st

from core.drawing import MOST_POINTS, PEN_WIDTHS

PEN_WIDTH = 0.085
_HTML = """
<div class="pad" tabindex="-1">
  <div class="paper">
    <canvas role="img" aria-label="Pad: draw a digit with mouse, pen or finger"></canvas>
    <span class="hint" aria-hidden="true">Draw a digit<small>0 to 9</small></span>
  </div>
  <div class="tools" role="toolbar" aria-label="Drawing tools">
    <button class="undo" type="button" title="Take back the last stroke (Ctrl+Z)">
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3"/></svg>
      Undo
    </button>
    <button class="clear" type="button" title="Empty the pad; Undo brings the drawing back">
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 7h16M10 11v6m4-6v6M6 7l1 13h10l1-13M9 7V4h6v3"/></svg>
      Clear
    </button>
    <label>Pen<input type="range" aria-label="Pen width" step="0.005"><i class="nib" aria-hidden="true"></i></label>
  </div>
</div>
"""
_component = st.components.v2.component(
    "drawing_pad",
    html=_HTML,
    css=Path(__file__).with_suffix(".css").read_text("utf-8"),
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
)


def drawing_pad(key):
    """Shows the pad and keeps its drawing for the session, visits to other pages included.

    Args:
        key: the pad's widget key.

    Returns:
        The strokes as the browser sent them, for `core.drawing.digit_image`, which checks them.
    """
    # Streamlit forgets a widget that a page does not show; this key belongs to no widget and stays.
    kept = f"{key} strokes"
    pad = _component(
        key=key,
        data={
            "strokes": st.session_state.get(kept, []),
            "penWidth": PEN_WIDTH,
            "penWidths": PEN_WIDTHS,
            "mostPoints": MOST_POINTS,
        },
        on_strokes_change=lambda: None,
    )
    if pad.strokes is not None:
        st.session_state[kept] = pad.strokes
    return st.session_state.get(kept, [])
