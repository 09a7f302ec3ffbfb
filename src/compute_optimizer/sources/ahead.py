"""Work that is done ahead of whoever takes its results, and no further than memory allows."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(
    pool: Executor, work: Callable[[T], R], items: Iterable[T], at_most: int
) -> Generator[tuple[T, R], None, None]:
    """Yield every item with the result of the work on it, in order; raises what the work raises.

    At most so many items are under way or wait to be taken.
    """
    under_way: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            under_way.append((item, pool.submit(work, item)))
            if len(under_way) >= at_most:
                first, result = under_way.popleft()
                yield first, result.result()
        while under_way:
            first, result = under_way.popleft()
            yield first, result.result()
    finally:
        for _, result in under_way:
            result.cancel()
