"""Sessions of the console: a cookie with a random token, of which only a digest is stored.

A session stands on the access key that it was opened with: when that is stopped, removed or over,
so is the session, and a changed policy holds for it at once. One that was opened by OpenID Connect
stands on what the provider told of the person, and on the rules that say what that opens. It is
stored as one more temporary key, whose secret nobody ever sees, so that it is listed and forgotten
with those of the API.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from compute_optimizer.console.addresses import ROOT, outer
from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.console.openid.refusals import GONE, SignInRefused
from compute_optimizer.console.people import SIGNED_IN, KeptPerson, kept_person, visitors_of
from compute_optimizer.errors import Conflict, NotFound
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.store.access_keys import (
    AccessKey,
    KeyRequest,
    create_access_key,
    delete_access_key,
    digest_session_token,
    find_access_key,
    move_session,
)
from compute_optimizer.store.provider_sessions import renew_session, was_ended
from compute_optimizer.store.sealing import Sealer
from compute_optimizer.store.what_ifs import remove_what_ifs_by

if TYPE_CHECKING:
    from compute_optimizer.console.openid.desk import Arrival, Desk

COOKIE = "co_session"

LIFE = timedelta(hours=8)
"""A day's work."""

TOKEN_BYTES = 32

OF_KEY = "console "
"""Begins what stands in place of a sign-in rule: the access key that the session stands on."""

NAME = "console"
"""Of the stored key."""

NOTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*"}}
"""The policy of the stored key: what somebody may do is what the session stands on."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's visit."""

    visitor: Visitor
    session_id: str
    """Id of the stored key; the account with auth off."""
    form_token: str
    """What forms send along, so that no other page can send them, nor one of another account."""
    accounts: tuple[str, ...] = ()
    """Those to choose from; empty where credentials are of one."""
    checked_at: datetime | None = None
    """When a provider said last that the person is signed in there; None for credentials."""


def open_session(
    room: Room, visitor: Visitor, parent: AccessKey | None, earlier: Session | None, secure: bool
) -> str:
    """Open a session, end the one that the browser had, and return the value of Set-Cookie;
    `parent` is None with auth off."""
    now = room.clock.now()
    if parent is None or room.gate.sealer is None:
        value = f"{visitor.account_id}.{secrets.token_urlsafe(TOKEN_BYTES)}"
        return _cookie(room, value, LIFE, secure)
    expires_at = min(now + LIFE, parent.expires_at or now + LIFE)
    wanted = KeyRequest(
        visitor.account_id,
        NAME,
        NOTHING,
        expires_at=expires_at,
        with_session_token=True,
        signed_in_as=visitor.principal_arn,
        sign_in_rule=f"{OF_KEY}{parent.access_key_id}",
    )
    with room.state.writing() as connection:
        value = _stored(connection, room.gate.sealer, wanted, now)
        if earlier is not None:
            _end(connection, earlier.session_id)
    return _cookie(room, value, expires_at - now, secure)


def open_for_person(
    room: Room, desk: "Desk", arrival: "Arrival", earlier: Session | None
) -> tuple[Session, str]:
    """Open a session for somebody who came back from the provider, in the first account of theirs,
    and end what the browser had when it went there and what it has now.

    Returns it with the value of Set-Cookie; raises SignInRefused where the provider has ended what
    they came by meanwhile.
    """
    now, life = room.clock.now(), desk.client.longest_session
    account_id = next(iter(desk.policies(arrival.person)))
    wanted = KeyRequest(
        account_id,
        NAME,
        NOTHING,
        expires_at=now + life,
        with_session_token=True,
        signed_in_as=arrival.person.principal_arn(account_id),
        sign_in_rule=SIGNED_IN,
        person=KeptPerson(arrival.person, arrival.id_token).as_text(),
        provider=arrival.names.columns,
    )
    with room.state.writing() as connection:
        _check_goes_on(connection, arrival)
        value = _stored(connection, desk.sealer, wanted, now)
        for session_id in {arrival.earlier_id, earlier.session_id if earlier else ""} - {""}:
            _end(connection, session_id)
    session = find_session(room, value)
    if session is None:
        raise Conflict("the session ended as soon as it was opened; sign in again")
    return session, _cookie(room, value, life, desk.client.is_secure)


def renew_for_person(room: Room, desk: "Desk", arrival: "Arrival") -> bool:
    """Keep what the provider says anew in the session that was looked at again; return whether it
    is of the same person. One of somebody else ends. Raises SignInRefused as `open_for_person`."""
    key = key_of(room, arrival.session_id)
    kept = kept_person(room, key) if key else None
    if kept is None:
        return False
    person, now = arrival.person, room.clock.now()
    if (kept.person.issuer, kept.person.subject) != (person.issuer, person.subject):
        end_session(room, arrival.session_id)
        return False
    text = KeptPerson(person, arrival.id_token).as_text()
    asked = (desk.sealer, arrival.session_id, text, arrival.names, now)
    with room.state.writing() as connection:
        _check_goes_on(connection, arrival)
        return renew_session(connection, *asked)


