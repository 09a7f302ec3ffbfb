"""Decisions: what is open, what was decided, what came of it, and the forms that decide."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.backtest.agreement import agreement
from compute_optimizer.backtest.intervals import wilson
from compute_optimizer.console.deciding import (
    BY_PEOPLE,
    DECIDE,
    Line,
    Purview,
    decided_lines,
    open_lines,
    page_of,
    panel_of,
    purview_of,
    sums,
)
from compute_optimizer.console.forms import FRESH, Entered, refused
from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.console.kinds import kind_of, title_of
from compute_optimizer.console.messages import Request, Response, read_values, redirect
from compute_optimizer.console.pages import resource
from compute_optimizer.console.reach import Reach, reach_of_enrolled
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.console.spreadsheets import as_file
from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs import decisions as jobs
from compute_optimizer.jobs.outcomes import kept_outcomes
from compute_optimizer.model.decision import TRANSITIONS, Action, Advice, State
from compute_optimizer.model.outcome import (
    Outcome,
    Verdicts,
    totals_of,
    verdicts_by_performance_risk,
    verdicts_by_risk,
    verdicts_by_type,
)
from compute_optimizer.resources.configured import text_of
from compute_optimizer.store.backtests import history_of
from compute_optimizer.views.plain_values import iso, rounded

OPERATION = "GetRecommendationSummaries"
"""Of the API, whose permission the page needs, as the dashboard does."""

HERE = "/console/decisions"

SHOWN = 100
"""Lines in the table; the file has all of them."""

ON_RESOURCE = "resource"
"""Says in a form that it stands on the page of the resource."""


AT = {
    "snooze until": "snooze-until",
    "owner": "assign-owner",
    "why is it dismissed": "dismiss-note",
}
"""Words of a refusal -> the field that it is about."""


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """What somebody wants to see."""

    state: State
    owner: str
    """Empty for all."""

    def has(self, owner: str) -> bool:
        """Return whether something of an owner is wanted."""
        return not self.owner or owner.casefold() == self.owner.casefold()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one change, and whose it is."""

    outcome: Outcome
    owner: str
    address: str


@dataclass(frozen=True, slots=True)
class OfType:
    """What came of the changes of one type."""

    title: str
    verdicts: Verdicts
    tested: float | None
    """Share of those advised less that the last backtest saw violated; None where none is kept."""


def show(room: Room, request: Request, session: Session) -> Response:
    """Show what is in one state, with sums of all of them."""
    purview, asked = _purview(room, request, session.visitor), _asked(request)
    with room.state.reading() as connection:
        lines = list(islice(_lines(connection, purview, asked), SHOWN + 1))
        found = sums(connection, purview)
    results, judged_at = _results(purview, asked)
    values = {
        "asked": asked,
        "states": list(State),
        "sums": found,
        "lines": lines[:SHOWN],
        "has_more": len(lines) > SHOWN,
        "shown": SHOWN,
        "page_of": page_of,
        "currency": purview.reach.currency,
        "results": results[:SHOWN],
        "judged_at": judged_at,
        **_summed(purview, session.visitor, [one.outcome for one in results]),
        "wilson": wilson,
        "agreement": agreement,
        "became": text_of,
    }
    return page(room, request, session, "decisions.html", values)


def export(room: Room, request: Request, session: Session) -> Response:
    """Return everything in one state as CSV; of what was applied, with what came of it."""
    purview, asked = _purview(room, request, session.visitor), _asked(request)
    if asked.state is State.APPLIED:
        return _as_file("outcomes", RESULT_COLUMNS, _results(purview, asked)[0])
    return _as_file(f"decisions-{asked.state}", LINE_COLUMNS, _streamed(purview, asked))


def _streamed(purview: Purview, asked: DecisionFilter) -> Iterator[Line]:
    """Yield lines, read while they are asked for."""
    with purview.room.state.reading() as connection:
        yield from _lines(connection, purview, asked)


def one(room: Room, request: Request, session: Session, recommendation_id: str) -> Response:
    """Show one piece of advice, whether or not its resource is still there."""
    return _one(room, request, session, recommendation_id)


