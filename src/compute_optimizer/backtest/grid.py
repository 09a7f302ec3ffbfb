"""The grid of preferences under which a fleet is simulated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from msgspec import structs

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.effective_preferences import LONGEST_LOOK_BACK
from compute_optimizer.model.preferences import (
    ARCHITECTURES,
    CALIBRATED,
    CURRENT,
    DEFAULT_PREFERENCES,
    Preferences,
)
from compute_optimizer.resources.ec2.preferred_types import preferred_types
from compute_optimizer.resources.ec2.what_if import GridPoint

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
        asked = structs.replace(
            DEFAULT_PREFERENCES,
            lookback_days=days,
            cpu_percentile=percent,
            cpu_headroom=cpu,
            memory_headroom=memory,
        )
        # What a violation costs means nothing to the published rule.
        calibrated = structs.replace(
            asked, profile=CALIBRATED, risk_cap=cap or 0.0, incident_usd=usd
        )
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
