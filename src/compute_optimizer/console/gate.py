"""Who is let into the console, and what is done for them: what the API has, taken in from `app`."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from compute_optimizer.console.trials import Trials
from compute_optimizer.interfaces import Clock
from compute_optimizer.model.idle_limits import IdleLimits
from compute_optimizer.operations.preferences import Planned
from compute_optimizer.store import State
from compute_optimizer.store.sealing import Sealer
from compute_optimizer.store.tiles import TileStore

if TYPE_CHECKING:
    from compute_optimizer.console.openid.desk import Desk
    from compute_optimizer.jobs.status import JobStatus


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in."""

    account_id: str
    principal_arn: str
    access_key_id: str
    policy: str | None
    """The policy document (JSON) that applies; None allows everything."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody typed into the form."""

    access_key_id: str
    secret: str
    token: str | None
    """Of temporary credentials."""


Verify = Callable[[Credentials, datetime], Visitor]
"""Returns the holder of credentials; raises a ServiceException that says why they do not count."""

Standing = Callable[[str, datetime], Visitor | None]
"""Returns the holder of an access key that still counts."""


class Record(Protocol):
    """Writes the audit line of a visitor or nobody."""

    def __call__(
        self,
        visitor: Visitor | None,
        source: str,
        name: str,
        outcome: str,
        known: dict[str, str] | None = None,
    ) -> None:
        """Write what was done from a source, the outcome, and what else is known of it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """How people come in."""

    verify: Verify
    standing: Standing
    wait: Callable[[str, datetime], float]
    """Count a failure of a source; returns seconds for which no more are looked at."""
    record: Record
    sealer: Sealer | None
    """Seals what is stored of sessions; None with auth off, where none are stored."""
    openid: "Desk | None" = None
    """Signs people in by OpenID Connect; None where no provider is set up."""

    @property
    def verifies(self) -> bool:
        """Whether people must show credentials; with auth off they name an account."""
        return self.sealer is not None


class Perform(Protocol):
    """Runs an operation of the API for a visitor."""

    def __call__(
        self, visitor: Visitor, region: str, source: str, name: str, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the response; raise what the operation may answer."""


class Guard(Protocol):
    """Runs a block for a visitor who may call an operation of the API now."""

    def __call__(
        self, visitor: Visitor, source: str, name: str, recorded: str, parameters: dict[str, Any]
    ) -> AbstractContextManager[None]:
        """Raise AccessDeniedException or ThrottlingException before the block, and write the audit
        line of what it does under a name of its own."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What is done for those who are in."""

    perform: Perform
    permit: Callable[[Visitor, str, str, str], None]
    """Raise AccessDeniedException or ThrottlingException where a visitor may not call, in a Region
    and from a source, an operation now; for pages that read the same data in another order."""
    may: Callable[[Visitor, str], bool]
    """Whether the policy allows an operation."""
    guard: Guard
    """For what the API has no operation for."""
    plan: Callable[[Visitor, str, str, str, dict[str, Any]], Planned]
    """Return what a put or a delete of preferences would change, checked as the operation does, in
    a Region and from a source; nothing is stored."""


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """What serving the console needs."""

    state: State
    clock: Clock
    tiles: TileStore
    gate: Gate
    calls: Calls
    profile: str
    """What decides where no analysis has, as for `explain`."""
    idle_limits: IdleLimits
    owner_tags: tuple[str, ...]
    """Tags that name a resource's owner, the first one that it has."""
    worker_jobs: Callable[[], "Sequence[JobStatus]"]
    """Return where the worker's jobs stand."""
    exported: Callable[[str, str], Path] | None
    """Return the file of a bucket and a key, or raise NotFound; None where exports lie elsewhere,
    in Amazon S3."""
    newer_idle_types: bool = True
    prefix: str = ""
    """Path in front of /console at which browsers reach it."""
    trials: Trials = field(default_factory=Trials)
    """The thread of this process that computes what-ifs."""
