"""All about one run: its curves, every setting, its log, its files, and where it was trained. One of them is shown, and
the address says which.
"""

import contextlib
import html
import time

import streamlit as st

from core.config.recipes import RECIPES, make_config, overrides, training_command
from core.config.run_config import said
from core.export import FORMATS, not_installed
from core.runs import provenance
from core.runs.run import RunError
from core.settings import read_only
from pages.parts import data
from pages.parts.glossary import marked
from pages.parts.kept import look_again
from pages.parts.run.downloads import address, is_made_apart, make, offers
from pages.parts.settings_form import FIELDS
from pages.parts.style import duration, heard, plain

DETAILS = "Settings, log and files"
LOG_LINES = 60
_STYLE = """<style>
.about-run { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
.about-run th, .about-run td { text-align: left; vertical-align: top; padding: 0.3rem 1rem 0.3rem 0; }
.about-run tr + tr > * { border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.about-run th { font-weight: 600; }
.about-run td:first-child { white-space: nowrap; }
.about-run td:last-child { overflow-wrap: anywhere; }
.about-run .number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.about-run a { color: inherit; }
.about-run mark { font-weight: 600; padding: 0 0.25rem; border-radius: 0.25rem; }
@media (max-width: 640px) { .about-run td:first-child { white-space: normal; } .about-run .long { display: none; } }
</style>"""


def details_in_url():
    """Which of a run's parts the address names; None where it names none. A wrong name means the first."""
    named = st.query_params.get("details")
    return named if named is None or named in PARTS else next(iter(PARTS))


def details_button(run):
    """Draws the way to all about the run: no link, as one from a page to itself leaves the address as it is."""
    label = f"{DETAILS}{heard(f'of {data.name(run)}')}"
    if st.button(label, key=f"details {run.id}", icon=":material/list_alt:", type="tertiary"):
        st.query_params.update({"run": run.id, "details": "settings"})
        st.rerun()


def back_button():
    """Draws the way back from all about one run."""
    if st.button("All trainings", icon=":material/arrow_back:", type="tertiary"):
        # An empty list takes a name out of the URL, both at once: as one entry in the browser's history.
        st.query_params.update({"run": [], "details": []})
        st.rerun()


def draw_details(run, config, curves):
    """Draws the choice of a part, and the part.

    Args:
        run: the Run.
        config: its RunConfig.
        curves: draws its curves.
    """
    key = "details of a run"
    st.session_state[key] = part = details_in_url()
    if part != st.query_params.get("details"):
        st.warning("“Details” in the link is none of the choices, so it is ignored.", icon=":material/link_off:")

    def changed():
        st.query_params["details"] = st.session_state[key]

    labels = {name: label for name, (label, _) in PARTS.items()}
    chosen = st.segmented_control(
        "What to see of the run",
        labels,
        key=key,
        format_func=labels.get,
        on_change=changed,
        required=True,
        label_visibility="collapsed",
    )
    if draw := PARTS[chosen][1]:
        st.html(_STYLE)
        draw(run, config)
    else:
        curves()


def _settings(run, config):
    changed = overrides(config)
    recipe = make_config(config.network, config.dataset, config.recipe)
    label = RECIPES[config.recipe]["label"]
    rows, group = [], None
    for name, field in FIELDS.items():
        value = html.escape(said(field, getattr(config, name)))
        if field.metadata["group"] != group:
            group = field.metadata["group"]
            rows.append(f'<tr><th colspan="4">{html.escape(group)}</th></tr>')
        own = html.escape(said(field, getattr(recipe, name))) if name in changed else ""
        rows.append(
            f'<tr><td>{html.escape(field.metadata["label"])}</td><td class="number">'
            f"{f'<mark>{value}</mark> changed' if name in changed else value}</td><td>{own}</td>"
            f'<td class="long">{html.escape(field.metadata["help"])}</td></tr>'
        )
    count = f"{len(changed)} changed" if changed else "none changed"
    st.markdown(f"Every setting of this run. It was started with the **{label}** recipe, {count}.")
    head = '<tr><th>Setting</th><th>Value</th><th>Recipe</th><th class="long">What it does</th></tr>'
    st.html(f'<table class="about-run">{head}{"".join(rows)}</table>')
    st.markdown("The command that trains such a run in a terminal:")
    st.code(training_command(config), language="bash", wrap_lines=True)


def _log(run, config):
    text = run.read_log(LOG_LINES)
    st.caption(f"The last lines of what the training has written, {LOG_LINES} at most. All of it is among the files.")
    st.code(text or "Nothing has been written yet.", language=None, wrap_lines=True)


