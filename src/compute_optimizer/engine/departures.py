"""What was stored with a recommendation, held against what is explained now."""

from collections.abc import Callable, Iterator
from typing import Any

from compute_optimizer.engine.explanation import Departure, Explanation
from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.options import first_option
from compute_optimizer.model.preferences import CURRENT
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Recommendation,
    StoredDemand,
)
from compute_optimizer.model.summary import Summary

Machines = Ec2InstanceRecommendation | AutoScalingGroupRecommendation

CLOSE = 1e-6
"""Relative: samples are float32, so closer demands are the same."""


def departures(told: Explanation, stored: Machines) -> tuple[Departure, ...]:
    """Return where an explanation as of the same moment departs from the stored recommendation.

    It does when samples came in later, or the inventory, catalog or prices changed.
    """
    pairs = _facts(told, stored)
    return tuple(Departure(*pair) for pair in pairs if pair[1] != pair[2])


def record_departures(
    stored: Recommendation, now: Recommendation | None, summary: Callable[[Any], Summary]
) -> tuple[Departure, ...]:
    """Return where a recommendation made again departs from the stored one, of any type."""
    then, again = _of_record(stored, summary), {} if now is None else _of_record(now, summary)
    return tuple(
        Departure(fact, then.get(fact, "none"), again.get(fact, "none"))
        for fact in {**then, **again}
        if then.get(fact) != again.get(fact)
    )


def _of_record(one: Any, summary: Callable[[Any], Summary]) -> dict[str, str]:
    """Return the facts of a recommendation as texts: its answer, and what it was seen to use."""
    told = summary(one)
    facts = {
        "finding": one.finding.value,
        "reason codes": ", ".join(told.reason_codes) or "none",
        "what it is": told.current,
        "first option": told.recommended or "none",
        "price date": str(one.price_date),
    }
    used = {
        f"{u.name} {u.source_statistic}": f"{u.value:.6g}" for u in getattr(one, "utilization", ())
    }
    return facts | used


def _facts(told: Explanation, stored: Machines) -> Iterator[tuple[str, str, str]]:
    """Yield name, stored and present text of every fact that both know."""
    yield "finding", stored.finding.value, told.finding
    first = first_option(stored.options)
    yield "first option", first.instance_type if first else "none", _first_option(told)
    yield "instance type", stored.current_instance_type, told.instance_type
    if stored.evidence is None:
        return
    yield "price date", str(stored.evidence.price_date), str(told.price_date)
    then = {demand.dimension: demand for demand in stored.evidence.demands}
    for one in told.dimensions:
        before = then.get(one.dimension)
        samples = before.samples if before else 0
        # Where neither knows a demand nobody sent metrics.
        if before or one.demand is not None:
            yield f"{one.dimension} samples", str(samples), str(one.samples)
            yield f"{one.dimension} demand", *_demands(before, one.demand)


def _demands(before: StoredDemand | None, now: float | None) -> tuple[str, str]:
    then = before.demand if before else None
    if then is not None and now is not None and abs(then - now) <= CLOSE * abs(then):
        return "", ""
    return _text(then), _text(now)


def _text(demand: float | None) -> str:
    return "unknown" if demand is None else f"{demand:.6g}"


def _first_option(told: Explanation) -> str:
    ranked = (one for one in told.considered if one.ranks.get(CURRENT) == 1)
    return next((one.instance_type for one in ranked), "none")
