"""Whether a bucket's policy lets the service of AWS export to it (spec 9.2).

Who exports here is this program, not that service; but a bucket whose policy AWS would refuse can
be found out here.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

SERVICE = "compute-optimizer.amazonaws.com"

BUCKET_ACTIONS = ("s3:GetBucketAcl", "s3:GetBucketPolicyStatus")
OBJECT_ACTION = "s3:PutObject"


def _matches(value: str, pattern: str) -> bool:
    """Return whether a pattern of `*` and `?` is that of a text; `[` stands for itself."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


OPERATORS = {
    "stringequals": lambda value, wanted: value == wanted,
    "stringlike": _matches,
    "arnequals": _matches,
    "arnlike": _matches,
}
"""By name in lower case; a condition with another operator is not met."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the service would do for an export."""

    bucket: str
    key: str
    region: str
    account_id: str
    access_list: str
    """Of the object that it would put."""

    @property
    def conditions(self) -> Mapping[str, str]:
        """The values that conditions are held against, by key in lower case."""
        return {
            "aws:sourceaccount": self.account_id,
            "aws:sourcearn": f"arn:aws:compute-optimizer:{self.region}:{self.account_id}:export",
            "s3:x-amz-acl": self.access_list,
        }


def denied_actions(policy: str, attempt: Attempt) -> tuple[str, ...]:
    """Return the actions that no statement of a policy document allows the service.

    Statements that deny are not looked at: they speak of whoever really asks.
    """
    try:
        document = json.loads(policy or "{}")
    except ValueError:
        document = {}
    statements = _list(document.get("Statement"))
    resources = dict.fromkeys(BUCKET_ACTIONS, attempt.bucket)
    resources[OBJECT_ACTION] = f"{attempt.bucket}/{attempt.key}"
    return tuple(
        action
        for action, resource in resources.items()
        if not any(_allows(one, action, resource, attempt) for one in statements)
    )


def _allows(statement: Mapping[str, Any], action: str, resource: str, attempt: Attempt) -> bool:
    return (
        statement.get("Effect") == "Allow"
        and SERVICE in _services(statement.get("Principal"))
        and any(_matches(action.lower(), one.lower()) for one in _list(statement.get("Action")))
        and any(
            _matches(resource, one.rpartition(":::")[2]) for one in _list(statement.get("Resource"))
        )
        and all(_conditions(statement.get("Condition") or {}, attempt))
    )


def _conditions(condition: Mapping[str, Mapping[str, Any]], attempt: Attempt) -> Iterator[bool]:
    for operator, wanted in condition.items():
        compare = OPERATORS.get(operator.lower())
        for key, values in wanted.items():
            value = attempt.conditions.get(key.lower())
            yield (
                compare is not None
                and value is not None
                and any(compare(value, str(one)) for one in _list(values))
            )


def _services(principal: Any) -> list[Any]:
    if principal == "*":
        return [SERVICE]
    return _list(principal.get("Service")) if isinstance(principal, Mapping) else []


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
