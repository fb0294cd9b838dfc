"""Values made from files, kept while the files stay as they are: all pages and visitors share them."""

import threading
from collections import OrderedDict


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
