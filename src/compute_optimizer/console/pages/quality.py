"""Quality: how often the advice would have hurt this fleet, and how predictions did since."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from compute_optimizer.backtest.headline import window_of
from compute_optimizer.console.deciding import DECIDE
from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.console.kinds import BY_TYPE, TITLES
from compute_optimizer.console.measured import (
    Bin,
    Day,
    Rule,
    budgets_of,
    classes_of,
    days_of,
    reliability_of,
    rules_of,
)
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.reach import Reach, reach_of_enrolled
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.console.words import RISKS
from compute_optimizer.errors import NotFound
from compute_optimizer.jobs.quality import MOST_REPLAYED, TESTED_TYPES
from compute_optimizer.model.backtested import DEMO, Backtested, QueuedBacktest
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.store.backtests import (
    backtests_of,
    find_request,
    past_backtest,
    request_backtest,
)
from compute_optimizer.store.forecasts import all_scores

OPERATION = "GetRecommendationSummaries"
"""Of the API, whose permission the page needs, as the dashboard does."""

HERE = "/console/quality"

CLASSES = tuple(f"{name} ({score})" for score, name in enumerate(RISKS))
"""Performance risk as the API shows it, 0 to 4, by the names that lists have for it."""

DAYS_SHOWN = 400
"""Of scores, the newest: as long as metrics are usually kept."""


def show(room: Room, request: Request, session: Session) -> Response:
    """Show the last backtest of each type, and the scores over time."""
    visitor, reach = let_in(room, request, session)
    with room.state.reading() as connection:
        tested = backtests_of(connection, visitor.account_id)
        waiting = find_request(connection, visitor.account_id)
    offered = offered_types(room, visitor)
    chosen = chosen_type(request, offered)
    days = _days(room, reach) if chosen == EC2_INSTANCE else []
    values = {
        "reach": reach,
        "titles": TITLES,
        "offered": offered,
        "tested": tested,
        "chosen": chosen,
        "is_past": False,
        "waiting": waiting,
        "may_start": room.calls.may(visitor, DECIDE),
        "worker": _worker(room),
        "most": MOST_REPLAYED,
        "demo": DEMO,
        **_told(tested.get(chosen), days),
    }
    return page(room, request, session, "quality.html", values)


def show_past(room: Room, request: Request, session: Session) -> Response:
    """Show a backtest of the history as the newest is shown; raise NotFound for one not kept."""
    visitor, reach = let_in(room, request, session)
    offered = offered_types(room, visitor)
    chosen, made_at = chosen_type(request, offered), _moment(request.one("made"))
    with room.state.reading() as connection:
        one = made_at and past_backtest(connection, visitor.account_id, chosen, made_at)
    if not one:
        raise NotFound(
            f"no backtest of {TITLES.get(chosen, 'this type')} that was made at "
            f"{request.one('made')[:40]!r} is kept; choose one of the history"
        )
    values = {"reach": reach, "titles": TITLES, "chosen": chosen, "is_past": True}
    return page(room, request, session, "quality.html", values | _told(one, []))


def start(room: Room, request: Request, session: Session) -> Response:
    """Ask the worker for a backtest of what the visitor sees."""
    visitor, _ = let_in(room, request, session)
    wanted = QueuedBacktest(visitor.account_id, room.clock.now(), visitor.principal_arn)
    told = {"accountId": visitor.account_id}
    with (
        room.calls.guard(visitor, request.source, DECIDE, "backtest request", told),
        room.state.writing() as connection,
    ):
        request_backtest(connection, wanted)
    return redirect(HERE)


def chosen_type(request: Request, offered: Sequence[str]) -> str:
    """Return the type that an address asks for, or the first that may be looked at."""
    asked = request.one("type")
    return asked if asked in offered else next(iter(offered), "")


def _moment(text: str) -> datetime | None:
    """Return the moment of an address; None for what is none, of no zone or beyond the calendar."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def let_in(room: Room, request: Request, session: Session) -> tuple[Visitor, Reach]:
    """Return who visits and what they see; raises what refuses them."""
    visitor = session.visitor
    room.calls.permit(visitor, "", request.source, OPERATION)
    return visitor, reach_of_enrolled(room, visitor.account_id)


def offered_types(room: Room, visitor: Visitor) -> list[str]:
    """Return the types whose backtests the visitor may look at, in the order of testing."""
    return [name for name in TESTED_TYPES if room.calls.may(visitor, BY_TYPE[name].operation)]


def _worker(room: Room) -> Any:
    """Return where the worker's job stands that answers requests."""
    return next((one for one in room.worker_jobs() if one.name == "backtest_requests"), None)


def _days(room: Room, reach: Reach) -> list[Day]:
    scores = room.state.remembered("console scores", partial(all_scores, limit=DAYS_SHOWN))
    return days_of(scores, reach.accounts.keys())


def _told(one: Backtested | None, days: Sequence[Day]) -> dict[str, Any]:
    """Return what the page shows of a backtest, and the same for its charts."""
    compared = _compared(one)
    return {
        "one": one,
        "window": window_of(one) if one else None,
        "days": days,
        "charts": _charts(compared["rules"], compared["bins"], days),
        **compared,
    }


def _compared(one: Backtested | None) -> dict[str, Any]:
    """Return the tables of a type that has rules of others to be compared with."""
    if one is None or not one.report or one.resource_type != EC2_INSTANCE:
        return {"rules": [], "budgets": [], "bins": [], "classes": []}
    return {
        "rules": rules_of(one.report),
        "budgets": budgets_of(one.report),
        "bins": reliability_of(one.report),
        "classes": classes_of(one.report, CLASSES),
    }


def _charts(rules: Sequence[Rule], bins: Sequence[Bin], days: Sequence[Day]) -> dict[str, Any]:
    """Return what the script draws: the same figures as the tables have."""
    return {
        "rules": [[one.name, one.violations * 100, one.savings * 100] for one in rules],
        "bins": [[one.expected, one.observed_share, *one.interval] for one in bins],
        "days": [[one.day.isoformat(), one.expected, one.observed, *one.interval] for one in days],
    }
