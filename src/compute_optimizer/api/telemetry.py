"""Metrics in the format that Prometheus reads: requests as they come, everything else when asked.

What is counted while requests are answered costs two looks at a counter and one histogram; all
other figures are read from the state when somebody asks for them, so that they are right in any
process and cost nothing in between. docs/worker.md has the table of METRICS, held by a test.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Connection

from compute_optimizer.interfaces import Clock
from compute_optimizer.model.job_run import JobRun
from compute_optimizer.model.metrics import look_back
from compute_optimizer.model.outcome import JUDGED
from compute_optimizer.model.tally import Topic
from compute_optimizer.operations import OPERATIONS
from compute_optimizer.store import State
from compute_optimizer.store.decisions import counts_of_states
from compute_optimizer.store.export_jobs import waiting_jobs
from compute_optimizer.store.forecasts import all_scores
from compute_optimizer.store.freshness import freshness, state_bytes
from compute_optimizer.store.job_runs import counts_of_runs, last_runs
from compute_optimizer.store.outbox import backlogs
from compute_optimizer.store.outcomes import counted_verdicts
from compute_optimizer.store.summaries import current_tallies

PREFIX = "compute_optimizer_"

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable by which the library shares counts between processes of one server."""

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of latencies: a poll takes a tenth of a millisecond, a page of 1,000 a third of a
second."""

OTHER = "other"
"""Stands for operations that are not built, so that callers cannot make up label values."""

REQUESTS = f"{PREFIX}request_seconds"
REQUESTS_HELP = "Time to answer requests, without waiting for a thread."

Samples = Iterator[tuple[tuple[str, ...], float]]
"""Label values and the figure."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric that is read from the state when somebody asks."""

    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[Connection, datetime], Iterable[tuple[tuple[str, ...], float]]]
    counter: bool = False


def _job_generations(connection: Connection, _now: datetime) -> Samples:
    return _of_jobs(connection, lambda run: float(run.generation))


def _job_running(connection: Connection, _now: datetime) -> Samples:
    return _of_jobs(connection, lambda run: float(run.is_running))


def _job_started(connection: Connection, _now: datetime) -> Samples:
    return _of_jobs(connection, lambda run: run.started_at.timestamp())


def _job_seconds(connection: Connection, _now: datetime) -> Samples:
    def seconds(run: JobRun) -> float | None:
        return (run.finished_at - run.started_at).total_seconds() if run.finished_at else None

    return _of_jobs(connection, seconds)


def _of_jobs(connection: Connection, figure: Callable[[JobRun], float | None]) -> Samples:
    for name, run in sorted(last_runs(connection).items()):
        if (value := figure(run)) is not None:
            yield (name,), value


def _job_outcomes(connection: Connection, _now: datetime) -> Samples:
    for (job, outcome), count in sorted(counts_of_runs(connection).items()):
        yield (job, outcome.value), float(count)


def _newest_samples(connection: Connection, now: datetime) -> Samples:
    for one in freshness(connection, look_back(now, 1).first):
        if one.newest_sample is not None:
            yield tuple(one.scope), one.newest_sample.timestamp()


def _analyzed(connection: Connection, now: datetime) -> Samples:
    for one in freshness(connection, look_back(now, 1).first):
        if one.as_of is not None:
            yield tuple(one.scope), one.as_of.timestamp()


def _findings(connection: Connection, _now: datetime) -> Samples:
    for kind, tallies in current_tallies(connection).items():
        for one in tallies:
            if one.topic is Topic.FINDING:
                yield (kind, one.name), float(one.resources)


def _savings(connection: Connection, _now: datetime) -> Samples:
    for kind, tallies in current_tallies(connection).items():
        found = [one.monthly_savings_usd for one in tallies if one.topic is Topic.FINDING]
        yield (kind,), sum(found)


def _expected(connection: Connection, _now: datetime) -> Samples:
    for score in all_scores(connection, 1):
        yield ("every",), score.every.expected
        yield ("first",), score.first.expected


def _observed(connection: Connection, _now: datetime) -> Samples:
    for score in all_scores(connection, 1):
        yield ("every",), float(score.every.observed)
        yield ("first",), float(score.first.observed)


def _exports(connection: Connection, _now: datetime) -> Samples:
    yield (), float(waiting_jobs(connection))


def _decisions(connection: Connection, _now: datetime) -> Samples:
    for (account, decided), count in sorted(counts_of_states(connection).items()):
        yield (account, decided.value), float(count)


def _changes(connection: Connection, _now: datetime) -> Samples:
    for one in counted_verdicts(connection):
        yield (one.resource_type, one.verdict.value), float(one.changes)