def _check_goes_on(connection: Connection, arrival: "Arrival") -> None:
    """Raise SignInRefused where the provider has ended since what somebody went there for."""
    if was_ended(connection, arrival.names, arrival.began_at):
        error = SignInRefused(GONE, "The provider has signed you out meanwhile. Sign in again.")
        error.session_id = arrival.session_id
        raise error


def end_session(room: Room, session_id: str) -> None:
    """End a session, whether or not it is still there."""
    with room.state.writing() as connection:
        _end(connection, session_id)


def visitors_in(room: Room, session: Session) -> dict[str, Visitor]:
    """Return who somebody is in each account that is open to them."""
    key = key_of(room, session.session_id) if session.accounts else None
    visitors = _visitors_of_key(room, key) if key else {}
    return visitors or {session.visitor.account_id: session.visitor}


def choose_account(room: Room, session: Session, account_id: str) -> Visitor:
    """Have a session act in another account, and return who its owner is there; raise NotFound for
    an account that is not open to them."""
    visitor = visitors_in(room, session).get(account_id)
    if visitor is None:
        raise NotFound(f"account {account_id!r} is not open to you; choose one of the list")
    if visitor != session.visitor:
        with room.state.writing() as connection:
            move_session(connection, session.session_id, account_id, visitor.principal_arn)
    return visitor


def id_token_of(room: Room, session: Session) -> str | None:
    """Return the ID token that a session was opened with; None for one of credentials."""
    key = key_of(room, session.session_id) if room.gate.verifies else None
    kept = kept_person(room, key) if key else None
    return kept.id_token if kept else None


def key_of(room: Room, access_key_id: str) -> AccessKey | None:
    """Return a stored key, if there is one."""
    load = partial(find_access_key, access_key_id=access_key_id)
    return room.state.remembered(("access key", access_key_id), load)


def find_session(room: Room, cookie: str) -> Session | None:
    """Return the session of a cookie; None for none, an unknown one and one that is over."""
    session_id, _, token = cookie.partition(".")
    if not session_id or not token:
        return None
    visitor, accounts, checked_at = _visitor_of(room, session_id, token, room.clock.now())
    if visitor is None:
        return None
    form_token = _form_token(token, visitor.account_id)
    return Session(visitor, session_id, form_token, accounts, checked_at)


def close_session(room: Room, session: Session) -> str:
    """End a session and return the value of Set-Cookie that makes the browser forget it."""
    if room.gate.verifies:
        end_session(room, session.session_id)
    return _cookie(room, "", timedelta(), secure=False)


def _end(connection: Connection, session_id: str) -> None:
    if find_access_key(connection, session_id):
        delete_access_key(connection, session_id)
    remove_what_ifs_by(connection, session_id)


def _stored(connection: Connection, sealer: Sealer, wanted: KeyRequest, now: datetime) -> str:
    """Store a session and return the value of its cookie."""
    new = create_access_key(connection, sealer, wanted, now)
    return f"{new.access_key_id}.{new.session_token}"


_Found = tuple[Visitor | None, tuple[str, ...], datetime | None]
"""Who it is, the accounts that they may choose, and when a provider knew them last."""

NOBODY: _Found = (None, (), None)


def _visitor_of(room: Room, session_id: str, token: str, now: datetime) -> _Found:
    """Return who shows the token of a session."""
    if not room.gate.verifies:
        known = ACCOUNT_ID.fullmatch(session_id)
        return (room.gate.standing(session_id, now) if known else None), (), None
    key = key_of(room, session_id)
    if key is None or key.session_token_digest is None or not _is_open(key, now):
        return NOBODY
    if not compare_digest(key.session_token_digest, digest_session_token(token)):
        return NOBODY
    if key.sign_in_rule == SIGNED_IN:
        return (*_person_in(room, key), key.checked_at or key.created_at)
    return room.gate.standing((key.sign_in_rule or "").removeprefix(OF_KEY), now), (), None


def _person_in(room: Room, key: AccessKey) -> tuple[Visitor | None, tuple[str, ...]]:
    """Return who a person is in the session's account, where that is still open to them."""
    visitors = _visitors_of_key(room, key)
    return visitors.get(key.account_id), tuple(visitors)


def _visitors_of_key(room: Room, key: AccessKey) -> dict[str, Visitor]:
    desk, kept = room.gate.openid, kept_person(room, key)
    return visitors_of(desk, kept.person, key.access_key_id) if desk and kept else {}


def _is_open(key: AccessKey, now: datetime) -> bool:
    rule = key.sign_in_rule or ""
    is_console = rule == SIGNED_IN or rule.startswith(OF_KEY)
    return is_console and key.active and key.expires_at is not None and key.expires_at > now


def _form_token(token: str, account_id: str) -> str:
    return sha256(f"form {account_id} {token}".encode()).hexdigest()


def _cookie(room: Room, value: str, life: timedelta, secure: bool) -> str:
    parts = [
        f"{COOKIE}={value}",
        f"Path={outer(room.prefix, ROOT)}",
        f"Max-Age={int(life.total_seconds())}",
        "HttpOnly",
        "SameSite=Strict",
    ]
    return "; ".join([*parts, "Secure"] if secure else parts)
