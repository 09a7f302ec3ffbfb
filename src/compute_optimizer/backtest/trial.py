"""One trial: what was known before an origin, and what each option would have done after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from compute_optimizer.backtest.fleet import CPU, MEMORY, TraceFleet
from compute_optimizer.backtest.options import Options, cheapest_that_carries
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE
from compute_optimizer.engine.idle import IDLE_PEAK_CPU
from compute_optimizer.engine.peaks import FORGIVEN, HORIZON_DAYS, peak_of
from compute_optimizer.engine.prediction import SATURATED_SHARE
from compute_optimizer.engine.usage import MINIMUM_SAMPLES, count_samples
from compute_optimizer.model.metrics import SLOTS_PER_DAY, SLOTS_PER_HOUR, Matrix

T = TypeVar("T")

TRAIN_DAYS = 14
TEST_DAYS = HORIZON_DAYS

LENIENT_TOLERANCE = 0.005
"""The same, as lenient as a P99.5 is."""


@dataclass(frozen=True, slots=True, eq=False)
class Train:
    """All that a policy may see: the demand before the origin, and today's capacity."""

    demand: Mapping[str, Matrix]
    """By dimension, (resources, slots); the last slot is the newest."""
    current: Floats
    """Capacity of the current option, (resources, dimensions)."""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions in the order of every array's last axis."""
        return tuple(self.demand)

    def last_days(self, days: int) -> "Train":
        """Return the same with the newest days only."""
        slots = days * SLOTS_PER_DAY
        return replace(self, demand={name: m[:, -slots:] for name, m in self.demand.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Harm:
    """What the options would have done to the test window; every array is (resources, options)."""

    excess: Booleans
    """Violated in some dimension where the current option is not."""
    lenient: Booleans
    """The same at the lenient tolerance."""
    by_dimension: Mapping[str, Booleans]
    """Excess violations of one dimension."""
    unserved: Floats
    """Hours of vCPU beyond what the current option would have left unserved."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One origin; every array has a row per resource that could be judged at the origin."""

    origin: int
    """First day of the test window, counted from the fleet's first day."""
    test_days: int
    resources: Integers
    """Rows of the fleet."""
    train: Train
    options: Options
    current: Integers
    """The cheapest option that carries what is provisioned."""
    clipped: Booleans
    """Saturated before the origin: demand is known from below only."""
    clipped_later: Booleans
    """Saturated in the test window."""
    idle: Booleans
    """Never used as much of their CPU before the origin as the finding Idle allows."""
    idle_later: Booleans
    """The same in the test window; unknown without samples, and then not idle."""
    unseen: Booleans
    """Without any sample in the test window."""
    coming: Mapping[str, Floats]
    """By dimension the peak of the test window, (resources,); NaN without a sample."""
    demanded: Floats
    """Hours of vCPU in the test window."""
    harm: Harm
    memo: dict[object, Any] = field(default_factory=dict)
    """What was computed of this trial already; only `remembered` writes it."""

    @property
    def current_price(self) -> Floats:
        """USD per hour of the current options."""
        return self.options.price[self.current]

    def remembered(self, key: object, compute: Callable[[], T]) -> T:
        """Return what was computed under a key before, or compute it now."""
        if key not in self.memo:
            self.memo[key] = compute()
        found: T = self.memo[key]
        return found

    @property
    def counted(self) -> Integers:
        """Rows of the resources that count for savings and violations: those not clipped."""
        return np.flatnonzero(~self.clipped)


def make_trial(
    fleet: TraceFleet,
    options: Options,
    origin: int,
    train_days: int = TRAIN_DAYS,
    test_days: int = TEST_DAYS,
) -> Trial:
    """Return the trial of a fleet at an origin (a day number).

    Who is in it is decided before the origin: at least 30 hours of CPU samples and a known
    capacity. Coverage of the test window plays no part.
    """
    before = slice(max(0, origin - train_days) * SLOTS_PER_DAY, origin * SLOTS_PER_DAY)
    after = slice(origin * SLOTS_PER_DAY, (origin + test_days) * SLOTS_PER_DAY)
    days = slice(max(0, origin - train_days), origin)
    provisioned = _provisioned(fleet, options.dimensions, days)
    enough = count_samples(fleet.demand[CPU][:, before]) >= MINIMUM_SAMPLES
    rows = np.flatnonzero(enough & _carried(options, provisioned))
    current = cheapest_that_carries(options, provisioned[rows])
    # Slots first: the rows of a window are copied, and not those of all days.
    trained, tested = (
        {name: fleet.demand[name][:, window][rows] for name in options.dimensions}
        for window in (before, after)
    )
    train = Train(trained, options.capacity[current])
    capacity = train.current[:, options.dimensions.index(CPU)]
    return Trial(
        origin=origin,
        test_days=test_days,
        resources=rows,
        train=train,
        options=options,
        current=current,
        clipped=_clipped(fleet, rows, before),
        clipped_later=_clipped(fleet, rows, after),
        idle=_idle(train.demand[CPU], capacity),
        idle_later=_idle(tested[CPU], capacity),
        unseen=count_samples(tested[CPU]) == 0,
        coming={name: peak_of(matrix, forgiven(name)) for name, matrix in tested.items()},
        demanded=np.asarray(np.nansum(tested[CPU], axis=1, dtype=np.float64)) / SLOTS_PER_HOUR,
        harm=_harm(tested, options, current),
    )


def forgiven(dimension: str) -> float:
    """Return the share of the intervals in which demand may exceed the capacity."""
    return 0.0 if dimension == MEMORY else FORGIVEN


def _provisioned(fleet: TraceFleet, dimensions: tuple[str, ...], days: slice) -> Floats:
    """Return the largest capacity of the days, (resources, dimensions); NaN asks for nothing."""
    asked = np.full((len(fleet.ids), len(dimensions)), np.nan)
    for place, name in enumerate(dimensions):
        if name in fleet.provisioned:
            asked[:, place] = np.fmax.reduce(fleet.provisioned[name][:, days], axis=1)
    return asked


def _carried(options: Options, provisioned: Floats) -> Booleans:
    """Return whose provisioned CPU and memory are known and within the largest option."""
    stated = [p for p, name in enumerate(options.dimensions) if name in (CPU, MEMORY)]
    largest = options.capacity[cheapest_that_carries(options, provisioned)]
    # A comparison with NaN is false: what is unknown is not carried.
    carried = largest[:, stated] >= provisioned[:, stated]
    found: Booleans = np.logical_and.reduce(carried, axis=1)
    return found


def _clipped(fleet: TraceFleet, rows: Integers, window: slice) -> Booleans:
    samples = np.maximum(count_samples(fleet.demand[CPU][rows, window]), 1)
    share = np.count_nonzero(fleet.saturated[rows, window], axis=1) / samples
    found: Booleans = share > SATURATED_SHARE
    return found


def _idle(cpu: Matrix, capacity: Floats) -> Booleans:
    """Return whose CPU stayed below the service's threshold; traffic is not looked at."""
    found: Booleans = np.fmax.reduce(cpu, axis=1, initial=np.nan) < IDLE_PEAK_CPU / 100 * capacity
    return found


def _harm(tested: Mapping[str, Matrix], options: Options, current: Integers) -> Harm:
    strict: dict[str, Booleans] = {}
    lenient = np.zeros((len(current), len(options.price)), np.bool_)
    unserved = np.zeros(lenient.shape)
    for place, (name, matrix) in enumerate(tested.items()):
        capacity = options.capacity[:, place]
        above, beyond = exceedances(matrix, capacity)
        present = count_samples(matrix)[:, None]
        strict[name] = _excess(above > forgiven(name) * present, current)
        leniently = 0 if name == MEMORY else LENIENT_TOLERANCE * present
        lenient |= _excess(above > leniently, current)
        if name == CPU:
            hours = beyond / SLOTS_PER_HOUR
            unserved = np.maximum(hours - hours[np.arange(len(current)), current][:, None], 0)
    excess = np.logical_or.reduce(list(strict.values()))
    return Harm(excess, lenient, strict, unserved)


def _excess(violated: Booleans, current: Integers) -> Booleans:
    """Return which violations the current option would not have had."""
    own = violated[np.arange(len(current)), current]
    return violated & ~own[:, None]


def exceedances(demand: Matrix, capacity: Floats) -> tuple[Integers, Floats]:
    """Return by how many samples, and by how much in sum, demand exceeds each capacity.

    `demand` is (resources, slots), `capacity` (options,); both results (resources, options).
    """
    levels, level_of = np.unique(capacity, return_inverse=True)
    limits = (levels * (1 + FIT_TOLERANCE)).astype(np.float32)
    above = np.empty((len(demand), len(levels)), np.int64)
    beyond = np.empty(above.shape)
    for row, series in enumerate(demand):
        ordered = np.sort(series[np.isfinite(series)])
        first = np.searchsorted(ordered, limits, side="right")
        above[row] = len(ordered) - first
        sums = np.concatenate([[0.0], np.cumsum(ordered[::-1], dtype=np.float64)])
        beyond[row] = sums[above[row]] - above[row] * levels
    return above[:, level_of], beyond[:, level_of]
