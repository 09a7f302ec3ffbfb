"""What is missing -> range queries within the limits of a server, and smaller ones where it
refuses."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.model.collection import Collected, Wanted
from compute_optimizer.model.metrics import SLOT_SECONDS, MetricKey
from compute_optimizer.sources.prometheus.answers import Series
from compute_optimizer.sources.prometheus.connection import TooMuch
from compute_optimizer.sources.prometheus.discovery import Machine
from compute_optimizer.sources.prometheus.identity import machine_of

ANSWER_POINTS = 250_000
"""Samples in one answer, some 9 MB of JSON: a balance of calls against memory, of our own."""

MACHINES = 500
"""In one query: its matcher names each of them, and servers bound the length of a query."""


PATIENCE = 3
"""Answers in a row that do not come in time until a server is given up."""


@dataclass(slots=True)
class Limit:
    """What was learned about a server: it has refused more than that."""

    cells: float = inf
    """Samples in an answer."""


@dataclass(frozen=True, slots=True)
class Query:
    """One series of ours of some machines over some time."""

    key: MetricKey
    places: tuple[int, ...]
    """Positions of the resources in `Wanted.resources`."""
    machines: tuple[tuple[Machine, ...], ...]
    """Of each resource: under which labels the exporter knows it."""
    since: int
    """Start of the first slot, seconds since 1970."""
    until: int
    """End of the last one."""
    narrowed: bool = True
    """It names its machines to the server, so that fewer of them are less work."""

    @property
    def slots(self) -> int:
        """Return how many slots of each machine it asks for."""
        return (self.until - self.since) // SLOT_SECONDS

    @property
    def cells(self) -> int:
        """Return how many samples the answer may have."""
        return len(self.places) * self.slots

    @property
    def times(self) -> dict[str, str]:
        """Return the parameters of the call: a slot is asked for at its end."""
        return {
            "start": str(self.since + SLOT_SECONDS),
            "end": str(self.until),
            "step": str(SLOT_SECONDS),
        }

    def halves(self) -> tuple["Query", "Query"] | None:
        """Return two queries that ask for the same; None for the smallest."""
        if len(self.places) > 1 and (self.narrowed or self.slots == 1):
            half = len(self.places) // 2
            return (
                replace(self, places=self.places[:half], machines=self.machines[:half]),
                replace(self, places=self.places[half:], machines=self.machines[half:]),
            )
        if self.slots > 1:
            middle = self.since + self.slots // 2 * SLOT_SECONDS
            return replace(self, until=middle), replace(self, since=middle)
        return None


def queries(
    key: MetricKey,
    wanted: Wanted,
    machines: Mapping[int, tuple[Machine, ...]],
    max_points: int,
    *,
    narrowed: bool = True,
) -> Iterator[Query]:
    """Yield queries for what is missing of a series, by position of the resources."""
    since = wanted.since[key]
    places = sorted((p for p in machines if since[p] < wanted.until), key=lambda p: int(since[p]))
    while places:
        start = int(since[places[0]])
        slots = (wanted.until - start) // SLOT_SECONDS
        size = max(1, min(MACHINES, ANSWER_POINTS // min(slots, max_points)))
        some, places = tuple(places[:size]), places[size:]
        for first in range(start, wanted.until, max_points * SLOT_SECONDS):
            last = min(first + max_points * SLOT_SECONDS, wanted.until)
            labels = tuple(machines[place] for place in some)
            yield Query(key, some, labels, first, last, narrowed)


def answered(
    query: Query, ask: Callable[[Query], Sequence[Series]], limit: Limit
) -> list[tuple[Query, Sequence[Series]]]:
    """Return a query with its answer, or smaller ones where the server will not answer it whole.

    Moves the limit to what was answered. Raises SourceUnavailable where the server refuses one slot
    of one machine, or is too late time and again.
    """
    waiting, found, late = [query], list[tuple[Query, Sequence[Series]]](), 0
    while waiting:
        one = waiting.pop()
        halves = one.halves()
        if halves is not None and one.cells > limit.cells:
            waiting += halves
            continue
        try:
            found.append((one, ask(one)))
            late = 0
        except TooMuch as refused:
            late += refused.timed_out
            if halves is None or late == PATIENCE:
                what = "too late too often" if halves else "refused even for one machine and slot"
                raise SourceUnavailable(f"{one.key.column}: {what}: {refused}") from refused
            limit.cells = min(limit.cells, one.cells / 2)
            waiting += halves
    return found


def samples_of(
    query: Query, answer: Sequence[Series], by: Sequence[str], wanted: Wanted
) -> Collected:
    """Return the samples of an answer, each slot of a resource once.

    Of a resource that the exporter knows under several labels, the first that has a sample counts.
    Raises InvalidInput for an expression that answers several series for one machine.
    """
    matrix = np.full((len(query.places), query.slots), np.nan, np.float64)
    by_machine = _by_machine(query, answer, by)
    for row, machines in enumerate(query.machines):
        for one in (by_machine[machine] for machine in machines if machine in by_machine):
            slots = np.rint((one.seconds - query.since) / SLOT_SECONDS).astype(np.int64) - 1
            inside = (slots >= 0) & (slots < query.slots) & np.isfinite(one.values)
            free = inside & np.isnan(matrix[row, np.where(inside, slots, 0)])
            matrix[row, slots[free]] = one.values[free]
    seconds = query.since + np.arange(query.slots) * SLOT_SECONDS
    places = np.array(query.places, np.int64)
    asked = seconds >= wanted.since[query.key][places][:, None]
    rows, slots = np.nonzero(~np.isnan(matrix) & asked)
    values: NDArray[np.float32] = matrix[rows, slots].astype(np.float32)
    return Collected(query.key, places[rows], seconds[slots], values)


def _by_machine(query: Query, answer: Sequence[Series], by: Sequence[str]) -> dict[Machine, Series]:
    found: dict[Machine, Series] = {}
    for one in answer:
        machine = machine_of(by, one.labels)
        if machine in found:
            raise InvalidInput(
                f"{query.key.column}: the query answers several series for "
                f"{' '.join(machine)}; put them together with sum, avg or max by ($id)"
            )
        found[machine] = one
    return found
