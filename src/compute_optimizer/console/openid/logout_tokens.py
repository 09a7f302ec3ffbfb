"""A logout token: a provider's word that somebody's session there has ended.

What is checked is OpenID Connect Back-Channel Logout 1.0, 2.6; that a token is good once is for
whoever stores its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.errors import JoseError

from compute_optimizer.console.openid.client import Client
from compute_optimizer.console.openid.provider import Provider
from compute_optimizer.console.openid.refusals import INVALID, SignInRefused
from compute_optimizer.console.openid.tokens import (
    LEEWAY_SECONDS,
    LONGEST_SUBJECT,
    LONGEST_TOKEN,
    verified,
    why,
)
from compute_optimizer.store.provider_sessions import ProviderNames

EVENT = "http://schemas.openid.net/event/backchannel-logout"
"""What makes a token one of these."""

KINDS = ("logout+jwt", "application/logout+jwt", "JWT", None)
"""What the header `typ` may say: the first is recommended, older providers say less."""

LONGEST_LIFE = timedelta(minutes=5)
"""After it was issued, whatever it says itself: the specification advises two minutes at most."""

LONGEST_NAME = 255
"""Letters of an id of a token or of a session; providers have 20 to 40."""


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """What a provider told."""

    names: ProviderNames
    token_id: str
    good_until: datetime
    """Until then its id must be remembered, so that nobody can send it again."""


def read_logout_token(client: Client, provider: Provider, text: str, now: datetime) -> LogoutToken:
    """Return what a provider has signed, now, for this client; raise SignInRefused, which says
    what is wrong with it."""
    try:
        if len(text) > LONGEST_TOKEN:
            raise JoseError(f"it has more than {LONGEST_TOKEN:,} letters")
        token = verified(provider, text, now)
        if token.header.get("typ") not in KINDS:
            raise JoseError("its type is another one's")
        return _read(client, token.claims, now)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SignInRefused(
            INVALID, f"The provider's logout token does not count ({why(error)})."
        ) from None


def _read(client: Client, claims: Mapping[str, Any], now: datetime) -> LogoutToken:
    if claims.get("iss") != client.issuer:
        raise JoseError("iss is another provider")
    if not _is_for(client, claims.get("aud")):
        raise JoseError("aud is another client")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise JoseError("events does not say that somebody signed out")
    if "nonce" in claims:
        # So that an ID token is never taken for one.
        raise JoseError("nonce is there, which it must not be")
    good_until = _good_until(claims, now)
    subject, session = _name(claims, "sub", LONGEST_SUBJECT), _name(claims, "sid", LONGEST_NAME)
    if not subject and not session:
        raise JoseError("it has neither sub nor sid")
    token_id = _name(claims, "jti", LONGEST_NAME)
    if not token_id:
        raise JoseError("jti is missing")
    return LogoutToken(ProviderNames(client.issuer, subject, session), token_id, good_until)


def _is_for(client: Client, audience: Any) -> bool:
    return client.client_id in (audience if isinstance(audience, list) else [audience])


def _good_until(claims: Mapping[str, Any], now: datetime) -> datetime:
    """Return the end of a token's life; raise JoseError outside of it."""
    leeway = timedelta(seconds=LEEWAY_SECONDS)
    issued = _moment(claims, "iat")
    if issued is None:
        raise JoseError("iat is missing")
    ends = _moment(claims, "exp")
    until = min(issued + LONGEST_LIFE, ends or issued + LONGEST_LIFE) + leeway
    if not issued - leeway <= now < until:
        raise JoseError("it is of another time: iat or exp")
    return until


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**33:
        raise JoseError(f"{name} is no moment")
    return datetime.fromtimestamp(value, UTC)


def _name(claims: Mapping[str, Any], name: str, longest: int) -> str:
    """Return a claim; empty where it is missing."""
    value = claims.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise JoseError(f"{name} is no text of 1 to {longest} letters")
    return value
