"""Which accounts the organization has, and what to do where it does not tell."""

from collections.abc import Sequence

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.sources.aws.account_region import AccountRegion
from compute_optimizer.sources.aws.calls import LIST_ACCOUNTS, ORGANIZATION, Record
from compute_optimizer.sources.aws.failing import DENIED, code_of

ACTIVE = "ACTIVE"
"""State of the accounts that are read; suspended, closed and not yet activated ones are not."""

NO_ORGANIZATION = "AWSOrganizationsNotInUseException"

PRINCIPAL = "compute-optimizer.amazonaws.com"
"""As which service an account is registered as delegated administrator; any service would do
(reference of ListAccounts)."""


def active_accounts(place: AccountRegion) -> list[str]:
    """Return the ids of the active accounts of the organization that an account belongs to.

    Raises SourceUnavailable that says who may list them, and how to become one of those.
    """
    try:
        listed = place.records(LIST_ACCOUNTS)
    except SourceUnavailable as error:
        raise SourceUnavailable(f"{error}{_advice(place, code_of(error))}") from error
    found = sorted(one["Id"] for one in listed if _state(one) == ACTIVE)
    if not found:
        raise SourceUnavailable(
            f"account {place.account_id}: {LIST_ACCOUNTS.action} tells of no active account; name "
            "the accounts with --accounts"
        )
    return found


def _state(account: Record) -> str:
    """Return the state, which replaces the status that AWS retires (reference of ListAccounts)."""
    return str(account.get("State") or account.get("Status", ""))


def _advice(place: AccountRegion, code: str) -> str:
    """Return what to do about a refused listing."""
    if code == NO_ORGANIZATION:
        return "; the account is in no organization: leave --accounts out, or name accounts"
    if code not in DENIED:
        return ""
    manager = _manager(place)
    if manager == place.account_id:
        return "; this is the management account, so its policies forbid it"
    return (
        f"; besides a policy that allows it, the account has to be the management account"
        f"{f' ({manager})' if manager else ''} or a delegated administrator, which that one makes "
        "it, with trusted access enabled first: `aws organizations enable-aws-service-access "
        f"--service-principal {PRINCIPAL}`, then `aws organizations "
        f"register-delegated-administrator --service-principal {PRINCIPAL} --account-id "
        f"{place.account_id}`; or name the accounts with --accounts"
    )


def _manager(place: AccountRegion) -> str:
    """Return the id of the management account, which any member may ask for; "" if refused."""
    try:
        found: Sequence[Record] = place.records(ORGANIZATION)
    except SourceUnavailable:
        return ""
    return str(found[0].get("MasterAccountId", "")) if found else ""
