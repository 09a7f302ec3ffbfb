"""The lists of recommendations: filtered, sorted, page by page, and as a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from compute_optimizer.console.deciding import advising_in, states_now
from compute_optimizer.console.gate import Room
from compute_optimizer.console.kinds import BY_SLUG, ListKind
from compute_optimizer.console.messages import Request, Response
from compute_optimizer.console.reach import Reach, reach_of_enrolled
from compute_optimizer.console.rendering import page
from compute_optimizer.console.rows import COLUMNS, DECIDED, Row, row_of, shown
from compute_optimizer.console.sessions import Session
from compute_optimizer.console.spreadsheets import as_file
from compute_optimizer.console.view import FILTER, SIZES, View, position, view_of
from compute_optimizer.errors import Conflict, NotFound
from compute_optimizer.jobs.decisions import standpoints
from compute_optimizer.model.decision import WAITING, State
from compute_optimizer.model.resource import hidden_types
from compute_optimizer.model.tally import Topic
from compute_optimizer.operations.filters import selection
from compute_optimizer.store.analysis_runs import Scope
from compute_optimizer.store.ranked import (
    Advising,
    After,
    Wanted,
    current_runs,
    read_ranked,
    stream_ranked,
)
from compute_optimizer.store.summaries import Counted, current_totals

BATCH = 1_000
"""Rows of a file that are read at once."""

TWO_RUNS = "an analysis ended while the file was written; export it again for the new one"

MOST_SORTED = 5_000
"""Rows that are read to be sorted by a column that no index has: some 0.2 s."""

BY_SAVINGS = "-by-savings"
"""Ends the name of a file that was to be sorted by a column and has too many rows for it."""


@dataclass(frozen=True, slots=True)
class PageRows:
    """The rows of one page."""

    rows: list[Row]
    following: dict[str, Any] | None
    """What the address of the next page has besides; None for the last."""
    is_unsorted: bool = False
    """Whether there are too many rows to be sorted as was asked for."""


def show(room: Room, request: Request, session: Session, kind: str) -> Response:
    """Show a page of a list."""
    view, reach = _asked(room, request, session, kind)
    wanted = _wanted(room, reach, view)
    with room.state.reading() as connection:
        part = _part(room, connection, view, wanted)
    values = {
        "view": view,
        "reach": reach,
        "rows": part.rows,
        "next": part.following,
        "is_unsorted": part.is_unsorted,
        "most_sorted": MOST_SORTED,
        "columns": {name: COLUMNS[name] for name in view.columns},
        "every_column": {name: one for name, one in COLUMNS.items() if one.fits(view.kind)},
        "shown": shown,
        "sizes": SIZES,
        "states": [one for one in State if one in WAITING],
        "prefix": FILTER,
        "choices": _choices(view.kind),
        "total": _total(room, reach, view),
    }
    return page(room, request, session, "recommendations.html", values)


def export(room: Room, request: Request, session: Session, kind: str) -> Response:
    """Return every row of a view as CSV, with its columns."""
    view, reach = _asked(room, request, session, kind)
    wanted = _wanted(room, reach, view)
    columns = [COLUMNS[name] for name in view.columns]
    headings = ["Resource ARN", *(one.heading for one in columns)]
    with room.state.reading() as connection:
        began = current_runs(connection, wanted)
        by_column = _sorted(room, connection, view, wanted) if view.column else None
        if by_column is not None:
            by_column = _standing(room, connection, view, by_column)
    rows = _streamed(room, view, wanted, began) if by_column is None else by_column
    cells = ([row.ranked.arn, *(one.cell(row) for one in columns)] for row in rows)
    is_unsorted = bool(view.column) and by_column is None
    return as_file(view.kind.slug + (BY_SAVINGS if is_unsorted else ""), headings, cells)


def _streamed(room: Room, view: View, wanted: Wanted, began: Mapping[Scope, str]) -> Iterator[Row]:
    """Yield every row of a view, read some at a time while they are asked for.

    Between, no connection is held: a slow reader keeps nobody waiting. Raises Conflict where
    an analysis has ended since those that were current as it `began`.
    """
    more = True
    while more:
        with room.state.reading() as connection:
            if current_runs(connection, wanted) != began:
                raise Conflict(TWO_RUNS)
            found = read_ranked(connection, wanted, BATCH)
            rows = _standing(room, connection, view, [row_of(view.kind, one) for one in found])
        yield from rows
        more = len(found) == BATCH
        if more:
            last = found[-1]
            wanted = replace(wanted, after=After(last.savings, last.scope, last.arn))


def _asked(room: Room, request: Request, session: Session, slug: str) -> tuple[View, Reach]:
    """Return the view and what is open to the visitor; raises what the API would answer."""
    kind = BY_SLUG.get(slug)
    if kind is None:
        raise NotFound(f"there is no list {slug!r}; there are {', '.join(BY_SLUG)}")
    room.calls.permit(session.visitor, request.one("region"), request.source, kind.operation)
    return view_of(kind, request), reach_of_enrolled(room, session.visitor.account_id)


def _wanted(room: Room, reach: Reach, view: View) -> Wanted:
    chosen = selection(view.filters, view.kind.filters)  # type: ignore[arg-type]  # plain dicts
    if chosen.findings is None:
        chosen = replace(chosen, findings=view.kind.findings)
    return Wanted(
        scopes=_scopes(room, reach, view),
        order=view.order,
        selection=chosen,
        text=view.text,
        advising=_advising(room, reach, view.state),
        after=view.after,
        idle=view.kind.idle,
    )


def _scopes(room: Room, reach: Reach, view: View) -> tuple[Scope, ...]:
    types = set(view.kind.types) - set(hidden_types(room.newer_idle_types))
    return tuple(
        scope
        for scope in reach.scopes
        if scope.resource_type in types
        and view.account in ("", scope.account_id)
        and view.region in ("", scope.region)
    )


def _part(room: Room, connection: Connection, view: View, wanted: Wanted) -> PageRows:
    """Return a page of a list."""
    rows = _sorted(room, connection, view, wanted) if view.column else None
    if rows is not None:
        first = (max(view.page, 1) - 1) * view.size
        more = len(rows) > first + view.size
        shown_here = _standing(room, connection, view, rows[first : first + view.size])
        return PageRows(shown_here, {"page": view.page + 1} if more else None)
    found = read_ranked(connection, wanted, view.size + 1)
    here = [row_of(view.kind, one) for one in found[: view.size]]
    shown_here = _standing(room, connection, view, here)
    following = None
    if len(found) > view.size:
        last = found[view.size - 1]
        following = {"after": position(After(last.savings, last.scope, last.arn))}
    return PageRows(shown_here, following, bool(view.column))


def _sorted(room: Room, connection: Connection, view: View, wanted: Wanted) -> list[Row] | None:
    """Return every row by a column, those without a value last; None for more than MOST_SORTED."""
    found = (row_of(view.kind, one) for one in stream_ranked(connection, wanted))
    rows = list(islice(found, MOST_SORTED + 1))
    if len(rows) > MOST_SORTED:
        return None
    if view.column in DECIDED:
        rows = _standing(room, connection, view, rows)
    cell = COLUMNS[view.column].cell
    told = [(value, row) for row in rows if (value := cell(row)) not in (None, "")]
    told.sort(key=lambda one: _comparable(one[0]), reverse=view.descends)
    return [row for _, row in told] + [row for row in rows if cell(row) in (None, "")]


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _standing(room: Room, connection: Connection, view: View, rows: list[Row]) -> list[Row]:
    """Return rows with what was decided about them, where a column of the view tells it."""
    if not DECIDED & {*view.columns, view.column}:
        return rows
    found = [row.record for row in rows]
    stands = standpoints(connection, found, room.clock.now(), room.owner_tags)
    return [replace(row, stand=stand) for row, stand in zip(rows, stands, strict=True)]


def _advising(room: Room, reach: Reach, state: State | None) -> Advising | None:
    """Return the advice that is in the state of a view; None for all."""
    if state is None:
        return None
    with room.state.reading() as connection:
        return advising_in(state, states_now(connection, room, reach))


def _choices(kind: ListKind) -> dict[str, list[str]]:
    """Return the values that each of the API's filters takes, each once."""
    return {
        name: list(dict.fromkeys(rule.accepted.values()))
        if set(rule.accepted.values()) <= set(rule.accepted)
        else list(rule.accepted)
        for name, rule in kind.filters.items()
    }


def _total(room: Room, reach: Reach, view: View) -> int | None:
    """Return how many rows the view has; None where only looking through all would tell."""
    if not view.is_plain or set(view.chosen.get("Finding", [])) - _findings(view.kind):
        return None
    by = ("account_id", "region", "resource_type")
    counts = room.state.remembered(
        ("console counts", tuple(sorted(reach.accounts))),
        lambda connection: current_totals(connection, reach.accounts.keys(), by),
    )
    scopes = set(_scopes(room, reach, view))
    return sum(one.tally.resources for one in counts if _counts(one, scopes, view))


def _findings(kind: ListKind) -> set[str]:
    rule = kind.filters.get("Finding")
    return set(rule.accepted.values()) if rule else set()


def _counts(one: Counted, scopes: set[Scope], view: View) -> bool:
    topic = Topic.IDLE if view.kind.idle else Topic.FINDING
    findings = view.chosen.get("Finding") or view.kind.findings
    is_chosen = not findings or one.tally.name in findings
    return one.tally.topic is topic and is_chosen and Scope(*one.of) in scopes
