"""Trials that were described by parts are, bit by bit, those of the fleet in one piece.

Also where all that is done with them is done elsewhere, in another order.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from compute_optimizer.backtest.ablation import LEARNERS, ablation_study
from compute_optimizer.backtest.described import Asking, described, together, without_samples
from compute_optimizer.backtest.fitting import fit_fleet, fit_trials, spans_to_fit
from compute_optimizer.backtest.fleet import CPU, MEMORY, TraceFleet
from compute_optimizer.backtest.past import Span, Trials, View, trials_of, viewed
from compute_optimizer.backtest.policies import POLICIES
from compute_optimizer.backtest.run import (
    COMPARED,
    Settings,
    options_for,
    origins_among,
    run,
    scored,
    spans_of,
)
from compute_optimizer.backtest.studies import (
    STUDIED,
    lookback_spans,
    lookback_study,
    robustness_study,
    robustness_views,
)
from compute_optimizer.backtest.trial import Trial
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.interfaces import Found, Task
from tests.backtest.fleets import random_fleet

TYPES = load_instance_types()
SETTINGS = Settings((CPU, MEMORY), budgets=(0.05,))
OPTIONS = options_for(TYPES, SETTINGS.dimensions)
COMPARING = Asking(COMPARED)

CUTS = (0, 17, 18, 23, 46)
"""Rows at which parts begin, and the end: one of a single machine, and one that is silent."""

SILENT = slice(18, 23)


def silenced(fleet: TraceFleet) -> TraceFleet:
    """Return the fleet in which one part has too few samples to be judged at all."""
    demand = {name: matrix.copy() for name, matrix in fleet.demand.items()}
    for matrix in demand.values():
        matrix[SILENT, 3:] = np.nan
    return replace(fleet, demand=demand)


FLEET = silenced(random_fleet(CUTS[-1], 28, seed=51))


def part_of(fleet: TraceFleet, rows: slice) -> TraceFleet:
    return replace(
        fleet,
        ids=fleet.ids[rows],
        demand={name: matrix[rows] for name, matrix in fleet.demand.items()},
        provisioned={name: matrix[rows] for name, matrix in fleet.provisioned.items()},
        saturated=fleet.saturated[rows],
    )


def trial_of_parts(view: View, asking: Asking) -> Trial:
    rows = [slice(*pair) for pair in pairwise(CUTS)]
    parts = [viewed(part_of(FLEET, one), OPTIONS, view) for one in rows]
    assert [len(one.resources) for one in parts][2] == 0
    return together([described(one, asking) for one in parts], CUTS[:-1], asking)


def trials_of_parts(asked: Mapping[View, Asking]) -> Trials:
    made = {view: trial_of_parts(view, asking) for view, asking in asked.items()}
    return Trials(FLEET.facts, OPTIONS, made.__getitem__)


def asked_for(spans: Sequence[Span], asking: Asking = COMPARING) -> dict[View, Asking]:
    return {View(span): asking for span in spans}


def far_away(
    work: Callable[[Task], Found],
    tasks: Sequence[Task],
    progress: Callable[[int, int], None],
    *,
    resources: int,
) -> list[Found]:
    """Work off tasks from the last to the first, each as if in a process of its own."""
    sent, found = pickle.dumps(work), []
    for task in reversed(tasks):
        there, one = pickle.loads(sent), pickle.loads(pickle.dumps(task))
        found.append(pickle.loads(pickle.dumps(there(one))))
    return found[::-1]


def test_scores_are_those_of_the_fleet_in_one_piece() -> None:
    trials = trials_of_parts(asked_for(spans_of(FLEET.facts, SETTINGS)))

    assert scored(trials, SETTINGS, executor=far_away) == run(FLEET, TYPES, SETTINGS)


def test_a_fit_is_that_of_the_fleet_in_one_piece() -> None:
    trials = trials_of_parts(asked_for(spans_to_fit(FLEET.facts), Asking()))

    assert fit_trials(trials, executor=far_away) == fit_fleet(FLEET, TYPES)


def test_worse_data_and_next_days_are_those_of_the_fleet_in_one_piece() -> None:
    views = robustness_views(FLEET.facts, SETTINGS)
    advised = dict.fromkeys(views, Asking(STUDIED, taught=False))
    trials = trials_of_parts(advised | asked_for(spans_of(FLEET.facts, SETTINGS)))

    found = robustness_study(trials, SETTINGS, executor=far_away)

    assert found == robustness_study(trials_of(FLEET, OPTIONS), SETTINGS)


def test_lookbacks_are_those_of_the_fleet_in_one_piece() -> None:
    spans = lookback_spans(FLEET.facts, SETTINGS, (7, 14))
    trials = trials_of_parts(asked_for(spans, Asking(STUDIED)))

    found = lookback_study(trials, SETTINGS, (7, 14), executor=far_away)

    assert found == lookback_study(trials_of(FLEET, OPTIONS), SETTINGS, (7, 14))


def test_other_features_are_those_of_the_fleet_in_one_piece() -> None:
    spans = spans_of(FLEET.facts, SETTINGS)
    trials = trials_of_parts(asked_for(spans, Asking(POLICIES, LEARNERS)))

    found = ablation_study(trials, SETTINGS, executor=far_away)

    assert found == ablation_study(trials_of(FLEET, OPTIONS), SETTINGS)


def test_knobs_of_another_fleet_need_none_of_its_samples() -> None:
    trials, other = (trials_of(one, OPTIONS) for one in (FLEET, random_fleet(30, 28, seed=52)))

    found = scored(trials, SETTINGS, without_samples(other, COMPARING))

    assert found == scored(trials, SETTINGS, other)


def test_what_nobody_described_is_asked_in_vain() -> None:
    trials = trials_of_parts(asked_for(spans_of(FLEET.facts, SETTINGS)))
    (origin, *_) = origins_among(trials, SETTINGS)

    with pytest.raises(LookupError, match="the samples of cpu are not here"):
        origin.trial.train.last_days(3)
