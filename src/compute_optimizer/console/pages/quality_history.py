"""The history of backtests: how hit rate, violations and calibration moved over time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from compute_optimizer.console.gate import Room
from compute_optimizer.console.kinds import TITLES
from compute_optimizer.console.messages import Request, Response
from compute_optimizer.console.pages.quality import let_in, offered_types
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session
from compute_optimizer.console.spreadsheets import as_file
from compute_optimizer.model.backtested import Milestone
from compute_optimizer.store.backtests import HISTORY_KEPT, history_of, past_backtests


def show(room: Room, request: Request, session: Session) -> Response:
    """Show the figures of all backtests of one type that are kept."""
    offered, history = _kept(room, request, session)
    with_some = {one.resource_type for one in history}
    first = next((name for name in offered if name in with_some), next(iter(offered), ""))
    chosen = request.one("type") if request.one("type") in offered else first
    found = [one for one in history if one.resource_type == chosen]
    with room.state.reading() as connection:
        shown = past_backtests(connection, session.visitor.account_id, chosen)
    values = {
        "titles": TITLES,
        "offered": offered,
        "chosen": chosen,
        "found": found,
        "shown": shown,
        "kept": HISTORY_KEPT,
        "predicts": any(one.headline.observed is not None for one in found),
        "charts": _charts(found),
    }
    return page(room, request, session, "quality_history.html", values)


def export(room: Room, request: Request, session: Session) -> Response:
    """Return the figures of all types as CSV."""
    _, history = _kept(room, request, session)
    cells = ([cell(one) for cell in COLUMNS.values()] for one in history)
    return as_file("backtests", list(COLUMNS), cells)


def _kept(room: Room, request: Request, session: Session) -> tuple[list[str], list[Milestone]]:
    """Return the types that the visitor may look at, and what is kept of their backtests."""
    visitor, _ = let_in(room, request, session)
    offered = offered_types(room, visitor)
    with room.state.reading() as connection:
        history = history_of(connection, visitor.account_id)
    return offered, [one for one in history if one.resource_type in offered]


def _charts(found: Sequence[Milestone]) -> dict[str, Any]:
    """Return what the script draws: the figures of the table, shares in percent."""
    return {
        "made": [one.made_at.timestamp() for one in found],
        "hits": [_percent(one.headline.hit_rate) for one in found],
        "violations": [
            [_percent(each) for each in (told.violations, *told.violations_interval)]
            for told in (one.headline for one in found)
        ],
        "savings": [_percent(one.headline.savings) for one in found],
        "ratios": [
            [told.ratio, *(told.ratio_interval or (None, None))]
            for told in (one.headline for one in found)
        ],
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


COLUMNS: Mapping[str, Callable[[Milestone], Any]] = {
    "Made": lambda it: it.made_at.isoformat(),
    "Made by": lambda it: it.made_by,
    "Type": lambda it: it.resource_type,
    "Resources": lambda it: it.resources,
    "Replayed": lambda it: it.replayed,
    "First day": lambda it: it.first_day,
    "Last day": lambda it: it.last_day,
    "Test windows": lambda it: it.origins,
    "Violated": lambda it: it.headline.violations,
    "Violated, from": lambda it: it.headline.violations_interval[0],
    "Violated, to": lambda it: it.headline.violations_interval[1],
    "Saved": lambda it: it.headline.savings,
    "Reductions that held": lambda it: it.headline.hit_rate,
    "Violations observed": lambda it: it.headline.observed,
    "Violations expected": lambda it: it.headline.expected,
}
