"""Values made from files, kept while the files stay as they are: all pages and visitors share them."""

import contextlib
import functools
import operator
import os
import random
import threading
import time
from collections import OrderedDict

# Of a folder in which nothing was made, replaced or deleted for a minute, which the folder itself says, the files are
# looked at again after so many seconds only: there can be ten thousand such folders, with a dozen files each.
AT_REST_SECONDS, RESTING_SECONDS = 60, 10
_FACTS = operator.attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_mode")
_look, _resting = threading.local(), {}


class Stamp(tuple):
    """What changes when a file does."""

    __slots__ = ()
    size, changed_ns, inode = (property(operator.itemgetter(place)) for place in (0, 2, 3))


@contextlib.contextmanager
def one_look():
    """Inside, this thread looks once at each file that it asks about, so that all it reads is of one moment. A page is
    drawn inside, as it asks a dozen times about each of perhaps thousands of runs. `look_again` ends the moment.
    """
    if getattr(_look, "stamps", None) is not None:
        yield
        return
    _look.stamps, _look.values = {}, {}
    try:
        yield
    finally:
        _look.stamps = _look.values = None


def look_again():
    """Whoever has written something calls this before reading it back."""
    _resting.clear()
    if getattr(_look, "stamps", None) is not None:
        _look.stamps, _look.values = {}, {}


def once_a_look(function):
    """A decorator: in one look, a function without arguments is called once. Nobody may change what it returns."""

    @functools.wraps(function)
    def call():
        values = getattr(_look, "values", None)
        if values is None:
            return function()
        if function not in values:
            values[function] = function()
        return values[function]

    return call


def stamps(folder, names):
    """The Stamp of each file with these names in a folder, None where there is none: a tuple.

    Args:
        folder: its path, a text.
        names: a tuple.
    """
    folders = getattr(_look, "stamps", None)
    if folders is None:
        return tuple([_stamp(f"{folder}/{name}") for name in names])
    seen = folders.get(folder)
    if seen is None:
        seen = folders[folder] = _seen_in(folder)
    found = seen.get(names)
    if found is None:
        for name in names:
            if name not in seen:
                seen[name] = _stamp(f"{folder}/{name}")
        found = seen[names] = tuple([seen[name] for name in names])
    return found


def _seen_in(folder):
    """The stamps by names of a folder's files, as far as they need not be looked at anew: a dict to add to."""
    stamp, now = _stamp(folder), time.time()
    if not stamp or stamp.changed_ns > 1e9 * (now - AT_REST_SECONDS):
        return {}
    last = _resting.get(folder)
    if not last or last[0] != stamp or not 0 < last[1] - now < 2 * RESTING_SECONDS:
        # Not all in the same look.
        last = _resting[folder] = stamp, now + RESTING_SECONDS * random.uniform(1, 2), {}
    return last[2]


def _stamp(path):
    try:
        return Stamp(_FACTS(os.stat(path)))
    except OSError:
        return None


class _Entry:
    __slots__ = ("bytes", "lock", "made")

    def __init__(self):
        self.bytes, self.lock, self.made = 0, threading.Lock(), None


class Kept:
    """Values by key. Whoever asks for one that is being made waits for it. The least recently used go first.

    Unlike st.cache_data, which copies and hashes, this takes a millionth of a second a value. So nobody may change what
    `get` returns.

    Args:
        most_bytes: what the files of all values may weigh together. The last one asked for is kept whatever it weighs.
    """

    def __init__(self, most_bytes):
        self._most, self._sum, self._lock, self._entries = most_bytes, 0, threading.Lock(), OrderedDict()

    def get(self, key, stamp, bytes_, make):
        """The value under a key, made anew where the stamp differs from the last one's.

        Args:
            stamp: what changes when the value's files do.
            bytes_: what the value weighs.
            make: called with the last value, or None. What it raises is raised, and nothing is kept.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
            self._entries.move_to_end(key)
        made = entry.made
        if made and made[0] == stamp:
            return made[1]
        with entry.lock:
            # Another may have made it in the meantime.
            if not entry.made or entry.made[0] != stamp:
                last, entry.made = entry.made and entry.made[1], None
                try:
                    entry.made = stamp, make(last)
                finally:
                    self._weigh(key, entry, bytes_ if entry.made else 0)
            return entry.made[1]

    def _weigh(self, key, entry, bytes_):
        with self._lock:
            if self._entries.get(key) is not entry:
                return
            self._sum += bytes_ - entry.bytes
            entry.bytes = bytes_
            if not entry.made:
                del self._entries[key]
            while self._sum > self._most and len(self._entries) > 1:
                self._sum -= self._entries.popitem(last=False)[1].bytes
