"""What a page looks at is in its URL: ?run=<id>&run=<id>."""

from urllib.parse import urlencode

import streamlit as st

from core.runs.run import UnknownRunError, open_run


def runs_in_url():
    """The runs named in the URL, in its order; a name that is no run is said in one sentence and left out."""
    found = []
    for run_id in dict.fromkeys(st.query_params.get_all("run")):
        try:
            found.append(open_run(run_id))
        except UnknownRunError as error:
            st.warning(f"{error} The list of runs is on the Compare page.", icon=":material/link_off:")
    return found


def address_with(**changes):
    """The page's own address, from "?" on, with these values changed: name -> text, or None to leave it out."""
    said = {name: st.query_params.get_all(name) for name in st.query_params} | {
        name: [] if value is None else [value] for name, value in changes.items()
    }
    return f"?{urlencode(said, doseq=True)}"
