"""A line about seconds that were measured several times."""

import statistics


def median(label, seconds):
    """Prints a line: the median, and the least and the most."""
    middle = statistics.median(seconds)
    print(f"{label:<44} {middle:6.2f} s   ({min(seconds):.2f} to {max(seconds):.2f}, {len(seconds)} times)")
    return middle
