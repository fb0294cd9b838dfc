"""How curves over the epochs are drawn so that they can be read."""

import math

# The part of a long line's epochs, from the front, that does not decide how far the axis reaches.
_SETTLING = 0.1
_FEW_EPOCHS = 3
# How much more than the rest the first epochs must span before they are cut off.
_FLATTENED = 2


def settled_range(lines):
    """Where an axis begins and ends so that first epochs do not flatten the rest: [low, high], or None where they do
    not.

    Args:
        lines: the values of each line, one an epoch; nan for what is not drawn.
    """
    settled = [
        value
        for line in lines
        for value in line[max(1, round(_SETTLING * len(line))) if len(line) > _FEW_EPOCHS else 0 :]
        if math.isfinite(value)
    ]
    every = [value for line in lines for value in line if math.isfinite(value)]
    low, high = min(settled, default=0), max(settled, default=0)
    if low == high or max(every) - min(every) <= _FLATTENED * (high - low):
        return None
    return [low - 0.06 * (high - low), high + 0.06 * (high - low)]
