"""To the provider of OpenID Connect and back, and signing out there."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from compute_optimizer.console.addresses import link
from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, redirect
from compute_optimizer.console.openid.refusals import DENIED, GONE, SILENT, SignInRefused
from compute_optimizer.console.pages.sign_in import (
    ENTER,
    SUCCESS,
    inside,
    sign_in_form,
    throttled,
)
from compute_optimizer.console.sessions import (
    Session,
    end_session,
    id_token_of,
    open_for_person,
    renew_for_person,
)
from compute_optimizer.errors import Conflict, NotFound
from compute_optimizer.store.provider_sessions import end_sessions as end_stored_sessions
from compute_optimizer.store.sign_in import use
from compute_optimizer.store.what_ifs import remove_what_ifs_by

if TYPE_CHECKING:
    from compute_optimizer.console.openid.desk import Arrival, Desk

ACCOUNTS = "/console/accounts"
CHECK = "/console/sign-in/check"

DOCUMENT = "document"
"""What a browser says that it asks for where somebody opens a page (Fetch Metadata)."""

ENDED = "ConsoleBackChannelSignOut"
"""As the audit log names it."""

NOT_SET_UP = "No provider of OpenID Connect is set up here (setting oidc_issuer)."


def begin(room: Room, request: Request, session: Session | None) -> Response:
    """Lead somebody to the provider."""
    desk, back = room.gate.openid, inside(request.one("next"))
    if desk is None:
        raise NotFound(NOT_SET_UP)
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        # Nobody is signed in because another site says so: they see the form, and press the button.
        return redirect(link("/console/sign-in", {"next": back}))
    try:
        # The way back comes from another site, without the session's cookie.
        earlier_id = session.session_id if session else ""
        address, cookie = desk.begin(back, earlier_id, room.clock.now())
    except SignInRefused as error:
        return _refused(room, request, error, back)
    return redirect(address, (cookie,))


def check_again(room: Room, request: Request, session: Session) -> Response | None:
    """Return what stands before a page while the provider was not asked for too long whether it
    still knows somebody; None where nothing does.

    Whoever opens a page is led there and back. Forms and figures of a page that is open already
    are answered for as long again, so that nobody loses what they have typed.
    """
    desk, now = room.gate.openid, room.clock.now()
    if desk is None or session.checked_at is None or not desk.is_due(session.checked_at, now):
        return None
    if request.method == "GET" and request.headers.get("sec-fetch-dest", DOCUMENT) == DOCUMENT:
        return redirect(link(CHECK, {"next": request.address}))
    if desk.is_due(session.checked_at, now, times=2):
        text = b"It is too long ago that the provider was asked about you. Open the page again."
        return Response(401, text, "text/plain; charset=utf-8")
    return None


def check(room: Room, request: Request, session: Session | None) -> Response:
    """Lead somebody who is signed in to the provider, which sends them back at once."""
    desk, back = room.gate.openid, inside(request.one("next"))
    id_token = id_token_of(room, session) if session else None
    if desk is None or session is None or id_token is None:
        return redirect(link("/console/sign-in", {"next": back}))
    try:
        found = desk.begin_again(back, session.session_id, id_token, room.clock.now())
    except SignInRefused as error:
        return _refused(room, request, error, back)
    return redirect(found[0], (found[1],))


def end_sessions(room: Room, request: Request, session: Session | None) -> Response:
    """End the sessions that the provider says are over (OpenID Connect Back-Channel Logout 1.0)."""
    desk, now = room.gate.openid, room.clock.now()
    if desk is None:
        raise NotFound(NOT_SET_UP)
    try:
        told = desk.ended(request.field("logout_token"), now)
        with room.state.writing() as connection:
            use(connection, f"logout {told.names.issuer} {told.token_id}", told.good_until)
            ended = end_stored_sessions(connection, told.names, now)
            for session_id in ended:
                remove_what_ifs_by(connection, session_id)
    except (SignInRefused, Conflict) as error:
        return _not_ended(room, request, error, now)
    known = {"issuer": told.names.issuer, "sessions": str(len(ended))}
    room.gate.record(None, request.source, ENDED, SUCCESS, known)
    return Response(200)


def _not_ended(room: Room, request: Request, error: Exception, now: datetime) -> Response:
    """Return what the provider is told; failures of one source are throttled, as others are."""
    wait = room.gate.wait(request.source, now)
    code = error.reason.code if isinstance(error, SignInRefused) else "TokenWasUsed"
    if not wait:
        room.gate.record(None, request.source, ENDED, code)
    said = {"error": "invalid_request", "error_description": str(error)}
    # 503 has it try again where its own keys could not be read.
    away = isinstance(error, SignInRefused) and error.reason is SILENT
    status = 429 if wait else 503 if away else 400
    return Response(status, msgspec.json.encode(said), "application/json")


def finish(room: Room, request: Request, session: Session | None) -> Response:
    """Let somebody in who comes back from the provider, or show why not."""
    desk, now = room.gate.openid, room.clock.now()
    if desk is None:
        raise NotFound(NOT_SET_UP)
    wait = desk.take(request.source, now)
    if wait:
        return throttled(room, request, "", wait)
    try:
        arrival = desk.finish(request.query, request.cookie(desk.cookie_name), now)
        entered = _entered(room, desk, arrival, session)
    except SignInRefused as error:
        room.gate.record(None, request.source, ENTER, error.reason.code, error.known or None)
        if error.session_id and error.reason in (GONE, DENIED):
            end_session(room, error.session_id)
        refusal = _refused(room, request, error, "")
        return replace(refusal, cookies=(desk.forgotten,))
    if entered is None:
        return _onward(inside(arrival.back), (desk.forgotten,))
    opened, cookie = entered
    known = {"issuer": arrival.person.issuer, "subject": arrival.person.subject}
    room.gate.record(opened.visitor, request.source, ENTER, SUCCESS, known)
    back = inside(arrival.back)
    if len(opened.accounts) > 1:
        back = link(ACCOUNTS, {"next": back})
    return _onward(back, (cookie, desk.forgotten))


def _entered(
    room: Room, desk: "Desk", arrival: "Arrival", session: Session | None
) -> tuple[Session, str] | None:
    """Return the session that an arrival opens, with its cookie; None where it has renewed one."""
    if arrival.session_id and renew_for_person(room, desk, arrival):
        return None
    return open_for_person(room, desk, arrival, session)


def _onward(address: str, cookies: tuple[str, ...]) -> Response:
    """Return what has the browser ask for a page of its own accord.

    Redirected from the provider it would leave the session's cookie away (SameSite=Strict).
    """
    return Response(200, b"<!doctype html>", to=address, cookies=cookies)


def _refused(room: Room, request: Request, error: SignInRefused, back: str) -> Response:
    """Return the form with the reason, and the button to try again."""
    return sign_in_form(room, request, back, error.text, error.reason.status)
