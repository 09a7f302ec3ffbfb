"""To the provider of OpenID Connect and back, and signing out there."""

from dataclasses import replace

from compute_optimizer.console.gate import Room
from compute_optimizer.console.messages import Request, Response, link, redirect
from compute_optimizer.console.openid.refusals import SignInRefused
from compute_optimizer.console.pages.sign_in import (
    ENTER,
    SUCCESS,
    THROTTLED,
    inside,
    sign_in_form,
)
from compute_optimizer.console.sessions import Session, open_for_person
from compute_optimizer.errors import NotFound

ACCOUNTS = "/console/accounts"

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
        address, cookie = desk.begin(back, room.clock.now())
    except SignInRefused as error:
        return _refused(room, request, error, back)
    return redirect(address, (cookie,))


def finish(room: Room, request: Request, session: Session | None) -> Response:
    """Let somebody in who comes back from the provider, or show why not."""
    desk, now = room.gate.openid, room.clock.now()
    if desk is None:
        raise NotFound(NOT_SET_UP)
    wait = desk.take(request.source, now)
    if wait:
        return sign_in_form(room, request, "", THROTTLED.format(seconds=wait + 0.5), 429)
    try:
        arrival = desk.finish(request.query, request.cookie(desk.cookie_name), now)
    except SignInRefused as error:
        room.gate.record(None, request.source, ENTER, error.reason.code, error.known or None)
        refusal = _refused(room, request, error, "")
        return replace(refusal, cookies=(desk.forgotten,))
    opened, cookie = open_for_person(room, desk, arrival)
    known = {"issuer": arrival.person.issuer, "subject": arrival.person.subject}
    room.gate.record(opened.visitor, request.source, ENTER, SUCCESS, known)
    back = inside(arrival.back)
    if len(opened.accounts) > 1:
        back = link(ACCOUNTS, {"next": back})
    return _onward(back, (cookie, desk.forgotten))


def _onward(address: str, cookies: tuple[str, ...]) -> Response:
    """Return what has the browser ask for a page of its own accord.

    Redirected from the provider it would leave the session's cookie away (SameSite=Strict).
    """
    headers = {"refresh": f"0;url={address}"}
    return Response(200, b"<!doctype html>", headers=headers, cookies=cookies)


def _refused(room: Room, request: Request, error: SignInRefused, back: str) -> Response:
    """Return the form with the reason, and the button to try again."""
    return sign_in_form(room, request, back, error.text, error.reason.status)
