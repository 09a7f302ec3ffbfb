"""AWS behind the seam `interfaces.MetricSource`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache, partial
from math import nan
from threading import Lock
from typing import Any

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.interfaces import Clock
from compute_optimizer.model.collection import Collected, Effort, Scope, Wanted
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.ahead import ahead
from compute_optimizer.sources.aws.access import Access, Accounts
from compute_optimizer.sources.aws.calls import CALLER_IDENTITY, METRIC_DATA, VOLUMES
from compute_optimizer.sources.aws.discovery import Discovery
from compute_optimizer.sources.aws.inventory import READINGS, resources_of
from compute_optimizer.sources.aws.measures import AGENT, Dimensions, Measure, measures
from compute_optimizer.sources.aws.metrics import samples_of
from compute_optimizer.sources.aws.place import Place
from compute_optimizer.sources.aws.queries import RETENTION, Batch, Find, batches
from compute_optimizer.sources.aws.types import describe_types

USD_PER_METRIC = 0.01 / 1_000
"""Of GetMetricData: list price of a metric requested, the same for any length of time (Amazon
CloudWatch pricing, us-east-1, 2026-11-26). Several statistics of one metric in a call may count as
one; here each counts."""

SAMPLES_PER_SECOND = 180_000
"""Which GetMetricData returns at most in an account and Region (CloudWatch service quotas)."""

AHEAD = 2
"""Calls under way and waiting to be taken, for each connection: bounds the memory."""


class AwsSource:
    """Inventory by the APIs of AWS, metrics from CloudWatch."""

    retention: timedelta | None = RETENTION

    def __init__(self, access: Access, clock: Clock, agent_namespace: str = AGENT) -> None:
        self._accounts = Accounts(access)
        self._clock = clock
        self._access = access
        self._measures = measures(agent_namespace)
        self._pool = ThreadPoolExecutor(max(access.connections, 1))
        self._discoveries: dict[Place, Discovery] = {}
        self._lock = Lock()
        self._memory: dict[str, float] = {}

    def close(self) -> None:
        """End its threads and connections."""
        self._pool.shutdown(cancel_futures=True)
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
        calls = metrics = samples = 0
        for batch in self._batches(scope, wanted):
            calls += 1
            metrics += batch.queries
            samples += sum(one.samples for one in batch.series)
        pace = self._access.requests_per_second
        seconds = max(calls / pace if pace else 0.0, samples / SAMPLES_PER_SECOND)
        return Effort(calls, metrics, seconds, metrics * USD_PER_METRIC)

    def samples(self, scope: Scope, wanted: Wanted) -> Iterator[Collected]:
        """Return the samples that exist of those that are wanted."""
        place = self._place(scope)

        def pages(batch: Batch) -> list[Mapping[str, Any]]:
            return place.pages(METRIC_DATA, **batch.parameters)

        at_most = AHEAD * self._access.connections
        for batch, found in ahead(self._pool, pages, self._batches(scope, wanted), at_most):
            yield from samples_of(batch, found, wanted, lambda one: self._memory_mib(one) or nan)

    def _batches(self, scope: Scope, wanted: Wanted) -> Iterator[Batch]:
        table = self._measures[scope.resource_type]
        return batches(wanted, table, self._find(self._place(scope)), self._clock.now())

    def _find(self, place: Place) -> Find:
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

    def _place(self, scope: Scope) -> Place:
        return self._accounts.place(scope.account_id, scope.region)


def _volumes(place: Place) -> dict[str, list[Dimensions]]:
    """Return the dimensions of the volumes that are attached to each instance."""
    found: defaultdict[str, list[Dimensions]] = defaultdict(list)
    for volume in place.records(VOLUMES):
        for attachment in volume["Attachments"]:
            found[attachment["InstanceId"]].append((("VolumeId", volume["VolumeId"]),))
    return found
