"""Range queries within the limits, and the samples of their answers."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.model.collection import NOTHING_WANTED, Wanted
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.sources.prometheus.answers import Series
from compute_optimizer.sources.prometheus.connection import TooMuch
from compute_optimizer.sources.prometheus.queries import (
    ANSWER_POINTS,
    MACHINES,
    PATIENCE,
    Limit,
    Query,
    answered,
    queries,
    samples_of,
)

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
BY = ("instance",)
DAY = 288
"""Slots."""


def wanted(*since: int, until: int = DAY) -> Wanted:
    """Return what is wanted from these slots on."""
    some = [Resource(f"arn-{n}", "1", "r", EC2_INSTANCE, f"i-{n}", "m5.large") for n in range(9)]
    seconds = np.array([one if one == NOTHING_WANTED else one * 300 for one in since], np.int64)
    return Wanted(some[: len(since)], {CPU: seconds}, until * 300)


def asked(missing: Wanted, max_points: int = 11_000) -> list[Query]:
    machines = {place: ((f"m{place}",),) for place in range(len(missing.since[CPU]))}
    return list(queries(CPU, missing, machines, max_points))


def test_a_slot_is_asked_for_at_its_end() -> None:
    (one,) = asked(wanted(0, until=2))

    assert one.times == {"start": "300", "end": "600", "step": "300"}


def test_nothing_is_asked_of_machines_that_miss_nothing() -> None:
    assert [one.places for one in asked(wanted(NOTHING_WANTED, 5, DAY))] == [(1,)]


def test_no_query_has_more_points_than_a_server_allows() -> None:
    found = asked(wanted(0), max_points=100)

    assert [(one.since // 300, one.until // 300) for one in found] == [
        (0, 100),
        (100, 200),
        (200, 288),
    ]


def test_machines_of_one_start_are_asked_for_together_up_to_a_size() -> None:
    fleet = 2 * MACHINES + 1
    some = Wanted([], {CPU: np.zeros(fleet, np.int64)}, DAY * 300)

    found = list(queries(CPU, some, {n: ((str(n),),) for n in range(fleet)}, 11_000))

    assert [len(one.places) for one in found] == [MACHINES, MACHINES, 1]
    # 288 points each are far from the most in one answer.
    assert MACHINES * DAY < ANSWER_POINTS


def test_what_is_refused_is_asked_for_in_halves_and_nothing_is_lost() -> None:
    (whole,) = asked(wanted(0, 0, 0))
    taken: list[Query] = []

    def ask(query: Query) -> Sequence[Series]:
        if len(query.places) * query.slots > 100:
            raise TooMuch("no")
        taken.append(query)
        return []

    answered(whole, ask, Limit())

    slots = {(p, s) for q in taken for p in q.places for s in range(q.since, q.until, 300)}
    assert len(slots) == 3 * DAY
    assert sum(len(q.places) * q.slots for q in taken) == 3 * DAY


def test_what_was_refused_is_not_asked_for_again() -> None:
    (whole,) = asked(wanted(0, 0))
    sizes: list[int] = []

    def ask(query: Query) -> Sequence[Series]:
        sizes.append(query.cells)
        if query.cells > 100:
            raise TooMuch("no")
        return []

    limit = Limit()
    answered(whole, ask, limit)
    answered(whole, ask, limit)

    # Two machines of 288 slots, refused down to 72; afterwards what is left, and all of it again.
    assert sizes == [576, 288, 144, *[72] * 8, *[72] * 8]


def test_a_server_that_is_late_time_and_again_is_given_up() -> None:
    calls: list[Query] = []

    def ask(query: Query) -> Sequence[Series]:
        calls.append(query)
        raise TooMuch("no answer in time", timed_out=True)

    with pytest.raises(SourceUnavailable, match="too late too often: no answer in time"):
        answered(asked(wanted(0, 0))[0], ask, Limit())
    assert len(calls) == PATIENCE


def test_a_query_that_names_no_machines_is_cut_by_time_first() -> None:
    (whole,) = queries(CPU, wanted(0, 0), {0: (("a",),), 1: (("b",),)}, 999, narrowed=False)

    halves = whole.halves()

    assert halves is not None
    assert [(one.places, one.slots) for one in halves] == [((0, 1), 144), ((0, 1), 144)]


def test_one_slot_of_one_machine_that_is_refused_is_a_failure() -> None:
    def ask(_: Query) -> Sequence[Series]:
        raise TooMuch("never enough")

    with pytest.raises(SourceUnavailable, match="even for one machine and slot: never enough"):
        answered(asked(wanted(0, until=4))[0], ask, Limit())


def series(labels: Mapping[str, str], values: Mapping[int, float]) -> Series:
    """Return the values of slots, as a server tells them at their ends."""
    seconds = np.array([slot * 300 + 300 for slot in values], np.float64)
    return Series(dict(labels), seconds, np.array(list(values.values())))


def test_samples_are_those_that_are_missing_and_finite() -> None:
    missing = wanted(1, 3, until=5)
    (query,) = asked(missing)
    answer = [
        series({"instance": "m0"}, {1: 10, 2: np.nan, 3: np.inf, 4: 40}),
        series({"instance": "m1"}, {1: 11, 3: 33, 4: 44}),
        series({"instance": "other"}, {1: 99}),
    ]

    found = samples_of(query, answer, BY, missing)

    samples = zip(found.places.tolist(), found.seconds.tolist(), found.values, strict=True)
    assert list(samples) == [(0, 300, 10), (0, 1200, 40), (1, 900, 33), (1, 1200, 44)]


def test_a_machine_that_is_known_under_two_labels_has_each_slot_once() -> None:
    missing = wanted(0, until=3)
    query = Query(CPU, (0,), ((("old",), ("new",)),), 0, 900)
    answer = [
        series({"instance": "new"}, {1: 21, 2: 22}),
        series({"instance": "old"}, {0: 10, 1: 11}),
    ]

    assert samples_of(query, answer, BY, missing).values.tolist() == [10, 11, 22]


def test_several_series_of_one_machine_are_the_users_to_put_together() -> None:
    missing = wanted(0, until=3)
    answer = [series({"instance": "m0", "cpu": cpu}, {0: 1}) for cpu in ("0", "1")]

    with pytest.raises(InvalidInput, match=r"several series for m0; .* by \(\$id\)"):
        samples_of(asked(missing)[0], answer, BY, missing)
