"""The two requests of the flow, put together by Authlib: by the browser, and by this server."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from authlib.oauth2 import OAuth2Client, OAuth2Error

from compute_optimizer.console.openid.client import Client
from compute_optimizer.console.openid.fetching import Fetched, fetch, silent
from compute_optimizer.console.openid.provider import Facts
from compute_optimizer.console.openid.refusals import REJECTED, SignInRefused
from compute_optimizer.console.openid.tokens import Tokens
from compute_optimizer.console.openid.waiting import Waiting

ERROR_CODE = re.compile(r"[a-z_]{1,64}")
"""Of OAuth 2.0 (RFC 6749, 5.2); anything else is not repeated."""

BASIC, POST, PUBLIC = "client_secret_basic", "client_secret_post", "none"
"""How this program shows its secret (OpenID Connect Core 1.0, 9)."""


def address_at(
    facts: Facts, client: Client, waiting: Waiting, more: Mapping[str, str] | None = None
) -> str:
    """Return the URL at which the provider asks who somebody is; `more` is said with it."""
    url, _ = _authlib(facts, client).create_authorization_url(
        facts.authorization_endpoint,
        state=waiting.state,
        nonce=waiting.nonce,
        code_verifier=waiting.verifier,
        **(more or {}),
    )
    return str(url)


def exchanged(facts: Facts, client: Client, waiting: Waiting, code: str) -> Tokens:
    """Return what the provider gives for a code; raise SignInRefused where it gives nothing."""
    try:
        given = _authlib(facts, client).fetch_token(
            facts.token_endpoint,
            grant_type="authorization_code",
            code=code,
            code_verifier=waiting.verifier,
        )
    except OAuth2Error as error:
        told = str(error.error)
        shown = f" ({told})" if ERROR_CODE.fullmatch(told) else ""
        raise SignInRefused(
            REJECTED,
            f"The provider did not accept the code that it gave{shown}: it was used before, is too "
            "old, or the client's id or secret is wrong. Sign in again.",
        ) from None
    except ValueError:
        raise silent(facts.token_endpoint, "does not answer for a code as providers do") from None
    id_token, access_token = given.get("id_token"), given.get("access_token", "")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise silent(facts.token_endpoint, "gave no ID token; the scope openid asks for one")
    return Tokens(id_token, access_token)


def read_user_info(facts: Facts, tokens: Tokens, subject: str) -> Mapping[str, Any]:
    """Return what the provider tells beside the ID token, of the same person."""
    fetched = fetch(facts.userinfo_endpoint, {"Authorization": f"Bearer {tokens.access_token}"})
    try:
        told: dict[str, Any] = fetched.decoded(dict[str, Any]) if fetched.status == 200 else {}
    except ValueError:
        told = {}
    # OpenID Connect Core 1.0, 5.3.2: one of somebody else must not be used.
    if told.get("sub") != subject:
        raise silent(facts.userinfo_endpoint, "does not tell about the person as JSON")
    return told


def _authlib(facts: Facts, client: Client) -> OAuth2Client:
    found = OAuth2Client(
        _BackChannel(),
        client_id=client.client_id,
        client_secret=client.secret,
        token_endpoint_auth_method=_method(facts, client),
        scope=" ".join(client.scopes),
        redirect_uri=client.callback,
        code_challenge_method="S256",
    )
    found.register_client_auth_method((BASIC, _basic))
    return found


def _method(facts: Facts, client: Client) -> str:
    """Return how the secret is shown: as clients are registered where nothing else is said."""
    if not client.secret:
        return PUBLIC
    supported = facts.token_endpoint_auth_methods_supported
    return POST if POST in supported and BASIC not in supported else BASIC


def _basic(
    client: Any, method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """Show the secret in a header, each part encoded as RFC 6749, 2.3.1 wants, which Authlib's
    own does not."""
    pair = ":".join(quote_plus(part) for part in (client.client_id, client.client_secret))
    headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return uri, headers, body


class _BackChannel:
    """Sends what Authlib has put together, within the limits of `fetching`."""

    def post(self, url: str, data: Mapping[str, str], headers: Any, auth: Any) -> "_Answered":
        """Return the answer."""
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Answered(fetch(url, headers, body.encode()))


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer as Authlib reads it."""

    fetched: Fetched

    @property
    def status_code(self) -> int:
        """Return the status."""
        return self.fetched.status

    def json(self) -> Any:
        """Return the body; raise ValueError."""
        return self.fetched.decoded(Any)

    def raise_for_status(self) -> None:
        """Raise ValueError for a refusal."""
        if self.fetched.status >= 400:
            raise ValueError(self.fetched.status)
