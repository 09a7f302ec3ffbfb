"""What a run of a job did, from the figures that it leaves to a line for people."""

from collections.abc import Mapping
from typing import Any

from compute_optimizer.model.counted import counted

NOTHING = "nothing to do"

COUNTS = {
    "accounts": ("accounts", ""),
    "changes": ("changes", " looked at"),
    "delivered": ("messages", " delivered"),
    "errors": ("resources", " without advice"),
    "expired": ("expired records", " removed"),
    "exports": ("exports", " written"),
    "files": ("files", " read"),
    "fleets": ("fleets", " backtested"),
    "givenUp": ("messages", " given up"),
    "gone": ("resources", " gone"),
    "jobRuns": ("past runs", " of jobs removed"),
    "refused": ("rows", " refused"),
    "resources": ("resources", ""),
    "rows": ("rows", ""),
    "samples": ("samples", ""),
    "scores": ("scores", ""),
    "tiles": ("day tiles", ""),
}
"""By the name of a figure: what it counts, and what became of that."""


def described(detail: Mapping[str, Any] | None) -> str:
    """Return what a run did; nothing of None, which is a run that did not get that far."""
    if detail is None:
        return ""
    told = [_phrase(name, value) for name, value in detail.items() if value and name != "run"]
    return ", ".join(told) or NOTHING


def _phrase(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{name} ({described(value)})"
    if name in COUNTS:
        noun, became = COUNTS[name]
        return counted(len(value) if isinstance(value, list) else value, noun) + became
    if name == "estimatedMonthlySavings":
        return f"{value:,.2f} USD to save a month"
    return "enrollments changed" if name == "changed" else f"{name} {value}"
