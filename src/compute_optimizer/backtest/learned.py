"""What the past of every origin teaches each fold: fits and knobs, as parts of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from compute_optimizer.backtest.choosing import past_of
from compute_optimizer.backtest.learning import ENGINE, Knowledge
from compute_optimizer.backtest.origin import Origin
from compute_optimizer.backtest.parts import Part, worked_off
from compute_optimizer.backtest.policies import Policy
from compute_optimizer.interfaces import Executor, Progress

LESSON_ANALYSES = 1
"""What teaching one fold by a past window of a resource takes, in analyses of a resource: 0.2 ms of
processor time where an analysis takes 0.25 (two dimensions, 800 generated machines, 2026-11-26)."""


def learn(
    origins: Sequence[Origin],
    folds: Sequence[Sequence[int]],
    policies: Sequence[Policy],
    executor: Executor,
    progress: Progress,
) -> None:
    """Let every origin remember what some of its folds may know: the models, and what was tried.

    `folds` are those of each origin.
    """
    parts = [
        Part(
            f"fold {fold} of the origin on day {origin.trial.origin}",
            place,
            partial(_known_to, tuple(policies), fold),
        )
        for place, origin in enumerate(origins)
        for fold in folds[place]
    ]
    windows = sum(len(trial.resources) for part in parts for trial in origins[part.place].past)
    found = worked_off(executor, origins, parts, progress, resources=LESSON_ANALYSES * windows)
    for part, known in zip(parts, found, strict=True):
        origins[part.place].recall(known)


def _known_to(policies: Sequence[Policy], fold: int, origin: Origin) -> Mapping[object, Any]:
    """Return what an origin remembers after one fold has learned."""
    mine = replace(origin, memo={})
    Knowledge(ENGINE, mine).models(fold)
    for policy in policies:
        if policy.adjustable:
            past_of(policy, mine, fold)
    return mine.memo