def _files(run, config):
    found = offers(run)
    # A lab that nobody may change makes nothing that takes the machine for a while.
    later = {name: offer for name, offer in found.items() if is_made_apart(offer)}
    shown = [(name, offer) for name, offer in found.items() if not (name in later and read_only())]
    rows = "".join(
        f"<tr><td>{_link(run, name, name in later)}</td>"
        f'<td class="number">{_size(offer.bytes, name in later)}</td><td>{marked(offer.about)}</td></tr>'
        for name, offer in shown
    )
    st.html(
        f'<table class="about-run"><tr><th>File</th><th>Size</th><th>What it holds</th></tr>{rows}</table>'
        if found
        else "There is no file yet."
    )
    if run.is_shipped:
        st.caption("This run came with the project, without its weights. Train it again to have model.keras.")
    elif "model.keras" not in found:
        st.caption("The networks follow when the run is finished.")
    if not read_only():
        _makers(run, [offer.format for offer in later.values()])
    st.markdown("The same in a terminal:")
    st.code(f"python -m core export {run.id} FOLDER", language="bash", wrap_lines=True)


def _link(run, name, later):
    written = html.escape(name)
    return written if later else f'<a href="{address(run, name)}" download>{written}</a>'


def _makers(run, formats):
    """A button for each format that is made on request, and what to install for those that are not offered."""
    with st.container(horizontal=True):
        asked = [
            name
            for name in dict.fromkeys(formats)
            if st.button(f"Make {_files_of(name)}", icon=":material/build:", key=f"make {name} {run.id}")
        ]
    for name in asked:
        try:
            with st.spinner(f"A process of its own reads the run and writes {_files_of(name)}…", show_time=True):
                make(run, name)
            st.rerun()
        except RunError as error:
            st.error(plain(str(error)))
    for sentence in not_installed().values():
        st.caption(plain(f"Not offered: {sentence}"))


def _files_of(name):
    return " and ".join(FORMATS[name].files)


def _size(count, later):
    if count is None:
        return "on request" if later else "made for you"
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


# Field of a session -> what a person calls it, and how its value is written.
_ENVIRONMENT = {
    "started": ("Started", lambda moment: time.strftime("%d %b %Y %H:%M", time.localtime(moment))),
    "seconds": ("Took", duration),
    "processor": ("Processor", str),
    "cores": ("Cores", str),
    "memory_bytes": ("Memory", lambda count: f"{count / 2**30:.1f} GiB"),
    "gpus": ("GPUs", lambda names: ", ".join(names) or "none"),
    "instructions": ("Fast instructions", lambda names: ", ".join(names) or "none known"),
    "platform": ("Operating system", str),
    "python": ("Python", str),
    "keras": ("Keras", str),
    "backend": ("Computes with", str),
    "backend_version": ("Its version", str),
    "code": ("Version of this program", str),
}


def _environment(run, config):
    sessions = []
    # A damaged history is said above already.
    with contextlib.suppress(RunError):
        sessions = data.sessions(run)
    if words := provenance.in_words(sessions):
        st.markdown(plain(words))
    if not sessions:
        st.markdown("No process has worked on this run yet, or nothing was recorded of it.")
        return
    numbers = "".join(f"<th>Session {number}</th>" for number in range(1, len(sessions) + 1))
    rows = [f"<tr><td></td>{numbers}</tr>", _row("Epochs", map(_epochs, sessions))]
    for name, (label, written) in _ENVIRONMENT.items():
        values = [session.get(name) for session in sessions]
        if any(value is not None for value in values):
            rows.append(_row(label, ["—" if value is None else written(value) for value in values]))
    st.html(f'<table class="about-run">{"".join(rows)}</table>')


def _row(label, values):
    return f"<tr><td>{label}</td>{''.join(f'<td>{html.escape(value)}</td>' for value in values)}</tr>"


def _epochs(session):
    first, last = session["first_epoch"], session["last_epoch"]
    return "none left" if first is None else f"{first}" if first == last else f"{first} to {last}"


def _note(run, config):
    try:
        said = data.note(run)
    except RunError as error:
        st.error(plain(str(error)))
        said = {"name": "", "note": ""}
    if run.is_shipped or read_only():
        st.markdown(f"**{plain(said['name'])}**" if said["name"] else "This run has no name of its own.")
        st.markdown(plain(said["note"]) if said["note"] else "It has no note.")
        if run.is_shipped:
            st.caption("This run came with the project, and nothing changes it.")
        return
    with st.form(f"note {run.id}", border=False):
        name = st.text_input("Name", said["name"], max_chars=60, placeholder="What to call it besides its settings")
        note = st.text_area("Note", said["note"], max_chars=4000, height=160, placeholder="What to remember of it")
        saved = st.form_submit_button("Save", icon=":material/save:")
    if saved:
        try:
            run.write_note(name, note)
        except RunError as error:
            st.error(plain(str(error)))
        else:
            look_again()
            st.toast("Saved in the run's folder.")
    st.caption("Both are shown in the table on Compare; the name also wherever runs are chosen.")


# Name in the address -> (label, what draws it, None for the curves).
PARTS = {
    "curves": ("Curves", None),
    "settings": ("Settings", _settings),
    "log": ("Log", _log),
    "files": ("Files", _files),
    "environment": ("How it was trained", _environment),
    "note": ("Name and note", _note),
}
