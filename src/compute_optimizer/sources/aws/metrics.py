"""Answers of GetMetricData -> samples of our series."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.model.collection import Collected, Wanted
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.aws.measures import MIB
from compute_optimizer.sources.aws.queries import Batch, Series

FAILED = frozenset({"InternalError", "Forbidden"})
"""Status codes of a series that could not be read; PartialData goes on with the next page."""

Floats = NDArray[np.float64]
Points = tuple[NDArray[np.int64], Floats]
"""Starts of the intervals since 1970, and values."""

MemoryOf = Callable[[Resource], float]


def samples_of(
    batch: Batch, pages: Sequence[Mapping[str, Any]], wanted: Wanted, memory_mib: MemoryOf
) -> Iterator[Collected]:
    """Yield the samples of a call, all resources of one series of ours together.

    `memory_mib` returns the memory of a resource, NaN where it is unknown. Raises
    SourceUnavailable for a series that CloudWatch failed to read.
    """
    found: defaultdict[MetricKey, list[tuple[int, Points]]] = defaultdict(list)
    for number, parts in _by_series(pages).items():
        series = batch.series[number]
        points = _converted(
            series, _whole(series, parts), wanted.resources[series.place], memory_mib
        )
        found[series.key].append((series.place, points))
    for key, all_of_it in found.items():
        seconds = np.concatenate([points[0] for _, points in all_of_it])
        values = np.concatenate([points[1] for _, points in all_of_it])
        lengths = [len(points[0]) for _, points in all_of_it]
        places = np.repeat(np.array([place for place, _ in all_of_it], np.int64), lengths)
        sound = np.isfinite(values)
        yield Collected(key, places[sound], seconds[sound], values[sound].astype(np.float32))


def _by_series(pages: Sequence[Mapping[str, Any]]) -> dict[int, list[Points]]:
    """Return the points of each series by its number in the call, whatever page they are on.

    Timestamps are seconds since 1970 (`clients.make_client`).
    """
    found: defaultdict[int, list[Points]] = defaultdict(list)
    for result in (result for page in pages for result in page["MetricDataResults"]):
        if result.get("StatusCode") in FAILED:
            raise SourceUnavailable(f"CloudWatch could not read a series: {result['StatusCode']}")
        if result["Timestamps"]:
            seconds = np.array(result["Timestamps"], np.float64).astype(np.int64)
            number = int(result["Id"].removeprefix("s").partition("_")[0])
            found[number].append((seconds, np.array(result["Values"], np.float64)))
    return found


def _whole(series: Series, parts: Sequence[Points]) -> Points:
    """Return the sum of several series in each interval, such as of volumes, or their highest."""
    seconds = np.concatenate([one for one, _ in parts])
    values = np.concatenate([one for _, one in parts])
    if bool(np.all(seconds[1:] > seconds[:-1])):
        return seconds, values
    moments, places = np.unique(seconds, return_inverse=True)
    statistic, calls = series.key.statistic, series.measure.calls
    highest = series.measure.highest or (calls and statistic is Statistic.MAXIMUM)
    whole: Floats = np.full(len(moments), -np.inf if highest else 0.0)
    (np.maximum if highest else np.add).at(whole, places, values)
    if calls and statistic is Statistic.AVERAGE:
        whole /= np.bincount(places)
    return moments, whole


def _converted(series: Series, points: Points, resource: Resource, memory_mib: MemoryOf) -> Points:
    """Return used memory in percent where a series tells free memory."""
    unit = series.measure.free_bytes
    if not unit:
        return points
    seconds, free = points
    used = 100.0 - 100.0 * free * unit / (memory_mib(resource) * MIB)
    return seconds, np.clip(used, 0.0, 100.0)
