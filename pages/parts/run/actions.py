"""What can be done with a run, as buttons: stop, finish, resume, reorder, delete; none of them in a read-only lab."""

import streamlit as st

from core.jobs import control, scheduler
from core.runs.run import RunError
from core.settings import read_only
from pages.parts import data
from pages.parts.style import plain

# State -> (label, icon, what it does, help, whether it needs a whole epoch behind it), in the order of the buttons.
_STOP = (
    "Stop",
    ":material/stop:",
    control.stop,
    "Ends after the step in hand. The run can be resumed exactly where it was.",
    False,
)
_FINISH = (
    "Finish now",
    ":material/flag:",
    control.finish,
    "Trains no more, then tests and saves the best epoch so far.",
    True,
)
_RESUME = ("Resume", ":material/play_arrow:", control.resume, "Goes on exactly where it was.", False)
_MOVE_UP = ("Move up", ":material/arrow_upward:", scheduler.move_up, "Changes places with the run before it.", False)
ACTIONS = {
    "queued": (
        _MOVE_UP,
        ("Cancel", ":material/close:", control.stop, "Leaves the queue. The run can be resumed later.", False),
    ),
    "running": (_STOP, _FINISH),
    "stopping": (
        (
            "Stop now",
            ":material/dangerous:",
            control.kill,
            "Ends the process at once. The run can be resumed from its last checkpoint.",
            False,
        ),
    ),
    "stopped": (_RESUME, _FINISH),
    "interrupted": (_RESUME, _FINISH),
    "failed": (_RESUME, _FINISH),
}


def draw_actions(run, state, epochs, first_in_line):
    """Draws the buttons for a run in this state.

    Args:
        epochs: how many whole epochs are behind it.
        first_in_line: whether no queued run stands before it.
    """
    if read_only() or run.is_shipped:
        return
    # Whoever was asked to finish does so, and trains no further.
    hidden = {_RESUME} if epochs and run.finish_path.exists() else set()
    if first_in_line:
        hidden.add(_MOVE_UP)
    for choice in ACTIONS.get(state, ()):
        label, icon, action, help, needs_epoch = choice
        if choice in hidden or (needs_epoch and not epochs):
            continue
        key = f"{label} {run.id}"
        st.button(label, key=key, icon=icon, help=help, on_click=_attempt, args=(action, run))
    if state not in ("queued", "running", "stopping"):
        draw_delete(run, "Delete")


def draw_delete(run, label):
    """Draws the button that deletes a run, and asks before; nothing where it may not be deleted."""
    if read_only() or run.is_shipped:
        return
    with st.popover(label, icon=":material/delete:", type="tertiary", key=f"ask-{run.id}"):
        st.markdown("This deletes the run with its curves, its figures and its network. It cannot be undone.")
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
