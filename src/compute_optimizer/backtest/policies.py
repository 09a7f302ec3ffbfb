"""The policies that are compared: what capacity each asks for, from what was seen before.

A base is what a rule asks for of every dimension; NaN asks for nothing. A knob is one base times
one multiplier. Sources of the rules' constants: docs/backtest.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from compute_optimizer.backtest import peers
from compute_optimizer.backtest.options import cheapest_that_carries
from compute_optimizer.backtest.origin import Origin
from compute_optimizer.backtest.trial import Train, Trial
from compute_optimizer.engine.arrays import Floats, Integers

Base = Callable[[Train], Floats]
"""From what was seen to the capacity asked for, (resources, dimensions)."""

_TENTHS = (
    *range(5, 17),
    *(18, 20, 22, 25, 30, 35, 40, 50, 60, 80, 120, 200, 400),
)
MARGINS = tuple(tenths / 10 for tenths in _TENTHS)
"""Multipliers that a rule may be tightened or loosened by."""

AS_SHIPPED = 1.0


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting of a rule."""

    base: Base
    multiplier: float
    label: str


Choices = Callable[[Origin, Trial, int, int | None], Integers]
"""From an origin, a trial to advise, a fold and a group (or None) to options, (settings,
resources): what is advised by those who learned from neither the fold nor the group."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What advises, and the settings that it may be given."""

    name: str
    labels: tuple[str, ...]
    """Of the settings."""
    shipped: int
    """Place of the setting that its owner ships."""
    choices: Choices
    uncapped: Callable[[Trial], Integers]
    """The options of the owner's own setting, (resources,), not held to today's capacity."""
    learns: bool = False
    """Whether the advice itself, and not only the setting, comes from the past."""
    knobs: tuple[Knob, ...] = ()
    """The settings of one that does not learn."""

    @property
    def adjustable(self) -> bool:
        """Whether there is something to choose from the past."""
        return len(self.labels) > 1


def ruled(name: str, knobs: Sequence[Knob], shipped: int = 0) -> Policy:
    """Return a policy that asks for a capacity; what it asks does not depend on other machines."""
    return Policy(
        name,
        tuple(knob.label for knob in knobs),
        shipped,
        partial(_ruled_choices, name, tuple(knobs)),
        partial(_uncapped, knobs[shipped]),
        knobs=tuple(knobs),
    )


def _ruled_choices(
    name: str, knobs: Sequence[Knob], origin: Origin, trial: Trial, fold: int, group: int | None
) -> Integers:
    return trial.remembered(choices_key(name), lambda: chosen_by(knobs, trial))


def _uncapped(knob: Knob, trial: Trial) -> Integers:
    return cheapest_that_carries(trial.options, asked(knob, trial))


def choices_key(name: str) -> tuple[str, str]:
    """Return under which a trial remembers what a policy that does not learn chose."""
    return ("choices", name)


def fixed(name: str, base: Base) -> Policy:
    """Return a policy that is deployed as it is."""
    return ruled(name, (Knob(base, AS_SHIPPED, "as shipped"),))


def swept(name: str, *bases: tuple[str, Base]) -> Policy:
    """Return a policy whose multiplier, and base where there are several, may be chosen."""
    knobs = tuple(
        Knob(base, margin, f"{label} x {margin:g}".strip())
        for label, base in bases
        for margin in MARGINS
    )
    return ruled(name, knobs, MARGINS.index(AS_SHIPPED))


def chosen_by(knobs: Sequence[Knob], trial: Trial) -> Integers:
    """Return the option that each knob recommends, (knobs, resources)."""
    return np.stack([recommended(knob, trial) for knob in knobs])


def asked(knob: Knob, trial: Trial) -> Floats:
    """Return the capacity that a knob asks for, (resources, dimensions), without any cap."""
    return asked_by(knob.base, trial) * knob.multiplier


def asked_by(base: Base, trial: Trial) -> Floats:
    """Return what a rule asks for, (resources, dimensions)."""
    return trial.remembered(asked_key(base), lambda: base(trial.train))


def asked_key(base: Base) -> tuple[object, ...]:
    """Return under which a trial remembers what a rule asks for, also in another process."""
    if isinstance(base, partial):
        return (base.func, *sorted(base.keywords.items()))
    return (base,)


def recommended(knob: Knob, trial: Trial) -> Integers:
    """Return the option that one knob recommends to every resource.

    Nobody recommends more than the current option to a resource that was not clipped.
    """
    needs = asked(knob, trial)
    capped = np.minimum(needs, trial.train.current)
    return cheapest_that_carries(trial.options, np.where(trial.clipped[:, None], needs, capped))


PUBLISHED = "published-ec2-rule"
AS_PUBLISHED = "published-p99.5-headroom-20"
"""The published rule as it is; it does not take a budget."""

SWEEP = "capped-sweep"
KEEP = "keep"

_P995 = partial(peers.quantile, percent=99.5)
_P999 = partial(peers.quantile, percent=99.9)

PRESETS = tuple(
    Knob(
        partial(peers.published_rule, percent=percent, headroom=headroom),
        AS_SHIPPED,
        f"P{percent:g}, headroom {headroom:.0%}",
    )
    for percent in (90.0, 95.0, 99.5)
    for headroom in (0.0, 0.2, 0.3)
)
"""Every threshold and headroom of CPU that the service's preferences offer."""

POLICIES = (
    fixed(KEEP, peers.keep),
    ruled(PUBLISHED, PRESETS, 7),
    fixed(AS_PUBLISHED, PRESETS[7].base),
    ruled("maximum-x-1.15", (Knob(peers.maximum, 1.15, "as shipped"),)),
    fixed("published-p90-headroom-0", PRESETS[0].base),
    fixed("published-p95-headroom-30", PRESETS[5].base),
    fixed("published-p99.5-headroom-30", PRESETS[8].base),
    swept(SWEEP, ("P99.5", _P995), ("P99.9", _P999), ("maximum", peers.maximum)),
    swept("capped-p99.9", ("P99.9", _P999)),
    swept("azure", ("", peers.azure)),
    swept("azure-user-facing", ("", peers.azure_user_facing)),
    swept("vpa", ("", peers.vpa)),
    swept("krr", ("", peers.krr)),
    swept("crane", ("", peers.crane)),
    swept("optscale", ("", peers.optscale)),
    swept("aws-solution", ("", peers.aws_solution)),
    swept("kubecost", ("", peers.kubecost)),
    swept("densify", ("", peers.densify)),
    swept("n-sigma", ("", peers.n_sigma)),
    swept("n-sigma-or-p99", ("", peers.n_sigma_or_p99)),
    swept(
        "seasonal-naive",
        ("1 week", partial(peers.seasonal_naive, weeks=1)),
        ("2 weeks", partial(peers.seasonal_naive, weeks=2)),
    ),
)
"""Every rule of capacity; neither the risk model nor the oracle is one."""
