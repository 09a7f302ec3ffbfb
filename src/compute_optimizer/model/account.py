"""Accounts, organizations and their enrollment, in the service's own words."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from compute_optimizer.errors import InvalidInput

ACCOUNT_ID = re.compile(r"[0-9]{12}")
"""An account id is twelve digits (AWS General Reference)."""

AccountId = Annotated[str, msgspec.Meta(pattern=rf"^{ACCOUNT_ID.pattern}\Z")]
"""The same in files that people write; in YAML inside quotes."""

ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
"""Pattern of an organization id (Organizations API reference, shape OrganizationId)."""


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

    @property
    def administrators(self) -> frozenset[str]:
        """The accounts that may enroll and read the members."""
        return frozenset({self.management_account_id, self.delegated_administrator_id or ""} - {""})


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
    """True while this administrator's opt-in of the member accounts is in force."""
    last_updated: datetime | None = None
    """Absent before the first change."""
    by_organization: bool = False
    """True while Pending because an administrator opted the account in, not the account itself."""
    opted_out_at: datetime | None = None
    """When the account opted out; what it left behind is purged after the grace period."""

    @property
    def opted_in(self) -> bool:
        """Whether the account may use the operations that need an opt-in."""
        return self.status in OPTED_IN


def check_account_id(value: str) -> str:
    """Return the account id; raise InvalidInput unless it is twelve digits."""
    if not ACCOUNT_ID.fullmatch(value):
        raise InvalidInput(f"account id {value!r}: expected twelve digits, such as 111111111111")
    return value


def check_organization_id(value: str) -> str:
    """Return the organization id; raise InvalidInput unless it looks like one."""
    if not ORGANIZATION_ID.fullmatch(value):
        raise InvalidInput(
            f"organization id {value!r}: expected o- and 10 to 32 lower-case letters or digits, "
            "such as o-exampleorg1"
        )
    return value
