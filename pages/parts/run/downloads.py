"""A run's files, for whoever wants them on their own machine: sent from the disk as they are read, so that a large
network never stands in the server's memory. What a format makes of a run is made when it is asked for; what takes
seconds or a library that the server does not load, by a process of its own.
"""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from core.export import FORMATS, not_installed
from core.jobs import background
from core.runs.run import RunError, open_run
from core.runs.schema import FILES

_PATH = "download/{run}/{name}"
# They belong to no format: what was written while the run trained.
_BESIDES = ("progress.jsonl", "log.txt")


class Offer(NamedTuple):
    """One file that can be had of a run.

    Attributes:
        about: what it holds, for a person.
        bytes: its size; None where it is made when somebody asks for it.
        format: the name of the format that makes it; None where it lies in the run's folder.
        path: where it is on the disk now; None where it is made when somebody asks for it.
    """

    about: str
    bytes: int | None
    format: str | None
    path: Path | None


def offers(run):
    """What can be had of a run now: file name -> Offer, the networks first."""
    found, is_finished = {}, os.path.lexists(run.metrics_path)
    absent = not_installed()
    for name, format in FORMATS.items():
        can_be_made = is_finished and name not in absent and not format.missing(run)
        # What need not be there, its format can do without.
        needed = [source for source in format.sources if FILES[source].needed]
        can_be_made = can_be_made and all(os.path.lexists(run.path / source) for source in needed)
        for file in format.files:
            if file in FILES:
                _add(found, run, file)
            elif can_be_made:
                found[file] = _of_format(run, name, file)
    for file in _BESIDES:
        _add(found, run, file)
    return found


def _of_format(run, name, file):
    folder = background.state(_command(run, name)).folder
    path = folder and folder / file
    return Offer(FORMATS[name].about, path and path.stat().st_size, name, path)


def _command(run, name):
    return ("export", run.id, background.FOLDER, "--formats", name)


def is_made_apart(offer):
    """Whether a file has to be made by `make` before it can be sent."""
    return offer.format is not None and offer.path is None and bool(FORMATS[offer.format].needs)


def make(run, name):
    """Has a process of its own write a format, whose files can be had afterwards; takes seconds.

    Raises:
        RunError: as `core.export.export` does.
    """
    background.make(_command(run, name))


def _add(found, run, file):
    # A pipe or a folder that somebody has put there is not offered.
    if os.path.isfile(run.path / file):
        found[file] = Offer(FILES[file].holds, os.path.getsize(run.path / file), None, run.path / file)


def address(run, name):
    """Where the file is, as a page of the lab calls it."""
    return _PATH.format(run=run.id, name=name)


def _send(request):
    """Answers a request for a file; where there is none, with one sentence."""
    if not is_host_allowed(request.headers.get("host")):
        return PlainTextResponse("This lab does not answer to that name.", 403)
    run_id, name = request.path_params["run"], request.path_params["name"]
    try:
        run = open_run(run_id)
        offer = offers(run).get(name)
        if offer is None:
            raise RunError(f"{run.id} has no file called {name} for you.")
        file_name = f"{run.id}-{name}"
        if offer.path is not None:
            return FileResponse(offer.path, filename=file_name)
        if is_made_apart(offer):
            raise RunError(f"{name} is not made yet: the page of the run has a button for it.")
        with tempfile.TemporaryDirectory() as folder:
            FORMATS[offer.format].write(run, Path(folder))
            made = (Path(folder) / name).read_bytes()
        return Response(made, headers={"Content-Disposition": f'attachment; filename="{file_name}"'})
    except RunError as error:
        return PlainTextResponse(str(error), 404)
    except OSError as error:
        return PlainTextResponse(f"{name} cannot be read: {error.strerror}.", 404)


def routes():
    """What the server answers besides its pages."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"/{base}{'/' * bool(base)}{_PATH}", _send)]
