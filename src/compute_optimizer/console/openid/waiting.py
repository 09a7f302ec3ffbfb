"""What a browser keeps while its owner is at the provider: a sealed cookie, so that nothing is
stored for people who never come back, and every process can go on where another one began.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from compute_optimizer.console.openid.client import Client
from compute_optimizer.errors import InvalidInput
from compute_optimizer.store.sealing import Sealer

LIFE = timedelta(minutes=10)
"""Time to type a password and find a second factor."""

RANDOM_BYTES = 32
"""Of state and nonce."""

VERIFIER_BYTES = 48
"""64 letters, of the 43 to 128 that PKCE wants (RFC 7636, 4.1)."""

COOKIE = "co_sign_in"
SECURE_COOKIE = "__Host-co_sign_in"
"""The same on TLS: browsers take a cookie of that name from this very host only, so that no
neighbour in the domain can bring people in as somebody else (RFC 6265bis, 4.1.3.2)."""

OWNER = "console sign-in"
"""What it is sealed for, so that nothing else that is sealed can stand in its place."""

LONGEST_COOKIE = 4096


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sign-in that has begun."""

    state: str = field(repr=False)
    """Comes back with the browser: the answer belongs to what this browser began."""
    nonce: str = field(repr=False)
    """Comes back in the token: it was made for this sign-in."""
    verifier: str = field(repr=False)
    """Shown with the code: whoever took that on the way cannot use it."""
    back: str
    """The page that was asked for."""
    until: datetime
    session_id: str = ""
    """Of a session that is looked at again; empty for somebody who signs in."""
    earlier_id: str = ""
    """Of the session that the browser of somebody who signs in has; empty for none."""

    @property
    def began_at(self) -> datetime:
        """Return when it began."""
        return self.until - LIFE


def new_waiting(back: str, now: datetime, session_id: str = "", earlier_id: str = "") -> Waiting:
    """Return a sign-in with secrets of its own."""
    return Waiting(
        secrets.token_urlsafe(RANDOM_BYTES),
        secrets.token_urlsafe(RANDOM_BYTES),
        secrets.token_urlsafe(VERIFIER_BYTES),
        back,
        now + LIFE,
        session_id,
        earlier_id,
    )


def cookie_name(client: Client) -> str:
    """Return the name of the cookie."""
    return SECURE_COOKIE if client.is_secure else COOKIE


def kept(client: Client, sealer: Sealer, waiting: Waiting) -> str:
    """Return the value of Set-Cookie that has the browser keep it."""
    sealed = sealer.seal(msgspec.json.encode(waiting).decode(), OWNER)
    return _cookie(client, urlsafe_b64encode(sealed).decode(), LIFE)


def forgotten(client: Client) -> str:
    """Return the value of Set-Cookie that has the browser forget it."""
    return _cookie(client, "", timedelta())


def found(sealer: Sealer, value: str, now: datetime) -> Waiting | None:
    """Return what a cookie keeps; None where nothing does, or it is over."""
    if not 0 < len(value) <= LONGEST_COOKIE:
        return None
    try:
        text = sealer.unseal(urlsafe_b64decode(value), OWNER)
        waiting = msgspec.json.decode(text, type=Waiting)
    except (ValueError, InvalidInput):
        return None
    return waiting if now < waiting.until else None


def _cookie(client: Client, value: str, life: timedelta) -> str:
    # Lax: the way back from the provider is a link from another site.
    parts = [
        f"{cookie_name(client)}={value}",
        "Path=/",
        f"Max-Age={int(life.total_seconds())}",
        "HttpOnly",
        "SameSite=Lax",
    ]
    return "; ".join([*parts, "Secure"] if client.is_secure else parts)
