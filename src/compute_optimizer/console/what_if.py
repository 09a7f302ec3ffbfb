"""What a change of preferences would do to a fleet before it is saved, computed in the background.

Cost, savings, risk and the changed recommendations are those of the analysis itself; of the EC2
instances of an account it is also tested whom the advice would have hurt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.console.messages import Values
from compute_optimizer.console.trials import Progress, Run
from compute_optimizer.errors import ComputeOptimizerError
from compute_optimizer.jobs.simulate import POOLS, Grid, points_of, simulate
from compute_optimizer.jobs.simulated_fleets import FleetPart, imported_fleet
from compute_optimizer.jobs.try_preferences import Fleet, Trial, try_preferences
from compute_optimizer.model.effective_preferences import effective_preferences
from compute_optimizer.model.preferences import CURRENT, Preferences
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.stated_preferences import PreferenceScope, StatedPreferences
from compute_optimizer.store.preferences import layers_of_all

MOST_TESTED = 1_000
"""Instances whose past is tested at a look-back of four weeks or less; of more, every n-th. The
share that is hurt is then known to 3 percentage points (95 % interval of a share of 0.5)."""

MOST_RESOURCE_DAYS = 28 * MOST_TESTED
"""Of samples that are tested: with a longer look-back there are fewer instances."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a what-if is about."""

    place: Any
    """Of the page."""
    sent: Values
    """The form as it was sent."""
    operation: str
    """That would save it."""
    fleet: Fleet
    instead: Mapping[PreferenceScope, StatedPreferences]
    architecture: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What came of it."""

    trial: Trial
    tested: Mapping[str, Any] | None
    """The past of the fleet under both; None where it cannot be tested."""

    @property
    def hurt(self) -> tuple[int, int] | None:
        """Return how many instances each advice would have hurt."""
        points = self.tested["points"] if self.tested else []
        if not points or points[0]["violated"] is None:
            return None
        return points[0]["violated"], points[-1]["violated"]


def begin(room: Room, visitor: Visitor, session_id: str, asked: Asked) -> Run:
    """Begin a what-if; raise Conflict where too many wait already."""

    def act(progress: Progress) -> WhatIf:
        trial = try_preferences(
            room.state,
            room.tiles,
            room.clock,
            asked.fleet,
            asked.instead,
            pools=POOLS[asked.architecture],
            profile=room.profile,
            idle_limits=room.idle_limits,
            progress=progress,
        )
        return WhatIf(trial, _tested(room, asked))

    return room.trials.start(session_id, asked, act)


def _tested(room: Room, asked: Asked) -> Mapping[str, Any] | None:
    """Return what the past says of both, for the instances of one account."""
    fleet = asked.fleet
    if fleet.resource_type != EC2_INSTANCE or fleet.arn or len(fleet.accounts) != 1:
        return None
    (account,) = fleet.accounts
    place = (account, fleet.region, EC2_INSTANCE)
    with room.state.reading() as connection:
        now = layers_of_all(connection, [place])[place]
        then = layers_of_all(connection, [place], asked.instead)[place]
    present, chosen = effective_preferences(now, ""), effective_preferences(then, "")
    most = min(MOST_TESTED, MOST_RESOURCE_DAYS // max(present.lookback_days, chosen.lookback_days))
    grids = _grid(present, CURRENT), _grid(chosen, asked.architecture)
    part = FleetPart(account, fleet.region, most)
    try:
        found = imported_fleet(room.state, room.tiles, room.clock, part=part)
        (point,) = points_of(grids[:1])
        return {
            **simulate(found, grids, compared_with=point),
            "instances": found.instances,
        }
    except ComputeOptimizerError:
        # Such as no samples: the rest of the answer stands without it.
        return None


def _grid(preferences: Preferences, architecture: str) -> Grid:
    """Return a grid of one point."""
    return Grid(
        percentiles=(preferences.cpu_percentile,),
        cpu_headrooms=(preferences.cpu_headroom,),
        memory_headrooms=(preferences.memory_headroom,),
        lookbacks=(preferences.lookback_days,),
        architectures=(architecture,),
        includes=(preferences.include_types,),
        excludes=(preferences.exclude_types,),
    )
