"""What can be done with a run, as buttons: pause, stop, finish, resume, reorder, delete; none in a read-only lab."""

import contextlib
import dataclasses
import time
from collections.abc import Callable

import streamlit as st

from core.jobs import control, scheduler
from core.jobs.signals import PATIENCE_SECONDS
from core.runs.run import RunError
from core.runs.schema import UNFINISHED
from core.settings import read_only
from pages.parts import data
from pages.parts.style import plain


@dataclasses.dataclass(frozen=True)
class Action:
    """One button.

    Attributes:
        do: called with the Run when it is clicked.
        needs_epoch: whether it can only be clicked when a whole epoch is over.
        enabled: whether it can be clicked at all. What cannot keeps its place, so that no other button comes under the
            pointer of somebody who has just clicked.
    """

    label: str
    icon: str
    do: Callable
    help: str
    needs_epoch: bool = False
    enabled: bool = True

    def disabled(self):
        """The same button, which cannot be clicked."""
        return dataclasses.replace(self, enabled=False)


_PAUSE = Action(
    "Pause",
    ":material/pause:",
    control.pause,
    "Ends after the current step and saves everything. No other run starts in its place until you resume or stop it.",
)
_STOP = Action(
    "Stop",
    ":material/stop:",
    control.stop,
    "Ends after the current step and saves everything. The next run starts. You can resume this one later.",
)
_STOP_FINISHING = dataclasses.replace(
    _STOP, do=control.kill, help="Ends at once. The network is not lost: you can finish it later."
)
_STOP_NOW = Action(
    "Stop now",
    ":material/dangerous:",
    control.kill,
    "The run has not ended by itself. This ends its process. You can resume from its last checkpoint.",
)
_FINISH = Action(
    "Finish now",
    ":material/flag:",
    control.finish,
    "Trains no more, then tests the best epoch so far and saves its network. It needs one whole epoch.",
    needs_epoch=True,
)
_RESUME = Action("Resume", ":material/play_arrow:", control.resume, "Goes on exactly where it was.")
_MOVE_UP = Action("Move up", ":material/arrow_upward:", scheduler.move_up, "Changes places with the run before it.")
_CANCEL = Action("Cancel", ":material/close:", control.stop, "Leaves the queue. You can resume the run later.")
# State -> its buttons, from left to right.
ACTIONS = {
    "queued": (_MOVE_UP, _CANCEL),
    "running": (_PAUSE, _STOP, _FINISH),
    "pausing": (_PAUSE.disabled(), _STOP, _FINISH.disabled()),
    "paused": (_RESUME, _STOP, _FINISH),
    "stopping": (_PAUSE.disabled(), _STOP.disabled(), _FINISH.disabled()),
    "finishing": (_PAUSE.disabled(), _STOP_FINISHING, _FINISH.disabled()),
    "stopped": (_RESUME, _FINISH),
    "interrupted": (_RESUME, _FINISH),
    "failed": (_RESUME, _FINISH),
}
_DELETE_STYLE = """<style>
[class*="st-key-delete-"] button, [class*="st-key-delete-"] button:hover { background: #B3261E; border-color: #B3261E; }
[class*="st-key-delete-"] button:is(:hover, :focus-visible) { background: #8C1D18; }
[class*="st-key-delete-"] button, [class*="st-key-delete-"] button * { color: #FFFFFF; }
</style>"""


def draw_actions(run, state, epochs, first_in_line):
    """Draws the buttons for a run in this state.

    Args:
        epochs: how many whole epochs are behind it.
        first_in_line: whether no queued run stands before it.
    """
    if read_only() or run.is_shipped:
        return
    for action in ACTIONS.get(state, ()):
        if action is _MOVE_UP and first_in_line:
            continue
        # Whoever was asked to finish does so, and trains no further.
        if action is _RESUME and epochs and run.finish_path.exists():
            continue
        if state == "stopping" and action.label == _STOP.label and _hears_nothing(run):
            action = _STOP_NOW
        st.button(
            action.label,
            key=f"{action.label} {run.id}",
            icon=action.icon,
            help=action.help,
            disabled=not action.enabled or (action.needs_epoch and not epochs),
            on_click=_attempt,
            args=(action.do, run),
        )
    if state in UNFINISHED:
        # Keeps the place of what comes when the run has ended.
        st.button("Delete", key=f"no delete {run.id}", icon=":material/delete:", type="tertiary", disabled=True)
    else:
        draw_delete(run, "Delete")


def _hears_nothing(run):
    """Whether a run that was asked to stop should have ended by now, even by its worker's own patience."""
    with contextlib.suppress(OSError):
        return time.time() > run.stop_path.stat().st_mtime + 1.5 * PATIENCE_SECONDS
    return False


def draw_delete(run, label):
    """Draws the button that deletes a run, and asks before; nothing where it may not be deleted."""
    if read_only() or run.is_shipped:
        return
    with st.popover(label, icon=":material/delete:", type="tertiary", key=f"ask-{run.id}"):
        st.html(_DELETE_STYLE)
        st.markdown(
            "Delete this run? Its network, curves, results and log go from the disk for good. You cannot get them back."
        )
        st.button("Delete for good", key=f"delete {run.id}", type="primary", on_click=_attempt, args=(_delete, run))


def _attempt(action, run):
    try:
        action(run)
    except RunError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    # Who has moved a run wants to see where it stands now.
    data.pending.clear()


def _delete(run):
    control.delete(run)
    st.query_params["run"] = [name for name in st.query_params.get_all("run") if name != run.id]
