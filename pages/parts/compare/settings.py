"""The settings in which the ticked runs differ."""

import pandas as pd
import streamlit as st

from core.config.run_config import FIELDS, said
from pages.parts import data
from pages.parts.charts.curves import short_names


def draw_settings(groups):
    """A table with a row for each setting in which these differ, and a column for each; groups are lists of runs that
    differ in nothing but the seed.
    """
    runs = [group[0] for group in groups]
    configs = [data.config(run) for run in runs]
    differing = [name for name in FIELDS if len({getattr(config, name) for config in configs}) > 1]
    if any(len(group) > 1 for group in groups):
        # A column of several seeds has no one seed.
        differing = [name for name in differing if name != "seed"]
    if len(runs) < 2:
        st.info("Tick two rows or more to see in which settings they differ.", icon=":material/checklist:")
    elif not differing:
        st.info("These runs have the same settings, but for the seed where they have several.")
    else:
        names = short_names(runs, configs, seeds=[len(group) for group in groups])
        columns = {
            name: [said(FIELDS[setting], getattr(config, setting)) for setting in differing]
            for name, config in zip(names, configs, strict=True)
        }
        labels = {"Setting": [FIELDS[setting].metadata["label"] for setting in differing]}
        st.dataframe(
            pd.DataFrame(labels | columns),
            hide_index=True,
            height="content",
            column_config={"Setting": st.column_config.TextColumn(pinned=True)},
            alt="The settings in which the ticked runs differ",
        )
        same = len(FIELDS) - len(differing)
        st.caption(f"The other {same} settings are the same. Each run's page has them all: “Settings and log”.")
