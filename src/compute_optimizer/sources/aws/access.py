"""Who asks: a profile, or a role in each account; and which accounts and Regions there are."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import BotoCoreError, UnknownRegionError

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.model.account import check_account_id
from compute_optimizer.sources.aws.account_region import AccountRegion
from compute_optimizer.sources.aws.calls import CALLER_IDENTITY, REGIONS
from compute_optimizer.sources.aws.clients import make_client, make_session
from compute_optimizer.sources.aws.failing import refusals
from compute_optimizer.sources.aws.organization import active_accounts

FIRST_REGION = "us-east-1"
"""Where accounts and Regions are asked for when a profile names no Region."""

ALL_ACCOUNTS = "all"
"""In place of account ids: all active ones of the organization."""

ATTEMPTS = 10
"""Of one call; botocore waits longer each time, and sends less where AWS throttles (adaptive)."""

CONNECT_SECONDS = 10
READ_SECONDS = 60
"""How long one attempt waits; a full answer of GetMetricData has some megabytes."""

SESSION_NAME = "open-compute-optimizer"
"""Of an assumed role: what CloudTrail shows."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the user says about credentials, accounts and Regions."""

    profile: str | None = None
    """Of the shared configuration; None for what botocore finds by itself."""
    role: str = ""
    """Name of the role in every other account, with its path; `{account}` becomes the id."""
    external_id: str = ""
    accounts: tuple[str, ...] = ()
    """Ids, or ALL_ACCOUNTS; none means the account of the credentials."""
    regions: tuple[str, ...] = ()
    """None means all that an account has enabled."""
    requests_per_second: float = 20.0
    """In one account and Region; 0 does not wait."""
    connections: int = 8
    """Kept open to each service."""


class Accounts:
    """Opens accounts by the user's access; from any number of threads."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._config = Config(
            retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=max(access.connections, 1),
            user_agent_extra=SESSION_NAME,
        )
        self._session = open_session(access.profile)
        _check_regions(self._session, access.regions)
        self._places: dict[tuple[str, str], AccountRegion] = {}
        self._sessions: dict[str, Any] = {}
        self._lock = Lock()
        self._home = self._session.get_config_variable("region") or FIRST_REGION
        self._own = ""

    def ids(self) -> list[str]:
        """Return the ids of the accounts that the user means.

        Raises SourceUnavailable, and InvalidInput for what is no account id.
        """
        if not self.access.accounts:
            return [self.own_id()]
        if ALL_ACCOUNTS not in self.access.accounts:
            return [check_account_id(one) for one in dict.fromkeys(self.access.accounts)]
        return active_accounts(self.place(self.own_id(), self._home))

    def regions(self, account_id: str) -> Sequence[str]:
        """Return the Regions that the user means, or all that the account has enabled."""
        if self.access.regions:
            return self.access.regions
        found = self.place(account_id, self._home).records(REGIONS)
        return sorted(one["RegionName"] for one in found)

    def place(self, account_id: str, region: str) -> AccountRegion:
        """Return one account and Region; raise SourceUnavailable where no role leads there."""
        with self._lock:
            if (account_id, region) not in self._places:
                session = self._session_of(account_id)
                self._places[account_id, region] = AccountRegion(
                    account_id, region, session, self._config, self.access.requests_per_second
                )
            return self._places[account_id, region]

    def own_id(self) -> str:
        """Return the account of the credentials."""
        if not self._own:
            self._own = self._identity()["Account"]
        return self._own

    def close(self) -> None:
        """Close every connection."""
        for place in self._places.values():
            place.close()

    def _identity(self) -> dict[str, str]:
        with refusals("the credentials", CALLER_IDENTITY.action), self._sts() as client:
            found: dict[str, str] = client.get_caller_identity()
        return found

    def _sts(self) -> AbstractContextManager[Any]:
        """Open a client of the service that knows who somebody is."""
        return closing(make_client(self._session, "sts", self._home, self._config))

    def _session_of(self, account_id: str) -> Any:
        if account_id == self.own_id():
            return self._session
        if not self.access.role:
            raise SourceUnavailable(
                f"account {account_id} is not that of the credentials ({self.own_id()}); name the "
                "role to assume there (--role)"
            )
        if account_id not in self._sessions:
            self._sessions[account_id] = self._assumed(account_id)
        return self._sessions[account_id]

    def _assumed(self, account_id: str) -> Any:
        """Return a session with the credentials of the role in an account."""
        partition = self._session.get_partition_for_region(self._home)
        name = self.access.role.replace("{account}", account_id)
        request = {
            "RoleArn": f"arn:{partition}:iam::{account_id}:role/{name}",
            "RoleSessionName": SESSION_NAME,
        }
        if self.access.external_id:
            request["ExternalId"] = self.access.external_id

        def refresh() -> Mapping[str, str]:
            with self._sts() as client:
                found = client.assume_role(**request)["Credentials"]
            return {
                "access_key": found["AccessKeyId"],
                "secret_key": found["SecretAccessKey"],
                "token": found["SessionToken"],
                "expiry_time": found["Expiration"].isoformat(),
            }

        session = make_session(self.access.profile)
        provider = CredentialResolver([_AssumedRole(refresh)])
        session.register_component("credential_provider", provider)
        return session


def _check_regions(session: Any, regions: Sequence[str]) -> None:
    """Raise InvalidInput for what is named like no Region: each call there would be tried long."""
    for region in regions:
        try:
            session.get_partition_for_region(region)
        except UnknownRegionError as error:
            raise InvalidInput(
                f"{region!r} is no Region; expected one such as us-east-1"
            ) from error


class _AssumedRole(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Credentials of a role, renewed before they expire."""

    METHOD = "assume-role"
    CANONICAL_NAME = "open-compute-optimizer-role"

    def __init__(self, refresh: Callable[[], Mapping[str, str]]) -> None:
        super().__init__()
        self._refresh = refresh

    def load(self) -> Any:
        """Return credentials that are fetched when they are first used."""
        return DeferredRefreshableCredentials(self._refresh, self.METHOD)


def open_session(profile: str | None) -> Any:
    """Return a session of botocore; raise InvalidInput for a profile that cannot be used."""
    try:
        session = make_session(profile)
        found = session.get_credentials()
    except BotoCoreError as error:
        raise InvalidInput(f"the profile {profile!r} cannot be used: {error}") from error
    if found is None:
        raise InvalidInput(
            "no AWS credentials were found; name a profile (--profile), or set AWS_PROFILE or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return session