def _changes_expected(connection: Connection, _now: datetime) -> Samples:
    judged = [one for one in counted_verdicts(connection) if one.verdict in JUDGED]
    for kind in dict.fromkeys(one.resource_type for one in judged if one.predicted):
        same = [one.expected_violations for one in judged if one.resource_type == kind]
        yield (kind,), sum(same)


def _deliveries(connection: Connection, _now: datetime) -> Samples:
    for one in backlogs(connection):
        yield (one.webhook, "waiting"), float(one.waiting)
        yield (one.webhook, "delivered"), float(one.delivered)
        yield (one.webhook, "given up"), float(one.given_up)


def _oldest_events(connection: Connection, _now: datetime) -> Samples:
    for one in backlogs(connection):
        if one.oldest_waiting is not None:
            yield (one.webhook,), one.oldest_waiting.timestamp()


def _state_bytes(connection: Connection, _now: datetime) -> Samples:
    yield (), float(state_bytes(connection))


JOB = ("job",)
SCOPE = ("account_id", "region", "resource_type")

READINGS = (
    Reading("job_runs_total", "Runs that were begun.", JOB, _job_generations, counter=True),
    Reading("job_runs_kept", "Ended runs on record.", (*JOB, "outcome"), _job_outcomes),
    Reading("job_running", "1 while the job runs.", JOB, _job_running),
    Reading("job_last_start_timestamp_seconds", "Start of the last run.", JOB, _job_started),
    Reading("job_last_duration_seconds", "Length of the last run, if ended.", JOB, _job_seconds),
    Reading("newest_sample_timestamp_seconds", "Newest sample.", SCOPE, _newest_samples),
    Reading(
        "analysis_as_of_timestamp_seconds", "What recommendations look back from.", SCOPE, _analyzed
    ),
    Reading("recommendations", "Current recommendations.", ("resource_type", "finding"), _findings),
    Reading(
        "estimated_monthly_savings_usd",
        "Estimated savings a month, as totals count them.",
        ("resource_type",),
        _savings,
    ),
    Reading("score_expected", "Events expected, of the newest score.", ("options",), _expected),
    Reading("score_observed", "Events that came, of the newest score.", ("options",), _observed),
    Reading("exports_unfinished", "Export jobs that are not done.", (), _exports),
    Reading("decisions", "Decisions on advice.", ("account_id", "state"), _decisions),
    Reading("changes", "Changes as advised.", ("resource_type", "verdict"), _changes),
    Reading(
        "changes_expected_violations",
        "Sum of the predicted risks of changes that were judged.",
        ("resource_type",),
        _changes_expected,
    ),
    Reading("webhook_deliveries_kept", "Deliveries on record.", ("webhook", "state"), _deliveries),
    Reading(
        "webhook_oldest_waiting_timestamp_seconds",
        "When the oldest event that waits for the webhook occurred.",
        ("webhook",),
        _oldest_events,
    ),
    Reading("state_bytes", "Size of the state database.", (), _state_bytes),
)
"""All that is read from the state, in the order in which it is exposed."""


class StateReadings:
    """Reads READINGS when the library collects."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def describe(self) -> list[Any]:
        """Return nothing, so that the library does not read the state when this is registered."""
        return []

    def collect(self) -> Iterator[Any]:
        """Yield one family for each reading, all of one view of the state."""
        now = self._clock.now()
        with self._state.reading() as connection:
            for one in READINGS:
                kind = CounterMetricFamily if one.counter else GaugeMetricFamily
                family = kind(PREFIX + one.name, one.help, labels=one.labels)
                for labels, value in one.read(connection, now):
                    family.add_metric(labels, value)
                yield family


class Telemetry:
    """What one process counts, and what it can tell of the state."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._readings = CollectorRegistry(auto_describe=False)
        self._readings.register(StateReadings(state, clock))
        self._counted = CollectorRegistry()
        self._requests = Histogram(
            REQUESTS,
            REQUESTS_HELP,
            ["operation", "status"],
            buckets=SECONDS,
            registry=self._counted,
        )
        self._observers: dict[tuple[str, int], Callable[[float], None]] = {}

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Count one answer."""
        observer = self._observers.get((operation, status))
        if observer is None:
            observer = self._observer(operation, status)
        observer(seconds)

    def _observer(self, operation: str, status: int) -> Callable[[float], None]:
        known = operation if operation in OPERATIONS else OTHER
        observer = self._requests.labels(known, str(status)).observe
        if known != OTHER:
            # What callers make up is not remembered.
            self._observers[operation, status] = observer
        return observer

    def exposed(self) -> bytes:
        """Return every metric as text; raises StoreUnavailable where the state cannot be read."""
        counted = self._counted
        if os.environ.get(SHARED_FOLDER):
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call] # as the library has it
        return generate_latest(counted) + generate_latest(self._readings)
