"""How figures of arrays are written down in records."""

from math import isfinite

from compute_optimizer.model.recommendation import Savings

DECIMALS = 4
"""Of reported figures: float32 samples carry about seven digits."""


def known(figure: float) -> float | None:
    """Return a figure; None for one that is unknown or without bound."""
    return float(figure) if isfinite(figure) else None


def savings(now: float | None, then: float | None, times: float = 1.0) -> Savings | None:
    """Return what is saved of a price, which counts so many times; nothing where more is paid.

    None where a price is unknown (spec 3.9).
    """
    if now is None or then is None:
        return None
    saved = max(now - then, 0.0)
    return Savings(saved / now * 100 if now else 0.0, saved * times)
