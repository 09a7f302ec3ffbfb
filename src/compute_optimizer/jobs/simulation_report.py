"""What a simulation says: sums of every grid point, and what a reader must know about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.backtest.grid import POOLS
from compute_optimizer.backtest.what_if import Outcome, pareto
from compute_optimizer.jobs.simulated_fleets import SimulatedFleet
from compute_optimizer.model.counted import counted
from compute_optimizer.model.metrics import Window
from compute_optimizer.model.preferences import CALIBRATED
from compute_optimizer.resources.ec2.what_if import DEFAULT_POINT, GridPoint

LEAST_DAYS = 10
"""Days of samples from which the last third is a test window by default."""


@dataclass(slots=True)
class PointSums:
    """Sums of one grid point over the shards."""

    cost_now: float = 0.0
    cost_after: float = 0.0
    changed: int = 0
    violated: int = 0


@dataclass(slots=True)
class FleetSums:
    """Sums that no grid point changes."""

    resources: int = 0
    judged: int = 0
    """With a recommendation under the default preferences."""
    unpriced: int = 0
    tested: int = 0
    """Judged at the origin and not clipped before it."""


def report(
    fleet: SimulatedFleet,
    tested: Window | None,
    by_point: Mapping[GridPoint, PointSums],
    totals: FleetSums,
) -> dict[str, Any]:
    """Return the report, ready for JSON: a row for each grid point, in their order."""
    rows = [_row(point, sums, totals, tested) for point, sums in by_point.items()]
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
        "notes": _notes(fleet, tested, by_point, totals),
        "points": rows,
    }


def _row(
    point: GridPoint, sums: PointSums, totals: FleetSums, tested: Window | None
) -> dict[str, Any]:
    preferences = point.preferences
    saved = sums.cost_now - sums.cost_after
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
        "cost_now": sums.cost_now,
        "cost_after": sums.cost_after,
        "savings": saved,
        "savings_share": saved / sums.cost_now if sums.cost_now else 0.0,
        "changed": sums.changed,
        "violated": sums.violated if scored else None,
        "violations": sums.violated / totals.tested if scored else None,
        "pareto": None,
    }


def _notes(
    fleet: SimulatedFleet,
    tested: Window | None,
    points: Iterable[GridPoint],
    totals: FleetSums,
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
    longest = max(point.preferences.lookback_days for point in points)
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
