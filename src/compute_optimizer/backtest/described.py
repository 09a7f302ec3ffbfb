"""Trials without samples: whoever has a shard tells all that is asked of it, whoever scores joins.

    a shard's samples -> make_trial -> described -> (kilobytes a resource) -> together -> Trial

Everything here stands alone for each resource, so that a fleet of joined parts is the same, bit by
bit, as one that was described at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.backtest.advice import PUBLISHED
from compute_optimizer.backtest.calibration import WELL_COVERED, well_covered
from compute_optimizer.backtest.climatology import HIGHEST_USE, highest_use
from compute_optimizer.backtest.learning import ENGINE, HISTORY, LESSON
from compute_optimizer.backtest.policies import Base, Policy, asked_by, choices_key, chosen_by
from compute_optimizer.backtest.trial import Train, Trial
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.peaks import Lesson, PeakHistory
from compute_optimizer.model.metrics import Matrix

Places = NDArray[np.int16]
"""Options by their place in the catalog: there are hundreds, and every setting of every policy has
one for each resource."""

ONCE = ("origin", "test_days", "options", "memo")
"""What a trial has once and not for each resource."""


@dataclass(frozen=True, slots=True)
class Forgotten(Mapping[str, Matrix]):
    """The samples of dimensions that stayed where they were; asking for one is a LookupError."""

    names: tuple[str, ...]

    def __getitem__(self, name: str) -> NoReturn:
        raise LookupError(f"the samples of {name} are not here; describe what is asked of them")

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What is asked of the samples of a trial; every array has a row per resource of it."""

    trial: Trial
    """Without samples."""
    asked: tuple[Floats, ...]
    """By the rules, in the order of `_bases`."""
    choices: Mapping[str, Places]
    """By policy, (resources, settings)."""
    histories: Mapping[str, PeakHistory]
    """By dimension, as the engine describes them."""
    lessons: Mapping[str, Lesson]
    highest_use: Floats
    well_covered: Booleans


def described(trial: Trial, policies: Sequence[Policy]) -> Described:
    """Return a trial without its samples, for those policies and for what the product advises."""
    ruled = [policy for policy in policies if not policy.learns]
    dimensions = trial.options.dimensions
    return Described(
        trial=replace(trial, train=Train(Forgotten(dimensions), trial.train.current), memo={}),
        asked=tuple(asked_by(base, trial) for base in _bases(policies)),
        choices={one.name: chosen_by(one.knobs, trial).T.astype(np.int16) for one in ruled},
        histories={name: ENGINE.history(trial, name) for name in dimensions},
        lessons={name: ENGINE.lesson(trial, name) for name in dimensions},
        highest_use=highest_use(trial),
        well_covered=well_covered(trial),
    )


def together(
    parts: Sequence[Described], firsts: Sequence[int], policies: Sequence[Policy]
) -> Trial:
    """Return the trial of a fleet from those of its parts, at least one, over the same options.

    `firsts` are the fleet's rows at which the parts begin; their order is that of the fleet.
    """
    told: Described = _joined([_in_fleet(*one) for one in zip(parts, firsts, strict=True)])
    memo: dict[object, Any] = {
        HIGHEST_USE: told.highest_use,
        WELL_COVERED: told.well_covered,
        **dict(zip(_bases(policies), told.asked, strict=True)),
        **{choices_key(name): one.T.astype(np.int64) for name, one in told.choices.items()},
        **{ENGINE.key(HISTORY, name): one for name, one in told.histories.items()},
        **{ENGINE.key(LESSON, name): one for name, one in told.lessons.items()},
    }
    return replace(told.trial, memo=memo)


def _bases(policies: Sequence[Policy]) -> tuple[Base, ...]:
    """Return the rules that ask for a capacity, each once."""
    ruled = [knob.base for policy in policies for knob in policy.knobs]
    return tuple(dict.fromkeys((PUBLISHED.base, *ruled)))


def _in_fleet(part: Described, first: int) -> Described:
    return replace(part, trial=replace(part.trial, resources=part.trial.resources + first))


def _joined(parts: Sequence[Any]) -> Any:
    """Return arrays, or whatever holds arrays, one below the other."""
    (one, *_) = parts
    if isinstance(one, np.ndarray):
        return np.concatenate(parts)
    if isinstance(one, Forgotten):
        return one
    if isinstance(one, Mapping):
        return {name: _joined([part[name] for part in parts]) for name in one}
    if isinstance(one, tuple):
        return tuple(_joined(column) for column in zip(*parts, strict=True))
    assert is_dataclass(one), f"nobody knows the rows of {one!r}"
    kept = ONCE if isinstance(one, Trial) else ()
    names = [field.name for field in fields(one) if field.name not in kept]
    rows = {name: _joined([getattr(part, name) for part in parts]) for name in names}
    return replace(one, **rows)  # type: ignore[type-var]
