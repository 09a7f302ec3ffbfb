"""One origin: its trial, what happened before it, and who may learn from whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from compute_optimizer.backtest.trial import Trial
from compute_optimizer.engine.arrays import Booleans, Integers

T = TypeVar("T")

FOLDS = 5

NOBODY = -1
"""The fold of resources of another fleet: all of them may be learned from."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """One origin with what happened before it."""

    trial: Trial
    past: tuple[Trial, ...]
    folds: Integers
    """Of the fleet's resources."""
    past_folds: Integers
    """Of the resources of the fleet that the past is taken from: no fold learns from itself."""
    past_groups: Integers
    """Of the same: what is learned in the past is tried on a group that it was not learned on."""
    memo: dict[object, Any] = field(default_factory=dict)
    """What was computed already; only `remembered` and `recall` write it."""

    def remembered(self, key: object, compute: Callable[[], T]) -> T:
        """Return what was computed under a key before, or compute it now."""
        if key not in self.memo:
            self.memo[key] = compute()
        found: T = self.memo[key]
        return found

    def recall(self, known: Mapping[object, Any]) -> None:
        """Remember what was computed of the same origin elsewhere."""
        self.memo.update(known)

    def learnable(self, past: Trial, fold: int, group: int | None) -> Booleans:
        """Return from whom in a past trial a fold may learn, leaving out one group."""
        known: Booleans = ~past.clipped & (self.past_folds[past.resources] != fold)
        if group is not None:
            known &= self.past_groups[past.resources] != group
        return known
