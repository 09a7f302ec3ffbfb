"""From the report of a backtest to the few figures that are followed over time."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from compute_optimizer.backtest.advice import DEFAULT
from compute_optimizer.backtest.calibration import JOINT
from compute_optimizer.backtest.deployment import key_of
from compute_optimizer.backtest.intervals import wilson
from compute_optimizer.backtest.run import CALIBRATED_BUDGET
from compute_optimizer.model.backtested import Backtested, Headline, Milestone

ASKED = key_of(CALIBRATED_BUDGET)
"""The budget at which rules are compared, as reports name it."""

Report = Mapping[str, Any]


def milestone_of(one: Backtested) -> Milestone | None:
    """Return what is kept of a backtest for good; None where there was too little data."""
    days = window_of(one)
    if days is None:
        return None
    return Milestone(
        account_id=one.account_id,
        resource_type=one.resource_type,
        made_at=one.made_at,
        made_by=one.made_by,
        resources=one.resources,
        replayed=one.replayed,
        first_day=days[0].isoformat(),
        last_day=days[1].isoformat(),
        origins=len(one.report["origins"]),
        headline=headline_of(one.report),
    )


def window_of(one: Backtested) -> tuple[date, date] | None:
    """Return the first and the last day that were replayed; None where nothing was."""
    fleet = one.report.get("fleet")
    if not fleet:
        return None
    first = date.fromisoformat(fleet["first_day"])
    return first, first + timedelta(days=fleet["days"] - 1)


def headline_of(report: Report) -> Headline:
    """Return the figures of a report: of the product's own advice, asked for 5 % at most."""
    if "policies" in report["overall"]:
        return _compared(report)
    told = report["overall"]
    hurt = told["violations_of_reduced"]
    return _headline(told, None if hurt is None else 1 - hurt)


def _compared(report: Report) -> Headline:
    """Return the figures of instances, of which risk is predicted."""
    told = report["overall"]["policies"][DEFAULT]["deployed"][ASKED]
    origins = report["origins"]
    every = [whole_of_dimensions(one["calibration"]) for one in origins]
    number = sum(one["resources"] for one in every)
    observed = sum(one["observed"] for one in every)
    expected = sum(one["expected"] for one in every)
    return _headline(told, _hit_rate(origins), observed, expected, number)


def _hit_rate(origins: list[Report]) -> float | None:
    """Return the share of reductions that did no harm, over all origins."""
    deployed = [one["policies"][DEFAULT]["deployed"][ASKED] for one in origins]
    counts = [(one.get("downsized", 0), one.get("downsizing_precision")) for one in deployed]
    number = sum(count for count, _ in counts)
    return sum(count * (share or 0.0) for count, share in counts) / number if number else None


def _headline(
    told: Report,
    hit_rate: float | None,
    observed: int | None = None,
    expected: float | None = None,
    number: int = 0,
) -> Headline:
    interval = None
    if observed is not None and expected:
        low, high = wilson(observed, number)
        interval = low * number / expected, high * number / expected
    low, high = told["violations_interval"]
    saved = told["savings_interval"]
    return Headline(
        violations=told["violations"],
        violations_interval=(low, high),
        savings=told["savings"],
        savings_interval=None if saved is None else (saved[0], saved[1]),
        hit_rate=hit_rate,
        observed=observed,
        expected=expected,
        ratio_interval=interval,
    )


def whole_of_dimensions(calibration: Report) -> Report:
    """Return the calibration of any dimension."""
    found: Report = calibration.get(JOINT) or next(iter(calibration.values()))
    return found
