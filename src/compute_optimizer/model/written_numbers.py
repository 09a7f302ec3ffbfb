"""Numbers as people write them in files and options."""

import re
from math import isfinite

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def number_of(text: str) -> float | None:
    """Return the number that a text is, in ASCII digits and finite; None for any other text."""
    # Python itself takes 1_000, digits of every script, nan and inf, too.
    number = float(text) if _NUMBER.fullmatch(text) else None
    return number if number is not None and isfinite(number) else None
