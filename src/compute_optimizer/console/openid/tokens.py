"""An ID token: who signed it, for whom, when, and in answer to what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from compute_optimizer.console.openid.client import Client
from compute_optimizer.console.openid.provider import Provider
from compute_optimizer.console.openid.refusals import INVALID, SignInRefused

ALGORITHMS = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
)
"""Signatures that are looked at (RFC 7518, 3.1): with a key that only the provider has. Never
`none`, and no HMAC, whose key a client knows as well."""

LONGEST_TOKEN = 64 * 1024
"""Letters; those with hundreds of groups have some 20,000."""

LEEWAY_SECONDS = 60
"""How far the clocks of provider and server may differ."""

LONGEST_SUBJECT = 255
"""Letters (OpenID Connect Core 1.0, 2)."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider gives for a code; never shown."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


def read_id_token(
    client: Client, provider: Provider, tokens: Tokens, nonce: str, now: datetime
) -> Mapping[str, Any]:
    """Return the claims of an ID token that the provider has signed, now, for this client and
    this sign-in; raise SignInRefused, which says what is wrong with it."""
    try:
        if len(tokens.id_token) > LONGEST_TOKEN:
            raise JoseError(f"it has more than {LONGEST_TOKEN:,} letters")
        token = verified(provider, tokens.id_token, now)
        claims: Mapping[str, Any] = _validated(client, tokens, token, nonce, now)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SignInRefused(
            INVALID, f"The provider's ID token does not count ({why(error)}). Sign in again."
        ) from None
    return claims


def verified(provider: Provider, text: str, now: datetime) -> jwt.Token:
    """Return the token once its signature is known to be the provider's."""
    stated = provider.facts(now).id_token_signing_alg_values_supported
    allowed = [name for name in ALGORITHMS if name in stated]
    if not allowed:
        raise ValueError("the provider signs in no way that is looked at here")
    try:
        return jwt.decode(text, provider.keys(now), algorithms=allowed)
    except InvalidKeyIdError:
        # A key that was made since: providers change them without a word.
        return jwt.decode(text, provider.keys(now, anew=True), algorithms=allowed)


def _validated(
    client: Client, tokens: Tokens, token: jwt.Token, nonce: str, now: datetime
) -> dict[str, Any]:
    """Return the claims; the rules are those of OpenID Connect Core 1.0, 3.1.3.7."""
    claims = CodeIDToken(
        token.claims,
        token.header,
        {
            "iss": {"essential": True, "value": client.issuer},
            "aud": {"essential": True, "value": client.client_id},
            "exp": {"essential": True},
            "nonce": {"essential": True, "value": nonce},
        },
        {"nonce": nonce, "client_id": client.client_id, "access_token": tokens.access_token},
    )
    claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise JoseError("sub is no text of 1 to 255 letters")
    return dict(claims)


def why(error: Exception) -> str:
    """Return what was wrong, in the library's words for it and no more of the token."""
    if isinstance(error, JoseError):
        return (error.description or error.error)[:200]
    return "it cannot be read"
