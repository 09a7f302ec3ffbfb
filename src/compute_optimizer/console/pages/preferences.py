"""Preferences: what is stated where, what is in force and who decides it, and what others would do.

The form states preferences of EC2 instances for an account or its organization.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Connection

from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, link, redirect
from compute_optimizer.console.reach import Reach, reach_of_enrolled
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.console.what_if import (
    MOST_INSTANCES,
    WhatIf,
    layers_after,
    wanted_in,
    what_if,
)
from compute_optimizer.console.words import share
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.simulate import BOTH
from compute_optimizer.model.effective_preferences import (
    HEADROOMS,
    LOOK_BACK_DAYS,
    PERCENTILES,
    PreferenceLayers,
    effective_preferences,
)
from compute_optimizer.model.preference_rules import HEADROOMS_OF
from compute_optimizer.model.preference_sources import Source, sources_of
from compute_optimizer.model.preferences import ARCHITECTURES, Preferences
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE
from compute_optimizer.model.stated_preferences import (
    ALL_ACCOUNTS,
    CPU_UTILIZATION,
    MEMORY_UTILIZATION,
    ScopeName,
)
from compute_optimizer.operations.preference_requests import stated_in
from compute_optimizer.shapes import SavingsEstimationMode
from compute_optimizer.store.inventory import find_resource
from compute_optimizer.store.preferences import layers_of

STATED, EFFECTIVE, PUT = (
    "GetRecommendationPreferences",
    "GetEffectiveRecommendationPreferences",
    "PutRecommendationPreferences",
)

FLEET = "GetEC2InstanceRecommendations"
"""Whose permission a what-if needs: it tells of the same resources."""

HERE = "/console/preferences"

SHOWN = 200
"""Scopes in the table of each type."""

SWITCH = {"Active": "Active", "Inactive": "Inactive"}


def _headrooms(metric: str) -> dict[str, str]:
    return {name: share(HEADROOMS[name], 0) for name in HEADROOMS_OF[metric]}


CHOICES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "lookBackPeriod": (
        "Look-back period",
        {name: f"{days} days" for name, days in LOOK_BACK_DAYS.items()},
    ),
    "enhancedInfrastructureMetrics": ("Enhanced metrics", SWITCH),
    "cpuThreshold": (
        "CPU threshold",
        {name: f"P{percentile:g}" for name, percentile in PERCENTILES.items()},
    ),
    "cpuHeadroom": ("CPU headroom", _headrooms(CPU_UTILIZATION)),
    "memoryHeadroom": ("Memory headroom", _headrooms(MEMORY_UTILIZATION)),
    "inferredWorkloadTypes": ("Inferred workload types", SWITCH),
    "savingsEstimationMode": (
        "Savings mode",
        {name: name for name in get_args(SavingsEstimationMode)},
    ),
}
"""Title and values of each field of the form; an empty one leaves what is stated."""

POOLS = {
    ARCHITECTURES[0]: "As today",
    ARCHITECTURES[1]: "Graviton only",
    BOTH: "Both, ranked together",
}
"""CPU architectures: asked with each request, and no preference that is kept (spec 4.1)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose preferences a page is about."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Line:
    """One preference in force."""

    title: str
    value: str
    source: Source


def show(room: Room, request: Request, session: Session) -> Response:
    """Show what is stated, what is in force and, to those who may change it, the form."""
    reach = reach_of_enrolled(room, session.visitor.account_id)
    place = _place(reach, session, request.one("account"), request.one("region"))
    return _page(room, request, session, reach, place)


def change(room: Room, request: Request, session: Session) -> Response:
    """State what the form says, as PutRecommendationPreferences does."""
    place = _asked(room, request, session)
    wanted = _wanted(room, request, session, place)
    room.calls.perform(session.visitor, place.region, request.source, PUT, wanted)
    return redirect(link(HERE, {"account": place.account, "region": place.region}))


def try_out(room: Room, request: Request, session: Session) -> Response:
    """Show the page with what the form would do to the fleet; nothing is stored."""
    place = _asked(room, request, session)
    room.calls.permit(session.visitor, place.region, request.source, FLEET)
    wanted = _wanted(room, request, session, place)
    with room.state.reading() as connection:
        now = layers_of(connection, place.account, place.region, EC2_INSTANCE)
    then = layers_after(now, ScopeName(wanted["scope"]["name"]), stated_in(wanted))
    asked = (place.account, place.region)
    found = what_if(room, asked, now, then, request.field("architecture"))
    reach = reach_of_enrolled(room, session.visitor.account_id)
    return _page(room, request, session, reach, place, found)


def _page(
    room: Room,
    request: Request,
    session: Session,
    reach: Reach,
    place: Place,
    tried: WhatIf | None = None,
) -> Response:
    visitor, arn = session.visitor, request.one("arn").strip()
    room.calls.permit(visitor, place.region, request.source, EFFECTIVE)
    if arn:
        # Refuses what is no instance or group, or of another account.
        asked = {"resourceArn": arn}
        room.calls.perform(visitor, place.region, request.source, EFFECTIVE, asked)
    with room.state.reading() as connection:
        in_force = _in_force(connection, place, arn)
    stated, has_more = _stated(room, request, session, place)
    values = {
        "place": place,
        "reach": reach,
        "arn": arn,
        "lines": in_force,
        "stated": stated,
        "has_more": has_more,
        "may_change": room.calls.may(visitor, PUT),
        "operation": PUT,
        "choices": CHOICES,
        "pools": POOLS,
        "chosen": request.field,
        "scopes": ScopeName,
        "tried": tried,
        "most": MOST_INSTANCES,
    }
    return page(room, request, session, "preferences.html", values)


