"""The pad to draw a digit on with mouse, pen or finger, or to lay a picture of one on."""

from pathlib import Path

import streamlit as st

from core.digits.ink import digit_of
from core.digits.strokes import (
    LONGEST_ADDRESS,
    MOST_POINTS,
    PEN_WIDTHS,
    UNREADABLE,
    DrawingError,
    digit_image,
    strokes_in_address,
)
from pages.parts.image_grid import png_address

PEN_WIDTH = 0.085
_HTML = """
<div class="pad">
  <div class="paper">
    <img alt="" hidden>
    <canvas tabindex="0" role="application" aria-describedby="how"
      aria-label="Pad: draw a digit with mouse, pen, finger or keyboard"></canvas>
    <i class="cursor" aria-hidden="true"></i>
    <span class="how" id="how">The arrow keys move the pen, with Shift farther. Space puts it down, and lifts it. Delete
      empties the pad, and Control and Z take back the last stroke.</span>
    <span class="spoken" role="status"></span>
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
    """Shows the pad and keeps what is on it for the session, visits to other pages included.

    Returns:
        The digit on it, uint8 (28, 28), or None.

    Raises:
        core.digits.strokes.DrawingError: what the browser sent is no drawing.
    """
    sheet = sheet_on(key)
    pad = _component(
        key=key,
        data={
            "number": sheet["number"],
            "strokes": sheet["strokes"],
            "picture": sheet["picture"] and sheet["picture"]["address"],
            "penWidth": PEN_WIDTH,
            "penWidths": PEN_WIDTHS,
            "mostPoints": MOST_POINTS,
            "longestAddress": LONGEST_ADDRESS,
        },
        on_drawing_change=lambda: None,
    )
    drawing = {} if pad.drawing is None else pad.drawing
    if not isinstance(drawing, dict):
        raise DrawingError(UNREADABLE)
    # A drawing from before the newest sheet still stands in the widget.
    if drawing.get("sheet") == sheet["number"]:
        digit = digit_image(drawing.get("strokes"))
        sheet |= {"strokes": drawing.get("strokes") or [], "picture": None, "address": drawing.get("address")}
        return digit
    return sheet["picture"]["digit"] if sheet["picture"] else digit_image(sheet["strokes"])


def sheet_on(key):
    """What is on the pad: the number of the sheet of paper, and its strokes or the picture that lies on it, or None."""
    # Streamlit forgets a widget that a page does not show; this key belongs to no widget and stays.
    return st.session_state.setdefault(f"{key} sheet", {"number": 1, "strokes": [], "picture": None})


def open_drawing(key, address):
    """Puts the drawing that the page's address holds on a new sheet, once: what is drawn later changes the address, and
    is on the pad already.

    Raises:
        core.digits.strokes.DrawingError: there is none in it, and the pad is empty.
    """
    sheet = sheet_on(key)
    if not address or address in (sheet.get("opened"), sheet.get("address")):
        return
    try:
        strokes = strokes_in_address(address)
        digit_image(strokes)
    except DrawingError:
        if sheet["strokes"] or sheet["picture"]:
            return
        raise
    new_sheet(key)
    sheet |= {"strokes": strokes, "opened": address, "address": address}


def drawing_in_address(key):
    """The drawing on the pad as an address holds it, or "" where a picture lies there or the drawing is too long."""
    sheet = sheet_on(key)
    return "" if sheet["picture"] else sheet.get("address") or ""


def lay_picture(key, name, grey):
    """Puts a new sheet on the pad with a picture on it: uint8 (h, w), from `core.digits.pictures.read_picture`.

    Raises:
        core.digits.strokes.DrawingError: no digit can be seen in it; the pad stays as it is.
    """
    picture = {"name": name, "digit": digit_of(grey), "address": png_address(grey[..., None])}
    new_sheet(key)
    sheet_on(key)["picture"] = picture


def new_sheet(key):
    """Puts an empty sheet on the pad."""
    sheet_on(key).update(number=sheet_on(key)["number"] + 1, strokes=[], picture=None)
