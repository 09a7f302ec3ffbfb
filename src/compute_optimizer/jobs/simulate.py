"""Simulate: what a fleet would cost, and how often it would be hurt, under other preferences."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count, groupby, product
from typing import Any

import numpy as np

from compute_optimizer.backtest.what_if import Outcome, clipped, excess_harm, pareto, violated
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.engine.prediction import Prediction
from compute_optimizer.engine.usage import choose_series
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor
from compute_optimizer.jobs.simulated_fleets import Shard, SimulatedFleet
from compute_optimizer.model.counted import counted
from compute_optimizer.model.effective_preferences import LONGEST_LOOK_BACK
from compute_optimizer.model.metrics import Window, look_back
from compute_optimizer.model.preferences import (
    ARCHITECTURES,
    CALIBRATED,
    CURRENT,
    DEFAULT_PREFERENCES,
    Preferences,
)
from compute_optimizer.model.recommendation import HOURS_PER_MONTH
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.ec2.analysis import Measured
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, WIRE_NAMES
from compute_optimizer.resources.ec2.preferred_types import preferred_types
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

LEAST_DAYS = 10
"""Days of samples from which the last third is a test window by default."""

TEST_SHARE = 3
"""One part in so many of the days is the test window."""

LOWEST_PERCENTILE = 50.0
"""Percent: below the median a rule says nothing about peaks."""

CPU_PERCENTILES = (90.0, 95.0, 99.5)
CPU_HEADROOMS = (0.0, 0.2, 0.3)
MEMORY_HEADROOMS = (0.1, 0.2, 0.3)
"""The values of utilizationPreferences on the wire (spec 4.1)."""

BOTH = "BOTH"
"""Options of unchanged architectures and of AWS_ARM64, ranked together."""

POOLS = {**{name: (name,) for name in ARCHITECTURES}, BOTH: ARCHITECTURES}
"""What an architecture of the grid ranks."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the steps that are done and their number."""

Lists = tuple[tuple[str, ...], ...]
"""Lists of instance types; an empty one restricts nothing."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The values of every axis; each combination is a grid point."""

    percentiles: tuple[float, ...] = (DEFAULT_PREFERENCES.cpu_percentile,)
    cpu_headrooms: tuple[float, ...] = (DEFAULT_PREFERENCES.cpu_headroom,)
    memory_headrooms: tuple[float, ...] = (DEFAULT_PREFERENCES.memory_headroom,)
    lookbacks: tuple[int, ...] = (DEFAULT_PREFERENCES.lookback_days,)
    architectures: tuple[str, ...] = (CURRENT,)
    includes: Lists = ((),)
    excludes: Lists = ((),)
    risk_caps: tuple[float | None, ...] = (None,)
    """None stands for the published rule, a cap for the calibrated profile."""
    incidents_usd: tuple[float | None, ...] = (None,)
    """What a violation is held to cost; None for what the risk model says."""


WIRE_GRID = Grid(CPU_PERCENTILES, CPU_HEADROOMS, MEMORY_HEADROOMS)
"""Every value of utilizationPreferences that the service knows: 27 points."""

RISK_CAPS = (0.01, 0.05, 0.1, 0.2, 0.5)

CALIBRATED_GRID = Grid(risk_caps=RISK_CAPS)
"""The calibrated profile from careful to bold."""


@dataclass(slots=True)
class Tally:
    """Sums of one grid point over the shards."""

    cost_now: float = 0.0
    cost_after: float = 0.0
    changed: int = 0
    violated: int = 0


@dataclass(slots=True)
class Totals:
    """Sums that no grid point changes."""

    resources: int = 0
    judged: int = 0
    """With a recommendation under the default preferences."""
    unpriced: int = 0
    tested: int = 0
    """Judged at the origin and not clipped before it."""


def points_of(grids: Sequence[Grid]) -> list[GridPoint]:
    """Return every combination of each grid, once.

    Raises InvalidInput for a value that no analysis can use.
    """
    return list(dict.fromkeys(point for grid in grids for point in _points_of(grid)))


def _points_of(grid: Grid) -> list[GridPoint]:
    _check(grid)
    lists = list(product(dict.fromkeys(grid.includes), dict.fromkeys(grid.excludes)))
    return [
        GridPoint(preferences, POOLS[architecture], include, exclude)
        for preferences in dict.fromkeys(_preferences_of(grid))
        for include, exclude in lists
        for architecture in dict.fromkeys(grid.architectures)
    ]


def _preferences_of(grid: Grid) -> Iterator[Preferences]:
    axes = product(
        grid.lookbacks,
        grid.percentiles,
        grid.cpu_headrooms,
        grid.memory_headrooms,
        grid.risk_caps,
        grid.incidents_usd,
    )
    for days, percent, cpu, memory, cap, usd in axes:
        asked = replace(
            DEFAULT_PREFERENCES,
            lookback_days=days,
            cpu_percentile=percent,
            cpu_headroom=cpu,
            memory_headroom=memory,
        )
        # What a violation costs means nothing to the published rule.
        calibrated = replace(asked, profile=CALIBRATED, risk_cap=cap or 0.0, incident_usd=usd)
        yield asked if cap is None else calibrated


