"""Writing and deleting files so that whoever reads at that moment, or after a crash, finds something whole."""

import contextlib
import json
import os
import secrets
import shutil

# Names that begin so are being written, or were when their writer died.
TEMPORARY = ".tmp-"


@contextlib.contextmanager
def replacing(path):
    """A path to write to, for a file or a folder; what is there at the end takes the place of `path`."""
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        discard(temporary)


def replace_bytes(path, content):
    """Writes a file so that a reader sees the old one whole or the new one whole."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def replace_json(path, value):
    """The same with a JSON value."""
    replace_bytes(path, json_bytes(value))


def overwrite_json(path, value):
    """Writes a JSON file in its place, which a full disk has room for; a crash in this moment may damage it."""
    content = json_bytes(value)
    with open(path, "r+b") as file:
        file.write(content.ljust(os.fstat(file.fileno()).st_size))


def json_bytes(value):
    return (json.dumps(value, indent=2) + "\n").encode()


def append(path, line, header=""):
    """Adds a line to a text file, after the header where the file is new."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(line if file.tell() else header + line)


def discard(path):
    """Deletes a file or a folder with all that is in it; one that is not there already is deleted."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def discard_leftovers(folder, prefix=TEMPORARY):
    """Deletes what is named so in a folder, normally what writers left half-written; call it where none is at work."""
    for path in folder.glob(f"{prefix}*"):
        discard(path)
