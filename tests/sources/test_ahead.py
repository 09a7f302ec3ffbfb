"""Work that is done ahead of whoever takes its results."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from compute_optimizer.sources.ahead import ahead


def test_results_come_in_order_with_what_they_are_of() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(ahead(pool, lambda one: one * one, range(5), 3)) == [
            (0, 0),
            (1, 1),
            (2, 4),
            (3, 9),
            (4, 16),
        ]


def test_no_more_is_begun_than_may_wait() -> None:
    begun: list[int] = []
    with ThreadPoolExecutor(4) as pool:
        results = ahead(pool, begun.append, range(100), 3)
        next(results)

        # Three were begun before the first was taken.
        assert len(begun) <= 3
        results.close()


def test_what_the_work_raises_is_raised_and_the_rest_is_not_begun() -> None:
    blocked, begun = Event(), list[int]()

    def work(one: int) -> None:
        begun.append(one)
        if one == 0:
            raise ValueError("no")
        blocked.wait()

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match="no"):
            list(ahead(pool, work, range(10), 4))
        blocked.set()

    # One thread: it may have begun the next one before the first was taken.
    assert set(begun) <= {0, 1}
