"""A part of a page that draws itself again while something runs. With many viewers it does so less often, and in a
hidden tab not at all.
"""

import threading
import time
from pathlib import Path

import streamlit as st

from pages.parts.kept import one_look

# The share of one core that drawing may take for all viewers together; to send it takes the server as much again. The
# rest is the training's.
SHARE = 0.03
_component = st.components.v2.component(
    "refreshing",
    css="""
.st-key-refreshing { display: none; }
""",
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
    isolate_styles=False,
)


class Turns:
    """When each viewer may draw again: every drawing books the time that its cost is the share of, and others wait.

    Args:
        share: how much of the time may be booked, 0..1.
    """

    def __init__(self, share):
        self._share, self._booked, self._lock = share, 0.0, threading.Lock()

    def wait(self, seconds, cost, now):
        """Seconds until a viewer may draw again: those it asks for, or more where others are in the line.

        Args:
            seconds: what it asks for.
            cost: the seconds of one core that it has just taken. However many they are, nobody waits for oneself.
            now: the time in seconds, on a clock that never goes back.
        """
        with self._lock:
            self._booked = max(self._booked, now) + min(cost / self._share, seconds)
            return max(seconds, self._booked - now)


_turns = Turns(SHARE)


def refreshing(draw, seconds):
    """Calls `draw` in a fragment of its own, and again after so many seconds (None: not again), or more if many watch.

    There can be one on a page.
    """

    # The interval is not for drawing: a browser that has one asks for the page anew when the server was restarted.
    @st.fragment(run_every="1h" if seconds else None)
    def part():
        started = time.thread_time()
        with one_look():
            draw()
        if seconds:
            now = time.monotonic()
            wait = _turns.wait(seconds, time.thread_time() - started, now)
            # The time makes each one's data differ from the last: only then does the browser run it again.
            _component(key="refreshing", data={"seconds": round(wait, 2), "asked": now})

    part()