def _check(grid: Grid) -> None:
    ranges: tuple[tuple[str, Sequence[float], float, float, str], ...] = (
        ("percentile", grid.percentiles, LOWEST_PERCENTILE, 100, "a percentage"),
        ("CPU headroom", grid.cpu_headrooms, 0, 0.9, "a share of the capacity"),
        ("memory headroom", grid.memory_headrooms, 0, 0.9, "a share of the capacity"),
        ("look-back", grid.lookbacks, 1, LONGEST_LOOK_BACK, "days"),
        ("risk cap", [c for c in grid.risk_caps if c is not None], 0, 1, "a probability"),
        ("incident", [u for u in grid.incidents_usd if u is not None], 0, 1e9, "USD"),
    )
    for name, values, least, most, unit in ranges:
        for value in values:
            if not least <= value <= most:
                raise InvalidInput(
                    f"the {name} {value:g} is out of range; expected {unit} from {least:g} to "
                    f"{most:g}"
                )
    types = load_instance_types()
    for include, exclude in product(grid.includes, grid.excludes):
        preferred_types(types, include, exclude)


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
    progress: Progress = lambda doing, done, total: None,
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
        sums = _one_by_one(tasks, tell)
    else:
        number = sum(len(one.resources) for one in fleet.shards)
        sums = executor(_simulate_shard, tasks, tell, resources=number)
    tallies, totals = {point: Tally() for point in points}, Totals()
    # In the order of the shards, wherever they were worked off: sums of floats depend on it.
    for one in sums:
        for point, tally in zip(points, one.tallies, strict=True):
            _add_fields(tallies[point], tally)
        _add_fields(totals, one.totals)
    return _report(fleet, tested, tallies, totals)


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
class _Sums:
    """Of one shard."""

    tallies: tuple[Tally, ...]
    """In the order of the grid points."""
    totals: Totals


def _one_by_one(tasks: Sequence[_Simulating], progress: Callable[[int, int], None]) -> list[_Sums]:
    """Simulate shards in this process, and tell when a grid point of one is done."""
    steps = sum(len(one.points) * (1 if one.tested is None else 2) for one in tasks)
    done = count(1)
    return [_simulate_shard(one, lambda: progress(next(done), steps)) for one in tasks]


def _simulate_shard(task: _Simulating, tell: Callable[[], None] = lambda: None) -> _Sums:
    """Return the sums of a shard; `tell` is called whenever a grid point is done."""
    tallies, totals = {point: Tally() for point in task.points}, Totals()
    for _ in _simulated(task, tallies, totals):
        tell()
    return _Sums(tuple(tallies.values()), totals)


def _simulated(
    task: _Simulating, tallies: Mapping[GridPoint, Tally], totals: Totals
) -> Iterator[None]:
    """Add a shard to the sums; yields whenever a grid point is done."""
    last = look_back(task.as_of, 1).last
    past = _Past(task.part, last, task.points, task.model)
    yield from _compare(past, tallies, totals, task.compared_with)
    if task.tested is not None:
        before = task.tested.first - timedelta(days=1)
        past = _Past(task.part, before, task.points, task.model)
        yield from _test(task.part, past, task.tested, tallies, totals)


def _add_fields(to: Tally | Totals, more: Tally | Totals) -> None:
    for one in fields(to):
        setattr(to, one.name, getattr(to, one.name) + getattr(more, one.name))


