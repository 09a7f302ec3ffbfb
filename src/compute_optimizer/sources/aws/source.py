"""AWS behind the seam `interfaces.MetricSource`."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache, partial
from math import nan
from threading import BoundedSemaphore, Lock

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.interfaces import Clock
from compute_optimizer.model.collection import Collected, Effort, Scope, Wanted
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.model.resource import RDS_DB_INSTANCE, Resource
from compute_optimizer.sources.ahead import ahead
from compute_optimizer.sources.aws.access import Access, Accounts
from compute_optimizer.sources.aws.account_region import AccountRegion
from compute_optimizer.sources.aws.calls import (
    CALLER_IDENTITY,
    COUNTERS,
    COUNTERS_KNOWN,
    DB_INSTANCES,
    METRIC_DATA,
    VOLUMES,
)
from compute_optimizer.sources.aws.discovery import Discovery
from compute_optimizer.sources.aws.effort import effort_of
from compute_optimizer.sources.aws.insights import Question, counters_of, questions, watched_of
from compute_optimizer.sources.aws.inventory import READINGS, resources_of
from compute_optimizer.sources.aws.measures import AGENT, Dimensions, Measure, measures
from compute_optimizer.sources.aws.metrics import samples_of
from compute_optimizer.sources.aws.queries import RETENTION, Batch, Find, batches
from compute_optimizer.sources.aws.types import describe_types

CALLS_OF_A_SHARD = 8
"""Most that are under way, or wait for the turn of their account: a full one has 2 MB of samples,
and CloudWatch's quota is less than two of those a second."""

CALLS_OF_COUNTERS = 2
"""For each database: which counters there are, and what they say. The first million calls a month
are free (Performance Insights pricing, 2026-11-26)."""


class AwsSource:
    """Inventory by the APIs of AWS, metrics from CloudWatch."""

    retention: timedelta | None = RETENTION

    def __init__(self, access: Access, clock: Clock, agent_namespace: str = AGENT) -> None:
        self._accounts = Accounts(access)
        self._clock = clock
        self._access = access
        self._measures = measures(agent_namespace)
        self._asking = BoundedSemaphore(max(access.connections, 1))
        self._at_once = min(max(access.connections, 1), CALLS_OF_A_SHARD)
        self._discoveries: dict[AccountRegion, Discovery] = {}
        self._lock = Lock()
        self._memory: dict[str, float] = {}

    def close(self) -> None:
        """End its connections."""
        self._accounts.close()

    def accounts(self) -> Sequence[str]:
        """Return the ids of the accounts that it was told to collect."""
        return self._accounts.ids()

    def scopes(self, account_id: str) -> Sequence[Scope]:
        """Return every Region with every type that it knows."""
        regions = self._accounts.regions(account_id)
        # So that a role that cannot be assumed is told once and not for each scope.
        self._accounts.place(account_id, regions[0]).records(CALLER_IDENTITY)
        return [Scope(account_id, region, name) for region in regions for name in READINGS]

    def inventory(self, scope: Scope) -> Sequence[Resource]:
        """Return every resource of a scope, each ARN once."""
        return resources_of(self._place(scope), scope.resource_type)

    def described(self, scope: Scope, names: Sequence[str]) -> Sequence[DescribedType]:
        """Return what EC2 says of instance types in the Region of a scope."""
        found = list(describe_types(self._place(scope), names, self._clock.now().date()))
        self._memory |= {one.name: float(dict(one.figures)["memory_mib"] or nan) for one in found}
        return found

    def effort(self, scope: Scope, wanted: Wanted) -> Effort:
        """Return what `samples` would take, without asking for samples."""
        taken = effort_of(self._batches(scope, wanted), self._access.requests_per_second)
        asked = sum(1 for _ in self._questions(scope, wanted))
        return taken + Effort(calls=CALLS_OF_COUNTERS * asked)

    def samples(self, scope: Scope, wanted: Wanted) -> Iterator[Collected]:
        """Return the samples that exist of those that are wanted."""
        place = self._place(scope)

        def read(batch: Batch) -> list[Collected]:
            # Waiting for one account's turn takes no other's connection.
            place.await_samples(batch.samples)
            with self._asking:
                pages = place.pages(METRIC_DATA, **batch.parameters)
            return list(samples_of(batch, pages, wanted, lambda one: self._memory_mib(one) or nan))

        def read_counters(question: Question) -> list[Collected]:
            with self._asking:
                return _counters(place, question)

        with ThreadPoolExecutor(self._at_once) as pool:
            for _, found in ahead(pool, read, self._batches(scope, wanted), self._at_once):
                yield from found
            asked = self._questions(scope, wanted)
            for _, found in ahead(pool, read_counters, asked, self._at_once):
                yield from found

    def _questions(self, scope: Scope, wanted: Wanted) -> Iterator[Question]:
        """Yield what is asked of Performance Insights."""
        if scope.resource_type == RDS_DB_INSTANCE:
            watched = watched_of(self._place(scope).records(DB_INSTANCES))
            yield from questions(wanted, watched, self._clock.now())

    def _batches(self, scope: Scope, wanted: Wanted) -> Iterator[Batch]:
        table = self._measures[scope.resource_type]
        return batches(wanted, table, self._find(self._place(scope)), self._clock.now())

    def _find(self, place: AccountRegion) -> Find:
        """Return what finds the CloudWatch series of resources of one place."""
        with self._lock:
            discovery = self._discoveries.setdefault(place, Discovery(place.pages))
        attached = cache(partial(_volumes, place))

        def find(measure: Measure, resource: Resource) -> Sequence[Dimensions]:
            if measure.of_volumes:
                return attached().get(resource.resource_id, ())
            if measure.free_bytes and self._memory_mib(resource) is None:
                return ()
            return discovery.series(measure, resource)

        return find

    def _memory_mib(self, resource: Resource) -> float | None:
        """Return the memory of an instance; None where nobody knows its type."""
        types = load_instance_types()
        row = types.index.get(resource.instance_type)
        described = self._memory.get(resource.instance_type)
        return resource.memory_mib or (described if row is None else float(types.memory_mib[row]))

    def _place(self, scope: Scope) -> AccountRegion:
        return self._accounts.place(scope.account_id, scope.region)


def _counters(place: AccountRegion, question: Question) -> list[Collected]:
    """Return the samples of the counters that an instance has."""
    pages = place.pages(COUNTERS_KNOWN, **question.watched.source)
    known = frozenset(one["Metric"] for page in pages for one in page["Metrics"])
    asked = question.parameters(known)
    return [] if asked is None else list(counters_of(question, place.pages(COUNTERS, **asked)))


def _volumes(place: AccountRegion) -> dict[str, list[Dimensions]]:
    """Return the dimensions of the volumes that are attached to each instance."""
    found: defaultdict[str, list[Dimensions]] = defaultdict(list)
    for volume in place.records(VOLUMES):
        for attachment in volume["Attachments"]:
            found[attachment["InstanceId"]].append((("VolumeId", volume["VolumeId"]),))
    return found
