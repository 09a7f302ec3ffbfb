"""Trials that were described by parts are, bit by bit, those of the fleet in one piece."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from compute_optimizer.backtest.advice import DEFAULT_POLICY
from compute_optimizer.backtest.described import described, together
from compute_optimizer.backtest.fitting import fit_fleet, fit_trials, spans_to_fit
from compute_optimizer.backtest.fleet import CPU, MEMORY, TraceFleet
from compute_optimizer.backtest.past import Span, Trials
from compute_optimizer.backtest.policies import POLICIES
from compute_optimizer.backtest.run import (
    Settings,
    options_for,
    origins_among,
    run,
    scored,
    spans_of,
)
from compute_optimizer.backtest.trial import Trial, make_trial
from compute_optimizer.catalog import load_instance_types
from tests.backtest.fleets import random_fleet

TYPES = load_instance_types()
SETTINGS = Settings((CPU, MEMORY), budgets=(0.05,))
OPTIONS = options_for(TYPES, SETTINGS.dimensions)
POLICIES_TRIED = (DEFAULT_POLICY, *POLICIES)

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


def trial_of_parts(span: Span) -> Trial:
    rows = [slice(*pair) for pair in pairwise(CUTS)]
    parts = [make_trial(part_of(FLEET, one), OPTIONS, *span) for one in rows]
    assert [len(one.resources) for one in parts][2] == 0
    return together([described(one, POLICIES_TRIED) for one in parts], CUTS[:-1], POLICIES_TRIED)


def trials_of_parts(spans: Sequence[Span]) -> Trials:
    made = {span: trial_of_parts(span) for span in spans}
    return Trials(FLEET.facts, OPTIONS, made.__getitem__)


def test_scores_are_those_of_the_fleet_in_one_piece() -> None:
    trials = trials_of_parts(spans_of(FLEET.facts, SETTINGS))

    assert scored(trials, SETTINGS) == run(FLEET, TYPES, SETTINGS)


def test_a_fit_is_that_of_the_fleet_in_one_piece() -> None:
    assert fit_trials(trials_of_parts(spans_to_fit(FLEET.facts))) == fit_fleet(FLEET, TYPES)


def test_what_nobody_described_is_asked_in_vain() -> None:
    (origin, *_) = origins_among(trials_of_parts(spans_of(FLEET.facts, SETTINGS)), SETTINGS)

    with pytest.raises(LookupError, match="the samples of cpu are not here"):
        origin.trial.train.last_days(3)
