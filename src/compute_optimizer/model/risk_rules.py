"""How much risk an operator takes, and for what: rules by organization, account, tag and resource.

The service knows no such preference; these rules are ours. Every field is resolved by itself: the
narrowest scope that states it decides, and of several tags the one that allows least risk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from msgspec import structs

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.preferences import PROFILES, Preferences
from compute_optimizer.model.resource import Resource


class RiskScope(StrEnum):
    """What a rule is for, from wide to narrow."""

    ORGANIZATION = "organization"
    """Value: the organization's id."""
    ACCOUNT = "account"
    TAG = "tag"
    """Value: KEY=VALUE."""
    RESOURCE = "resource"
    """Value: the ARN."""


@dataclass(frozen=True, slots=True)
class RiskRule:
    """What is allowed in one scope; None leaves a field to wider scopes."""

    scope: RiskScope
    value: str
    cap: float | None = None
    """The highest risk that an option may have, 0 to 1."""
    incident_usd: float | None = None
    """What one violation is held to cost."""
    profile: str | None = None


def check_rule(rule: RiskRule) -> None:
    """Raise InvalidInput for a rule that states nothing, or something that cannot be."""
    if rule.cap is None and rule.incident_usd is None and rule.profile is None:
        raise InvalidInput(
            f"the rule for {rule.scope} {rule.value} states nothing; expected a cap, what an "
            "incident costs, or a profile"
        )
    if rule.cap is not None and not 0 <= rule.cap <= 1:
        raise InvalidInput(f"the cap {rule.cap:g} is no probability; expected 0.01 for 1 %, say")
    if rule.incident_usd is not None and not 0 <= rule.incident_usd < float("inf"):
        raise InvalidInput(
            f"an incident of {rule.incident_usd:g} USD is not possible; expected 0 or more"
        )
    if rule.profile is not None and rule.profile not in PROFILES:
        raise InvalidInput(
            f"there is no profile {rule.profile!r}; expected one of {', '.join(PROFILES)}"
        )
    if rule.scope is RiskScope.TAG and "=" not in rule.value:
        raise InvalidInput(f"the tag {rule.value!r} has no value; expected one such as env=prod")


def ruled(
    preferences: Preferences,
    resource: Resource,
    rules: Sequence[RiskRule],
    organization_id: str | None = None,
) -> Preferences:
    """Return the preferences with what the rules say of a resource."""
    mine: dict[RiskScope, set[str]] = {
        RiskScope.ORGANIZATION: {organization_id or ""},
        RiskScope.ACCOUNT: {resource.account_id},
        RiskScope.TAG: {f"{key}={value}" for key, value in resource.tags.items()},
        RiskScope.RESOURCE: {resource.arn},
    }
    found = preferences
    for scope in RiskScope:
        matching = [rule for rule in rules if rule.scope is scope and rule.value in mine[scope]]
        found = _with(found, matching)
    return found


def _with(preferences: Preferences, rules: Sequence[RiskRule]) -> Preferences:
    """Return the preferences with what the rules of one scope state, the most careful of each."""
    caps = [rule.cap for rule in rules if rule.cap is not None]
    costs = [rule.incident_usd for rule in rules if rule.incident_usd is not None]
    profiles = [rule.profile for rule in rules if rule.profile is not None]
    return structs.replace(
        preferences,
        risk_cap=min(caps, default=preferences.risk_cap),
        incident_usd=max(costs) if costs else preferences.incident_usd,
        # In alphabetical order the calibrated profile comes first: it takes less risk.
        profile=min(profiles, default=preferences.profile),
    )
