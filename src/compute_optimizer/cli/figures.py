"""Figures of any size and moments, as people read them."""

from datetime import datetime

SAME = "the same"


def number(figure: float | None) -> str:
    """Return four significant digits or, from a thousand on, all before the point."""
    if figure is None:
        return "unknown"
    return f"{figure:,.0f}" if abs(figure) >= 1_000 else f"{figure:.4g}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share, 0 to 1, in percent."""
    return f"{share * 100:,.{digits}f} %"


def usd(amount: float | None) -> str:
    """Return an amount with two decimals or, below one USD, in four significant digits."""
    if amount is None:
        return "unknown"
    return f"{amount:,.2f}" if abs(amount) >= 1 else f"{amount:.4g}"


def minute(moment: datetime | None) -> str | None:
    """Return a moment to the minute; None for none."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else None
