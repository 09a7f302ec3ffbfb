"""One resource: its use against what it has and might have, the options, and why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from compute_optimizer.console.changes import Change, Subject, change_to
from compute_optimizer.console.deciding import panel_of
from compute_optimizer.console.forms import FRESH, Entered
from compute_optimizer.console.gate import Room
from compute_optimizer.console.kinds import BY_SLUG, BY_TYPE, IDLE_KIND, ListKind
from compute_optimizer.console.messages import Request, Response
from compute_optimizer.console.options import Option, as_it_is, options_of
from compute_optimizer.console.reach import Reach, reach_of_enrolled
from compute_optimizer.console.rendering import page
from compute_optimizer.console.rows import Row
from compute_optimizer.console.sentences import sentences_of
from compute_optimizer.console.sessions import Session
from compute_optimizer.console.stopping import stop_of
from compute_optimizer.console.usage import charts_of
from compute_optimizer.engine.explanation import Explanation
from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.jobs.explain import explain
from compute_optimizer.jobs.usage import usage_of
from compute_optimizer.model.arn import region_of
from compute_optimizer.model.recommendation import OtherAnswer
from compute_optimizer.model.resource import LICENSE, Resource
from compute_optimizer.resources.advice import advice_id
from compute_optimizer.resources.configured import text_of
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.inventory import find_resource
from compute_optimizer.store.ranked import Wanted, read_ranked
from compute_optimizer.store.recommendations import Selection

EXPLANATIONS_KEPT = 16
"""A page and its charts ask for the same one."""


@dataclass(frozen=True, slots=True)
class ShownResource:
    """Which resource, as a member of which list."""

    resource: Resource
    kind: ListKind
    row: Row | None
    """None without a recommendation."""

    @property
    def resource_type(self) -> str:
        """Return the type that it is looked at as."""
        return LICENSE if self.kind.slug == "licenses" else self.resource.resource_type

    @property
    def as_type(self) -> str | None:
        """Return the type for jobs where it is not the resource's own."""
        return LICENSE if self.resource_type == LICENSE else None

    @property
    def region(self) -> str:
        """Return the Region, as the ARN has it."""
        return region_of(self.resource.arn)


def show(room: Room, request: Request, session: Session, entered: Entered = FRESH) -> Response:
    """Show the resource; `entered` is a decision on it that was refused."""
    asked = _asked(room, request, session)
    answer = _answer(room, request, session, asked)
    told, problem = _explanation(room, asked)
    found = options_of(asked.resource_type, answer, told)
    reach = reach_of_enrolled(room, session.visitor.account_id)
    name = advice_id(asked.row.record) if asked.row else None
    values = {
        "asked": asked,
        "row": asked.row,
        "answer": answer,
        "told": told,
        "problem": problem,
        "present": as_it_is(asked.resource_type, answer, told),
        "sentences": sentences_of(told) if told else [],
        "options": found,
        "changes": _changes(asked, found),
        "profiles": _profiles(told, found),
        "errors": answer.get("errors", []),
        "usage": f"/console/resource/usage?{request.raw_query}",
        "reach": reach,
        "panel": panel_of(room, session.visitor, reach, name, asked.resource.arn),
        "back": "resource",
        "became": text_of,
        "entered": entered,
    }
    return page(room, request, session, "resource.html", values, entered.status)


def usage(room: Room, request: Request, session: Session) -> Response:
    """Return what the charts show, as JSON."""
    asked = _asked(room, request, session)
    told, problem = _explanation(room, asked)
    if told is None:
        body: dict[str, Any] = {"problem": problem, "times": [], "panels": []}
    else:
        samples = usage_of(
            room.state,
            room.tiles,
            asked.resource.arn,
            as_of=told.as_of,
            days=told.window.days,
            as_type=asked.as_type,
        )
        body = charts_of(told, asked.resource_type, samples)
    return Response(200, json.dumps(body, separators=(",", ":")).encode(), "application/json")


