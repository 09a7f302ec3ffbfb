"""Figures of any size, as people read them."""

SAME = "the same"


def number(figure: float | None) -> str:
    """Return four significant digits or, from a thousand on, all before the point."""
    if figure is None:
        return "unknown"
    return f"{figure:,.0f}" if abs(figure) >= 1_000 else f"{figure:.4g}"
