"""What would change the answer: other demands and other preferences, by the same engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from msgspec import structs

from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.explanation import (
    Answer,
    OtherPreference,
    TippingPoint,
    WhatWouldChange,
)
from compute_optimizer.engine.finding import finding_of
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.options import CURRENT_POOL
from compute_optimizer.engine.ranking import NONE
from compute_optimizer.engine.recommender import Decisions, decide
from compute_optimizer.engine.repetition import with_demand
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.resource import Resource
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.resources.ec2.analysis import Ec2Analysis, analyze
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS

PRESETS = {
    "cpu_percentile": (90.0, 95.0, 99.5),
    "cpu_headroom": (0.0, 0.2, 0.3),
    "memory_headroom": (0.1, 0.2, 0.3),
}
"""Values that the service offers for each preference (spec 4.1)."""

RISK_CAPS = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Caps that are tried where the predicted risk decides."""

FARTHEST = 2.0**10
"""Times the capacity, up and down: sizes of one family differ by 2**8 at most."""

POINTS = 48
ROUNDS = 3
"""Of narrowing down 2**20: a tipping point is found to 2**20 ** (1 / 47**3), 0.02 %."""

ASPECTS = ("finding", "first_option")


@dataclass(frozen=True, slots=True)
class _Search:
    """Demands of one dimension between which the answer may change, nearest first."""

    place: int
    aspect: str
    start: float
    end: float


def answer_of(analysis: Ec2Analysis) -> Answer:
    """Return the answer to a batch of one."""
    obstacle = analysis.obstacles[0]
    return Answer(obstacle.code, None) if obstacle else _answers(analysis.decisions, analysis)[0]


def what_would_change(
    resource: Resource,
    samples: ShardSamples,
    analysis: Ec2Analysis,
    preferences: Preferences,
    risk_model: RiskModel | None = None,
) -> WhatWouldChange | None:
    """Return what would change the answer to a batch of one; None where there is none."""
    if analysis.obstacles[0] is not None:
        return None
    return WhatWouldChange(
        answer=answer_of(analysis),
        tipping_points=tuple(_tipping_points(analysis)),
        preferences=tuple(_other_preferences(resource, samples, analysis, preferences, risk_model)),
    )


def _answers(decisions: Decisions, analysis: Ec2Analysis) -> list[Answer]:
    names = analysis.market.types.names
    first = decisions.options.types[:, CURRENT_POOL, 0].tolist()
    rows = zip(decisions.over.tolist(), decisions.under.tolist(), first, strict=True)
    return [
        Answer(finding_of(any(over), any(under)).value, None if place == NONE else names[place])
        for over, under, place in rows
    ]


def _other_preferences(
    resource: Resource,
    samples: ShardSamples,
    analysis: Ec2Analysis,
    preferences: Preferences,
    risk_model: RiskModel | None,
) -> Iterator[OtherPreference]:
    today = answer_of(analysis)
    calibrated = analysis.fleet.prediction is not None
    tried = {"risk_cap": RISK_CAPS} if calibrated else PRESETS
    for name, values in tried.items():
        for value in values:
            if value == getattr(preferences, name):
                continue
            changed: dict[str, Any] = {name: value}
            wanted = structs.replace(preferences, **changed)
            other = analyze([resource], samples, analysis.market.types, wanted, risk_model)
            answer = answer_of(other)
            yield OtherPreference(name, value, answer.differs(today), answer)


def _tipping_points(analysis: Ec2Analysis) -> Iterator[TippingPoint]:
    """Yield the tipping points, dimension by dimension; one that changes all is one point."""
    today = answer_of(analysis)
    searches = list(_searches(analysis.fleet))
    for _ in range(ROUNDS):
        searches = _narrowed(analysis, searches, today)
    ends = {(search.place, search.end): search for search in searches}
    answers = _answers_at(analysis, list(ends))
    for (place, end), answer in sorted(zip(ends, answers, strict=True)):
        used = float(analysis.fleet.demand.used[0, place])
        yield TippingPoint(
            dimension=DIMENSIONS[place].name,
            unit=DIMENSIONS[place].unit,
            demand=None if np.isnan(used) else used,
            demand_then=end,
            changes=answer.differs(today),
            answer=answer,
        )


def _searches(fleet: Fleet) -> Iterator[_Search]:
    """Yield where to look: up and down from today's demand of every dimension that is judged."""
    for place, dimension in enumerate(DIMENSIONS):
        capacity, used = (float(a[0, place]) for a in (fleet.demand.capacity, fleet.demand.used))
        if np.isnan(capacity):
            continue
        if np.isnan(used) and dimension.never_reduced_blindly:
            # Unknown use holds today's capacity: as if that were just what is asked for.
            used = capacity * (1 - float(fleet.headrooms[place]))
        lowest, highest = capacity / FARTHEST, capacity * FARTHEST
        start = used if used > 0 else lowest
        for aspect in ASPECTS:
            yield _Search(place, aspect, start, max(highest, start))
            if start > lowest:
                yield _Search(place, aspect, start, lowest)


def _narrowed(analysis: Ec2Analysis, searches: Sequence[_Search], today: Answer) -> list[_Search]:
    """Return the searches between the last same and the first other answer; none where none is."""
    grids = [np.geomspace(one.start, one.end, POINTS).tolist() for one in searches]
    trials = [(s.place, demand) for s, grid in zip(searches, grids, strict=True) for demand in grid]
    answers = iter(_answers_at(analysis, trials))
    found = []
    for search, grid in zip(searches, grids, strict=True):
        other = [search.aspect in next(answers).differs(today) for _ in grid]
        if any(other):
            first = other.index(True)
            narrow = replace(search, start=grid[max(0, first - 1)], end=grid[first])
            found.append(narrow)
    return found


def _answers_at(analysis: Ec2Analysis, trials: Sequence[tuple[int, float]]) -> list[Answer]:
    """Return the answers with other demands: (dimension, demand) each."""
    if not trials:
        return []
    places = np.array([place for place, _ in trials])
    demands: Floats = np.array([demand for _, demand in trials])
    fleet = with_demand(analysis.fleet, places, demands)
    return _answers(decide(fleet, analysis.market, DIMENSIONS), analysis)
