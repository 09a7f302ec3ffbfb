"""Signing in and out."""

from dataclasses import replace
from math import ceil
from urllib.parse import quote

from compute_optimizer.console.gate import Credentials, Room, Visitor
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.rendering import page
from compute_optimizer.console.sessions import (
    Session,
    close_session,
    id_token_of,
    key_of,
    open_session,
)
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.shapes import ServiceException

HOME = "/console/"

ENTER, LEAVE = "ConsoleSignIn", "ConsoleSignOut"
"""As the audit log names them."""

STANDING = "/?&=%+,:;@~!$'()*[]"
"""Letters that stand for themselves in an address, beside letters and figures (RFC 3986, 2.2)."""

SUCCESS = "Success"
EXPIRED = "ExpiredTokenException"

THROTTLED = "Too many attempts from your address. Try again in {seconds} s."
TEXTS = {
    EXPIRED: "These credentials have expired. Get new ones and sign in again.",
}
UNKNOWN = (
    "Unknown access key, wrong secret, missing session token, or a key that is not active. "
    "`compute-optimizer keys list` shows the keys and their state."
)
NO_ACCOUNT = "Expected an account id of 12 digits, such as 111111111111."


def show(room: Room, request: Request, session: Session | None) -> Response:
    """Show the form."""
    return sign_in_form(room, request, request.one("next"), "")


def enter(room: Room, request: Request, session: Session | None) -> Response:
    """Open a session in place of the browser's, or show the form again with what was wrong."""
    if not room.gate.verifies:
        return _enter_unverified(room, request)
    given = Credentials(
        request.field("access_key_id").strip(),
        request.field("secret_access_key").strip(),
        request.field("session_token").strip() or None,
    )
    try:
        visitor = room.gate.verify(given, room.clock.now())
    except ServiceException as error:
        return _refuse(room, request, error.code)
    room.gate.record(visitor, request.source, ENTER, SUCCESS)
    return _opened(room, request, visitor, session)


def leave(room: Room, request: Request, session: Session) -> Response:
    """End the session, and the one at the provider that let somebody in, where it can be ended."""
    room.gate.record(session.visitor, request.source, LEAVE, SUCCESS)
    desk, id_token = room.gate.openid, id_token_of(room, session)
    cookie = close_session(room, session)
    address = desk.farewell(id_token, room.clock.now()) if desk and id_token else None
    if desk is None or address is None:
        return redirect("/console/sign-in", (cookie,))
    values = {"address": address, "title": desk.client.title}
    shown = page(room, request, None, "leaving.html", values)
    # Not a redirect: the policy of the pages lets forms lead to this site only.
    return replace(shown, to=address, cookies=(cookie,))


def _enter_unverified(room: Room, request: Request) -> Response:
    account_id = request.field("account_id").strip()
    visitor = None
    if ACCOUNT_ID.fullmatch(account_id):
        visitor = room.gate.standing(account_id, room.clock.now())
    if visitor is None:
        return sign_in_form(room, request, request.field("next"), NO_ACCOUNT, 400)
    return _opened(room, request, visitor, None)


def _opened(room: Room, request: Request, visitor: Visitor, earlier: Session | None) -> Response:
    parent = key_of(room, visitor.access_key_id) if room.gate.verifies else None
    secure = request.headers.get("origin", "").startswith("https:")
    cookie = open_session(room, visitor, parent, earlier, secure)
    return redirect(inside(request.field("next")), (cookie,))


def _refuse(room: Room, request: Request, code: str) -> Response:
    """Return the form with the reason; failures of one source are throttled, as the API's are."""
    wait = room.gate.wait(request.source, room.clock.now())
    if wait:
        return throttled(room, request, request.field("next"), wait)
    room.gate.record(None, request.source, ENTER, code)
    return sign_in_form(room, request, request.field("next"), TEXTS.get(code, UNKNOWN), 403)


def throttled(room: Room, request: Request, back: str, wait: float) -> Response:
    """Return the form with the seconds for which nobody from the address is looked at."""
    seconds = ceil(wait)
    form = sign_in_form(room, request, back, THROTTLED.format(seconds=seconds), 429)
    return replace(form, headers={"retry-after": str(seconds)})


def sign_in_form(
    room: Room, request: Request, back: str, problem: str, status: int = 200
) -> Response:
    """Return the form, with what was wrong if anything."""
    values = {
        "next": inside(back),
        "problem": problem,
        "provider": room.gate.openid.client.title if room.gate.openid else "",
        "account_id": request.field("account_id"),
        "access_key_id": request.field("access_key_id"),
    }
    return page(room, request, None, "sign_in.html", values, status)


def inside(address: str) -> str:
    """Return the page to go to: one of the console, whatever a link says, as headers have it."""
    is_ours = address.startswith(HOME) and "\\" not in address and address.isprintable()
    is_page = is_ours and "//" not in address.partition("?")[0]
    return quote(address, safe=STANDING) if is_page else HOME
