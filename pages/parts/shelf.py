"""What was made of run folders, on disk, so that a server that starts anew need not read a thousand runs again.

One SQLite file beside the runs. All in it follows from the folders, which stay the truth: each value lies there with
the stamps of the files that it was made from and the version of the code that made it, and is used only where both are
the same now. Whoever deletes the file loses a few seconds. Where it is damaged, locked or cannot be written, all goes
on without it; a read-only lab does not write it.
"""

import functools
import hashlib
import json
import os
import sqlite3
import threading
import time
import zlib
from pathlib import Path

from core.files import discard
from core.settings import artifacts_folder, read_only

NAME = ".index.sqlite"
# What has changed since is perhaps still being written, and will have to be read again anyway.
AT_REST_SECONDS = 10
_PROJECT = Path(__file__).parents[2]
_TABLE = (
    "CREATE TABLE IF NOT EXISTS kept (run TEXT, what TEXT, stamps TEXT, value TEXT, checksum INTEGER, "
    "PRIMARY KEY (run, what))"
)


class Shelf:
    """The values of one folder of runs. Several threads, and several servers, may use it at once.

    Args:
        folder: the artifacts folder, a Path.
    """

    def __init__(self, folder):
        self._path, self._lock, self._new = folder / NAME, threading.Lock(), {}
        self._database, self._is_broken = None, False

    def get(self, run, what, stamps, make):
        """The JSON value that lies here for a run with these stamps, else what `make` makes, which lies here from the
        next `write` on. What `make` raises is raised.

        Args:
            run: the folder's name.
            what: which value of the run.
            stamps: of the files that it is made of, a tuple of `pages.parts.kept.Stamp` or None.
        """
        made_of = json.dumps([_version(), *stamps])
        query = "SELECT value, checksum FROM kept WHERE run = ? AND what = ? AND stamps = ?"
        found = self._ask(lambda database: database.execute(query, (run, what, made_of)).fetchone())
        if found and zlib.crc32(found[0].encode()) == found[1]:
            return json.loads(found[0])
        value = make()
        if all(stamp.changed_ns < 1e9 * (time.time() - AT_REST_SECONDS) for stamp in stamps if stamp):
            with self._lock:
                self._new[run, what] = made_of, json.dumps(value)
        return value

    def write(self):
        """Writes what was made since the last time, and forgets the runs that are gone."""
        if not self._new or read_only():
            return
        with self._lock:
            new, self._new = self._new, {}
        rows = [(*key, *texts, zlib.crc32(texts[1].encode())) for key, texts in new.items()]

        def replace(database):
            there = {run for (run,) in database.execute("SELECT DISTINCT run FROM kept")}
            gone = there.difference(os.listdir(self._path.parent))
            with database:
                database.executemany("DELETE FROM kept WHERE run = ?", [(run,) for run in gone])
                database.executemany("REPLACE INTO kept VALUES (?, ?, ?, ?, ?)", rows)

        self._ask(replace, to_write=True)

    def _ask(self, use, to_write=False):
        """What `use` makes of the database, or None where there is none. Once something is wrong with it, this server
        does without.
        """
        with self._lock:
            try:
                if not (self._database or self._is_broken) and (to_write or self._path.exists()):
                    self._database = self._opened()
                return use(self._database) if self._database else None
            except (sqlite3.Error, OSError) as error:
                self._is_broken, self._database = True, None
                # Else it is locked, or the folder takes no file.
                if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                    discard(self._path)
                return None

    def _opened(self):
        if read_only():
            return sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=1, check_same_thread=False)
        database = sqlite3.connect(self._path, timeout=1, check_same_thread=False)
        # A crash of the machine may damage it then; that is no harm, and the disk need not be waited for.
        database.execute("PRAGMA synchronous = OFF")
        database.execute(_TABLE)
        return database


@functools.lru_cache(1)
def shelf(folder):
    """The Shelf of an artifacts folder, a text."""
    return Shelf(Path(folder))


def write_shelf():
    """Lays on the shelf what was made since the last time; called when a page is drawn."""
    shelf(str(artifacts_folder())).write()


@functools.cache
def _version():
    """A checksum of all code that a value can depend on."""
    checksum = hashlib.sha256()
    for path in sorted([*(_PROJECT / "core").rglob("*.py"), *Path(__file__).parent.glob("*.py")]):
        checksum.update(path.read_bytes())
    return checksum.hexdigest()[:16]
