"""What is shown in place of a page."""

from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import COOKIE, find_session

OPT_IN = "OptInRequiredException"


def refusal_page(room: Room, request: Request, status: int, title: str, text: str) -> Response:
    """Return the page that says why there is none, and what to do."""
    session = find_session(room, request.cookie(COOKIE))
    values = {"title": title, "text": text, "opt_in": title == OPT_IN}
    return page(room, request, session, "refusal.html", values, status)


def failure_page(room: Room, request: Request) -> Response:
    """Return the page for a defect: it says nothing of it but that it is in the log."""
    return Response(
        500,
        b"The page could not be made. The program's log says why.",
        "text/plain; charset=utf-8",
    )