def _one(
    room: Room,
    request: Request,
    session: Session,
    recommendation_id: str,
    entered: Entered = FRESH,
) -> Response:
    visitor = session.visitor
    reach = reach_of_enrolled(room, visitor.account_id)
    found = jobs.dossier(
        room.state, room.clock, recommendation_id, room.owner_tags, accounts=reach.accounts
    )
    advice = found.decision.advice
    room.calls.permit(visitor, advice.region, request.source, kind_of(advice).operation)
    came, judged_at = kept_outcomes(room.state, room.tiles, room.clock, {advice.account_id})
    mine = [one for one in came if one.applied.recommendation_id == recommendation_id]
    values = {
        "panel": panel_of(room, visitor, reach, recommendation_id, advice.resource_arn),
        "advice": advice,
        "title": title_of(advice.resource_type),
        "results": [Result(one, found.owner, "") for one in mine],
        "judged_at": judged_at,
        "address": page_of(advice),
        "reach": reach,
        "back": "",
        "became": text_of,
        "entered": entered,
    }
    return page(room, request, session, "decision.html", values, entered.status)


def decide(room: Room, request: Request, session: Session, recommendation_id: str) -> Response:
    """Do what a form says, and lead back to its page."""
    visitor, name = session.visitor, request.field("action")
    if name not in BY_PEOPLE:
        raise InvalidInput(f"action {name[:40]!r}: expected one of {', '.join(BY_PEOPLE)}")
    reach = reach_of_enrolled(room, visitor.account_id)
    found = jobs.dossier(
        room.state, room.clock, recommendation_id, room.owner_tags, accounts=reach.accounts
    )
    advice = found.decision.advice
    told = {"recommendationId": recommendation_id, "resourceArn": advice.resource_arn}
    try:
        with room.calls.guard(visitor, request.source, DECIDE, f"decisions {name}", told):
            _decide(room, request, Action(name), advice, visitor.principal_arn, reach)
    except Exception as error:
        entered = refused(request, error, AT | {"the note has": f"{name}-note"})
        return _again(room, request, session, advice, entered)
    if request.field("from") == ON_RESOURCE:
        return redirect(f"{page_of(advice)}#decision")
    return redirect(f"{HERE}/{recommendation_id}")


def _again(
    room: Room, request: Request, session: Session, advice: Advice, entered: Entered
) -> Response:
    """Return the page on which a refused form stands, as it was sent."""
    if request.field("from") != ON_RESOURCE:
        return _one(room, request, session, advice.recommendation_id, entered)
    path, _, query = page_of(advice).partition("?")
    there = replace(request, path=path, query=read_values(query), raw_query=query)
    return resource.show(room, there, session, entered)


def _decide(
    room: Room, request: Request, action: Action, advice: Advice, actor: str, reach: Reach
) -> None:
    """Do what a form says, within the accounts in reach."""
    of = room.state, room.clock, advice.recommendation_id
    if action is Action.ASSIGN:
        jobs.assign(*of, actor, request.field("owner"), accounts=reach.accounts)
        return
    until = _until(request) if TRANSITIONS[action].needs_end else None
    note = request.field("note").strip()
    jobs.decide(*of, action, actor, note, until, accounts=reach.accounts)


def _until(request: Request) -> datetime:
    """Return the beginning of the day of a snooze; raise InvalidInput for what is none."""
    text = request.field("until").strip()
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise InvalidInput(
            f"snooze until {text[:40]!r}: expected a day such as 2026-01-31"
        ) from None


def _purview(room: Room, request: Request, visitor: Visitor) -> Purview:
    room.calls.permit(visitor, "", request.source, OPERATION)
    return purview_of(room, visitor, reach_of_enrolled(room, visitor.account_id))


def _asked(request: Request) -> DecisionFilter:
    """Return what an address asks for; what means nothing is left out."""
    state = request.one("state")
    known = State(state) if state in set(State) else State.OPEN
    return DecisionFilter(known, request.one("owner").strip())


def _lines(connection: Connection, purview: Purview, asked: DecisionFilter) -> Iterator[Line]:
    is_open = asked.state is State.OPEN
    found: Iterable[Line] = (
        open_lines(connection, purview)
        if is_open
        else decided_lines(connection, purview, [asked.state])
    )
    return (line for line in found if asked.has(line.owner))


