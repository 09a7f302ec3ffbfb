"""Parts of scoring that wait for nobody, so that an executor may work them off at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from compute_optimizer.interfaces import Executor, Found, Progress, Task


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be done with one of the things that all parts share."""

    name: str
    """What people call it."""
    place: int
    """Of the thing among the shared ones."""
    do: Callable[[Any], Any]
    """From the thing to what is found; like both of them it can be pickled."""


def in_turn(
    work: Callable[[Task], Found],
    tasks: Sequence[Task],
    progress: Progress,
    *,
    resources: int,
) -> list[Found]:
    """Work off tasks one after the other: the executor of whoever has none."""
    found = []
    for task in tasks:
        found.append(work(task))
        progress(len(found), len(tasks))
    return found


def worked_off(
    executor: Executor,
    shared: Sequence[Any],
    parts: Sequence[Part],
    progress: Progress,
    *,
    resources: int,
) -> list[Any]:
    """Return what is found of every part, in their order; `resources` as an executor takes it."""
    return executor(partial(_done, tuple(shared)), parts, progress, resources=resources)


def _done(shared: Sequence[Any], part: Part) -> Any:
    return part.do(shared[part.place])
