"""The product's own advice as a policy: least cost and expected harm, by the risk model."""

from functools import partial

import numpy as np

from compute_optimizer.backtest.learning import (
    ENGINE,
    INCIDENT_USD,
    Knowledge,
    Learner,
    cheapest_within,
    least_loss,
)
from compute_optimizer.backtest.origin import FOLDS, Origin
from compute_optimizer.backtest.policies import PRESETS, Policy, recommended
from compute_optimizer.backtest.trial import Trial
from compute_optimizer.engine import peaks
from compute_optimizer.engine.arrays import Booleans, Integers
from compute_optimizer.model.risk import USUAL_INCIDENT_USD

DEFAULT = "default"
"""Stands for what the product ships."""

PUBLISHED = PRESETS[7]
"""The rule for machines that were clipped, or that have too little history."""

CAPS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Caps on the risk of every single resource that a backtest reports."""


def least_loss_policy(name: str, learner: Learner = ENGINE) -> Policy:
    """Return the policy whose settings are prices of a violation."""
    return Policy(
        name,
        tuple(f"{usd:g} USD a violation" for usd in INCIDENT_USD),
        int(np.abs(np.log(np.array(INCIDENT_USD) / USUAL_INCIDENT_USD)).argmin()),
        partial(_learned_choices, learner),
        partial(recommended, PUBLISHED),
        learns=True,
    )


def _learned_choices(
    learner: Learner, origin: Origin, trial: Trial, fold: int, group: int | None
) -> Integers:
    knowledge, ruled = Knowledge(learner, origin), recommended(PUBLISHED, trial)
    if not knowledge.fitted(fold, group):
        return np.tile(ruled, (len(INCIDENT_USD), 1))
    risk = knowledge.risk(trial, fold, group)
    found = least_loss(trial, risk, INCIDENT_USD)
    return np.where(_ruled(learner, trial), ruled, found)


def _ruled(learner: Learner, trial: Trial) -> Booleans:
    """Return which resources follow the published rule: too little is known of their peak."""
    history = learner.history(trial, trial.options.dimensions[0])
    found: Booleans = trial.clipped | ~peaks.judged(history)
    return found


def within_caps(origin: Origin) -> dict[float, Integers]:
    """Return by cap the cheapest option of each unclipped resource whose own risk is within it."""
    trial, knowledge = origin.trial, Knowledge(ENGINE, origin)
    fold = origin.folds[trial.resources]
    found = {cap: np.zeros(len(fold), np.int64) for cap in CAPS}
    for one in range(FOLDS):
        mine, risk = fold == one, knowledge.risk(trial, one)
        for cap, chosen in found.items():
            chosen[mine] = cheapest_within(trial, risk, cap)[mine]
    return {cap: chosen[trial.counted] for cap, chosen in found.items()}


DEFAULT_POLICY = least_loss_policy(DEFAULT)
