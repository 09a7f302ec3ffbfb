"""Accounts, organizations and their enrollment, in the service's own words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EnrollmentStatus(StrEnum):
    """The opt-in status of an account, as the API spells it."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    PENDING = "Pending"
    FAILED = "Failed"


OPTED_IN = frozenset({EnrollmentStatus.ACTIVE, EnrollmentStatus.PENDING})
"""Statuses that count as opted in for every other operation: Pending answers empty lists."""


@dataclass(frozen=True, slots=True)
class Organization:
    """A group of accounts with one management account."""

    organization_id: str
    management_account_id: str
    all_features: bool = True
    trusted_access: bool = False
    trusted_access_refused: bool = False
    """A switch for tests: Organizations refuses to turn trusted access on."""
    delegated_administrator_id: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One account; standalone when it belongs to no organization."""

    account_id: str
    name: str = ""
    organization_id: str | None = None
    suspended: bool = False
    metrics_unreadable: bool = False
    """A switch for tests: the account's metric source cannot be read."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """The enrollment of one account at one moment."""

    account_id: str
    status: EnrollmentStatus = EnrollmentStatus.INACTIVE
    status_reason: str | None = None
    includes_members: bool = False
    """True while an opt-in that includes member accounts is in force (management account only)."""
    last_updated: datetime | None = None
    """Absent before the first change."""

    @property
    def opted_in(self) -> bool:
        """Whether the account may use the operations that need an opt-in."""
        return self.status in OPTED_IN
