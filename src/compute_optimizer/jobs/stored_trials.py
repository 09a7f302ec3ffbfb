"""The trials of the metric store's instances, made where their shards are read.

    this process -> spans and dimensions -> a task for each shard: reads, tries, describes
    a few kilobytes for each resource and trial -> joined in the order of shards -> scored here

So samples of weeks stay with the tasks, and the scores are those of a fleet in one piece.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np

from compute_optimizer.backtest.described import Asking, Described, described, together
from compute_optimizer.backtest.fleet import CPU, FleetFacts
from compute_optimizer.backtest.options import Options
from compute_optimizer.backtest.past import Trials, View, viewed
from compute_optimizer.backtest.run import options_for
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor, Progress, no_progress
from compute_optimizer.jobs.executors.local import locally
from compute_optimizer.jobs.executors.naming import attempt
from compute_optimizer.jobs.stored_fleets import (
    ENGINE_DIMENSIONS,
    EVERYBODY,
    STORE,
    Reading,
    Readings,
    Whose,
    dimensions_of,
    engine_dimensions,
    joined_fleet,
    read_part,
    readings_of,
)
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.resources.ec2.dimensions import METRICS
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore, tiles_of_window

VIEW_ANALYSES = 5
"""What one trial of a resource takes, in analyses of a resource: 1.3 ms of processor time where an
analysis takes 0.25 (two dimensions, 800 generated machines, 2026-11-26)."""

GLANCED_AT = 8
"""Shards whose newest day is opened to guess which dimensions the fleet has."""


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """What trials are asked for."""

    views: Callable[[FleetFacts], Mapping[View, Asking]]
    """Raises InvalidInput for origins that the fleet does not have."""
    dimensions: tuple[str, ...] = ()
    """Empty for all that the fleet has."""
    processor_speed: bool = False
    """Whether faster processors count as larger."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is tried of every shard."""

    views: Mapping[View, Asking]
    dimensions: tuple[str, ...]
    """Of the trials, in the order of the options' capacities."""
    processor_speed: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """What a task tells of a shard."""

    resources: int
    dimensions: frozenset[str]
    """Those that the shard has, asked for or not."""
    averaged: bool
    trials: tuple[Described, ...]
    """In the order of the views."""


def stored_trials(
    state: State,
    tiles: TileStore,
    asked: TrialRequest,
    executor: Executor | None = None,
    progress: Progress = no_progress,
    whose: Whose = EVERYBODY,
) -> Trials:
    """Return the trials of the instances of opted-in accounts, made by this process or an executor.

    Where nobody says which dimensions count, those of a few shards are tried, and all shards once
    more if others have more or fewer. Raises Conflict where nobody opted in, and InvalidInput where
    there is no sample, or none of a dimension that is asked for.
    """
    readings = readings_of(state, tiles, asked.dimensions or tuple(ENGINE_DIMENSIONS), whose)
    wanted = asked.dimensions or _guessed(readings)
    work_off = executor or locally(workers=1)

    def tried(dimensions: tuple[str, ...]) -> tuple[Mapping[View, Asking], list[_Tried]]:
        views = asked.views(_facts(readings, dimensions))
        work = partial(_try, _Wanted(views, dimensions, asked.processor_speed))
        weight = VIEW_ANALYSES * len(views) * readings.resources
        return views, work_off(work, readings.tasks, progress, resources=weight)

    views, found = tried(wanted)
    there = dimensions_of(one.dimensions for one in found)
    if not asked.dimensions and there != wanted:
        wanted = there
        views, found = tried(wanted)
    _check_there(wanted, there)
    facts = _facts(readings, wanted, [one for one in found if one.resources])
    return _joined(facts, _options(wanted, asked.processor_speed), views, found)


def _facts(
    readings: Readings, dimensions: tuple[str, ...], found: Sequence[_Tried] = ()
) -> FleetFacts:
    averaged = any(one.averaged for one in found)
    return FleetFacts(
        name=STORE,
        resources=sum(one.resources for one in found),
        first=readings.window.first,
        days=readings.window.days,
        statistic=Statistic.AVERAGE if averaged else Statistic.MAXIMUM,
        dimensions=dimensions,
    )


def _check_there(wanted: Sequence[str], there: Sequence[str]) -> None:
    absent = [name for name in wanted if name not in there]
    if absent:
        raise InvalidInput(
            f"{STORE} has no dimension {absent[0]!r}; expected some of {', '.join(there)}"
        )


def _guessed(readings: Readings) -> tuple[str, ...]:
    """Return the dimensions that the newest day of some shards has, and the CPU."""
    seen = [attempt(_glance, one) for one in readings.tasks[:GLANCED_AT]]
    return tuple(name for name in ENGINE_DIMENSIONS if name == CPU or name in set().union(*seen))


def _glance(task: Reading) -> frozenset[str]:
    """Return the dimensions of which the newest day of a shard has a series."""
    with closing(State(task.state_url)) as state, state.reading() as connection:
        named = tiles_of_window(connection, task.shard, task.window)
    if not named:
        return frozenset()
    with task.tiles.open(named[-1].path) as file:
        metrics = {key.metric for key in file.keys & frozenset(METRICS)}
    dimensions = engine_dimensions(task.dimensions)
    return frozenset(name for name, one in dimensions.items() if metrics & set(one.metrics))


def _try(wanted: _Wanted, task: Reading) -> _Tried:
    """Read a shard, and describe its trials."""
    part = read_part(task)
    if not part.ids:
        return _Tried(0, frozenset(), averaged=False, trials=())
    known = tuple(engine_dimensions(wanted.dimensions))
    fleet = joined_fleet([part], task.window, known).of(wanted.dimensions)
    options = _options(wanted.dimensions, wanted.processor_speed)
    return _Tried(
        resources=len(part.ids),
        dimensions=frozenset(part.demand),
        averaged=part.averaged,
        trials=tuple(
            described(viewed(fleet, options, view), asking) for view, asking in wanted.views.items()
        ),
    )


def _options(dimensions: Sequence[str], processor_speed: bool) -> Options:
    return options_for(load_instance_types(), dimensions, processor_speed)


def _joined(
    facts: FleetFacts,
    options: Options,
    views: Mapping[View, Asking],
    found: Sequence[_Tried],
) -> Trials:
    """Return the trials of the fleet from those of its shards, in the order of the shards."""
    known = [one for one in found if one.resources]
    firsts = np.cumsum([0, *(one.resources for one in known)])[:-1].tolist()
    made = {
        view: together([one.trials[place] for one in known], firsts, asking)
        for place, (view, asking) in enumerate(views.items())
    }
    return Trials(facts, options, made.__getitem__)
