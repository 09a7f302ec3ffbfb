"""Servers of the Prometheus API behind the seam `interfaces.MetricSource`."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partial
from threading import Lock

import numpy as np

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.interfaces import Clock
from compute_optimizer.model.collection import Collected, Effort, Scope, Wanted
from compute_optimizer.model.described_type import DescribedType
from compute_optimizer.model.metrics import SLOT_SECONDS, MetricKey
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources import type_named
from compute_optimizer.sources.ahead import ahead
from compute_optimizer.sources.prometheus.answers import Series, series_of
from compute_optimizer.sources.prometheus.configuration import Configuration
from compute_optimizer.sources.prometheus.connection import Server, TooMuch
from compute_optimizer.sources.prometheus.declared import Exporter, Rule
from compute_optimizer.sources.prometheus.dialects import speaks_metricsql
from compute_optimizer.sources.prometheus.discovery import (
    Found,
    KnownMachine,
    Machine,
    ReadRow,
    known_resources,
    resources_of,
    seen,
)
from compute_optimizer.sources.prometheus.expressions import (
    Dialect,
    expression,
    matcher,
    metricsql,
    promql,
)
from compute_optimizer.sources.prometheus.queries import (
    Limit,
    Query,
    answered,
    queries,
    samples_of,
)

AHEAD = 2
"""Queries under way and waiting to be taken, for each connection: bounds the memory."""

PERCENT = frozenset({"CPUUtilization", "mem_used_percent"})
"""Metrics that are between 0 and 100; rates of counters may miss that by rounding."""


@dataclass(frozen=True, slots=True)
class Held:
    """An exporter whose series a server holds."""

    server: Server
    name: str
    exporter: Exporter


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be asked for one of our series."""

    url: str
    exporter: str
    rule: Rule
    resource_type: str
    query: str
    """As the server gets it, for all machines."""
    series: int | None
    """That it answers now; None where the server does not count them all at once."""


class PrometheusSource:
    """Inventory and metrics from servers of the Prometheus API."""

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock,
        read_row: ReadRow,
        known: Callable[[], Sequence[Resource]] | None = None,
    ) -> None:
        """Open the servers; raise InvalidInput for secrets and certificates that cannot be read.

        `known` returns the inventory, where labels are not to tell it.
        """
        self.retention: timedelta | None = configuration.retention
        self._configuration = configuration
        self._clock = clock
        self._read_row = read_row
        self._known = known
        servers = [(one, Server(one)) for one in configuration.servers]
        self._held = [
            Held(server, name, configuration.exporters[name])
            for entry, server in servers
            for name in entry.exporters
        ]
        self._dialects = {
            one: _dialect_of(one, configuration) for one in {held.server for held in self._held}
        }
        self._connections = sum(one.connections for one in configuration.servers)
        self._pool = ThreadPoolExecutor(self._connections)
        self._limits: dict[tuple[int, MetricKey], Limit] = {}
        self._found: Found | None = None
        self._lock = Lock()

    def close(self) -> None:
        """End its threads."""
        self._pool.shutdown(cancel_futures=True)

    def found(self) -> Found:
        """Return who there is, asked once; raises SourceUnavailable and InvalidInput."""
        with self._lock:
            if self._found is None:
                self._found = self._discovered()
            return self._found

    def accounts(self) -> Sequence[str]:
        """Return the ids of the accounts that own any of the machines."""
        found = self.found()
        if not found.resources:
            raise SourceUnavailable(_nobody(found, self._held))
        return sorted({one.account_id for one in found.resources.values()})

    def scopes(self, account_id: str) -> Sequence[Scope]:
        """Return the Regions and types of the resources of an account."""
        owned = {_scope(one) for one in self.found().resources.values()}
        return sorted(one for one in owned if one.account_id == account_id)

    def inventory(self, scope: Scope) -> Sequence[Resource]:
        """Return every resource of a scope, each ARN once."""
        return [one for one in self.found().resources.values() if _scope(one) == scope]

    def described(self, scope: Scope, names: Sequence[str]) -> Sequence[DescribedType]:
        """Return nothing: no exporter describes instance types."""
        return ()

    def effort(self, scope: Scope, wanted: Wanted) -> Effort:
        """Return what `samples` would take where the first exporter that may tell a series does."""
        calls = metrics = 0
        for key in wanted.since:
            left = _missing(key, wanted)
            for number, rule in self._telling(key, scope.resource_type):
                machines = self._machines(number, wanted, left)
                calls += len(list(self._queries(number, rule, wanted, machines)))
                metrics += len(machines)
                left -= machines.keys()
        return Effort(calls, metrics)

    def plan(self) -> list[Planned]:
        """Return every expression that is asked for, and how many series it answers now."""
        types = {one.resource_type for one in self.found().resources.values()}
        wanted = [
            (held, rule, kind)
            for number, held in enumerate(self._held)
            if number not in self.found().unread
            for kind in sorted(types & {held.exporter.resource_type})
            for rule in held.exporter.metrics
            if rule.key in _read_of(kind)
        ]
        return [one for _, one in ahead(self._pool, self._planned, wanted, self._connections)]

    def samples(self, scope: Scope, wanted: Wanted) -> Iterator[Collected]:
        """Return the samples that exist of those that are wanted.

        Of several exporters that tell a series of a resource, the first that has samples counts.
        """
        for key in wanted.since:
            left = _missing(key, wanted)
            for number, rule in self._telling(key, scope.resource_type):
                for one in self._told(number, rule, wanted, self._machines(number, wanted, left)):
                    left -= set(one.places.tolist())
                    yield one

    def _told(
        self, number: int, rule: Rule, wanted: Wanted, machines: dict[int, tuple[Machine, ...]]
    ) -> Iterator[Collected]:
        """Yield what one rule tells of the machines, by position of the resources."""
        held = self._held[number]
        limit = self._limits.setdefault((number, rule.key), Limit())

        def ask(query: Query) -> list[tuple[Query, Sequence[Series]]]:
            return answered(query, lambda one: self._ranged(held, rule, one), limit)

        asked = self._queries(number, rule, wanted, machines)
        for _, parts in ahead(self._pool, ask, asked, AHEAD * self._connections):
            for query, answer in parts:
                found = samples_of(query, answer, held.exporter.by, wanted)
                if len(found.values):
                    yield _clipped(found)

    def _queries(
        self, number: int, rule: Rule, wanted: Wanted, machines: dict[int, tuple[Machine, ...]]
    ) -> Iterator[Query]:
        most = self._held[number].server.entry.max_points
        return queries(rule.key, wanted, machines, most, narrowed=rule.narrowed)

    def _ranged(self, held: Held, rule: Rule, query: Query) -> Sequence[Series]:
        by = held.exporter.by
        match = matcher(by, (one for machines in query.machines for one in machines))
        text = expression(rule.query, by, match, self._dialects[held.server]())
        with _naming(held, rule):
            body = held.server.ask("query_range", {"query": text, **query.times})
        return series_of(body, held.server.entry.url)

    def _planned(self, wanted: tuple[Held, Rule, str]) -> Planned:
        held, rule, kind = wanted
        by = held.exporter.by
        text = expression(rule.query, by, f'{by[0]}!=""', self._dialects[held.server]())
        slot = int(self._clock.now().timestamp()) // SLOT_SECONDS * SLOT_SECONDS
        planned = Planned(held.server.entry.url, held.name, rule, kind, text, None)
        with _naming(held, rule), suppress(SourceUnavailable):
            counted = self._instant(held, f"count({text})", slot)
            return replace(planned, series=int(counted[0].values[-1]) if counted else 0)
        return planned

    def _discovered(self) -> Found:
        machines, unread = list[KnownMachine](), dict[int, str]()
        for number, held in enumerate(self._held):
            try:
                machines += seen(number, held.exporter, partial(self._instant, held))
            except SourceUnavailable as error:
                unread[number] = f"{held.name}: {error}"
        if len(unread) == len(self._held):
            raise SourceUnavailable("; ".join(unread.values()))
        if self._known is not None:
            found = known_resources(machines, self._known())
        else:
            found = resources_of(machines, self._read_row, self._configuration.match_families)
        found.unread |= unread
        return found

    def _instant(self, held: Held, query: str, moment: int | None = None) -> Sequence[Series]:
        by = held.exporter.by
        text = expression(query, by, f'{by[0]}!=""', self._dialects[held.server]())
        at = int(self._clock.now().timestamp()) if moment is None else moment
        try:
            body = held.server.ask("query", {"query": text, "time": str(at)})
        except TooMuch as refused:
            url = held.server.entry.url
            raise SourceUnavailable(f"{url}: {held.name}: {text}: {refused}") from refused
        return series_of(body, held.server.entry.url)

    def _telling(self, key: MetricKey, resource_type: str) -> Iterator[tuple[int, Rule]]:
        """Yield the exporters that may tell a series, with their rules."""
        for number, held in enumerate(self._held):
            if held.exporter.resource_type == resource_type:
                for rule in held.exporter.metrics:
                    if rule.key == key:
                        yield number, rule

    def _machines(
        self, number: int, wanted: Wanted, places: set[int]
    ) -> dict[int, tuple[Machine, ...]]:
        """Return under which labels an exporter knows the resources at some positions."""
        known = self.found().machines
        found = {}
        for place in sorted(places):
            named = known.get(wanted.resources[place].arn, [])
            if some := tuple(machine for one, machine in named if one == number):
                found[place] = some
        return found


