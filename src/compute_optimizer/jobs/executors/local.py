"""The executor of one machine: this process, and a pool of others where the work is worth it."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection as multiprocessing_connection
from multiprocessing import get_context, parent_process
from typing import Any

from compute_optimizer.errors import ComputeOptimizerError
from compute_optimizer.interfaces import Executor, Found, Task
from compute_optimizer.jobs.executors.naming import attempt
from compute_optimizer.store.tile_files import decoding_threads, limit_decoding

RESOURCES_PER_PROCESS = 8_192
"""Resources that make another process worth its start, which takes a second or two of imports: as
long as one process needs for half as many (benchmarks/analysis_rate.py)."""


def locally(workers: int = 0) -> Executor:
    """Return what works off tasks on this machine.

    `workers` counts this process; 0 means one per core, and a small fleet needs no other.
    """
    return partial(_work_off, workers)


def available_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _work_off(
    workers: int,
    work: Callable[[Task], Found],
    tasks: Sequence[Task],
    progress: Callable[[int, int], None],
    *,
    resources: int,
) -> list[Found]:
    """Work off all tasks in that many processes, of which this one is the first."""
    worthwhile = max(1, resources // RESOURCES_PER_PROCESS)
    others = min(workers or available_cores(), worthwhile, max(1, len(tasks))) - 1
    waiting, done = deque(enumerate(tasks)), dict[int, Found]()

    def take(run: Callable[[Task], Found]) -> None:
        try:
            for place, task in _taken_from(waiting):
                done[place] = run(task)
                progress(len(done), len(tasks))
        finally:
            # After a failure nobody needs to go on; without one there is nothing left.
            waiting.clear()

    here = partial(attempt, work)
    if not others:
        take(here)
        return [done[place] for place in range(len(tasks))]
    # Between them the processes keep every core busy: more threads would only take turns.
    threads = max(1, available_cores() // (others + 1))
    with (
        _explained_loss(),
        decoding_threads(threads),
        ProcessPoolExecutor(others, get_context("spawn"), _prepare_worker, (threads, work)) as pool,
        ThreadPoolExecutor(others) as lanes,
    ):
        lane = [
            lanes.submit(take, lambda task: pool.submit(_attempt, task).result())
            for _ in range(others)
        ]
        take(here)
        for one in lane:
            one.result()
    return [done[place] for place in range(len(tasks))]


@contextmanager
def _explained_loss() -> Iterator[None]:
    """Explain a process that is gone."""
    try:
        yield
    except BrokenProcessPool:
        raise ComputeOptimizerError(
            "a process of the analysis was ended from outside, perhaps for want of memory; the "
            "former recommendations stand. Analyze again, with fewer --workers if it repeats"
        ) from None


def _taken_from(waiting: deque[tuple[int, Task]]) -> Iterator[tuple[int, Task]]:
    """Take tasks until none is left; several threads take from the same queue."""
    while True:
        try:
            yield waiting.popleft()
        except IndexError:
            return


_given: Callable[[Any], Any]
"""What this process does with its tasks; it may hold much, so it does not come with each."""


def _prepare_worker(threads: int, work: Callable[[Any], Any]) -> None:
    """Let the parent decide when to stop: also when it is killed without a chance to say so.

    `threads` are those that decode tiles here.
    """
    global _given
    _given = work
    limit_decoding(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _attempt(task: Any) -> Any:
    """Work off a task in another process."""
    return attempt(_given, task)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        multiprocessing_connection.wait([parent.sentinel])
        os._exit(1)
