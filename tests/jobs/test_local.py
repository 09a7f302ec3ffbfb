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
