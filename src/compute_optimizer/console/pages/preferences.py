"""Preferences: what is in force and who decides it, what is stated where, and how to change it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from compute_optimizer.backtest.grid import BOTH, POOLS
from compute_optimizer.console.addresses import link
from compute_optimizer.console.forms import FRESH, Entered, refused
from compute_optimizer.console.gate import Room
from compute_optimizer.console.in_force import EffectivePreference, preferences_in_force, told_in
from compute_optimizer.console.kinds import BY_TYPE, TITLES
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.preference_form import (
    ADDED,
    AT,
    LISTS,
    LISTS_SHOWN,
    Form,
    form_of,
    taken_in,
    wanted_in,
)
from compute_optimizer.console.preference_target import PreferenceTarget
from compute_optimizer.console.reach import Reach, reach_of_enrolled
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.console.what_if import Run, WhatIfRequest, begin, find_run, look, wait_for
from compute_optimizer.console.what_if import stop as stop_run
from compute_optimizer.errors import InvalidInput, NotFound
from compute_optimizer.jobs.try_preferences import MOST_CHANGES, Fleet, tried_types
from compute_optimizer.model.preference_rules import RESOURCE_ARNS, members_allowed
from compute_optimizer.model.preferences import ARCHITECTURES, CURRENT
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE
from compute_optimizer.model.stated_preferences import PreferenceScope, ScopeName, StatedPreferences
from compute_optimizer.operations.catalog import known_types
from compute_optimizer.operations.preferences import EFFECTIVE_TYPES, may_activate_discounts
from compute_optimizer.shapes import ResourceType
from compute_optimizer.store.preferences import EVERY_TYPE

STATED, EFFECTIVE, PUT, DELETE = (
    "GetRecommendationPreferences",
    "GetEffectiveRecommendationPreferences",
    "PutRecommendationPreferences",
    "DeleteRecommendationPreferences",
)

SUMMARIES = "GetRecommendationSummaries"
"""Whose permission a what-if needs for types that have no list of their own."""

HERE = "/console/preferences"

SHOWN = 200
"""Scopes in the table of what is stated."""

ROWS = 50
"""Changed recommendations on a page."""

PATIENCE_SECONDS = 2.0
"""For which sending a what-if waits for its result, so that small fleets need no second look."""

KINDS: Mapping[str, str] = {
    kind: {EVERY_TYPE: "Every type", "Idle": "Idle resources"}.get(kind, TITLES.get(kind, kind))
    for kind in get_args(ResourceType)
    if any(members_allowed(kind, scope) for scope in ScopeName)
}
"""Titles of the resource types that have preferences."""

SCOPE_TITLES: Mapping[str, str] = {
    ScopeName.ORGANIZATION: "The organization",
    ScopeName.ACCOUNT_ID: "The account",
    ScopeName.RESOURCE_ARN: "The resource",
}

ARCHITECTURE_CHOICES = {
    ARCHITECTURES[0]: "As today",
    ARCHITECTURES[1]: "Graviton only",
    BOTH: "Both, ranked together",
}
"""CPU architectures: asked with each request, and no preference that is kept (spec 4.1)."""


def show(room: Room, request: Request, session: Session) -> Response:
    """Show what is stated, what is in force and, to those who may change it, the forms."""
    reach = reach_of_enrolled(room, session.visitor.account_id)
    target = _target(reach, session, {name: request.one(name) for name in TARGET})
    scopes = _scopes(reach, target.resource_type, target.arn)
    if target.scope not in scopes:
        # Such as after another type was chosen: what it has not is not offered.
        target = replace(target, scope=_scope(reach, target.resource_type, target.arn, ""))
    return _page(room, request, session, target)


def change(room: Room, request: Request, session: Session) -> Response:
    """State what the form says, as PutRecommendationPreferences does."""
    return _save(room, request, session, PUT)


def take_away(room: Room, request: Request, session: Session) -> Response:
    """Take away what the form names, as DeleteRecommendationPreferences does."""
    return _save(room, request, session, DELETE)


def try_out(room: Room, request: Request, session: Session) -> Response:
    """Begin a what-if of either form and lead to its page; nothing is stored."""
    target = _sent_target(room, request, session)
    operation = DELETE if request.field("operation") == DELETE else PUT
    try:
        room.calls.permit(session.visitor, target.region, request.source, _reading(target))
        asked = _asked(room, request, session, target, operation)
        run_id = begin(room, session.session_id, asked)
    except Exception as error:
        return _page(room, request, session, target, refused(request, error, AT))
    wait_for(room, run_id, PATIENCE_SECONDS)
    return redirect(f"{HERE}/what-if/{run_id}")


def tried(room: Room, request: Request, session: Session, run_id: str) -> Response:
    """Show the page with what a what-if found, or how far it is."""
    run = find_run(room, session.session_id, run_id)
    if not run.stored.is_over:
        look(room)
    asked, target = run.asked, run.asked.target
    reach = reach_of_enrolled(room, session.visitor.account_id)
    if not asked.fleet.accounts <= reach.accounts.keys():
        raise NotFound("accounts of this what-if are not open to you any more; try it again")
    room.calls.permit(session.visitor, target.region, request.source, _reading(target))
    return _page(room, request, session, target, Entered(asked.sent), run)


def stop(room: Room, request: Request, session: Session, run_id: str) -> Response:
    """Stop a what-if and lead back to its page."""
    stop_run(room, session.session_id, run_id)
    wait_for(room, run_id, PATIENCE_SECONDS)
    return redirect(f"{HERE}/what-if/{run_id}")


TARGET = ("type", "account", "region", "scope", "arn")
"""What an address and a form say of a target."""


def _save(room: Room, request: Request, session: Session, operation: str) -> Response:
    target = _sent_target(room, request, session)
    visitor = session.visitor
    try:
        wanted = _wanted(room, request, session, target, operation)
        room.calls.perform(visitor, target.region, request.source, operation, wanted)
    except Exception as error:
        return _page(room, request, session, target, refused(request, error, AT))
    return redirect(link(HERE, {**target.query, "saved": operation}) + "#force")


def _sent_target(room: Room, request: Request, session: Session) -> PreferenceTarget:
    reach = reach_of_enrolled(room, session.visitor.account_id)
    return _target(reach, session, {name: request.field(name) for name in TARGET})


def _target(reach: Reach, session: Session, asked: Mapping[str, str]) -> PreferenceTarget:
    """Return whose preferences are meant: the visitor's own in the first Region by default.

    An ARN says by itself of which type, account and Region it is.
    """
    arn = asked["arn"].strip()
    kind, account, region = asked["type"] or EC2_INSTANCE, asked["account"], asked["region"]
    for name, pattern in RESOURCE_ARNS.items():
        if found := pattern.fullmatch(arn):
            kind, account, region = name, found["account"], found["region"]
    account = account or session.visitor.account_id
    region = region or next(iter(reach.regions), "")
    _check(reach, kind, account, asked["region"])
    return PreferenceTarget(kind, account, region, _scope(reach, kind, arn, asked["scope"]), arn)


def _check(reach: Reach, kind: str, account: str, region: str) -> None:
    if kind not in KINDS:
        raise InvalidInput(
            f"the resource type {kind[:40]!r} has no preferences; expected one of "
            f"{', '.join(KINDS)}"
        )
    if account not in reach.accounts:
        raise InvalidInput(
            f"the account {account!r} is not open to you; expected one of "
            f"{', '.join(reach.accounts)}"
        )
    if region and region not in reach.regions:
        raise InvalidInput(
            f"there are no recommendations in the Region {region!r}; expected one of "
            f"{', '.join(reach.regions) or 'none: analyze first'}"
        )


def _scopes(reach: Reach, kind: str, arn: str) -> list[ScopeName]:
    """Return the scopes at which something may be stated, the narrowest first."""
    may = {
        ScopeName.RESOURCE_ARN: bool(arn),
        ScopeName.ACCOUNT_ID: True,
        ScopeName.ORGANIZATION: reach.standing.sees_members,
    }
    return [scope for scope, there in may.items() if there and members_allowed(kind, scope)]


def _scope(reach: Reach, kind: str, arn: str, asked: str) -> ScopeName:
    if asked in set(ScopeName):
        return ScopeName(asked)
    scopes = _scopes(reach, kind, arn)
    return scopes[0] if scopes else ScopeName.ACCOUNT_ID


def _detail(
    room: Room, request: Request, session: Session, target: PreferenceTarget
) -> Mapping[str, Any]:
    """Return what the scope of a target states."""
    asked = target.request
    if target.scope is ScopeName.RESOURCE_ARN and not target.arn:
        return {}
    found = room.calls.perform(session.visitor, target.region, request.source, STATED, asked)
    details: list[Mapping[str, Any]] = found["recommendationPreferencesDetails"]
    return details[0] if details else {}


def _form(
    room: Room, session: Session, target: PreferenceTarget, detail: Mapping[str, Any]
) -> Form:
    reach = reach_of_enrolled(room, session.visitor.account_id)
    may = may_activate_discounts(reach.standing)
    return form_of(target.resource_type, target.scope, detail, may_activate=may)


def _wanted(
    room: Room, request: Request, session: Session, target: PreferenceTarget, operation: str
) -> dict[str, Any]:
    """Return the request of a put or a delete that a form stands for."""
    detail = _detail(room, request, session, target)
    form = _form(room, session, target, detail)
    if operation == DELETE:
        return {**target.request, "recommendationPreferenceNames": taken_in(form, request.form)}
    return {**target.request, **wanted_in(form, request.form, detail)}


def _asked(
    room: Room, request: Request, session: Session, target: PreferenceTarget, operation: str
) -> WhatIfRequest:
    """Return the what-if of a form; raises what saving it would."""
    wanted = _wanted(room, request, session, target, operation)
    architecture = request.field("architecture")
    architecture = architecture if architecture in POOLS else CURRENT
    statements: tuple[tuple[PreferenceScope, StatedPreferences], ...] = ()
    if wanted != target.request or architecture == CURRENT:
        plan = room.calls.plan(session.visitor, target.region, request.source, operation, wanted)
        statements = ((plan.scope, plan.after),)
    accounts = frozenset(
        reach_of_enrolled(room, session.visitor.account_id).accounts
        if target.scope is ScopeName.ORGANIZATION
        else [target.account]
    )
    arn = target.arn if target.scope is ScopeName.RESOURCE_ARN else ""
    fleet = Fleet(accounts, target.region, target.resource_type, arn)
    return WhatIfRequest(target, request.form, operation, fleet, statements, architecture)


def _reading(target: PreferenceTarget) -> str:
    """Return the operation whose permission a what-if needs: it tells of the same resources."""
    kind = BY_TYPE.get(target.resource_type)
    return kind.operation if kind else SUMMARIES


def _page(
    room: Room,
    request: Request,
    session: Session,
    target: PreferenceTarget,
    entered: Entered = FRESH,
    run: Run | None = None,
) -> Response:
    visitor = session.visitor
    reach = reach_of_enrolled(room, visitor.account_id)
    room.calls.permit(visitor, target.region, request.source, EFFECTIVE)
    entered, detail = _looked_up(room, request, session, target, entered)
    stated, has_more = _stated(room, request, session, target)
    asked = run.asked if run else None
    tried_types_here = tried_types(target.resource_type)
    values = {
        "target": target,
        "reach": reach,
        "kinds_with": KINDS,
        "scopes": _scopes(reach, target.resource_type, target.arn),
        "scope_titles": SCOPE_TITLES,
        "lines": _lines(room, target, asked) if entered.at != "arn" else [],
        "stated": stated,
        "has_more": has_more,
        "may_put": room.calls.may(visitor, PUT),
        "may_delete": room.calls.may(visitor, DELETE),
        "put": PUT,
        "delete": DELETE,
        "form": _form(room, session, target, detail),
        "lists": LISTS,
        "added": ADDED,
        "lists_shown": LISTS_SHOWN,
        "entered": entered,
        # What was sent to take something away says nothing of the fields that state something.
        "changing": FRESH if entered.value("operation") == DELETE else entered,
        "types": _types(room, target),
        "pools": ARCHITECTURE_CHOICES if EC2_INSTANCE in tried_types_here else {},
        "can_try": bool(tried_types_here),
        "run": run,
        "saved": request.one("saved"),
        "address": HERE,
        **_result(request, run),
    }
    return page(room, request, session, "preferences.html", values, entered.status)


def _looked_up(
    room: Room, request: Request, session: Session, target: PreferenceTarget, entered: Entered
) -> tuple[Entered, Mapping[str, Any]]:
    """Return what the scope states; an ARN that is none is a problem of its field."""
    try:
        if target.arn and target.resource_type in EFFECTIVE_TYPES:
            # Refuses what is no instance or group, or of another account.
            arn = {"resourceArn": target.arn}
            room.calls.perform(session.visitor, target.region, request.source, EFFECTIVE, arn)
        return entered, _detail(room, request, session, target)
    except Exception as error:
        found = refused(request, error, AT)
        if target.arn:
            found = replace(found, at="arn")
        return (entered if entered.problem else found), {}


def _result(request: Request, run: Run | None) -> dict[str, Any]:
    """Return a page of the changed recommendations, and what is around it."""
    text = request.one("page")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    result = run.result if run else None
    if result is None:
        return {"result": None}
    first = (max(number, 1) - 1) * ROWS
    return {
        "result": result,
        "rows": result.trial.changes[first : first + ROWS],
        "first": first,
        "number": max(number, 1),
        "size": ROWS,
        "most": MOST_CHANGES,
        "titles": TITLES,
    }


def _types(room: Room, target: PreferenceTarget) -> list[str]:
    """Return what completes a preferred type: every family and type that is known."""
    if target.resource_type not in (EC2_INSTANCE, AUTO_SCALING_GROUP):
        return []
    names = known_types(room.state).index
    return sorted({name.partition(".")[0] for name in names} | set(names))


def _lines(
    room: Room, target: PreferenceTarget, asked: WhatIfRequest | None
) -> list[tuple[EffectivePreference, EffectivePreference | None]]:
    """Return what is in force, each beside what a what-if would put in its place."""
    here = (target.account, target.region, target.resource_type)
    with room.state.reading() as connection:
        now = preferences_in_force(connection, here, target.arn)
        then = preferences_in_force(connection, here, target.arn, asked.instead) if asked else None
    after: list[EffectivePreference | None] = [None] * len(now) if then is None else [*then]
    return list(zip(now, after, strict=True))


def _stated(
    room: Room, request: Request, session: Session, target: PreferenceTarget
) -> tuple[list[tuple[Mapping[str, Any], str, str]], bool]:
    """Return the scopes that state something, with what it is in words and their pages."""
    types = [target.resource_type]
    if target.resource_type == EC2_INSTANCE:
        types.append(AUTO_SCALING_GROUP)
    found, has_more = [], False
    for resource_type in types:
        asked = {"resourceType": resource_type, "maxResults": SHOWN}
        answer = room.calls.perform(session.visitor, target.region, request.source, STATED, asked)
        found += answer["recommendationPreferencesDetails"]
        has_more = has_more or "nextToken" in answer
    return [(one, "; ".join(told_in(one)), _page_of(target, one)) for one in found], has_more


def _page_of(target: PreferenceTarget, detail: Mapping[str, Any]) -> str:
    """Return the page of a scope."""
    scope, value = ScopeName(detail["scope"]["name"]), detail["scope"]["value"]
    there = replace(target, resource_type=detail["resourceType"], scope=scope, arn="")
    if scope is ScopeName.RESOURCE_ARN:
        there = replace(there, arn=value)
    if scope is ScopeName.ACCOUNT_ID:
        there = replace(there, account=value)
    return link(HERE, there.query)
