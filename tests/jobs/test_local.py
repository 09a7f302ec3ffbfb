"""Processes of the local executor: how long they stay, and what they are given."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children, parent_process
from pathlib import Path

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor
from compute_optimizer.jobs.executors.local import (
    RESOURCES_PER_PROCESS,
    kept_locally,
    locally,
)

FOR_TWO = 2 * RESOURCES_PER_PROCESS


@dataclass(frozen=True)
class Named:
    """A task."""

    name: str


TASKS = [Named("one"), Named("other")]


def process_of_both(meeting: Path, task: Named) -> int:
    """Return which process this is, once the other one has the other task."""
    # Whoever opens a pipe waits for whoever opens its other end.
    with meeting.open("rb" if parent_process() is None else "wb"):
        return os.getpid()


def meeting_in(folder: Path, name: str) -> Callable[[Named], int]:
    os.mkfifo(folder / name)
    return partial(process_of_both, folder / name)


def processes(executor: Executor, work: Callable[[Named], int]) -> set[int]:
    return set(executor(work, TASKS, lambda done, total: None, resources=FOR_TWO))


def test_jobs_of_one_block_share_their_processes(tmp_path: Path) -> None:
    with kept_locally(2) as executor:
        first = processes(executor, meeting_in(tmp_path, "first"))
        second = processes(executor, meeting_in(tmp_path, "second"))
        alive = {one.pid for one in active_children()}

    assert first == second
    assert first > {os.getpid()}
    assert first - {os.getpid()} <= alive
    assert not first & {one.pid for one in active_children()}


def test_jobs_without_a_block_end_their_processes(tmp_path: Path) -> None:
    found = processes(locally(2), meeting_in(tmp_path, "alone"))

    assert len(found) == 2
    assert not found & {one.pid for one in active_children()}


def refuse(task: Named) -> int:
    raise InvalidInput(f"not {task.name}")


def test_a_job_that_fails_leaves_processes_that_work(tmp_path: Path) -> None:
    with kept_locally(2) as executor:
        first = processes(executor, meeting_in(tmp_path, "first"))
        with pytest.raises(InvalidInput, match=r"not (one|other)"):
            processes(executor, refuse)
        assert processes(executor, meeting_in(tmp_path, "second")) == first


class Shared:
    """What the tasks of a job share: it leaves a file where it is forgotten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __del__(self) -> None:
        (self.folder / str(os.getpid())).touch()


def with_shared(meeting: Path, shared: Shared, task: Named) -> int:
    return process_of_both(meeting, task)


def test_a_process_forgets_what_the_tasks_shared_once_their_job_is_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "meeting")
    with kept_locally(2) as executor:
        work = partial(with_shared, tmp_path / "meeting", Shared(tmp_path))
        (other,) = processes(executor, work) - {os.getpid()}

        assert (tmp_path / str(other)).exists()
        # It is asked while the process is there, which forgets all with its end.
        assert other in {one.pid for one in active_children()}


PIECE_BYTES = 64 * 1024
"""Small enough to come from the heap: what has 128 KiB or more goes back by itself (mallopt(3))."""

PIECES = 2_048
"""128 MiB of them, against which what else a process takes is little."""


HELD: list[bytes] = []


def amid_much(meeting: Path, task: Named) -> int:
    """Take much memory and let it go, but for the last piece."""
    HELD.extend([bytes(PIECE_BYTES) for _ in range(PIECES)][-1:])
    return process_of_both(meeting, task)


def resident_bytes(process: int) -> int:
    _, pages, *_ = Path(f"/proc/{process}/statm").read_text().split()
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_a_process_gives_back_what_a_job_took_once_it_is_over(tmp_path: Path) -> None:
    with kept_locally(2) as executor:
        (other,) = processes(executor, meeting_in(tmp_path, "first")) - {os.getpid()}
        before = resident_bytes(other)
        processes(executor, partial(amid_much, tmp_path / "first"))

        assert resident_bytes(other) - before < PIECES * PIECE_BYTES / 4
