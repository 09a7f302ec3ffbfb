"""What the answers of several services have in common: ARNs, tags and names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compute_optimizer.sources.aws.calls import Call, Record

Answers = Mapping[Call, Sequence[Any]]
"""The records of each declared call."""


@dataclass(frozen=True, slots=True)
class Located:
    """Where the resources lie whose answers are read."""

    partition: str
    account_id: str
    region: str

    def arn(self, service: str, rest: str) -> str:
        """Return the ARN of something here."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{rest}"

    def shared(self, resource_type: str, **members: Any) -> dict[str, Any]:
        """Return the members that every resource has."""
        own = {"account_id": self.account_id, "region": self.region}
        return {**own, "resource_type": resource_type, **members}


def tags_of(pairs: Sequence[Record] | None) -> dict[str, str]:
    """Return tags from a list of pairs, whose members are upper or lower case by service."""
    found = ({name.lower(): value for name, value in pair.items()} for pair in pairs or ())
    return {one["key"]: one.get("value", "") for one in found}
