"""The executor of one machine: this process, and others where the work is worth it."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from multiprocessing import connection as multiprocessing_connection
from multiprocessing import get_context, parent_process
from typing import Any

from compute_optimizer.errors import ComputeOptimizerError
from compute_optimizer.interfaces import Executor, Found, Progress, Task
from compute_optimizer.jobs.executors.memory import give_back
from compute_optimizer.jobs.executors.naming import attempt
from compute_optimizer.store.tile_files import decoding_threads

RESOURCES_PER_PROCESS = 8_192
"""Resources that make another process worth its start, which takes a second or two of imports: as
long as one process needs for half as many (benchmarks/analysis_rate.py)."""


def locally(workers: int = 0) -> Executor:
    """Return what works off tasks on this machine, and ends its processes with them.

    `workers` counts this process; 0 means one per core, and a small fleet needs no other.
    """
    return partial(_work_off_once, workers)


@contextmanager
def kept_locally(workers: int = 0) -> Iterator[Executor]:
    """Yield what `locally` returns, whose processes stay for whatever else the block works off."""
    # Each has one process, so that it is known which of them has been given what tasks share.
    others: list[ProcessPoolExecutor] = []
    try:
        yield partial(_work_off, workers, others)
    finally:
        # All at once: one after the other, many would take seconds.
        with ThreadPoolExecutor(max(1, len(others))) as ending:
            list(ending.map(lambda one: one.shutdown(), others))


def available_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _work_off_once(
    workers: int,
    work: Callable[[Task], Found],
    tasks: Sequence[Task],
    progress: Progress,
    *,
    resources: int,
) -> list[Found]:
    with kept_locally(workers) as executor:
        return executor(work, tasks, progress, resources=resources)


def _work_off(
    workers: int,
    others: list[ProcessPoolExecutor],
    work: Callable[[Task], Found],
    tasks: Sequence[Task],
    progress: Progress,
    *,
    resources: int,
) -> list[Found]:
    """Work off all tasks in that many processes, of which this one is the first.

    `others` are those that were started before; more are added where they are worth it.
    """
    worthwhile = max(1, resources // RESOURCES_PER_PROCESS)
    number = min(workers or available_cores(), worthwhile, max(1, len(tasks))) - 1
    waiting, done = deque(enumerate(tasks)), dict[int, Found]()

    def take(opened: AbstractContextManager[Callable[[Task], Found]]) -> None:
        try:
            with opened as run:
                for place, task in _taken_from(waiting):
                    done[place] = run(task)
                    progress(len(done), len(tasks))
        finally:
            # After a failure nobody needs to go on; without one there is nothing left.
            waiting.clear()

    here = nullcontext(partial(attempt, work))
    if not number:
        take(here)
        return [done[place] for place in range(len(tasks))]
    others += [_another() for _ in range(number - len(others))]
    # Between them the processes keep every core busy: more threads would only take turns.
    threads = max(1, available_cores() // (number + 1))
    with _explained_loss(), decoding_threads(threads), ThreadPoolExecutor(number) as lanes:
        lane = [lanes.submit(take, _given_to(other, threads, work)) for other in others[:number]]
        take(here)
        for one in lane:
            one.result()
    return [done[place] for place in range(len(tasks))]


def _another() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"), _prepare_worker)


@contextmanager
def _given_to(
    other: ProcessPoolExecutor, threads: int, work: Callable[[Task], Found]
) -> Iterator[Callable[[Task], Found]]:
    """Yield what works off a task in another process, which is given what all tasks share."""
    other.submit(_give, threads, work).result()
    yield lambda task: other.submit(_attempt, task).result()
    # It may hold much, and what comes next comes beside it.
    other.submit(_forget).result()


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


_given: tuple[int, Callable[[Any], Any]] | None = None
"""In how many threads this process decodes tiles, and what it does with its tasks: that may hold
much, so it does not come with each."""


def _prepare_worker() -> None:
    """Let the parent decide when to stop: also when it is killed without a chance to say so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _give(threads: int, work: Callable[[Any], Any]) -> None:
    """Take what the tasks share that follow."""
    global _given
    _given = (threads, work)


def _forget() -> None:
    """Forget what the tasks shared, and give back what it and they took."""
    global _given
    _given = None
    give_back()


def _attempt(task: Any) -> Any:
    """Work off a task in another process."""
    assert _given is not None, "tasks come after what they share"
    threads, work = _given
    with decoding_threads(threads):
        return attempt(work, task)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        multiprocessing_connection.wait([parent.sentinel])
        os._exit(1)
