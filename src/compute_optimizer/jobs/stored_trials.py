"""The trials of the metric store's instances, made where their shards are read.

    this process -> spans and dimensions -> a task for each shard: reads, tries, describes
    a few kilobytes for each resource and trial -> joined in the order of shards -> scored here

So samples of weeks stay with the tasks, and the scores are those of a fleet in one piece.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from compute_optimizer.backtest.described import Described, described, together
from compute_optimizer.backtest.fleet import CPU, FleetFacts
from compute_optimizer.backtest.options import Options
from compute_optimizer.backtest.past import Span, Trials
from compute_optimizer.backtest.policies import POLICIES, Policy
from compute_optimizer.backtest.run import options_for
from compute_optimizer.backtest.trial import make_trial
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor
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
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.resources.ec2.dimensions import METRICS
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore, tiles_of_window

GLANCED_AT = 8
"""Shards whose newest day is opened to guess which dimensions the fleet has."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What trials are asked for."""

    spans: Callable[[FleetFacts], Sequence[Span]]
    """Raises InvalidInput for origins that the fleet does not have."""
    dimensions: tuple[str, ...] = ()
    """Empty for all that the fleet has."""
    compared: bool = False
    """Whether the rules of the service and its peers are tried too."""
    processor_speed: bool = False
    """Whether faster processors count as larger."""


@dataclass(frozen=True, slots=True)
class _Trying:
    """Everything that another process needs to try one shard."""

    reading: Reading
    spans: tuple[Span, ...]
    asked: tuple[str, ...]
    """The dimensions of the trials, in the order of the options' capacities."""
    compared: bool
    processor_speed: bool

    @property
    def shard(self) -> ShardKey:
        """Return the shard that it is about."""
        return self.reading.shard


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """What a task tells of a shard."""

    resources: int
    dimensions: frozenset[str]
    """Those that the shard has, asked for or not."""
    averaged: bool
    trials: tuple[Described, ...]
    """In the order of the spans."""


def stored_trials(
    state: State,
    tiles: TileStore,
    asked: Asked,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
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

    def tried(dimensions: tuple[str, ...]) -> tuple[tuple[Span, ...], list[_Tried]]:
        spans = tuple(asked.spans(_facts(readings, dimensions)))
        tasks = [
            _Trying(one, spans, dimensions, asked.compared, asked.processor_speed)
            for one in readings.tasks
        ]
        return spans, work_off(_try, tasks, progress, resources=readings.resources)

    spans, found = tried(wanted)
    there = dimensions_of(one.dimensions for one in found)
    if not asked.dimensions and there != wanted:
        wanted = there
        spans, found = tried(wanted)
    _check_there(wanted, there)
    facts = _facts(readings, wanted, [one for one in found if one.resources])
    return _joined(facts, _options(wanted, asked.processor_speed), spans, found, asked.compared)


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


def _try(task: _Trying) -> _Tried:
    """Read a shard, and describe its trials."""
    part = read_part(task.reading)
    if not part.ids:
        return _Tried(0, frozenset(), averaged=False, trials=())
    fleet = joined_fleet([part], task.reading.window, tuple(engine_dimensions(task.asked)))
    options, policies = _options(task.asked, task.processor_speed), _policies(task.compared)
    chosen = fleet.of(task.asked)
    return _Tried(
        resources=len(part.ids),
        dimensions=frozenset(part.demand),
        averaged=part.averaged,
        trials=tuple(
            described(make_trial(chosen, options, *span), policies) for span in task.spans
        ),
    )


def _options(dimensions: Sequence[str], processor_speed: bool) -> Options:
    return options_for(load_instance_types(), dimensions, processor_speed)


def _policies(compared: bool) -> tuple[Policy, ...]:
    return POLICIES if compared else ()


def _joined(
    facts: FleetFacts,
    options: Options,
    spans: Sequence[Span],
    found: Sequence[_Tried],
    compared: bool,
) -> Trials:
    """Return the trials of the fleet from those of its shards, in the order of the shards."""
    known = [one for one in found if one.resources]
    firsts = np.cumsum([0, *(one.resources for one in known)])[:-1].tolist()
    made = {
        span: together([one.trials[place] for one in known], firsts, _policies(compared))
        for place, span in enumerate(spans)
    }
    return Trials(facts, options, made.__getitem__)
