"""Which column of a metric file holds what: long (a row per sample) or wide (a column per series).

Decided once per file, from the mapping where there is one and from the names of columns elsewhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import SLOT_SECONDS, MetricKey, Statistic
from compute_optimizer.sources.files.columns import METRIC_COLUMNS, recognize
from compute_optimizer.sources.files.mapping import FileMapping, SeriesMapping
from compute_optimizer.sources.files.refusals import Reason
from compute_optimizer.sources.files.vocabulary import (
    METRICS,
    ValueKind,
    default_statistic,
    is_kept,
    metric_named,
    statistic_named,
)

PLAIN = SeriesMapping()


@dataclass(frozen=True, slots=True)
class Series:
    """What the values of one column, or of one metric name, mean."""

    key: MetricKey
    mapping: SeriesMapping = PLAIN

    @property
    def averages(self) -> bool:
        """Whether several samples in one slot are averaged; rates are, before they are summed."""
        return self.key.statistic is Statistic.AVERAGE or self.mapping.per_second

    @property
    def is_percentage(self) -> bool:
        """Whether values lie between 0 and 100."""
        return METRICS[self.key.metric] is ValueKind.PERCENT

    def converted(
        self, values: NDArray[np.float64], whole: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Return the values in the unit that is kept; NaN where `whole` is zero or missing."""
        # What overflows becomes infinite, which the reader refuses.
        with np.errstate(over="ignore", invalid="ignore"):
            values = values * self.mapping.scale
            if whole is not None:
                values = 100 * values / np.where(whole > 0, whole, np.nan)
            if self.mapping.per_second:
                values = values * SLOT_SECONDS
        return values if self.mapping.maximum is None else np.minimum(values, self.mapping.maximum)


@dataclass(frozen=True, slots=True)
class Wide:
    """A row per resource and moment, a column per series."""

    resource: str
    timestamp: str
    series: Mapping[str, Series]
    """By column."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read."""
        wholes = (one.mapping.percent_of for one in self.series.values())
        named = (self.resource, self.timestamp, *self.series, *(one for one in wholes if one))
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True)
class Long:
    """A row per sample."""

    resource: str
    timestamp: str
    metric: str
    value: str
    statistic: str | None
    find: Callable[[str, str | None], Series | Reason]
    """Takes the words of a row for its metric and statistic; a reason where they are not kept."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read."""
        named = (self.resource, self.timestamp, self.metric, self.value, self.statistic)
        return tuple(dict.fromkeys(one for one in named if one))


Layout = Wide | Long


def layout_of(
    path: Path, columns: tuple[str, ...], mapping: FileMapping, fallback: Statistic | None
) -> Layout:
    """Return how to read a file; raise InvalidInput that names the column at fault.

    `fallback` is the statistic of samples that do not say theirs.
    """
    found = _named_columns(path, columns, mapping)
    fallback = _default(path, mapping) or fallback
    for field in ("resource", "timestamp"):
        if field not in found:
            known = ", ".join(METRIC_COLUMNS[field])
            raise InvalidInput(f"{path}: no column for the {field}; expected one of {known}")
    if "metric" in found and "value" in found and not mapping.columns:
        return _long(path, found, mapping, fallback)
    return _wide(path, columns, found, mapping, fallback)


def _named_columns(path: Path, columns: tuple[str, ...], mapping: FileMapping) -> dict[str, str]:
    given = {
        field: name for field in METRIC_COLUMNS if (name := getattr(mapping, field)) is not None
    }
    mapped = (one.percent_of for one in mapping.columns.values() if one.percent_of)
    for name in (*given.values(), *mapping.columns, *mapped):
        if name not in columns:
            raise InvalidInput(
                f"{path}: the mapping names a column {name!r} that the file does not have; "
                f"it has {', '.join(columns)}"
            )
    left = [name for name in columns if name not in mapping.columns]
    unmapped = {field: known for field, known in METRIC_COLUMNS.items() if field not in given}
    return recognize(left, unmapped, path) | given


def _default(path: Path, mapping: FileMapping) -> Statistic | None:
    if mapping.default_statistic is None:
        return None
    return _statistic(path, "default_statistic", mapping.default_statistic)