def _compare(
    past: "_Past",
    tallies: Mapping[GridPoint, Tally],
    totals: Totals,
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
    for point, _, found in past.advised(tallies):
        _add(tallies[point], found, before)
        yield


def _test(
    shard: Shard,
    past: "_Past",
    tested: Window,
    tallies: Mapping[GridPoint, Tally],
    totals: Totals,
) -> Iterator[None]:
    """Add whom the advice before the origin would have hurt after it."""
    at_origin = past.measured(DEFAULT_POINT)
    judged = np.array([obstacle is None for obstacle in at_origin.obstacles], np.bool_)
    scored = judged & ~clipped(at_origin.chosen)
    totals.tested += int(scored.sum())
    harm = _harm(shard, tested, at_origin)
    for point, measured, found in past.advised(tallies):
        hurt = violated(harm, found.type_index, measured.places) & scored
        tallies[point].violated += int(hurt.sum())
        yield


class _Past:
    """The samples of a shard up to a day, measured once for each look-back period."""

    def __init__(
        self, shard: Shard, last: date, points: Sequence[GridPoint], model: RiskModel
    ) -> None:
        self._model = model
        self._predicted: dict[int, Prediction] = {}
        self._resources, self._points = shard.resources, (DEFAULT_POINT, *points)
        longest = max(_look_back_of(point) for point in self._points)
        self._samples = shard.read(Window(last - timedelta(days=longest - 1), last))
        self._measured: dict[int, Measured] = {}

    def measured(self, point: GridPoint) -> Measured:
        """Return the statistics of the point's look-back period, deep enough for all points."""
        days = _look_back_of(point)
        if days not in self._measured:
            alike = [one for one in self._points if _look_back_of(one) == days]
            self._measured[days] = measured_over(
                self._resources, self._samples, load_instance_types(), days, alike
            )
        return self._measured[days]

    def predicted(self, point: GridPoint) -> Prediction | None:
        """Return the coming peaks as seen over the point's look-back period, where it asks."""
        if point.preferences.profile != CALIBRATED:
            return None
        days = _look_back_of(point)
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


def _look_back_of(point: GridPoint) -> int:
    return point.preferences.lookback_days


def _harm(shard: Shard, tested: Window, at_origin: Measured) -> Booleans:
    after = choose_series(shard.read(tested), tuple(WIRE_NAMES))
    return excess_harm(after, DIMENSIONS, at_origin.capacity, at_origin.market.capacity)


def _add(tally: Tally, found: Advice, before: Advice) -> None:
    priced = np.isfinite(found.current_price) & np.isfinite(found.price)
    tally.cost_now += float(found.current_price[priced].sum()) * HOURS_PER_MONTH
    tally.cost_after += float(found.price[priced].sum()) * HOURS_PER_MONTH
    tally.changed += int(changed(found, before).sum())


def _report(
    fleet: SimulatedFleet,
    tested: Window | None,
    tallies: Mapping[GridPoint, Tally],
    totals: Totals,
) -> dict[str, Any]:
    rows = [_row(point, tally, totals, tested) for point, tally in tallies.items()]
    scored = tested is not None and totals.tested > 0
    if scored:
        outcomes = [Outcome(row["cost_after"], row["violations"]) for row in rows]
        for row, best in zip(rows, pareto(outcomes), strict=True):
            row["pareto"] = best
    return {
        "fleet": fleet.name,
        "as_of": fleet.as_of.isoformat(),
        "first_day": fleet.days.first.isoformat(),
        "last_day": fleet.days.last.isoformat(),
        "resources": totals.resources,
        "judged": totals.judged,
        "unpriced": totals.unpriced,
        "origin": tested.first.isoformat() if tested else None,
        "test_days": tested.days if tested else None,
        "tested": totals.tested if tested else None,
        "notes": _notes(fleet, tested, tallies, totals),
        "points": rows,
    }


def _row(point: GridPoint, tally: Tally, totals: Totals, tested: Window | None) -> dict[str, Any]:
    preferences = point.preferences
    saved = tally.cost_now - tally.cost_after
    scored = tested is not None and totals.tested > 0
    return {
        "percentile": preferences.cpu_percentile,
        "cpu_headroom": preferences.cpu_headroom,
        "memory_headroom": preferences.memory_headroom,
        "lookback_days": preferences.lookback_days,
        "profile": preferences.profile,
        "risk_cap": preferences.risk_cap if preferences.profile == CALIBRATED else None,
        "incident_usd": preferences.incident_usd,
        "architecture": next(name for name in POOLS if POOLS[name] == point.architectures),
        "include": list(point.include),
        "exclude": list(point.exclude),
        "default": point == DEFAULT_POINT,
        "cost_now": tally.cost_now,
        "cost_after": tally.cost_after,
        "savings": saved,
        "savings_share": saved / tally.cost_now if tally.cost_now else 0.0,
        "changed": tally.changed,
        "violated": tally.violated if scored else None,
        "violations": tally.violated / totals.tested if scored else None,
        "pareto": None,
    }


def _notes(
    fleet: SimulatedFleet,
    tested: Window | None,
    points: Iterable[GridPoint],
    totals: Totals,
) -> list[str]:
    """Return what a reader must know about the figures."""
    found = []
    days = fleet.days.days
    if tested is None:
        found.append(
            f"No violations: {counted(days, 'days')} of samples are too few to hold back a third; "
            f"{LEAST_DAYS} are needed, or an --origin."
        )
    elif not totals.tested:
        found.append(
            "No violations: before the origin no resource has 30 hours of CPU samples below its "
            "ceiling."
        )
    longest = max(_look_back_of(point) for point in points)
    if longest > days:
        found.append(
            f"Look-backs beyond {counted(days, 'days')} see the same: there are no older samples."
        )
    if tested is not None and longest > days - tested.days:
        found.append(
            "Violations come from advice on at most the "
            f"{counted(days - tested.days, 'days')} before the origin."
        )
    if totals.unpriced:
        found.append(
            f"Without a known price, so in no cost: {counted(totals.unpriced, 'resources')}."
        )
    return found
