"""What is compared of two servers of the same API: requests, answers and what they differ in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Probe:
    """One request that is sent to both sides."""

    operation: str
    name: str
    """What it asks for, such as `filter Finding`."""
    members: Mapping[str, Any]
    own: str = ""
    """The member that each side gets an ARN of its own in; none where empty."""
    paged: bool = False
    """Whether the pages that follow are asked for as well."""
    nonsense: bool = False
    """Whether one of its values is none that the service's model has."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: Any
    """As JSON has it; None where it was no JSON."""
    own_arn: str = ""
    """The caller's resource that was asked about, to be kept out of what is shown."""

    @property
    def error_code(self) -> str:
        """The short name of the error; empty where the call succeeded."""
        if self.status < 400:
            return ""
        body = self.body if isinstance(self.body, dict) else {}
        said = str(body.get("__type") or self.headers.get("x-amzn-errortype") or "")
        return said.rpartition("#")[2].partition(":")[0]


Pages = tuple[Answer, ...]
"""The answers of one side to one probe: one, or the pages in their order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the sides differ; everything in it may be shown to others."""

    aspect: str
    where: str
    theirs: str
    ours: str
    known: str = ""
    """Why it was to be expected, with the page that says so; empty where it is new."""
