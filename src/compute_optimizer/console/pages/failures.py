"""What is shown in place of a page."""

from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import COOKIE, Session, find_session
from compute_optimizer.errors import StoreUnavailable
from compute_optimizer.operations.access import OPT_IN_REQUIRED

FAILURE = Response(
    500,
    b"The page could not be made. The program's log says why.",
    "text/plain; charset=utf-8",
)
"""For a defect: it says nothing of it but that it is in the log."""


def refusal_page(room: Room, request: Request, status: int, title: str, text: str) -> Response:
    """Return the page that says why there is none, and what to do."""
    session = _session(room, request)
    values = {"title": title, "text": text, "opt_in": text == OPT_IN_REQUIRED}
    return page(room, request, session, "refusal.html", values, status)


def _session(room: Room, request: Request) -> Session | None:
    """Return the session; None also where the store that would tell cannot be reached."""
    try:
        return find_session(room, request.cookie(COOKIE))
    except StoreUnavailable:
        return None
