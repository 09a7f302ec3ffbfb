"""The least IAM policies for collecting, made from the declared calls."""

from collections.abc import Iterable, Iterator
from typing import Any

from compute_optimizer.sources.aws.calls import (
    ASSUME_ROLE,
    COUNTERS,
    COUNTERS_KNOWN,
    INSTANCE_TYPES,
    LIST_ACCOUNTS,
    LIST_METRICS,
    METRIC_DATA,
    ORGANIZATION,
    REGIONS,
    Call,
)
from compute_optimizer.sources.aws.inventory import READINGS

ROLE_NAME = "OpenComputeOptimizer"
"""Of the role that the templates make."""

VERSION = "2012-10-17"
"""Of the policy language (IAM User Guide)."""


def collecting_actions() -> list[str]:
    """Return the actions that reading one account needs."""
    calls = [call for reading in READINGS.values() for one in reading.calls for call in _chain(one)]
    asked = (*calls, REGIONS, INSTANCE_TYPES, LIST_METRICS, METRIC_DATA, COUNTERS_KNOWN, COUNTERS)
    return sorted({call.action for call in asked})


def collecting_policy() -> dict[str, Any]:
    """Return the policy of the role in each account; none of its actions knows resources."""
    return _policy(collecting_actions(), "*", "ReadInventoryAndMetrics")


def assuming_policy() -> dict[str, Any]:
    """Return the policy of who collects many accounts: to list them, and to take their role."""
    role = f"arn:aws:iam::*:role/{ROLE_NAME}"
    taking = _statement([ASSUME_ROLE.action], role, "TakeTheRoleInEachAccount")
    asked = sorted(one.action for one in (LIST_ACCOUNTS, ORGANIZATION))
    listing = _statement(asked, "*", "ListAccountsOfTheOrganization")
    return {"Version": VERSION, "Statement": [listing, taking]}


def _chain(call: Call) -> Iterator[Call]:
    """Yield a call and those from whose records its parameters are made."""
    while True:
        yield call
        if call.over is None:
            return
        call = call.over


def _policy(actions: Iterable[str], resource: str, sid: str) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": [_statement(actions, resource, sid)]}


def _statement(actions: Iterable[str], resource: str, sid: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
