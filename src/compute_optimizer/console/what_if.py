"""What a change of preferences would do to a fleet before it is saved, computed in the background.

Cost, savings, risk and the changed recommendations are those of the analysis itself; of the EC2
instances of an account it is also tested whom the advice would have hurt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import Any

import msgspec

from compute_optimizer.backtest.grid import POOLS, Grid, points_of
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Values
from compute_optimizer.console.preference_target import PreferenceTarget
from compute_optimizer.console.trials import compute_next
from compute_optimizer.errors import ComputeOptimizerError, NotFound
from compute_optimizer.interfaces import Progress
from compute_optimizer.jobs.simulate import simulate
from compute_optimizer.jobs.simulated_fleets import FleetPart, imported_fleet
from compute_optimizer.jobs.try_preferences import Fleet, Trial, try_preferences
from compute_optimizer.model.effective_preferences import effective_preferences
from compute_optimizer.model.preferences import CURRENT, Preferences
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.stated_preferences import PreferenceScope, StatedPreferences
from compute_optimizer.store.preferences import layers_of_all
from compute_optimizer.store.what_ifs import (
    StoredWhatIf,
    add_what_if,
    find_what_if,
    is_over,
    stop_what_if,
)

GLANCE_SECONDS = 0.1
"""Between looks at whether a what-if is over."""

UNKNOWN = (
    "this what-if is not known here any more: the newest ones of each session are kept, for eight "
    "hours. Try it again from the page Preferences"
)

MOST_TESTED = 1_000
"""Instances whose past is tested at a look-back of four weeks or less; of more, every n-th. The
share that is hurt is then known to 3 percentage points (95 % interval of a share of 0.5)."""

MOST_RESOURCE_DAYS = 28 * MOST_TESTED
"""Of samples that are tested: with a longer look-back there are fewer instances."""


@dataclass(frozen=True, slots=True)
class WhatIfRequest:
    """What a what-if is about."""

    target: PreferenceTarget
    """Of the page."""
    sent: Values
    """The form as it was sent."""
    operation: str
    """That would save it."""
    fleet: Fleet
    statements: tuple[tuple[PreferenceScope, StatedPreferences], ...]
    """What scopes would state in place of what they do."""
    architecture: str

    @property
    def instead(self) -> Mapping[PreferenceScope, StatedPreferences]:
        """Return what would be stated, by scope."""
        return dict(self.statements)


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


_decode_asked = msgspec.json.Decoder(WhatIfRequest).decode
# What the library does not know is Counter, which is made of a mapping.
_decode_result = msgspec.json.Decoder(WhatIf, dec_hook=lambda kind, value: kind(value)).decode


@dataclass(frozen=True, slots=True)
class Run:
    """A what-if as its page shows it."""

    stored: StoredWhatIf
    asked: WhatIfRequest
    result: WhatIf | None


def begin(room: Room, session_id: str, asked: WhatIfRequest) -> str:
    """Begin a what-if and return its id; raise Conflict where too many wait already."""
    body = msgspec.json.encode(asked)
    with room.state.writing() as connection:
        run_id = add_what_if(connection, session_id, asked.fleet.accounts, body, room.clock.now())
    look(room)
    return run_id


def look(room: Room) -> None:
    """Have this process compute what waits, and what another one left behind."""
    compute = partial(_computed, room)
    room.trials.look(partial(compute_next, room.state, room.clock, compute))


def find_run(room: Room, session_id: str, run_id: str) -> Run:
    """Return a what-if of a session; raise NotFound for any other."""
    with room.state.reading() as connection:
        stored = find_what_if(connection, session_id, run_id, room.clock.now())
    if stored is None:
        raise NotFound(UNKNOWN)
    try:
        result = None if stored.result is None else _decode_result(stored.result)
        return Run(stored, _decode_asked(stored.asked), result)
    except msgspec.DecodeError:
        raise NotFound(UNKNOWN) from None  # Another version of the program asked for it.


def stop(room: Room, session_id: str, run_id: str) -> None:
    """Stop a what-if of a session."""
    with room.state.writing() as connection:
        stop_what_if(connection, session_id, run_id)


def wait_for(room: Room, run_id: str, seconds: float) -> None:
    """Return when a what-if is over, whichever process computes it, or after some seconds."""
    for _ in range(round(seconds / GLANCE_SECONDS)):
        with room.state.reading() as connection:
            if is_over(connection, run_id):
                return
        sleep(GLANCE_SECONDS)


def _computed(room: Room, body: bytes, progress: Progress) -> bytes:
    """Return what comes of what was asked, as it is kept."""
    asked = _decode_asked(body)
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
    return msgspec.json.encode(WhatIf(trial, _tested(room, asked)))


def _tested(room: Room, asked: WhatIfRequest) -> Mapping[str, Any] | None:
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
