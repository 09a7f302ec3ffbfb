"""From the batches of a metric file to samples on the grid of slots, refusing what does not fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.files.layouts import Layout, Long, Series, Wide
from compute_optimizer.sources.files.refusals import Reason, Refusals
from compute_optimizer.sources.files.tables import Batch, ReadProgress, TableFile, reading
from compute_optimizer.sources.files.values import Mask, read_moments, read_numbers, texts

OLDEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
"""Seconds since 1970. Older moments are errors: nobody had five-minute cloud metrics then."""

FUTURE_ALLOWED = timedelta(days=1)
"""How far samples may lie ahead of the clock: clocks and time zones differ."""

MAX_VALUE = float(np.finfo(np.float32).max)
"""Tiles keep float32."""

MAX_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Known:
    """The resources that samples may belong to."""

    index: Mapping[str, int]
    """Place by ARN and by id."""
    refused: Mapping[str, Reason]
    """Names that stand for a known resource that takes no samples."""

    def find(self, name: str | None) -> int | Reason:
        """Return the resource's place, or why samples under that name are refused."""
        if name is None:
            return Reason.MISSING
        place = self.index.get(name)
        return self.refused.get(name, Reason.UNKNOWN_RESOURCE) if place is None else place


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of one series."""

    series: Series
    places: NDArray[np.int64]
    """Which resource each belongs to, as in `Known.index`."""
    seconds: NDArray[np.int64]
    """Since 1970."""
    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    """Where each stands in the file."""


@dataclass(slots=True)
class MetricReader:
    """Reads the samples of one file."""

    table: TableFile
    layout: Layout
    known: Known
    now: datetime
    refusals: Refusals
    _places: dict[str | None, int | Reason] = field(default_factory=dict)

    def samples(self, progress: ReadProgress) -> Iterator[Samples]:
        """Yield the samples of the file; raises InvalidInput where it cannot be read on."""
        columns = self.layout.columns
        with reading(self.table.path):
            for batch in self.table.batches(columns, self.refusals, progress):
                if isinstance(self.layout, Wide):
                    yield from self._of_wide(self.layout, batch)
                else:
                    yield from self._of_long(self.layout, batch)

    def _of_wide(self, layout: Wide, batch: Batch) -> Iterator[Samples]:
        places, seconds, good = self._rows(layout.resource, layout.timestamp, batch)
        for name, series in layout.series.items():
            whole = series.mapping.percent_of
            values, kept = self._values(
                batch, series, batch.columns[name], good, whole and batch.columns[whole]
            )
            yield Samples(series, places[kept], seconds[kept], values[kept], batch.rows[kept])

    def _of_long(self, layout: Long, batch: Batch) -> Iterator[Samples]:
        places, seconds, good = self._rows(layout.resource, layout.timestamp, batch)
        metrics = self._texts(batch, layout.metric)
        statistics = self._texts(batch, layout.statistic) if layout.statistic else None
        for picked, found, words in _series_of(layout, metrics, statistics):
            rows = good & picked
            if isinstance(found, Reason):
                self._refuse(batch, rows, found, words)
                continue
            self._refuse_empty(batch, layout.value, rows)
            values, kept = self._values(batch, found, batch.columns[layout.value], rows, None)
            yield Samples(found, places[kept], seconds[kept], values[kept], batch.rows[kept])

    def _rows(
        self, resource: str, timestamp: str, batch: Batch
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Mask]:
        """Return place and moment of each row, and which rows have both."""
        places, unknown = self._find(self._texts(batch, resource))
        moments = read_moments(batch.columns[timestamp])
        latest = int((self.now + FUTURE_ALLOWED).timestamp())
        faults = {
            **unknown,
            **moments.faults,
            Reason.TOO_OLD: moments.seconds < OLDEST,
            Reason.FUTURE: moments.seconds > latest,
        }
        good = np.ones(len(batch), np.bool_)
        for reason, mask in faults.items():
            column = batch.columns[resource if reason in unknown else timestamp]
            self._refuse(batch, mask & good, reason, column)
            good &= ~mask
        return places, moments.seconds, good

    def _texts(self, batch: Batch, name: str) -> Any:
        column = batch.columns[name]
        try:
            return texts(column)
        except pa.ArrowException as error:
            raise InvalidInput(
                f"{self.table.path}: the column {name!r} holds {column.type}; expected text"
            ) from error

    def _find(self, encoded: Any) -> tuple[NDArray[np.int64], dict[Reason, Mask]]:
        names = [*encoded.dictionary.to_pylist(), None]
        for name in names:
            if name not in self._places:
                self._places[name] = self.known.find(name)
        codes = np.asarray(encoded.indices.fill_null(len(names) - 1))
        found = [self._places[name] for name in names]
        place_of = np.array([one if isinstance(one, int) else -1 for one in found], np.int64)
        reasons = {one for one in found if isinstance(one, Reason)}
        masks = {
            reason: np.array([one is reason for one in found], np.bool_)[codes]
            for reason in sorted(reasons)
        }
        return place_of[codes], masks

    def _values(
        self, batch: Batch, series: Series, column: Any, rows: Mask, whole: Any
    ) -> tuple[NDArray[np.float32], Mask]:
        """Return the converted values, and which of the wanted rows have one; empty cells have
        none."""
        numbers = read_numbers(column)
        wholes = read_numbers(whole).values if whole is not None else None
        values = series.converted(numbers.values, wholes)
        faults = dict(numbers.faults)
        if wholes is not None:
            faults[Reason.NO_WHOLE] = np.isnan(values)
        faults[Reason.NEGATIVE] = values < 0
        faults[Reason.INFINITE] = faults[Reason.INFINITE] | (np.abs(values) > MAX_VALUE)
        if series.is_percentage:
            faults[Reason.OVER_100] = values > MAX_PERCENT
        kept = rows & ~numbers.missing
        for reason, mask in faults.items():
            self._refuse(batch, mask & kept, reason, column)
            kept = kept & ~mask
        return np.where(kept, values, 0).astype(np.float32), kept

    def _refuse_empty(self, batch: Batch, value: str, rows: Mask) -> None:
        missing = np.asarray(batch.columns[value].is_null())
        self._refuse(batch, missing & rows, Reason.NO_VALUE, None)

    def _refuse(self, batch: Batch, mask: Mask, reason: Reason, found: Any) -> None:
        """Refuse the marked rows; `found` is the column, or the word, to show."""
        number = int(np.count_nonzero(mask))
        if not number:
            return
        path: Path = self.table.path
        self.refusals.count(path, reason, number)
        room = self.refusals.room(path, reason)
        for place in np.flatnonzero(mask)[:room]:
            shown = found if found is None or isinstance(found, str) else _cell(found[int(place)])
            self.refusals.show(path, int(batch.rows[place]), reason, shown or "")


def _cell(scalar: Any) -> str:
    try:
        found = scalar.as_py()
    except OverflowError:
        # A moment beyond Python's calendar.
        found = scalar.value
    return "" if found is None else str(found)


def _series_of(
    layout: Long, metrics: Any, statistics: Any
) -> Iterator[tuple[Mask, Series | Reason, str]]:
    """Yield, for each metric and statistic that occurs, its rows and what it means."""
    metric_words = [*metrics.dictionary.to_pylist(), None]
    metric_codes = np.asarray(metrics.indices.fill_null(len(metric_words) - 1)).astype(np.int64)
    statistic_words: list[str | None] = [None]
    statistic_codes = np.zeros(len(metric_codes), np.int64)
    if statistics is not None:
        statistic_words = [*statistics.dictionary.to_pylist(), None]
        filled = statistics.indices.fill_null(len(statistic_words) - 1)
        statistic_codes = np.asarray(filled).astype(np.int64)
    pairs = metric_codes * len(statistic_words) + statistic_codes
    for pair in np.unique(pairs):
        metric = metric_words[pair // len(statistic_words)]
        statistic = statistic_words[pair % len(statistic_words)]
        found = layout.find(metric, statistic) if metric else Reason.MISSING
        words = " ".join(word for word in (metric, statistic) if word)
        yield pairs == pair, found, words
