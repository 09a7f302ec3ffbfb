"""Signing in by OpenID Connect: which claims of a person open which accounts, to do what.

Nobody is let in without a rule, which names a claim, its value and accounts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

READ_ONLY, READ_WRITE = "read-only", "read-write"
ACCESS = {
    READ_ONLY: ("compute-optimizer:Describe*", "compute-optimizer:Get*"),
    READ_WRITE: ("compute-optimizer:*",),
}
"""Actions by what a rule calls them; the reading ones as in the policy
ComputeOptimizerReadOnlyAccess of AWS (Compute Optimizer User Guide, read 2026-11-26)."""

EMAIL, EMAIL_VERIFIED, SUBJECT = "email", "email_verified", "sub"
NAMES = (EMAIL, "preferred_username")
"""Claims by which people are called, the best first (OpenID Connect Core 1.0, 5.1)."""

LONGEST_NAME = 256
"""Letters of a name that are kept; a stored principal has room for 2,048."""

_SEPARATOR = "."
"""Between the names of claims that lie within each other, as Keycloak's realm_access.roles."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Whoever has a value among those of a claim may act in accounts."""

    claim: str
    value: str
    account_ids: tuple[str, ...]
    allow: tuple[str, ...]
    """Actions that it allows, as patterns of a policy."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as a provider told of them."""

    issuer: str
    subject: str
    """Who it is: unique at the issuer, and never given to somebody else."""
    name: str
    """For people to read; whoever runs the provider says who may change it."""
    claims: Mapping[str, tuple[str, ...]]
    """Values of the claims that rules name."""

    def principal_arn(self, account_id: str) -> str:
        """Return how messages and the audit log name them in an account."""
        issuer = self.issuer.partition("://")[2].rstrip("/")
        return f"arn:aws:iam::{account_id}:oidc-provider/{issuer}/{quote(self.name, safe='@+=,')}"


def person_of(issuer: str, claims: Mapping[str, Any], rules: Iterable[AccessRule]) -> Person:
    """Return the person whom claims are about, with no more of them than the rules ask for."""
    wanted = {rule.claim for rule in rules}
    told = (claim_values(claims, name) for name in NAMES)
    name = next((values[0] for values in told if values and values[0]), claims[SUBJECT])
    found = {one: claim_values(claims, one) for one in sorted(wanted)}
    return Person(issuer, claims[SUBJECT], name[:LONGEST_NAME], found)


def claim_values(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the values of a claim: its own, or those of a list.

    An address of mail says nothing before the provider has verified it: anybody may state any.
    """
    if name == EMAIL and claims.get(EMAIL_VERIFIED) not in (True, "true"):
        return ()
    found = claims[name] if name in claims else _within(claims, name.split(_SEPARATOR))
    listed = found if isinstance(found, list) else [found]
    return tuple(one for one in listed if isinstance(one, str))


def opened_accounts(rules: Iterable[AccessRule], person: Person) -> dict[str, tuple[str, ...]]:
    """Return what a person may do, by account; several rules for one add up."""
    opened: dict[str, set[str]] = {}
    for rule in rules:
        if rule.value in person.claims.get(rule.claim, ()):
            for account_id in rule.account_ids:
                opened.setdefault(account_id, set()).update(rule.allow)
    return {account_id: tuple(sorted(opened[account_id])) for account_id in sorted(opened)}


def _within(claims: Any, names: list[str]) -> Any:
    for name in names:
        if not isinstance(claims, Mapping):
            return None
        claims = claims.get(name)
    return claims