def _dialect_of(server: Server, configuration: Configuration) -> Callable[[], Dialect]:
    """Return what tells how a server is asked; it is found out when that is wanted.

    Raises as `speaks_metricsql` does.
    """

    @cache
    def dialect() -> Dialect:
        chosen = metricsql if speaks_metricsql(server) else promql
        return chosen(configuration.scrape_seconds, configuration.seen_within)

    return dialect


@contextmanager
def _naming(held: Held, rule: Rule) -> Iterator[None]:
    """Say of which expression an error is."""
    place = f"{held.name}: {rule.key.column}"
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from error
    except SourceUnavailable as error:
        raise SourceUnavailable(f"{place}: {error}") from error


def _missing(key: MetricKey, wanted: Wanted) -> set[int]:
    """Return the positions of the resources of which samples are missing."""
    return set(np.flatnonzero(wanted.since[key] < wanted.until).tolist())


def _scope(one: Resource) -> Scope:
    return Scope(one.account_id, one.region, one.resource_type)


def _read_of(resource_type: str) -> frozenset[MetricKey]:
    kind = type_named(resource_type)
    return frozenset(kind.series) if kind else frozenset()


def _clipped(found: Collected) -> Collected:
    if found.key.metric not in PERCENT:
        return found
    return replace(found, values=np.clip(found.values, 0.0, 100.0))


def _nobody(found: Found, asked: Sequence[Held]) -> str:
    """Say why there is no machine."""
    if not found.left_out:
        queries = "; ".join(
            f"{one.name} of {one.server.entry.url}: {one.exporter.machines}" for one in asked
        )
        return (
            "no server knows any machine; name the exporters that they hold, or say by seen_within "
            f"how long ago a machine may have been seen. Nothing answers {queries}"
        )
    (reason, count), *_ = Counter(one.reason for one in found.left_out).most_common(1)
    return f"of {len(found.left_out)} machines none is a resource; {count} of them: {reason}"
