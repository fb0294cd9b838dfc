"""Values made from files, kept while the files stay as they are: all pages and visitors share them."""

import contextlib
import functools
import operator
import os
import random
import threading
import time
from collections import OrderedDict

from core.runs.run import RunError

# Of a folder in which nothing was made, replaced or deleted for a minute, which the folder itself says, the files are
# looked at again after so many seconds only, or later where there are more than a few hundred folders: there can be ten
# thousand, with a dozen files each.
AT_REST_SECONDS, RESTING_SECONDS, A_FEW = 60, 10, 300
_FACTS = operator.attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_mode")
_look, _folders = threading.local(), {}


class Stamp(tuple):
    """What changes when a file does."""

    __slots__ = ()
    size, changed_ns, inode = (property(operator.itemgetter(place)) for place in (0, 2, 3))


class _Seen:
    """A folder as it was found: it is the same object as long as nothing is found to have changed.

    Attributes:
        stamp: the folder's own.
        looked, until: when its files were looked at last, and until when that is enough, in seconds since 1970.
        stamps: name -> Stamp or None, of the files that were asked about.
        groups: the same for tuples of names.
    """

    __slots__ = ("groups", "looked", "stamp", "stamps", "until")

    def __init__(self, stamp, stamps):
        self.stamp, self.looked, self.until, self.stamps, self.groups = stamp, 0, 0, stamps, {}


@contextlib.contextmanager
def one_look():
    """Inside, this thread looks once at each file that it asks about, so that all it reads is of one moment. A page is
    drawn inside, as it asks a dozen times about each of perhaps thousands of runs. `look_again` ends the moment.
    """
    if getattr(_look, "folders", None) is not None:
        yield
        return
    _look.folders, _look.values = {}, {}
    try:
        yield
    finally:
        _look.folders = _look.values = None


def look_again():
    """Whoever has written something calls this before reading it back."""
    for seen in list(_folders.values()):
        seen.until = 0
    if getattr(_look, "folders", None) is not None:
        _look.folders, _look.values = {}, {}


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
    if getattr(_look, "folders", None) is None:
        return tuple([_stamp(f"{folder}/{name}") for name in names])
    seen = _seen_in(folder)
    found = seen.groups.get(names)
    if found is None:
        for name in names:
            if name not in seen.stamps:
                seen.stamps.setdefault(name, _stamp(f"{folder}/{name}"))
        found = seen.groups[names] = tuple([seen.stamps[name] for name in names])
    return found


class OfEach:
    """A function of many runs that gives a list, a value for each run. In a look, a value is made anew only where
    something in the run's folder has changed, as far as anybody asked about it.

    Args:
        make: a function of a run, which reads nothing but its folder through `stamps`. Nobody may change what it
            returns.
        failed: a function of the RunError that `make` raises, which gives the value for now; without it the error is
            raised.
    """

    def __init__(self, make, failed=None):
        self._make, self._failed, self._known = make, failed, {}

    def __call__(self, runs):
        if getattr(_look, "folders", None) is None:
            return [self._made(run)[0] for run in runs]
        known, values = self._known, []
        for run in runs:
            folder = str(run.path)
            seen, last = _seen_in(folder), known.get(folder)
            if last is None or last[0] is not seen:
                value, is_sound = self._made(run)
                last = seen, value
                # What failed may have done so for a moment, as where too many files are open.
                if is_sound:
                    known[folder] = last
            values.append(last[1])
        return values

    def _made(self, run):
        try:
            return self._make(run), True
        except RunError as error:
            if self._failed is None:
                raise
            return self._failed(error), False


def _seen_in(folder):
    """The _Seen of a folder, looked at once a look."""
    seen = _look.folders.get(folder)
    if seen is None:
        seen = _look.folders[folder] = _look_at(folder)
    return seen


def _look_at(folder):
    stamp, now, last = _stamp(folder), time.time(), _folders.get(folder)
    rests = stamp is not None and stamp.changed_ns <= 1e9 * (now - AT_REST_SECONDS)
    if last and last.stamp == stamp and rests and last.looked <= now < last.until:
        return last
    found = {name: _stamp(f"{folder}/{name}") for name in list(last.stamps)} if last else {}
    if not last or last.stamp != stamp or last.stamps != found:
        last = _folders[folder] = _Seen(stamp, found)
    # Not all in the same look.
    wait = RESTING_SECONDS * random.uniform(1, 2) * max(1, len(_look.folders) / A_FEW)
    last.looked, last.until = now, now + wait if rests else 0
    return last


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
