"""The accounts that are open to somebody: choose one, or go on in another one."""

from dataclasses import dataclass

from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.pages.sign_in import SUCCESS, inside
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import Session, choose_account, visitors_in
from compute_optimizer.store.accounts import find_account

CHOOSE = "ConsoleChooseAccount"
"""As the audit log names it."""

CHANGES = ("UpdateEnrollmentStatus", "PutRecommendationPreferences")
"""Operations of which one says that somebody may do more than look."""


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account as the page shows it."""

    account_id: str
    name: str
    changes: bool
    """Whether something may be changed in it."""
    is_current: bool


def show(room: Room, request: Request, session: Session) -> Response:
    """Show the accounts that are open to whoever is signed in."""
    visitors = visitors_in(room, session)
    with room.state.reading() as connection:
        found = {one: find_account(connection, one) for one in visitors}
    accounts = [
        OpenAccount(
            account_id,
            stored.name if (stored := found[account_id]) else "",
            any(room.calls.may(visitor, name) for name in CHANGES),
            account_id == session.visitor.account_id,
        )
        for account_id, visitor in visitors.items()
    ]
    values = {"accounts": accounts, "next": inside(request.one("next"))}
    return page(room, request, session, "accounts.html", values)


def choose(room: Room, request: Request, session: Session) -> Response:
    """Go on in another account, without signing in again."""
    visitor: Visitor = choose_account(room, session, request.field("account"))
    room.gate.record(visitor, request.source, CHOOSE, SUCCESS)
    return redirect(inside(request.field("next")))
