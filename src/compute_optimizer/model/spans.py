"""Spans of time as people write them."""

import re
from datetime import timedelta

from compute_optimizer.errors import InvalidInput

_SPAN = re.compile(r"(\d+)([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def span_of(option: str, text: str) -> timedelta:
    """Return a span of time such as 90d, 12h, 30m or 45s; raise InvalidInput for another."""
    found = _SPAN.fullmatch(text)
    try:
        if found is not None:
            return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        pass
    raise InvalidInput(f"{option} {text!r}: expected a time such as 90d, 12h, 30m or 45s")
