"""Simulate: what a fleet would cost, and how often it would be hurt, under other preferences."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count, groupby
from typing import Any

import numpy as np

from compute_optimizer.backtest.grid import CALIBRATED_GRID, WIRE_GRID, Grid, points_of
from compute_optimizer.backtest.what_if import clipped, excess_harm, violated
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.engine.prediction import Prediction
from compute_optimizer.engine.usage import choose_series
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor, Progress, StageProgress, no_progress
from compute_optimizer.jobs.simulated_fleets import Shard, SimulatedFleet
from compute_optimizer.jobs.simulation_report import LEAST_DAYS, FleetSums, PointSums, report
from compute_optimizer.model.metrics import Window, look_back
from compute_optimizer.model.preferences import CALIBRATED
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.ec2.analysis import Measured
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, WIRE_NAMES
from compute_optimizer.resources.ec2.what_if import (
    DEFAULT_POINT,
    NOT_JUDGED,
    Advice,
    GridPoint,
    advice,
    changed,
    decisions_at,
    measured_over,
    predicted_over,
)

TEST_SHARE = 3
"""One part in so many of the days is the test window."""


def test_window(fleet: SimulatedFleet, origin: date | None) -> Window | None:
    """Return the days to test on; None where there are too few and nobody named an origin.

    Raises InvalidInput for an origin with no day before it or none after it.
    """
    if origin is None:
        if fleet.days.days < LEAST_DAYS:
            return None
        held_back = fleet.days.days // TEST_SHARE
        return Window(fleet.days.last - timedelta(days=held_back - 1), fleet.days.last)
    if not fleet.days.first < origin <= fleet.days.last:
        raise InvalidInput(
            f"--origin {origin} leaves no day to learn from or none to test on; expected a day "
            f"after {fleet.days.first} and up to {fleet.days.last}"
        )
    return Window(origin, fleet.days.last)


def simulate(
    fleet: SimulatedFleet,
    grids: Sequence[Grid] = (WIRE_GRID, CALIBRATED_GRID),
    origin: date | None = None,
    progress: StageProgress = no_progress,
    risk_model: RiskModel | None = None,
    compared_with: GridPoint = DEFAULT_POINT,
    executor: Executor | None = None,
) -> dict[str, Any]:
    """Return cost, savings, changes and violations of every grid point, ready for JSON.

    The risk model is the one that ships unless another is given; changes are counted against the
    advice of the point `compared_with`, which has to be one of the grids' unless it is the default.
    This process simulates, or an `executor`, which tells progress by shards and not by grid points.
    Raises InvalidInput for what no analysis can use.
    """
    points = tuple(points_of(grids))
    model = risk_model or load_risk_prior()
    tested = test_window(fleet, origin)
    tasks = [
        _Simulating(one, fleet.as_of, tested, points, model, compared_with) for one in fleet.shards
    ]
    tell = partial(progress, "Simulating")
    if executor is None:
        shards = _one_by_one(tasks, tell)
    else:
        number = sum(len(one.resources) for one in fleet.shards)
        shards = executor(_simulate_shard, tasks, tell, resources=number)
    by_point, totals = {point: PointSums() for point in points}, FleetSums()
    # In the order of the shards, wherever they were worked off: sums of floats depend on it.
    for one in shards:
        for point, sums in zip(points, one.by_point, strict=True):
            _add_fields(by_point[point], sums)
        _add_fields(totals, one.totals)
    return report(fleet, tested, by_point, totals)


@dataclass(frozen=True, slots=True)
class _Simulating:
    """Everything that another process needs to simulate one shard."""

    part: Shard
    as_of: datetime
    tested: Window | None
    points: tuple[GridPoint, ...]
    model: RiskModel
    compared_with: GridPoint

    @property
    def name(self) -> str:
        """Return what people call its shard."""
        return self.part.key.name


@dataclass(frozen=True, slots=True)
class _ShardSums:
    """Of one shard."""

    by_point: tuple[PointSums, ...]
    """In the order of the grid points."""
    totals: FleetSums


def _one_by_one(tasks: Sequence[_Simulating], progress: Progress) -> list[_ShardSums]:
    """Simulate shards in this process, and tell when a grid point of one is done."""
    steps = sum(len(one.points) * (1 if one.tested is None else 2) for one in tasks)
    done = count(1)
    return [_simulate_shard(one, lambda: progress(next(done), steps)) for one in tasks]


def _simulate_shard(task: _Simulating, tell: Callable[[], None] = lambda: None) -> _ShardSums:
    """Return the sums of a shard; `tell` is called whenever a grid point is done."""
    by_point, totals = {point: PointSums() for point in task.points}, FleetSums()
    for _ in _simulated(task, by_point, totals):
        tell()
    return _ShardSums(tuple(by_point.values()), totals)


def _simulated(
    task: _Simulating, by_point: Mapping[GridPoint, PointSums], totals: FleetSums
) -> Iterator[None]:
    """Add a shard to the sums; yields whenever a grid point is done."""
    last = look_back(task.as_of, 1).last
    past = _Past(task.part, last, task.points, task.model)
    yield from _compare(past, by_point, totals, task.compared_with)
    if task.tested is not None:
        before = task.tested.first - timedelta(days=1)
        past = _Past(task.part, before, task.points, task.model)
        yield from _test(task.part, past, task.tested, by_point, totals)


def _add_fields(to: PointSums | FleetSums, more: PointSums | FleetSums) -> None:
    for one in fields(to):
        setattr(to, one.name, getattr(to, one.name) + getattr(more, one.name))


def _compare(
    past: "_Past",
    by_point: Mapping[GridPoint, PointSums],
    totals: FleetSums,
    compared_with: GridPoint,
) -> Iterator[None]:
    """Add cost and changes of the advice that all samples lead to."""
    ((_, _, default),) = past.advised([DEFAULT_POINT])
    totals.resources += len(default.finding)
    totals.judged += int((default.finding != NOT_JUDGED).sum())
    totals.unpriced += int(np.isnan(default.current_price).sum())
    before = default
    if compared_with != DEFAULT_POINT:
        ((_, _, before),) = past.advised([compared_with])
    for point, _, found in past.advised(by_point):
        _add(by_point[point], found, before)
        yield


def _test(
    shard: Shard,
    past: "_Past",
    tested: Window,
    by_point: Mapping[GridPoint, PointSums],
    totals: FleetSums,
) -> Iterator[None]:
    """Add whom the advice before the origin would have hurt after it."""
    at_origin = past.measured(DEFAULT_POINT)
    judged = np.array([obstacle is None for obstacle in at_origin.obstacles], np.bool_)
    scored = judged & ~clipped(at_origin.chosen)
    totals.tested += int(scored.sum())
    harm = _harm(shard, tested, at_origin)
    for point, measured, found in past.advised(by_point):
        hurt = violated(harm, found.type_index, measured.places) & scored
        by_point[point].violated += int(hurt.sum())
        yield


class _Past:
    """The samples of a shard up to a day, measured once for each look-back period."""

    def __init__(
        self, shard: Shard, last: date, points: Sequence[GridPoint], model: RiskModel
    ) -> None:
        self._model = model
        self._predicted: dict[int, Prediction] = {}
        self._resources, self._points = shard.resources, (DEFAULT_POINT, *points)
        longest = max(point.preferences.lookback_days for point in self._points)
        self._samples = shard.read(Window(last - timedelta(days=longest - 1), last))
        self._measured: dict[int, Measured] = {}

    def measured(self, point: GridPoint) -> Measured:
        """Return the statistics of the point's look-back period, deep enough for all points."""
        days = point.preferences.lookback_days
        if days not in self._measured:
            alike = [one for one in self._points if one.preferences.lookback_days == days]
            self._measured[days] = measured_over(
                self._resources, self._samples, load_instance_types(), days, alike
            )
        return self._measured[days]

    def predicted(self, point: GridPoint) -> Prediction | None:
        """Return the coming peaks as seen over the point's look-back period, where it asks."""
        if point.preferences.profile != CALIBRATED:
            return None
        days = point.preferences.lookback_days
        if days not in self._predicted:
            self._predicted[days] = predicted_over(self.measured(point), self._model)
        return self._predicted[days]

    def advised(self, points: Iterable[GridPoint]) -> Iterator[tuple[GridPoint, Measured, Advice]]:
        """Return the advice for every point; points that differ in architecture share the work."""
        for _, alike in groupby(points, lambda one: replace(one, architectures=())):
            first, *others = alike
            measured = self.measured(first)
            decisions = decisions_at(measured, first, self.predicted(first))
            for point in (first, *others):
                found = advice(self._resources, measured, decisions, point.architectures)
                yield point, measured, found


def _harm(shard: Shard, tested: Window, at_origin: Measured) -> Booleans:
    after = choose_series(shard.read(tested), tuple(WIRE_NAMES))
    return excess_harm(after, DIMENSIONS, at_origin.capacity, at_origin.market.capacity)


def _add(sums: PointSums, found: Advice, before: Advice) -> None:
    priced = np.isfinite(found.current_price) & np.isfinite(found.price)
    sums.cost_now += float(found.current_price[priced].sum()) * HOURS_PER_MONTH
    sums.cost_after += float(found.price[priced].sum()) * HOURS_PER_MONTH
    sums.changed += int(changed(found, before).sum())