def _place(reach: Reach, session: Session, account: str, region: str) -> Place:
    """Return whose preferences are meant: the visitor's own in the first Region by default."""
    found = Place(account or session.visitor.account_id, region or next(iter(reach.regions), ""))
    if found.account not in reach.accounts:
        raise InvalidInput(
            f"the account {found.account!r} is not open to you; expected one of "
            f"{', '.join(reach.accounts)}"
        )
    if region and region not in reach.regions:
        raise InvalidInput(
            f"there are no recommendations in the Region {region!r}; expected one of "
            f"{', '.join(reach.regions) or 'none: analyze first'}"
        )
    return found


def _asked(room: Room, request: Request, session: Session) -> Place:
    reach = reach_of_enrolled(room, session.visitor.account_id)
    return _place(reach, session, request.field("account"), request.field("region"))


def _wanted(room: Room, request: Request, session: Session, place: Place) -> dict[str, Any]:
    """Return the request of a put that the form stands for."""
    organization = request.field("scope") == ScopeName.ORGANIZATION
    scope = {
        "name": (ScopeName.ORGANIZATION if organization else ScopeName.ACCOUNT_ID).value,
        "value": ALL_ACCOUNTS if organization else place.account,
    }
    at = {"resourceType": EC2_INSTANCE, "scope": scope}
    found = room.calls.perform(session.visitor, place.region, request.source, STATED, at)
    details = found["recommendationPreferencesDetails"]
    return {**at, **wanted_in(request, details[0] if details else {})}


def _stated(
    room: Room, request: Request, session: Session, place: Place
) -> tuple[list[tuple[Mapping[str, Any], str]], bool]:
    """Return the scopes that state something, with what it is in words, and if there are more."""
    found, has_more = [], False
    for resource_type in (EC2_INSTANCE, AUTO_SCALING_GROUP):
        asked = {"resourceType": resource_type, "maxResults": SHOWN}
        answer = room.calls.perform(session.visitor, place.region, request.source, STATED, asked)
        found += answer["recommendationPreferencesDetails"]
        has_more = has_more or "nextToken" in answer
    return [(one, "; ".join(_told(one))) for one in found], has_more


def _told(detail: Mapping[str, Any]) -> list[str]:
    simple = (
        ("lookBackPeriod", "look-back {}"),
        ("enhancedInfrastructureMetrics", "enhanced infrastructure metrics {}"),
        ("inferredWorkloadTypes", "inferred workload types {}"),
        ("savingsEstimationMode", "savings {}"),
    )
    found = [text.format(detail[name]) for name, text in simple if name in detail]
    found += [
        " ".join([one["metricName"], *one["metricParameters"].values()])
        for one in detail.get("utilizationPreferences", ())
    ]
    if "externalMetricsPreference" in detail:
        found.append(f"external metrics of {detail['externalMetricsPreference']['source']}")
    return found + [
        _types(one.get("includeList", ()), one.get("excludeList", ()))
        for one in detail.get("preferredResources", ())
    ]


def _types(include: Any, exclude: Any) -> str:
    without = f" without {', '.join(exclude)}" if exclude else ""
    return f"{', '.join(include) or 'all types'}{without}"


def _in_force(connection: Connection, place: Place, arn: str) -> list[Line]:
    """Return the preferences in force for a resource, or for those that have none of their own."""
    kind = AUTO_SCALING_GROUP if ":autoscaling:" in arn else EC2_INSTANCE
    group = None
    if arn and kind == EC2_INSTANCE:
        group = find_resource(connection, arn).auto_scaling_group_arn
    account = arn.split(":")[4] if arn else place.account
    layers = layers_of(connection, account, place.region, kind)
    return lines_of(layers, arn, group)


def lines_of(layers: PreferenceLayers, arn: str, group: str | None) -> list[Line]:
    """Return what is in force, in words, and who decides it."""
    found = effective_preferences(layers, arn, group)
    sources = sources_of(layers, arn, group)
    return [Line(title, told, sources[field]) for field, title, told in _words(found)]


def _words(found: Preferences) -> list[tuple[str, str, str]]:
    """Return field, title and value of each preference."""
    active = {True: "Active", False: "Inactive"}
    return [
        ("lookback_days", "Look-back period", f"{found.lookback_days} days"),
        (
            "enhanced_infrastructure_metrics",
            "Enhanced infrastructure metrics",
            active[found.enhanced_infrastructure_metrics],
        ),
        ("cpu_percentile", "CPU threshold", f"P{found.cpu_percentile:g}"),
        ("cpu_headroom", "CPU headroom", share(found.cpu_headroom, 0)),
        ("memory_headroom", "Memory headroom", share(found.memory_headroom, 0)),
        (
            "inferred_workload_types",
            "Inferred workload types",
            active[found.inferred_workload_types],
        ),
        ("external_metrics_source", "External metrics", found.external_metrics_source or "none"),
        ("include_types", "Instance types", _types(found.include_types, found.exclude_types)),
        ("savings_estimation_mode", "Savings mode", found.savings_estimation_mode),
    ]