def _long(
    path: Path, found: Mapping[str, str], mapping: FileMapping, fallback: Statistic | None
) -> Long:
    for word, one in mapping.metrics.items():
        if one.percent_of:
            raise InvalidInput(f"{path}: metrics.{word}: percent_of needs a wide file")
        place, word = f"metrics.{word}", one.metric or word
        if one.statistic or "statistic" not in found:
            _series(path, place, one, word, fallback)
        else:
            _metric(path, place, one, word)
    if found.get("statistic") is None and fallback is None and not mapping.metrics:
        raise InvalidInput(
            f"{path}: no column for the statistic; add one, or say --statistic Average or Maximum"
        )
    return Long(
        found["resource"],
        found["timestamp"],
        found["metric"],
        found["value"],
        found.get("statistic"),
        partial(_find, mapping.metrics, fallback),
    )


def _find(
    mappings: Mapping[str, SeriesMapping],
    fallback: Statistic | None,
    word: str,
    statistic: str | None,
) -> Series | Reason:
    """Return what the words of a row mean; its own statistic goes before the mapping's."""
    mapping = mappings.get(word, PLAIN)
    metric = metric_named(mapping.metric or word)
    if metric is None:
        return Reason.UNKNOWN_METRIC
    mapped = statistic_named(mapping.statistic) if mapping.statistic else None
    said = statistic_named(statistic) if statistic else None
    chosen = said if statistic else default_statistic(metric, mapped or fallback)
    if chosen is None:
        return Reason.UNKNOWN_STATISTIC
    key = MetricKey(metric, chosen)
    return Series(key, mapping) if is_kept(key) else Reason.WRONG_STATISTIC


def _wide(
    path: Path,
    columns: tuple[str, ...],
    found: Mapping[str, str],
    mapping: FileMapping,
    fallback: Statistic | None,
) -> Wide:
    series = {
        name: _series(path, f"columns.{name}", one, one.metric or name, fallback)
        for name, one in mapping.columns.items()
    }
    for name in columns:
        if name not in series and (key := _key_of_column(path, name, fallback)):
            series[name] = Series(key)
    if not series:
        raise InvalidInput(
            f"{path}: no column holds a metric; expected names such as CPUUtilization_Maximum, or "
            f"metric and value columns, but it has {', '.join(columns)}"
        )
    return Wide(found["resource"], found["timestamp"], series)


def _key_of_column(path: Path, name: str, fallback: Statistic | None) -> MetricKey | None:
    """Return what a column such as CPUUtilization_Maximum or NetworkIn holds, if a metric."""
    word, _, statistic = name.rpartition("_")
    metric = metric_named(word)
    if metric is not None:
        return _kept(path, name, MetricKey(metric, _statistic(path, name, statistic)))
    metric = metric_named(name)
    if metric is None:
        return None
    chosen = default_statistic(metric, fallback)
    if chosen is None:
        raise InvalidInput(
            f"{path}: the column {name!r} does not say its statistic; call it {name}_Maximum or "
            f"{name}_Average, or say --statistic"
        )
    return _kept(path, name, MetricKey(metric, chosen))


def _series(
    path: Path, place: str, mapping: SeriesMapping, word: str, fallback: Statistic | None
) -> Series:
    metric = _metric(path, place, mapping, word)
    given = _statistic(path, place, mapping.statistic) if mapping.statistic else None
    chosen = given or default_statistic(metric, fallback)
    if chosen is None:
        raise InvalidInput(f"{path}: {place}: say its statistic, Average or Maximum")
    return Series(_kept(path, place, MetricKey(metric, chosen)), mapping)


def _metric(path: Path, place: str, mapping: SeriesMapping, word: str) -> str:
    metric = metric_named(word)
    if metric is None:
        raise InvalidInput(
            f"{path}: {place}: the metric {word!r} is unknown; expected one of {', '.join(METRICS)}"
        )
    if mapping.per_second and METRICS[metric] is not ValueKind.COUNTER:
        raise InvalidInput(f"{path}: {place}: per_second is for counters, {_said(metric)}")
    if mapping.percent_of and METRICS[metric] is not ValueKind.PERCENT:
        raise InvalidInput(f"{path}: {place}: percent_of is for percentages, {_said(metric)}")
    return metric


def _said(metric: str) -> str:
    return f"{metric} is a {METRICS[metric].value}"


def _kept(path: Path, place: str, key: MetricKey) -> MetricKey:
    if not is_kept(key):
        raise InvalidInput(
            f"{path}: {place}: {key.metric} is not kept in the statistic {key.statistic}; "
            "percentages and gauges are kept as Average or Maximum, counters as Sum, checks and "
            "levels as Maximum, amounts as Average"
        )
    return key


def _statistic(path: Path, place: str, word: str) -> Statistic:
    found = statistic_named(word)
    if found is None:
        raise InvalidInput(
            f"{path}: {place}: the statistic {word!r} is unknown; expected Average, Maximum or Sum"
        )
    return found
