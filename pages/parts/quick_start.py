"""The offer to train a pair that is not trained yet: a click starts it, quick, and shows it on the Train page."""

import streamlit as st

from core import jobs
from core.config import make_config
from core.runs import RunError


def quick_start_button(label, model, dataset):
    """Draws the button; a click leaves for the Train page, or says in one sentence why nothing could start."""
    if not st.button(label, icon=":material/play_arrow:", key=f"{model}-{dataset}"):
        return
    try:
        run = jobs.start(make_config(model, dataset, "quick"))
    except RunError as error:
        st.error(str(error))
    else:
        st.switch_page("pages/train.py", query_params={"run": run.id})
