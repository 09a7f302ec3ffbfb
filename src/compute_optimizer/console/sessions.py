"""Sessions of the console: a cookie with a random token, of which only a digest is stored.

A session stands on the access key that it was opened with: when that is stopped, removed or over,
so is the session, and a changed policy holds for it at once. It is stored as one more temporary
key, whose secret nobody ever sees, so that it is listed and forgotten with those of the API.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from hmac import compare_digest

from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.store.access_keys import (
    AccessKey,
    KeyRequest,
    create_access_key,
    delete_access_key,
    digest_session_token,
    find_access_key,
)

COOKIE = "co_session"
PATH = "/console"

LIFE = timedelta(hours=8)
"""A day's work."""

TOKEN_BYTES = 32

OF_KEY = "console "
"""Begins what stands in place of a sign-in rule: the access key that the session stands on."""

NAME = "console"
"""Of the stored key."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's visit."""

    visitor: Visitor
    session_id: str
    """Id of the stored key; the account with auth off."""
    form_token: str
    """What forms send along, so that no other page can send them."""


def open_session(room: Room, visitor: Visitor, parent: AccessKey | None, secure: bool) -> str:
    """Open a session and return the value of Set-Cookie; `parent` is None with auth off."""
    now = room.clock.now()
    if parent is None or room.gate.sealer is None:
        value = f"{visitor.account_id}.{secrets.token_urlsafe(TOKEN_BYTES)}"
        return _cookie(value, LIFE, secure)
    expires_at = min(now + LIFE, parent.expires_at or now + LIFE)
    wanted = KeyRequest(
        visitor.account_id,
        NAME,
        {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*"}},
        expires_at=expires_at,
        with_session_token=True,
        signed_in_as=visitor.principal_arn,
        sign_in_rule=f"{OF_KEY}{parent.access_key_id}",
    )
    with room.state.writing() as connection:
        new = create_access_key(connection, room.gate.sealer, wanted, now)
    return _cookie(f"{new.access_key_id}.{new.session_token}", expires_at - now, secure)


def key_of(room: Room, access_key_id: str) -> AccessKey | None:
    """Return a stored key, if there is one."""
    load = partial(find_access_key, access_key_id=access_key_id)
    return room.state.remembered(("access key", access_key_id), load)


def find_session(room: Room, cookie: str) -> Session | None:
    """Return the session of a cookie; None for none, an unknown one and one that is over."""
    session_id, _, token = cookie.partition(".")
    if not session_id or not token:
        return None
    visitor = _visitor_of(room, session_id, token, room.clock.now())
    return None if visitor is None else Session(visitor, session_id, _form_token(token))


def close_session(room: Room, session: Session) -> str:
    """End a session and return the value of Set-Cookie that makes the browser forget it."""
    if room.gate.verifies:
        with room.state.writing() as connection:
            delete_access_key(connection, session.session_id)
    return _cookie("", timedelta(), secure=False)


def _visitor_of(room: Room, session_id: str, token: str, now: datetime) -> Visitor | None:
    if not room.gate.verifies:
        known = ACCOUNT_ID.fullmatch(session_id)
        return room.gate.standing(session_id, now) if known else None
    key = key_of(room, session_id)
    if key is None or key.session_token_digest is None or not _is_open(key, now):
        return None
    if not compare_digest(key.session_token_digest, digest_session_token(token)):
        return None
    return room.gate.standing((key.sign_in_rule or "").removeprefix(OF_KEY), now)


def _is_open(key: AccessKey, now: datetime) -> bool:
    is_console = (key.sign_in_rule or "").startswith(OF_KEY)
    return is_console and key.active and key.expires_at is not None and key.expires_at > now


def _form_token(token: str) -> str:
    return sha256(f"form {token}".encode()).hexdigest()


def _cookie(value: str, life: timedelta, secure: bool) -> str:
    parts = [
        f"{COOKIE}={value}",
        f"Path={PATH}",
        f"Max-Age={int(life.total_seconds())}",
        "HttpOnly",
        "SameSite=Strict",
    ]
    return "; ".join([*parts, "Secure"] if secure else parts)
