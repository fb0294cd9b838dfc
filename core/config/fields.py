"""What a setting, or a field of a file, may hold: each is declared once, as a kind of value. The check, the sentence
about a wrong value, the form, the command line and the tables in the documentation follow from that.
"""

import dataclasses
import math

_LONGEST_SHOWN = 40
_MOST_DIGITS = 18


class UnsoundError(ValueError):
    """What was read is not what it should be. The message is a clause: what it is, and what it should be."""


def shown(value):
    """A value from a file or from a person, short and on one line; of what has parts only what it is."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        short = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
        # Also halves of characters, and what would move the cursor of a terminal.
        return "'" + "".join(character if character.isprintable() else "�" for character in short) + "'"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_MOST_DIGITS else f"a number of more than {_MOST_DIGITS} digits"
    if isinstance(value, float):
        return f"{value:.10g}".replace("nan", "NaN").replace("inf", "Infinity")
    return {dict: "an object", list: "a list"}.get(type(value), "something else")


class _Kind:
    """What all kinds share. Each has `words` for what a value may be, and `fits(value)`."""

    def wanted(self, value):
        """What the value should have been, in words; None where it is of this kind."""
        return None if self.fits(value) else self.words

    def check(self, value, name):
        """Raises UnsoundError, which calls the value by this name, where it is not of this kind."""
        if wanted := self.wanted(value):
            raise UnsoundError(f"{name} is {shown(value)}, not {wanted}")


@dataclasses.dataclass(frozen=True)
class Number(_Kind):
    """A number from `low` to `high`, in so many of a `unit`, or only whole ones.

    Attributes:
        zero_means: what 0 stands for, where that is allowed besides.
        endless: whether it may be NaN or infinite, as the losses of a run that diverged.
    """

    low: float
    high: float
    whole: bool = False
    unit: str = ""
    zero_means: str = ""
    endless: bool = False

    @property
    def range(self):
        """ "between 1 and 500", "between 10 and 60,000, or 0 for all"."""
        low, high = figure(self.low), figure(self.high)
        unit = f" {self.unit}" if self.unit else ""
        zero = f", or 0 for {self.zero_means}" if self.zero_means else ""
        return (low if low == high else f"between {low} and {high}") + unit + zero

    @property
    def words(self):
        """ "a whole number between 1 and 500"."""
        if self.low == self.high:
            return self.range
        return "a number" if self.endless else f"a {'whole ' * self.whole}number {self.range}"

    def wanted(self, value):
        # What nearly all of the hundreds of thousands of numbers in a thousand runs are.
        if type(value) is float and not self.whole and (self.endless or self.low <= value <= self.high):
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not -math.inf < value < math.inf:
            return self.words
        if self.whole and value != int(value):
            return self.words
        if not self.low <= value <= self.high and not (self.zero_means and value == 0):
            return self.range
        return None


@dataclasses.dataclass(frozen=True)
class Choice(_Kind):
    """One of some names."""

    names: tuple

    @property
    def words(self):
        return f"one of {', '.join(self.names)}"

    def fits(self, value):
        return isinstance(value, str) and value in self.names


@dataclasses.dataclass(frozen=True)
class Switch(_Kind):
    """On or off."""

    words = "true or false"

    def fits(self, value):
        return isinstance(value, bool)


@dataclasses.dataclass(frozen=True)
class Text(_Kind):
    """A sentence or a name, of at most so many characters."""

    longest: int

    @property
    def words(self):
        return f"text of at most {self.longest:,} characters"

    def fits(self, value):
        return isinstance(value, str) and len(value) <= self.longest


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of a record: its kind, and what it holds in a few words.

    Attributes:
        needed: whether it must be there.
        null: whether it may be null.
    """

    kind: _Kind
    help: str
    needed: bool = True
    null: bool = False


@dataclasses.dataclass(frozen=True)
class Record(_Kind):
    """An object with these fields, by name; with others besides unless it is `closed`."""

    fields: dict
    closed: bool = False
    words = "an object"

    def fits(self, value):
        return isinstance(value, dict)

    def check(self, value, name=""):
        super().check(value, name)
        self.check_fields(value, f"{name}." if name else "")

    def check_fields(self, value, prefix):
        """Checks the fields of a dict; `prefix` comes before their names in the sentence."""
        for name, field in self.fields.items():
            if name not in value:
                if field.needed:
                    raise UnsoundError(f"{prefix}{name} is missing")
            elif value[name] is not None or not field.null:
                field.kind.check(value[name], prefix + name)
        if self.closed and len(value) > len(self.fields):
            unknown = min(value.keys() - self.fields.keys())
            raise UnsoundError(f"{prefix}there is no field called {shown(unknown)}; it may be from a newer version")


@dataclasses.dataclass(frozen=True)
class Each(_Kind):
    """An object with any names, whose values are all of one kind."""

    kind: _Kind
    words = "an object"

    def fits(self, value):
        return isinstance(value, dict)

    def check(self, value, name):
        super().check(value, name)
        for key, inside in value.items():
            self.kind.check(inside, f"{name}.{shown(key)[1:-1]}")


@dataclasses.dataclass(frozen=True)
class Items(_Kind):
    """A list whose values are all of one kind."""

    kind: _Kind
    words = "a list"

    def fits(self, value):
        return isinstance(value, list)

    def check(self, value, name):
        super().check(value, name)
        for number, inside in enumerate(value):
            self.kind.check(inside, f"{name}[{number}]")


def figure(number):
    """A number as people write it: "60,000", "0.0000005"."""
    if 0 < abs(number) < 1e-4:
        return f"{number:.10f}".rstrip("0")
    return f"{number:,.0f}" if 1e10 <= abs(number) < 1e15 else f"{number:,.10g}"
