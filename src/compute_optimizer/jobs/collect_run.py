"""What every step of a collection has: what is asked for, the report, and work done at once."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.interfaces import MetricSource, StageProgress
from compute_optimizer.jobs.gaps import Range
from compute_optimizer.jobs.ingest import NOTHING
from compute_optimizer.model.collection import Effort, Scope
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.store import State
from compute_optimizer.store.inventory import UpsertCounts
from compute_optimizer.store.tile_buffer import BUFFER_BYTES
from compute_optimizer.store.tiles import TileStore

T = TypeVar("T")

R = TypeVar("R")

OVERLAP = timedelta(hours=3)
"""Read again before the newest stored sample. CloudWatch may take two hours to show a sample that
was sent 3 to 24 hours late (reference of PutMetricData), and asking for more of a series costs
nothing more."""

DEFAULT_DAYS = 14
"""The look-back period of an analysis unless preferences say otherwise (spec 2.1)."""

CONCURRENCY = 8
"""Accounts, Regions and types that are read at once."""


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """What to collect."""

    since: datetime
    resource_types: frozenset[str] | None = None
    """None for all that the source has."""
    overlap: timedelta = OVERLAP
    again: bool = False
    """Read the whole time again, also what is stored."""
    keep_gone: bool = False
    """Keep the resources of the inventory that the source no longer has."""
    enrolling: bool = False
    """Of an estimate: look at every account, as if it were opted in."""
    concurrency: int = CONCURRENCY
    buffer_bytes: int = BUFFER_BYTES
    """Memory for all samples on their way; more of them are put on the disk for a while."""


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """What could not be read; empty members mean all of them."""

    account_id: str
    region: str
    resource_type: str
    message: str

    def __str__(self) -> str:
        place = ", ".join(one for one in (self.account_id, self.region, self.resource_type) if one)
        return f"{place}: {self.message}" if place else self.message


@dataclass(slots=True)
class Coverage:
    """How much of one series there was."""

    resources: int = 0
    """For which it was asked."""
    with_samples: int = 0
    slots_wanted: int = 0
    slots: int = 0
    """Of these, with a sample."""


@dataclass(slots=True)
class CollectReport:
    """What was collected and what was not."""

    first: datetime
    """From here on samples were asked for, which may be later than was wished."""
    end: datetime
    not_kept_since: datetime | None = None
    """The beginning that was wished, where the source keeps samples for less long."""
    accounts: tuple[str, ...] = ()
    not_opted_in: tuple[str, ...] = ()
    """Accounts of the source of which nothing may be collected."""
    counts: UpsertCounts = NOTHING
    gone: int = 0
    """Resources removed from the inventory, for the source has them no longer."""
    resources: Counter[str] = field(default_factory=Counter)
    """By resource type."""
    coverage: defaultdict[tuple[str, MetricKey], Coverage] = field(
        default_factory=lambda: defaultdict(Coverage)
    )
    """By resource type and series."""
    tiles: int = 0
    unknown_types: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Resources by resource type and type that the catalog does not know: no recommendation."""
    described_types: set[str] = field(default_factory=set)
    """Instance types that the catalog lacks, and of which the source has told what they can do."""
    failures: list[Failure] = field(default_factory=list)
    effort: Effort = field(default_factory=Effort)
    """What an estimate says that it would take; nothing where samples were collected."""


@dataclass(frozen=True, slots=True)
class Run:
    """What every step needs."""

    state: State
    tiles: TileStore
    source: MetricSource
    request: CollectRequest
    asked: Range
    report: CollectReport
    progress: StageProgress
    now: datetime
    fence: Callable[[Connection], None] = lambda connection: None
    memory: Lock = field(default_factory=Lock)
    """Held by the one shard whose tiles are in memory: a day of a full one takes 75 MB."""


def each(
    run: Run, what: str, items: Sequence[T], work: Callable[[T], R]
) -> Iterator[tuple[T, Future[R]]]:
    """Yield every item with the outcome of the work on it, in the order in which they end."""
    run.progress(what, 0, len(items))
    with ThreadPoolExecutor(run.request.concurrency) as pool:
        waiting = {pool.submit(work, one): one for one in items}
        try:
            for done, outcome in enumerate(as_completed(waiting), 1):
                # Popped, so that what was read is not held until the end.
                yield waiting.pop(outcome), outcome
                run.progress(what, done, len(items))
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def failures(report: CollectReport, scope: Scope) -> Iterator[None]:
    """Note what could not be read, and go on."""
    try:
        yield
    except SourceUnavailable as error:
        place = scope.account_id, scope.region, scope.resource_type
        report.failures.append(Failure(*place, str(error)))
