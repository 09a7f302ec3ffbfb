"""Whose preferences a page of the console is about."""

from dataclasses import dataclass
from typing import Any

from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.stated_preferences import ALL_ACCOUNTS, ScopeName


@dataclass(frozen=True, slots=True)
class PreferenceTarget:
    """Whose preferences a page is about, and at which scope a form would change them."""

    resource_type: str
    account: str
    region: str
    scope: ScopeName
    arn: str
    """Of a single resource; empty for those without preferences of their own."""

    @property
    def query(self) -> dict[str, str]:
        """Return what an address says of it."""
        return {
            "type": "" if self.resource_type == EC2_INSTANCE else self.resource_type,
            "account": self.account,
            "region": self.region,
            "scope": self.scope.value,
            "arn": self.arn,
        }

    @property
    def request(self) -> dict[str, Any]:
        """Return the members of a request that name the scope."""
        values = {
            ScopeName.ORGANIZATION: ALL_ACCOUNTS,
            ScopeName.ACCOUNT_ID: self.account,
            ScopeName.RESOURCE_ARN: self.arn,
        }
        scope = {"name": self.scope.value, "value": values[self.scope]}
        return {"resourceType": self.resource_type, "scope": scope}
