"""Reports of backtests made by hand."""

from typing import Any


def report(violations: float) -> dict[str, Any]:
    """Return what a replay of volumes says."""
    return {
        "fleet": {"first_day": "2026-01-01", "days": 28},
        "origins": [{"origin": "2026-01-15"}],
        "overall": {
            "violations": violations,
            "violations_interval": [0.0, 0.2],
            "violations_of_reduced": 2 * violations,
            "savings": 0.3,
            "savings_interval": None,
        },
    }
