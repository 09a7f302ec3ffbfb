"""An analysis by one and by two workers of Ray, beside one process without it.

    python -m benchmarks.ray_scaling [--instances 4000] [--rounds 5] [--tasks 500] [--output json]

All run in turn on this machine, over the same shards. Time on the clock says how work spreads where
there are processors that nobody else uses; the processor time of the tasks, which they measure
themselves, and that of the process that asks say what Ray adds, on a busy machine too. What Ray's
own processes take beside the tasks is in neither.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import ray

from benchmarks.analysis_rate import ACCOUNT, FixedClock, store_region
from benchmarks.measurement import Measurement, Report, add_output, show
from compute_optimizer.interfaces import Executor, Found, Task
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.executors.local import available_cores, locally
from compute_optimizer.jobs.executors.on_ray import handing_to, on_ray
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    *("eu-west-1", "eu-central-1", "ap-south-1", "sa-east-1"),
)
"""A shard each."""

ALONE, ONE, TWO = "one process", "Ray, 1 worker", "Ray, 2 workers"


@dataclass(frozen=True, slots=True)
class Empty:
    """A task without work."""

    name: str = "nothing"


@dataclass(slots=True)
class Spent:
    """Seconds of every round."""

    clock: list[float] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)
    """Processor time of the tasks."""
    asking: list[float] = field(default_factory=list)
    """Processor time of this process beside them."""


HELD_AGAINST = {ONE: (ALONE,), TWO: (ONE,)}

KINDS: tuple[tuple[str, Callable[[Spent], list[float]], bool], ...] = (
    ("on the clock", lambda spent: spent.clock, True),
    ("processor time of the tasks", lambda spent: spent.tasks, True),
    ("processor time of who asks", lambda spent: spent.asking, False),
)
"""What is told of each, and whether as ratios too."""


def nothing(task: Empty) -> None:
    """Do no work."""


def timed(work: Callable[[Task], Found], task: Task) -> tuple[Found, float]:
    """Return what a task found, and the processor time that it took."""
    began = process_time()
    found = work(task)
    return found, process_time() - began


def timing(execute: Executor, seconds: list[float]) -> Executor:
    """Return an executor that adds up the processor time of its tasks."""

    def run(work: Any, tasks: Any, progress: Any, *, resources: int) -> list[Any]:
        found = execute(partial(timed, work), tasks, progress, resources=resources)
        seconds.append(sum(spent for _, spent in found))
        return [one for one, _ in found]

    return run


def stored(folder: Path, instances: int) -> tuple[State, TileStore]:
    """Store a shard of instances in each Region."""
    state, tiles = State(f"sqlite:///{folder / 'state.db'}"), TileStore(folder / "tiles")
    state.migrate()
    change_enrollment(state, FixedClock(), ACCOUNT, "Active")
    for region in REGIONS:
        store_region(state, tiles, region, instances // len(REGIONS))
    return state, tiles


def analyzed(state: State, tiles: TileStore, execute: Executor, spent: Spent, here: bool) -> None:
    """Analyze once, and note what it took; `here` means in this process."""
    began, own = perf_counter(), process_time()
    analyze(state, tiles, FixedClock(), executor=timing(execute, spent.tasks))
    spent.clock.append(perf_counter() - began)
    asking = process_time() - own
    spent.asking.append(asking - spent.tasks[-1] if here else asking)


def emptied(execute: Executor, tasks: int) -> float:
    """Return the processor time that handing out a task without work takes this process."""
    began = process_time()
    execute(nothing, [Empty()] * tasks, lambda done, total: None, resources=0)
    return (process_time() - began) / tasks


def measure(instances: int, rounds: int, tasks: int) -> tuple[dict[str, Spent], list[float]]:
    """Return what each took in every round, and the seconds for handing out an empty task."""
    spent = {name: Spent() for name in (ALONE, ONE, TWO)}
    empty = []
    with (
        tempfile.TemporaryDirectory() as folder,
        on_ray(2) as two,
    ):
        state, tiles = stored(Path(folder), instances)
        # The same Ray, given one task at a time.
        runs = {ALONE: locally(1), ONE: handing_to(ray, 1), TWO: two}
        for _ in range(rounds + 1):
            for name, execute in runs.items():
                analyzed(state, tiles, execute, spent[name], name == ALONE)
            empty.append(emptied(two, tasks))
        state.close()
    return spent, empty


def reported(spent: dict[str, Spent], empty: list[float], note: dict[str, str]) -> Report:
    """Return the report, without the first round, in which Ray's processes import the program."""
    found = [
        Measurement(
            f"{name}: {what}",
            "s",
            tuple(seconds_of(one)[1:]),
            tuple(f"{other}: {what}" for other in others),
        )
        for what, seconds_of, compared in KINDS
        for name, one in spent.items()
        for others in [HELD_AGAINST.get(name, ()) if compared else ()]
    ]
    handing = Measurement("handing out an empty task", "ms", tuple(1_000 * s for s in empty[1:]))
    return Report((*found, handing), note)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=500)
    add_output(parser)
    options = parser.parse_args(arguments)
    spent, empty = measure(options.instances, options.rounds, options.tasks)
    note = {
        "fleet": f"{options.instances:,} instances x 14 days in {len(REGIONS)} shards",
        "machine": f"{available_cores()} processors, which tasks, Ray and who asks share",
    }
    show(reported(spent, empty, note), options.output)


if __name__ == "__main__":
    main()
