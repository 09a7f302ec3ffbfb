"""Single values as files and programs get them: None stays None."""

from datetime import datetime


def rounded(value: float | None) -> float | None:
    """Return a number to two digits behind the point."""
    return None if value is None else round(value, 2)


def iso(moment: datetime | None) -> str | None:
    """Return a moment in ISO 8601."""
    return moment.isoformat() if moment else None
