"""What is wanted -> calls of GetMetricData, each within its limits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from compute_optimizer.model.collection import Wanted
from compute_optimizer.model.metrics import SLOT_SECONDS, MetricKey, Statistic
from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.aws.calls import Record
from compute_optimizer.sources.aws.measures import Dimensions, Measure, TypeMeasures

CALL_QUERIES = 500
"""Most series in one GetMetricData (CloudWatch API Reference)."""

CALL_SAMPLES = 100_800
"""Most samples in one GetMetricData; more would come on further pages (the same)."""

CALL_SPREAD = 86_400
"""Seconds by which the starts of series in one call may differ: all are read from the earliest."""

MINUTE_RETENTION = timedelta(days=15)
RETENTION = timedelta(days=63)
"""How long CloudWatch keeps samples of one minute and of five (the same). What is older is kept by
the hour, which says nothing of five minutes."""

FREE_STATISTICS = {Statistic.MAXIMUM: "Minimum", Statistic.AVERAGE: "Average"}
"""Free memory is least where used memory is most."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of ours and the CloudWatch series that tell it."""

    place: int
    """Position of its resource in `Wanted.resources`."""
    key: MetricKey
    since: int
    """Seconds since 1970, as is the end, which lies outside."""
    until: int
    measure: Measure
    dimensions: tuple[Dimensions, ...]
    """Of each; their samples are added up."""
    period: int
    """Seconds."""

    @property
    def samples(self) -> int:
        """Return how many there may be, all together."""
        return (self.until - self.since) // self.period * len(self.dimensions)

    @property
    def statistic(self) -> str:
        """Return CloudWatch's statistic."""
        free = self.measure.free_bytes > 0
        return FREE_STATISTICS[self.key.statistic] if free else self.key.statistic.value

    def queries(self, number: int) -> Iterator[Record]:
        """Yield the queries, whose ids tell the series by its number in a call."""
        for part, pairs in enumerate(self.dimensions):
            metric = {
                "Namespace": self.measure.namespace,
                "MetricName": self.measure.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in pairs],
            }
            stat = {"Metric": metric, "Period": self.period, "Stat": self.statistic}
            yield {"Id": f"s{number}_{part}", "MetricStat": stat, "ReturnData": True}


@dataclass(frozen=True, slots=True)
class Batch:
    """One call."""

    series: tuple[Series, ...]

    @property
    def queries(self) -> int:
        """Return how many CloudWatch series it asks for."""
        return sum(len(one.dimensions) for one in self.series)

    @property
    def samples(self) -> int:
        """Return how many samples there may be in the answer."""
        return sum(one.samples for one in self.series)

    @property
    def parameters(self) -> Record:
        """Return those of the call."""
        return {
            "MetricDataQueries": [
                query for number, one in enumerate(self.series) for query in one.queries(number)
            ],
            "StartTime": _moment(min(one.since for one in self.series)),
            "EndTime": _moment(max(one.until for one in self.series)),
            "ScanBy": "TimestampAscending",
        }


Find = Callable[[Measure, Resource], Sequence[Dimensions]]
"""Return the CloudWatch series that tell a measure of a resource; none where there are none."""


def batches(wanted: Wanted, table: TypeMeasures, find: Find, now: datetime) -> Iterator[Batch]:
    """Yield the calls that read what is wanted, as far as it is kept.

    Calls with the earliest start come first, so that what is asked for in one call lies close.
    """
    found = sorted(series_of(wanted, table, find, now), key=lambda one: (one.until, one.since))
    for _, group in groupby(found, key=lambda one: one.until):
        yield from _batches(group)


def series_of(wanted: Wanted, table: TypeMeasures, find: Find, now: datetime) -> Iterator[Series]:
    """Yield each series that is wanted and that there is, cut where its resolution changes."""
    telling: dict[str, list[Measure]] = {}
    for measure in table.measures:
        telling.setdefault(measure.metric, []).append(measure)
    for place, resource in enumerate(wanted.resources):
        known: dict[str, tuple[Measure, tuple[Dimensions, ...]] | None] = {}
        for key, since in wanted.since.items():
            if since[place] >= wanted.until or key.metric not in telling:
                continue
            if key.metric not in known:
                known[key.metric] = _first(telling[key.metric], resource, find)
            if (told := known[key.metric]) is not None:
                for start, end, period in spans(int(since[place]), wanted.until, table, now):
                    yield Series(place, key, start, end, *told, period)


def spans(
    since: int, until: int, table: TypeMeasures, now: datetime
) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and period of each part of a time that is kept at one resolution."""
    oldest = _slot(now - RETENTION) + SLOT_SECONDS
    minutes = _slot(now - MINUTE_RETENTION) + SLOT_SECONDS
    since = max(since, oldest)
    border = min(max(minutes, since), until) if table.period < SLOT_SECONDS else until
    coarse = max(table.period, SLOT_SECONDS)
    for start, end, period in ((since, border, coarse), (border, until, table.period)):
        if start < end:
            yield start, end, period


def _first(
    telling: Iterable[Measure], resource: Resource, find: Find
) -> tuple[Measure, tuple[Dimensions, ...]] | None:
    for measure in telling:
        if found := tuple(find(measure, resource)):
            return measure, found
    return None


def _batches(series: Iterable[Series]) -> Iterator[Batch]:
    """Yield calls for series of one end, in ascending order of their starts."""
    some: list[Series] = []
    queries = samples = 0
    for one in series:
        parts = len(one.dimensions)
        start = some[0].since if some else one.since
        more = (one.until - start) // one.period * parts
        full = queries + parts > CALL_QUERIES or samples + more > CALL_SAMPLES
        if some and (full or one.since - start > CALL_SPREAD):
            yield Batch(tuple(some))
            some, queries, samples = [], 0, 0
            more = one.samples
        some.append(one)
        queries, samples = queries + parts, samples + more
    if some:
        yield Batch(tuple(some))


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _slot(moment: datetime) -> int:
    return int(moment.timestamp()) // SLOT_SECONDS * SLOT_SECONDS
