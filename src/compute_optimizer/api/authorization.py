"""Whether a key may call an operation: identity-based policy documents, Deny wins.

Compute Optimizer has no resource-level permissions (spec 14.1), so a statement's Resource is "*"
or left out. What this program cannot honour, such as Condition, is refused when a key is made:
ignoring it would allow more than its author meant.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from compute_optimizer.errors import InvalidInput

ALLOW = "Allow"
DENY = "Deny"

POLICY_VERSION = "2012-10-17"
"""The policy language's current version; 2008-10-17 is the older one."""

CACHED_DECISIONS = 4096
"""Decisions kept: one per policy document and action."""

_POLICY_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource"})
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")


class Decision(Enum):
    """The outcome of a policy for one action."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """A statement denies it."""
    NOT_ALLOWED = "not allowed"
    """No statement allows it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: an effect on the actions that match, or on all that do not match."""

    effect: str
    actions: tuple[str, ...]
    """Patterns in lower case, `*` for any text and `?` for one character."""
    inverted: bool = False
    """True for NotAction."""

    def covers(self, action: str) -> bool:
        """Return whether the statement speaks of the action; case does not matter."""
        matched = any(_pattern(each).fullmatch(action.lower()) for each in self.actions)
        return matched is not self.inverted


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document as it is applied."""

    statements: tuple[Statement, ...]

    def decide(self, action: str) -> Decision:
        """Return whether the action is allowed, denied, or not spoken of."""
        effects = {statement.effect for statement in self.statements if statement.covers(action)}
        if DENY in effects:
            return Decision.DENIED
        return Decision.ALLOWED if ALLOW in effects else Decision.NOT_ALLOWED


@lru_cache(maxsize=CACHED_DECISIONS)
def decide(document: str, action: str) -> Decision:
    """Return what a stored policy document (JSON) says about an action."""
    return parse_policy(json.loads(document)).decide(action)


def explain_denial(decision: Decision, principal_arn: str, action: str) -> str:
    """Return the message of the AccessDeniedException (spec 11.3)."""
    because = (
        "with an explicit deny in an identity-based policy"
        if decision is Decision.DENIED
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {principal_arn} is not authorized to perform: {action} on resource: * {because}"


def policy_allowing(patterns: list[str]) -> dict[str, Any]:
    """Return the document that allows the given action patterns and nothing else."""
    statement = {"Effect": ALLOW, "Action": list(patterns), "Resource": "*"}
    return {"Version": POLICY_VERSION, "Statement": [statement]}


def parse_policy(document: Any) -> Policy:
    """Return the policy of a document; raise InvalidInput that names the element at fault."""
    if not isinstance(document, Mapping):
        raise InvalidInput('policy: expected a JSON object with a "Statement"')
    _refuse_unknown("policy", document, _POLICY_ELEMENTS)
    if document.get("Version", POLICY_VERSION) not in (POLICY_VERSION, "2008-10-17"):
        raise InvalidInput(
            f"policy: Version {document['Version']!r} is unknown; write {POLICY_VERSION!r}"
        )
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise InvalidInput("policy: Statement must be one statement or a list of them")
    return Policy(tuple(_statement(number, each) for number, each in enumerate(statements, 1)))


def _statement(number: int, element: Any) -> Statement:
    where = f"policy: statement {number}"
    if not isinstance(element, Mapping):
        raise InvalidInput(f"{where} must be a JSON object")
    _refuse_unknown(where, element, _STATEMENT_ELEMENTS)
    if element.get("Effect") not in (ALLOW, DENY):
        raise InvalidInput(f'{where}: Effect must be "Allow" or "Deny"')
    if element.get("Resource", "*") not in ("*", ["*"]):
        raise InvalidInput(
            f'{where}: Resource must be "*" or left out; '
            "Compute Optimizer has no resource-level permissions"
        )
    if ("Action" in element) is ("NotAction" in element):
        raise InvalidInput(f"{where} needs either Action or NotAction")
    inverted = "NotAction" in element
    actions = element["NotAction" if inverted else "Action"]
    return Statement(element["Effect"], _actions(where, actions), inverted)


def _actions(where: str, actions: Any) -> tuple[str, ...]:
    listed = [actions] if isinstance(actions, str) else actions
    if not isinstance(listed, list) or not listed:
        raise InvalidInput(f"{where}: expected an action or a list of actions")
    for action in listed:
        if not isinstance(action, str) or not _ACTION.fullmatch(action):
            raise InvalidInput(
                f"{where}: {action!r} is no action; expected one such as "
                "compute-optimizer:GetEnrollmentStatus, compute-optimizer:Get* or *"
            )
    return tuple(action.lower() for action in listed)


def _refuse_unknown(where: str, element: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(element) - known)
    if unknown:
        raise InvalidInput(
            f"{where}: {', '.join(unknown)} is not supported; expected {', '.join(sorted(known))}"
        )


@lru_cache(maxsize=CACHED_DECISIONS)
def _pattern(pattern: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": "."}
    return re.compile("".join(wildcards.get(letter, re.escape(letter)) for letter in pattern))
