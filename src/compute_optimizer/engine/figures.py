"""How figures of arrays are written down in records."""

from math import isfinite

DECIMALS = 4
"""Of reported figures: float32 samples carry about seven digits."""


def known(figure: float) -> float | None:
    """Return a figure; None for one that is unknown or without bound."""
    return float(figure) if isfinite(figure) else None
