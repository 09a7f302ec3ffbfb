"""The sources `aws` and `prometheus`: collect inventory and what samples are missing."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.interfaces import Clock, MetricSource
from compute_optimizer.jobs.analyze import resource_type
from compute_optimizer.jobs.collect import collect
from compute_optimizer.jobs.collect_run import DEFAULT_DAYS, CollectReport, CollectRequest
from compute_optimizer.jobs.collector import Collector, SourcePlace
from compute_optimizer.jobs.inventories import (
    listed_resources,
    resource_of_row,
    stored_resources,
)
from compute_optimizer.model.spans import CENTURY_DAYS, CENTURY_HOURS
from compute_optimizer.sources.aws import Access, AwsSource, check_collected
from compute_optimizer.sources.prometheus import (
    LABELS,
    STORED,
    Configuration,
    PrometheusSource,
    read_configuration,
)
from compute_optimizer.store import State


class CollectArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every source that is collected from is told."""

    types: tuple[str, ...] = ()
    """Names of resource types; none means all."""
    days: Annotated[int, msgspec.Meta(ge=1, le=CENTURY_DAYS)] = DEFAULT_DAYS
    """Before now, on the first run; later ones read what is missing since."""
    overlap_hours: Annotated[float, msgspec.Meta(ge=0, le=CENTURY_HOURS)] = 3.0
    """Read again before the newest sample, because samples come late."""


class AwsArguments(CollectArguments, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source of the kind `aws` is told; the same as the options of `collect aws`."""

    profile: str | None = None
    role: str = ""
    external_id: str = ""
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    agent_namespace: str = "CWAgent"
    requests_per_second: Annotated[float, msgspec.Meta(ge=0)] = 20.0
    keep_gone: bool = False


class PrometheusArguments(CollectArguments, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source of the kind `prometheus` is told."""

    config: str
    """The file that `collect prometheus --config` takes."""
    remove_gone: bool = False


def collect_aws(
    arguments: AwsArguments, place: SourcePlace, collector: Collector
) -> dict[str, Any]:
    """Collect from AWS; raise SourceUnavailable that names what could not be read."""
    access = Access(
        profile=arguments.profile,
        role=arguments.role,
        external_id=arguments.external_id,
        accounts=arguments.accounts,
        regions=arguments.regions,
        requests_per_second=arguments.requests_per_second,
    )
    source = AwsSource(access, collector.clock, arguments.agent_namespace)
    request = replace(_request(arguments, collector), keep_gone=arguments.keep_gone)
    check_collected(request.resource_types or ())
    with closing(source):
        return _collected(source, request, collector)


def collect_prometheus(
    arguments: PrometheusArguments, place: SourcePlace, collector: Collector
) -> dict[str, Any]:
    """Collect from servers of the Prometheus API; raise SourceUnavailable as `collect_aws` does."""
    configuration = read_configuration(place.folder / arguments.config, "")
    with closing(open_prometheus(collector.state, collector.clock, configuration)) as source:
        unread = source.found().unread
        # What a server that is down would tell of is not gone.
        keep_gone = not arguments.remove_gone or bool(unread)
        request = replace(_request(arguments, collector), keep_gone=keep_gone)
        return _collected(source, request, collector, *unread.values())


def open_prometheus(state: State, clock: Clock, configuration: Configuration) -> PrometheusSource:
    """Return servers of the Prometheus API as a source; close it at the end."""
    inventories = {LABELS: None, STORED: partial(stored_resources, state)}
    named = configuration.inventory
    known = inventories.get(named, partial(listed_resources, Path(named)))
    return PrometheusSource(configuration, clock, resource_of_row, known)


def _request(arguments: CollectArguments, collector: Collector) -> CollectRequest:
    named = frozenset(resource_type(one).name for one in arguments.types)
    return CollectRequest(
        since=collector.clock.now() - timedelta(days=arguments.days),
        resource_types=named or None,
        overlap=timedelta(hours=arguments.overlap_hours),
    )


def _collected(
    source: MetricSource, request: CollectRequest, collector: Collector, *unread: str
) -> dict[str, Any]:
    """Collect, keep what could be read, and return it; raise SourceUnavailable for the rest."""
    report = collect(
        collector.state,
        collector.tiles,
        collector.clock,
        source,
        request,
        progress=lambda what, done, total: collector.check(),
        fence=collector.fence,
    )
    failures = [*unread, *map(str, sorted(report.failures))]
    if failures:
        raise SourceUnavailable(
            f"{len(failures)} parts could not be read, the others are kept; the first: "
            f"{failures[0]}"
        )
    return _told(report)


def _told(report: CollectReport) -> dict[str, Any]:
    return {
        "accounts": len(report.accounts),
        "resources": report.resources.total(),
        "tiles": report.tiles,
        "gone": report.gone,
    }
