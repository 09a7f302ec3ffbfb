"""Trials without samples: whoever has a shard tells all that is asked of it, whoever scores joins.

    a shard's samples -> make_trial -> described -> (kilobytes a resource) -> together -> Trial

Everything here stands alone for each resource, so that a fleet of joined parts is the same, bit by
bit, as one that was described at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.backtest.advice import PUBLISHED
from compute_optimizer.backtest.calibration import WELL_COVERED, well_covered
from compute_optimizer.backtest.climatology import HIGHEST_USE, highest_use
from compute_optimizer.backtest.learning import ENGINE, HISTORY, LESSON, Learner
from compute_optimizer.backtest.past import Trials, View
from compute_optimizer.backtest.policies import (
    Base,
    Policy,
    asked_by,
    asked_key,
    choices_key,
    chosen_by,
)
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


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks what of a trial's samples."""

    policies: tuple[Policy, ...] = ()
    learners: tuple[Learner, ...] = (ENGINE,)
    taught: bool = True
    """Whether something is learned from the trial, and not only advised in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What is asked of the samples of a trial; every array has a row per resource of it."""

    trial: Trial
    """Without samples."""
    asked: Mapping[object, Floats]
    """By rule."""
    choices: Mapping[str, Places]
    """By policy, (resources, settings)."""
    histories: Mapping[object, PeakHistory]
    """By learner and dimension, under what a trial remembers them by."""
    lessons: Mapping[object, Lesson]
    """The same; empty where nothing is learned from the trial."""
    highest_use: Floats
    well_covered: Booleans


def described(trial: Trial, asking: Asking) -> Described:
    """Return a trial without its samples, for who asks and for what the product advises."""
    ruled = [policy for policy in asking.policies if not policy.learns]
    dimensions = trial.options.dimensions
    described_by = [(one, name) for one in asking.learners for name in dimensions]
    return Described(
        trial=replace(trial, train=Train(Forgotten(dimensions), trial.train.current), memo={}),
        asked={key: asked_by(base, trial) for key, base in _bases(asking.policies).items()},
        choices={one.name: chosen_by(one.knobs, trial).T.astype(np.int16) for one in ruled},
        histories={one.key(HISTORY, name): one.history(trial, name) for one, name in described_by},
        lessons={
            one.key(LESSON, name): one.lesson(trial, name)
            for one, name in described_by
            if asking.taught
        },
        highest_use=highest_use(trial),
        well_covered=well_covered(trial),
    )


def together(parts: Sequence[Described], firsts: Sequence[int], asking: Asking) -> Trial:
    """Return the trial of a fleet from those of its parts, at least one, over the same options.

    `firsts` are the fleet's rows at which the parts begin; their order is that of the fleet.
    """
    told: Described = _joined([_in_fleet(*one) for one in zip(parts, firsts, strict=True)])
    memo: dict[object, Any] = {
        HIGHEST_USE: told.highest_use,
        WELL_COVERED: told.well_covered,
        **told.asked,
        **{choices_key(name): one.T.astype(np.int64) for name, one in told.choices.items()},
        **told.histories,
        **told.lessons,
    }
    return replace(told.trial, memo=memo)


def without_samples(trials: Trials, asking: Asking) -> Trials:
    """Return the trials of a fleet in one piece as if they came from where its samples are."""

    @cache
    def seen(view: View) -> Trial:
        return together([described(trials.seen(view), asking)], [0], asking)

    return Trials(trials.facts, trials.options, seen)


def _bases(policies: Sequence[Policy]) -> dict[object, Base]:
    """Return the rules that ask for a capacity, each once."""
    ruled = [knob.base for policy in policies for knob in policy.knobs]
    return {asked_key(base): base for base in (PUBLISHED.base, *ruled)}


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