def _asked(room: Room, request: Request, session: Session) -> ShownResource:
    """Return the resource of an address; raises what the API would answer, and NotFound."""
    arn, visitor = request.one("arn"), session.visitor
    reach = reach_of_enrolled(room, visitor.account_id)
    with room.state.reading() as connection:
        resource = find_resource(connection, arn)
        _check_reach(reach, visitor.account_id, resource)
        kind = _kind(request.one("list"), resource)
        room.calls.permit(visitor, resource.region, request.source, kind.operation)
        scope = Scope(resource.account_id, resource.region, _listed_type(kind, resource))
        wanted = Wanted((scope,), selection=Selection(arns=(resource.arn,)), idle=kind.idle)
        found = read_ranked(connection, wanted, 1)
    if not found:
        return ShownResource(resource, kind, None)
    record = msgspec.json.decode(found[0].body, type=kind.record)
    return ShownResource(resource, kind, Row(kind, found[0], record, kind.summary(record)))


def _kind(wanted: str, resource: Resource) -> ListKind:
    """Return the list that the resource is looked at as a member of."""
    asked = BY_SLUG.get(wanted)
    if asked is not None and (asked.idle or LICENSE in asked.types):
        return asked
    return BY_TYPE.get(resource.resource_type, IDLE_KIND)


def _listed_type(kind: ListKind, resource: Resource) -> str:
    return resource.resource_type if kind.idle else kind.types[0]


def _check_reach(reach: Reach, account_id: str, resource: Resource) -> None:
    if resource.account_id not in reach.accounts:
        # The same as for one that does not exist: strangers learn nothing.
        raise NotFound(f"no resource {resource.arn} in the accounts that are open to {account_id}")


def _answer(room: Room, request: Request, session: Session, asked: ShownResource) -> dict[str, Any]:
    """Return what the API answers about the resource, with the errors beside."""
    kind, visitor = asked.kind, session.visitor
    parameters: dict[str, Any] = {kind.arns: [asked.resource.arn]}
    parameters["accountIds"] = [asked.resource.account_id]
    found = room.calls.perform(
        visitor, asked.resource.region, request.source, kind.operation, parameters
    )
    listed: list[dict[str, Any]] = found[kind.answer]
    return (listed[0] if listed else {}) | {"errors": found.get("errors", [])}


def _explanation(room: Room, asked: ShownResource) -> tuple[Explanation | None, str]:
    """Return the evidence, or why there is none."""
    stamp = asked.row.record.last_refresh if asked.row else room.clock.now().date()
    try:
        return _explained(room, asked.resource.arn, asked.as_type, stamp), ""
    except (InvalidInput, NotFound) as error:
        return None, str(error)


@lru_cache(maxsize=EXPLANATIONS_KEPT)
def _explained(room: Room, arn: str, as_type: str | None, _stamp: Any) -> Explanation:
    return explain(
        room.state,
        room.tiles,
        room.clock,
        arn,
        profile=room.profile,
        idle_limits=room.idle_limits,
        as_type=as_type,
        searching=False,
    )


def _changes(asked: ShownResource, found: list[Option]) -> list[tuple[str, Change]]:
    """Return how each option is put into effect, or what is idle is stopped, by its title."""
    subject = Subject(asked.resource.arn, asked.resource.name)
    if asked.kind.idle:
        stop = stop_of(asked.resource.resource_type)
        return [(stop.title, stop.make(subject))] if stop and asked.row else []
    made = ((one.name, change_to(asked.resource_type, subject, one)) for one in found)
    return [(name, change) for name, change in made if change]


def _profiles(told: Explanation | None, found: list[Option]) -> list[Mapping[str, Any]]:
    """Return the answers of both profiles, the one that decided first; none without a second."""
    if told is None or told.prediction is None or told.other is None:
        return []
    first = found[0] if found else None
    deciding = {
        "profile": told.prediction.profile,
        "decided": True,
        "finding": told.finding,
        "option": first.name if first else None,
        "savings": first.savings if first else None,
        "violated": first.violation_risk if first else None,
    }
    return [deciding, _as_profile(told.other)]


def _as_profile(other: OtherAnswer) -> Mapping[str, Any]:
    return {
        "profile": other.profile,
        "decided": False,
        "finding": other.finding,
        "option": other.instance_type,
        "savings": other.savings.monthly_usd if other.savings else None,
        "violated": other.violation_risk,
    }
