"""Figures of any size and moments, as people read them."""

from datetime import datetime

SAME = "the same"


def number(figure: float | None) -> str:
    """Return four significant digits or, from a thousand on, all before the point."""
    if figure is None:
        return "unknown"
    return f"{figure:,.0f}" if abs(figure) >= 1_000 else f"{figure:.4g}"


def minute(moment: datetime | None) -> str | None:
    """Return a moment to the minute; None for none."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else None
