"""What an analysis knows of risk: the model, the rules, and the profile where no rule speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs
from sqlalchemy import Connection

from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.model.preferences import AUTO, CALIBRATED, PUBLISHED, Preferences
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.model.risk_rules import RiskRule, ruled
from compute_optimizer.resources.resource_type import ResourceType
from compute_optimizer.store.accounts import organizations_of_accounts
from compute_optimizer.store.risk import all_rules, fleet_model


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """What decides how much risk is taken."""

    model: RiskModel
    """The fleet's own, else the one that ships."""
    rules: tuple[RiskRule, ...]
    organizations: Mapping[str, str]
    """Organization of each member account; empty where no rule asks for it."""
    profile: str

    def of(self, preferences: Preferences, resource: Resource) -> Preferences:
        """Return the preferences of a resource with the profile and what the rules say of it."""
        wanted = structs.replace(preferences, profile=self.profile)
        if not self.rules:
            return wanted
        return ruled(wanted, resource, self.rules, self.organizations.get(resource.account_id))

    def applied(
        self, groups: Mapping[Preferences, list[int]], resources: Sequence[Resource]
    ) -> dict[Preferences, list[int]]:
        """Return the groups of equal preferences once more, now with what the rules say."""
        if not self.rules:
            return {
                structs.replace(one, profile=self.profile): places for one, places in groups.items()
            }
        found: dict[Preferences, list[int]] = {}
        for preferences, places in groups.items():
            for place in places:
                found.setdefault(self.of(preferences, resources[place]), []).append(place)
        return found

    def known_to(self, kind: ResourceType) -> dict[str, Any]:
        """Return what functions of a resource type are told beside the preferences."""
        return {"risk_model": self.model} if kind.predicts else {}


def risk_policy(connection: Connection, profile: str) -> RiskPolicy:
    """Return the policy in force, with a profile (or AUTO) for whatever no rule speaks of."""
    rules, own = all_rules(connection), fleet_model(connection)
    if profile == AUTO:
        profile = PUBLISHED if own is None else CALIBRATED
    return RiskPolicy(
        model=own or load_risk_prior(),
        rules=rules,
        organizations=organizations_of_accounts(connection) if rules else {},
        profile=profile,
    )
