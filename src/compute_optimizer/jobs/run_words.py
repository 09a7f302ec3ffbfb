"""What a run of a job did, from the figures that it leaves to a line for people."""

from collections.abc import Mapping
from typing import Any

from compute_optimizer.model.counted import counted

NOTHING = "nothing to do"

DID = {
    "analysis": "analyzed",
    "backtest_requests": "backtested",
    "backtests": "backtested",
    "collection": "read",
    "exports": "wrote",
    "outcomes": "looked at",
    "purge": "removed the data of",
    "retention": "removed",
    "scores": "made",
    "webhooks": "sent",
}
"""By job: what becomes of that which its run counts."""

COUNTS = {
    "accounts": "accounts",
    "changes": "changes",
    "delivered": "messages",
    "errors": "unadvised resources",
    "expired": "expired records",
    "exports": "exports",
    "files": "files",
    "fleets": "fleets",
    "givenUp": "undelivered messages",
    "gone": "gone resources",
    "jobRuns": "past runs",
    "refused": "refused rows",
    "resources": "resources",
    "rows": "rows",
    "samples": "samples",
    "scores": "scores",
    "tiles": "day tiles",
}
"""By the name of a figure: what it counts."""


def described(job: str, detail: Mapping[str, Any] | None) -> str:
    """Return what a run did; nothing of None, which is a run that did not get that far."""
    if detail is None:
        return ""
    told = _listed(detail)
    return " ".join([DID[job], told] if told and job in DID else [told or NOTHING])


def _listed(detail: Mapping[str, Any]) -> str:
    return ", ".join(
        _phrase(name, value) for name, value in detail.items() if value and name != "run"
    )


def _phrase(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{name} ({_listed(value) or NOTHING})"
    if name in COUNTS:
        return counted(len(value) if isinstance(value, list) else value, COUNTS[name])
    if name == "estimatedMonthlySavings":
        return f"{value:,.2f} USD to save a month"
    return "enrollments changed" if name == "changed" else f"{name} {value}"
