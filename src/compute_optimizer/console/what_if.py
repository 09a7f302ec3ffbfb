"""What a form of preferences asks for, and what it would do to a fleet before it is saved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request
from compute_optimizer.errors import Conflict
from compute_optimizer.jobs.simulate import POOLS, Grid, points_of, simulate
from compute_optimizer.jobs.simulated_fleets import FleetPart, imported_fleet
from compute_optimizer.model.effective_preferences import PreferenceLayers, effective_preferences
from compute_optimizer.model.preference_rules import check_look_back, check_stated
from compute_optimizer.model.preferences import CURRENT, Preferences
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.model.stated_preferences import (
    NOTHING_STATED,
    ScopeName,
    StatedPreferences,
    updated,
)
from compute_optimizer.operations.preference_requests import refusing

MOST_INSTANCES = 1_000
"""That are simulated at a look-back of four weeks or less: some seconds, and 35 MB a metric."""

MOST_RESOURCE_DAYS = 28 * MOST_INSTANCES
"""Of samples: with a longer look-back there are fewer instances."""

_running = Lock()
"""One at a time: a what-if keeps a core busy, and pages are made on the same ones."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The fleet as it is advised now, and as it would be."""

    report: Mapping[str, Any]
    instances: int
    """Of the fleet; the report may rest on fewer."""

    @property
    def now(self) -> Mapping[str, Any]:
        """Return the figures of the preferences in force."""
        found: Mapping[str, Any] = self.report["points"][0]
        return found

    @property
    def then(self) -> Mapping[str, Any]:
        """Return those of the preferences that were chosen: the same where nothing differs."""
        found: Mapping[str, Any] = self.report["points"][-1]
        return found


def wanted_in(request: Request, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form states, as members of a put; `before` is what the scope states already.

    Thresholds and headrooms are one preference: those that the form leaves alone are kept.
    """
    alone = {name: value for name in ALONE if (value := request.field(name))}
    chosen = _utilization(request)
    if not chosen:
        return dict(alone)
    kept = {
        one["metricName"]: dict(one["metricParameters"])
        for one in before.get("utilizationPreferences", ())
    }
    for metric, parameters in chosen.items():
        kept[metric] = kept.get(metric, {}) | parameters
    stated = [{"metricName": name, "metricParameters": one} for name, one in kept.items()]
    return {**alone, "utilizationPreferences": stated}


ALONE = (
    "lookBackPeriod",
    "enhancedInfrastructureMetrics",
    "inferredWorkloadTypes",
    "savingsEstimationMode",
)
"""Preferences of one value each, as fields of the form and members of a put."""

UTILIZATION = {
    "cpuThreshold": ("CpuUtilization", "threshold"),
    "cpuHeadroom": ("CpuUtilization", "headroom"),
    "memoryHeadroom": ("MemoryUtilization", "headroom"),
}
"""Fields of the form that one preference states together: metric and parameter."""


def layers_after(
    layers: PreferenceLayers, scope: ScopeName, changes: StatedPreferences
) -> PreferenceLayers:
    """Return what would be stated after a put.

    Raises InvalidParameterValueException for what the put would refuse.
    """
    if changes == NOTHING_STATED:
        return layers
    refusing(check_stated, EC2_INSTANCE, scope, changes)
    if scope is ScopeName.ORGANIZATION:
        organization = updated(layers.organization, changes)
        refusing(check_look_back, EC2_INSTANCE, (organization,))
        return replace(layers, organization=organization)
    account = updated(layers.account, changes)
    refusing(check_look_back, EC2_INSTANCE, (account, layers.organization))
    return replace(layers, account=account)


def what_if(
    room: Room,
    place: tuple[str, str],
    now: PreferenceLayers,
    then: PreferenceLayers,
    architecture: str,
) -> WhatIf:
    """Return what other layers of preferences would do to the instances of an account and Region.

    Raises Conflict while another one is computed, InvalidInput where there are no samples.
    """
    present, chosen = (effective_preferences(layers, "") for layers in (now, then))
    grids = _grid(present, CURRENT), _grid(chosen, architecture)
    days = max(present.lookback_days, chosen.lookback_days)
    most = min(MOST_INSTANCES, MOST_RESOURCE_DAYS // days)
    if not _running.acquire(blocking=False):
        raise Conflict("another what-if is being computed; try again in some seconds")
    try:
        part = FleetPart(*place, most)
        fleet = imported_fleet(room.state, room.tiles, room.clock, part=part)
        (point,) = points_of(grids[:1])
        return WhatIf(simulate(fleet, grids, compared_with=point), fleet.instances)
    finally:
        _running.release()


def _grid(preferences: Preferences, architecture: str) -> Grid:
    """Return a grid of one point."""
    return Grid(
        percentiles=(preferences.cpu_percentile,),
        cpu_headrooms=(preferences.cpu_headroom,),
        memory_headrooms=(preferences.memory_headroom,),
        lookbacks=(preferences.lookback_days,),
        architectures=(architecture if architecture in POOLS else CURRENT,),
        includes=(preferences.include_types,),
        excludes=(preferences.exclude_types,),
    )


def _utilization(request: Request) -> dict[str, dict[str, str]]:
    chosen: dict[str, dict[str, str]] = {}
    for name, (metric, parameter) in UTILIZATION.items():
        if value := request.field(name):
            chosen.setdefault(metric, {})[parameter] = value
    return chosen
