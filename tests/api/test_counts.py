"""Answers are counted once, whoever counts them."""

from pathlib import Path

from compute_optimizer.api.counts import BUCKETS, OTHER, SECONDS, STATUSES, Counts
from compute_optimizer.api.errors import FRONT_DOOR, SIGN_IN
from compute_optimizer.shapes import ServiceException

POLL = "GetEnrollmentStatus"


def test_processes_count_together_and_a_successor_goes_on(tmp_path: Path) -> None:
    first, second = Counts(tmp_path, 0), Counts(tmp_path, 1)
    first.observe(POLL, 200, 0.25)
    second.observe(POLL, 200, 0.5)
    successor = Counts(tmp_path, 0)
    successor.observe(POLL, 200, 0.25)

    for counts in (first, second, successor):
        [(operation, status, buckets, seconds)] = counts.rows()
        assert (operation, status, sum(buckets), seconds) == (POLL, 200, 3, 1.0)


def test_a_bound_belongs_to_its_bucket_and_what_is_slower_to_the_last() -> None:
    counts = Counts()
    for seconds in (SECONDS[0], SECONDS[0] * 1.01, SECONDS[-1], SECONDS[-1] + 1):
        counts.observe(POLL, 200, seconds)

    [(_, _, buckets, _)] = counts.rows()

    assert len(buckets) == BUCKETS
    assert {place: count for place, count in enumerate(buckets) if count} == {
        0: 1,
        1: 1,
        BUCKETS - 2: 1,
        BUCKETS - 1: 1,
    }


def test_what_callers_make_up_has_one_name() -> None:
    counts = Counts()
    counts.observe("Invented", 404, 0.1)

    assert [(name, status) for name, status, _, _ in counts.rows()] == [(OTHER, 404)]


def test_every_status_that_is_answered_has_a_row() -> None:
    modelled = {one.status for one in ServiceException.__subclasses__() if hasattr(one, "status")}
    tables = {row.status for row in (*FRONT_DOOR, *SIGN_IN)}

    assert modelled | tables | {200} <= set(STATUSES)
    assert 429 in modelled