def _results(purview: Purview, asked: DecisionFilter) -> tuple[list[Result], datetime | None]:
    """Return what came of each change of an owner, and when that was judged.

    Nothing where another state is asked for.
    """
    if asked.state is not State.APPLIED:
        return [], None
    room = purview.room
    came, judged_at = kept_outcomes(room.state, room.tiles, room.clock, purview.reach.accounts)
    found = [one for one in came if kind_of(one.applied.advice) in purview.kinds]
    with room.state.reading() as connection:
        owners = jobs.owners_in(connection, (one.applied for one in found), room.owner_tags)
    results = [
        Result(one, owners[one.applied.advice.resource_arn], page_of(one.applied.advice))
        for one in found
    ]
    return [result for result in results if asked.has(result.owner)], judged_at


def _summed(purview: Purview, visitor: Visitor, found: list[Outcome]) -> dict[str, Any]:
    """Return what the outcomes come to, beside what was predicted and tested."""
    with purview.room.state.reading() as connection:
        history = history_of(connection, visitor.account_id) if found else []
    # The oldest come first, so that the last of each type stays.
    hits = {one.resource_type: one.headline.hit_rate for one in history}
    by_type = [
        OfType(_title(name, idle), one, None if idle else _missed(hits.get(name)))
        for (name, idle), one in verdicts_by_type(found).items()
    ]
    return {
        "totals": totals_of(found),
        "by_type": sorted(by_type, key=lambda one: one.title),
        "bins": verdicts_by_risk(found),
        "by_performance_risk": verdicts_by_performance_risk(found),
    }


def _title(name: str, idle: bool) -> str:
    title = title_of(name)
    return f"{title}, stopped as idle" if idle else title


def _missed(hit_rate: float | None) -> float | None:
    return None if hit_rate is None else 1 - hit_rate


def _as_file(
    name: str, columns: Mapping[str, Callable[[Any], Any]], found: Iterable[Any]
) -> Response:
    cells = ([cell(one) for cell in columns.values()] for one in found)
    return as_file(name, list(columns), cells)


LINE_COLUMNS: Mapping[str, Callable[[Line], Any]] = {
    "Recommendation id": lambda it: it.decision.recommendation_id,
    "Resource ARN": lambda it: it.advice.resource_arn,
    "Resource": lambda it: it.advice.name,
    "Account": lambda it: it.advice.account_id,
    "Region": lambda it: it.advice.region,
    "Type": lambda it: it.advice.resource_type,
    "Finding": lambda it: it.advice.finding,
    "Current": lambda it: it.advice.current_text,
    "Recommended": lambda it: it.advice.advised_text,
    "State": lambda it: it.state.value,
    "Until": lambda it: iso(it.decision.snoozed_until if it.state is State.SNOOZED else None),
    "Owner": lambda it: it.owner,
    "Savings a month": lambda it: rounded(it.savings),
    "Violated within 14 days": lambda it: it.advice.prediction.violation_risk,
    "Since": lambda it: iso(it.decision.changed_at),
    "By": lambda it: it.decision.changed_by,
    "Note": lambda it: it.decision.note,
}

RESULT_COLUMNS: Mapping[str, Callable[[Result], Any]] = {
    "Recommendation id": lambda it: it.outcome.applied.recommendation_id,
    "Resource ARN": lambda it: it.outcome.applied.advice.resource_arn,
    "Resource": lambda it: it.outcome.applied.advice.name,
    "Account": lambda it: it.outcome.applied.advice.account_id,
    "Region": lambda it: it.outcome.applied.advice.region,
    "Type": lambda it: it.outcome.applied.advice.resource_type,
    "Was": lambda it: it.outcome.applied.advice.current_text,
    "Became": lambda it: it.outcome.applied.advice.advised_text,
    "Owner": lambda it: it.owner,
    "Applied": lambda it: iso(it.outcome.applied.applied_at),
    "Counted until": lambda it: iso(it.outcome.until),
    "Hours": lambda it: rounded(it.outcome.hours),
    "Hours are": lambda it: it.outcome.hours_are,
    "Predicted savings": lambda it: rounded(it.outcome.predicted_savings_usd),
    "Realized savings": lambda it: rounded(it.outcome.realized_savings_usd),
    "Violation predicted": lambda it: it.outcome.violation_risk,
    "Performance risk": lambda it: it.outcome.performance_risk,
    "Violated": lambda it: it.outcome.violated,
    "Violated in": lambda it: ", ".join(it.outcome.violated_in),
    "Judged days": lambda it: rounded(it.outcome.judged_days),
    "Complete": lambda it: it.outcome.complete,
    "Not judged because": lambda it: it.outcome.unjudged_because,
}
