"""Counters of the operating system of databases, which only Performance Insights tells.

They exist where Enhanced Monitoring is on; which of them, depends on the engine.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from compute_optimizer.model.collection import Collected, Wanted
from compute_optimizer.model.metrics import SLOT_SECONDS, MetricKey, Statistic
from compute_optimizer.sources.aws.calls import Record

COUNTERS = {
    "OsSwapIn": "os.swap.in",
    "OsSwapOut": "os.swap.out",
    "OsMemoryOutOfMemoryKillCount": "os.memory.outOfMemoryKillCount",
}
"""Our metrics, as Performance Insights calls them (spec 2.4)."""

FUNCTIONS = {Statistic.AVERAGE: "avg", Statistic.MAXIMUM: "max"}
"""What its metrics end in (reference of GetResourceMetrics, which takes 15 of them at most)."""

RETENTION_DAYS = 7
"""For which it keeps samples unless the instance says otherwise (the same)."""


@dataclass(frozen=True, slots=True)
class Watched:
    """An instance that Performance Insights looks at."""

    identifier: str
    """RDS's own, which never changes."""
    retention: timedelta

    @property
    def source(self) -> Record:
        """Return the parameters that name it."""
        return {"ServiceType": "RDS", "Identifier": self.identifier}


@dataclass(frozen=True, slots=True)
class Question:
    """The counters that are wanted of one instance."""

    place: int
    """Position in `Wanted.resources`."""
    watched: Watched
    keys: tuple[MetricKey, ...]
    since: int
    """Seconds since 1970, as is the end, which lies outside."""
    until: int

    def parameters(self, known: frozenset[str]) -> Record | None:
        """Return those of the call for the counters that the instance has; None without any."""
        asked = [_told(key) for key in self.keys if COUNTERS[key.metric] in known]
        if not asked:
            return None
        return {
            **self.watched.source,
            "MetricQueries": [{"Metric": name} for name in asked],
            "StartTime": datetime.fromtimestamp(self.since, UTC),
            "EndTime": datetime.fromtimestamp(self.until, UTC),
            "PeriodInSeconds": SLOT_SECONDS,
            "PeriodAlignment": "START_TIME",
        }


def watched_of(instances: Iterable[Record]) -> dict[str, Watched]:
    """Return the DB instances with Performance Insights by their ids."""
    return {
        one["DBInstanceIdentifier"]: Watched(
            one["DbiResourceId"],
            timedelta(days=one.get("PerformanceInsightsRetentionPeriod", RETENTION_DAYS)),
        )
        for one in instances
        if one.get("PerformanceInsightsEnabled")
    }


def questions(wanted: Wanted, watched: Mapping[str, Watched], now: datetime) -> Iterator[Question]:
    """Yield what to ask of each instance, as far back as its samples are kept."""
    keys = [key for key in wanted.since if key.metric in COUNTERS]
    for place, resource in enumerate(wanted.resources):
        found = watched.get(resource.resource_id)
        lacking = tuple(key for key in keys if wanted.since[key][place] < wanted.until)
        if found is None or ":db:" not in resource.arn or not lacking:
            continue
        oldest = int((now - found.retention).timestamp()) // SLOT_SECONDS * SLOT_SECONDS
        since = max(min(int(wanted.since[key][place]) for key in lacking), oldest + SLOT_SECONDS)
        if since < wanted.until:
            yield Question(place, found, lacking, since, wanted.until)


def counters_of(question: Question, pages: Sequence[Mapping[str, Any]]) -> Iterator[Collected]:
    """Yield the samples in an answer; a moment without a value is none."""
    key_of = {_told(key): key for key in question.keys}
    for series in (series for page in pages for series in page["MetricList"]):
        key = key_of[series["Key"]["Metric"]]
        points = [
            (one["Timestamp"].timestamp(), one["Value"])
            for one in series["DataPoints"]
            if one.get("Value") is not None
        ]
        if points:
            seconds, values = np.array(points, np.float64).T
            places = np.full(len(points), question.place, np.int64)
            yield Collected(key, places, seconds.astype(np.int64), values.astype(np.float32))


def _told(key: MetricKey) -> str:
    return f"{COUNTERS[key.metric]}.{FUNCTIONS[key.statistic]}"
