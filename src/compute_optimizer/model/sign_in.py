"""Signing in with an AWS identity: who STS says somebody is, and which rule lets them in.

Nobody is let in without a rule. A rule names principals of one AWS account, never of all accounts:
roles of the same name exist in accounts of strangers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.account import ACCOUNT_ID

SHORTEST_SESSION_SECONDS = 900
LONGEST_SESSION_SECONDS = 43_200
"""15 minutes and 12 hours, as for sessions of roles (AWS STS API reference, AssumeRole,
DurationSeconds; read 2026-11-26)."""

LONGEST_PATTERN = 2048
"""Letters of a pattern; an ARN has 2,048 at most (AWS STS API reference, Arn)."""

_PRINCIPAL_PATTERN = re.compile(
    r"arn:(aws[a-z0-9-]*):(iam|sts)::(\d{12}):(root|(?:role|user|federated-user)/[\w+=,.@/*?-]+)",
    re.ASCII,
)
_IDENTITY = re.compile(
    r"arn:(?P<partition>aws[a-z0-9-]*):"
    r"(?P<kind>iam::\d{12}:(?:root|user)|sts::\d{12}:(?:assumed-role|federated-user))"
    r"(?:/(?P<rest>[!-~]+))?",
    re.ASCII,
)

PARTITION = "aws"
"""Where an account that is named by its number alone lies."""


@dataclass(frozen=True, slots=True)
class AwsIdentity:
    """Who made a request, by STS's own answer."""

    arn: str
    """As STS tells it: of a role, the session's."""
    partition: str
    account_id: str
    principal_arn: str
    """What rules are compared with: a role's session stands for its role."""
    name: str
    """Of the user or the role's session, for lists."""


@dataclass(frozen=True, slots=True)
class SignInRule:
    """Whoever matches may act in an account, under a policy."""

    rule_id: str
    principal: str
    """An ARN, in which `*` stands for any text and `?` for one letter, or an account."""
    account_id: str
    """The account that is acted in."""
    policy: str
    """The policy document as JSON."""
    longest_session_seconds: int

    def covers(self, identity: AwsIdentity) -> bool:
        """Return whether the rule speaks of the identity."""
        if ACCOUNT_ID.fullmatch(self.principal):
            return (identity.partition, identity.account_id) == (PARTITION, self.principal)
        return fnmatchcase(identity.principal_arn, self.principal)

    @property
    def exactness(self) -> tuple[int, int]:
        """What orders rules that match: letters that stand for themselves, then fewer patterns."""
        patterns = self.principal.count("*") + self.principal.count("?")
        return len(self.principal) - patterns, -patterns


def identity_of(arn: str, account_id: str) -> AwsIdentity | None:
    """Return the identity of an ARN and an account as STS tells them; None where they are odd.

    STS leaves out a role's path, so the role's ARN has none either.
    """
    found = _IDENTITY.fullmatch(arn)
    if found is None:
        return None
    partition, rest = found["partition"], found["rest"]
    _, _, account, kind = found["kind"].split(":")
    if account != account_id or (kind == "root") is not (rest is None):
        return None
    if kind == "assumed-role":
        role, _, session = rest.partition("/")
        if not role or not session or "/" in session:
            return None
        principal = f"arn:{partition}:iam::{account_id}:role/{role}"
        return AwsIdentity(arn, partition, account_id, principal, session)
    return AwsIdentity(arn, partition, account_id, arn, (rest or kind).rpartition("/")[2])


def open_accounts(rules: Iterable[SignInRule], identity: AwsIdentity) -> dict[str, SignInRule]:
    """Return the rule that decides, by the account that may be acted in; of several, the most
    exact one."""
    opened: dict[str, SignInRule] = {}
    for rule in rules:
        if not rule.covers(identity):
            continue
        rival = opened.get(rule.account_id)
        if rival is None or rule.exactness > rival.exactness:
            opened[rule.account_id] = rule
    return opened


def check_principal(pattern: str) -> str:
    """Return the account of a principal's pattern; raise InvalidInput for one that is none."""
    if ACCOUNT_ID.fullmatch(pattern):
        return pattern
    found = _PRINCIPAL_PATTERN.fullmatch(pattern)
    if found is None or len(pattern) > LONGEST_PATTERN:
        raise InvalidInput(
            f"principal {pattern!r}: expected an account of 12 digits, or an ARN such as "
            "arn:aws:iam::111111111111:role/Operator or arn:aws:iam::111111111111:user/ops-*; the "
            "account must be written out, for roles of that name exist in others' accounts"
        )
    if found[4].startswith("role/") and "/" in found[4].removeprefix("role/"):
        name = found[4].rpartition("/")[2]
        raise InvalidInput(
            f"principal {pattern!r}: STS does not tell a role's path, so that the rule would never "
            f"match; leave it out: arn:{found[1]}:iam::{found[3]}:role/{name}"
        )
    return found[3]


def check_session_length(seconds: int) -> None:
    """Raise InvalidInput for a session that is too short or too long."""
    if not SHORTEST_SESSION_SECONDS <= seconds <= LONGEST_SESSION_SECONDS:
        raise InvalidInput(
            f"a session of {seconds} seconds: expected {SHORTEST_SESSION_SECONDS // 60} minutes "
            f"to {LONGEST_SESSION_SECONDS // 3600} hours"
        )
