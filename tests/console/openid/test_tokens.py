"""ID tokens: one that the provider gave counts, and what attackers make of it does not.

Forged ones are signed with the provider's own key, so that nothing but the claim is wrong.
"""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from compute_optimizer.console.openid.client import Client
from compute_optimizer.console.openid.provider import Provider
from compute_optimizer.console.openid.refusals import SignInRefused
from compute_optimizer.console.openid.tokens import Tokens, read_id_token
from tests.console.openid.signing_in import HOME
from tests.identity_provider import CLIENT_ID, SECRET, IdentityProvider, identity_provider

NONCE = "n" * 43
Claims = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A client, its provider, and what the provider would say now."""

    client: Client
    provider: Provider
    now: datetime
    claims: Claims

    def read(self, id_token: str, access_token: str = "") -> Any:
        tokens = Tokens(id_token, access_token)
        return read_id_token(self.client, self.provider, tokens, NONCE, self.now)

    def refusal(self, id_token: str, access_token: str = "") -> str:
        with pytest.raises(SignInRefused) as caught:
            self.read(id_token, access_token)
        return str(caught.value)


def client_of(issuer: str) -> Client:
    life, recheck = timedelta(hours=8), timedelta(minutes=15)
    return Client(issuer, CLIENT_ID, SECRET, ("openid",), HOME, "Example ID", life, recheck, ())


@pytest.fixture
def case(provider: IdentityProvider) -> Case:
    now = datetime.now(UTC)
    seconds = int(now.timestamp())
    claims = {
        "iss": provider.issuer,
        "aud": CLIENT_ID,
        "sub": "rio",
        "nonce": NONCE,
        "iat": seconds,
        "exp": seconds + 600,
    }
    return Case(client_of(provider.issuer), Provider(provider.issuer), now, claims)


def signed(key: Any, claims: Claims, algorithm: str = "RS256", kid: str = "first") -> str:
    return jwt.encode({"alg": algorithm, "kid": kid}, claims, key, algorithms=[algorithm])


def base64(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_of_the_provider_counts(case: Case, signing_key: RSAKey) -> None:
    assert case.read(signed(signing_key, case.claims))["sub"] == "rio"
    several = case.claims | {"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}
    assert case.read(signed(signing_key, several))["aud"] == [CLIENT_ID, "other"]


FAULTS: dict[str, tuple[Callable[[Claims], Claims], str]] = {
    "nonce of another": (lambda claims: claims | {"nonce": "m" * 43}, "nonce"),
    "no nonce": (lambda claims: without(claims, "nonce"), "nonce"),
    "nonce as a list": (lambda claims: claims | {"nonce": [NONCE]}, "nonce"),
    "for another client": (lambda claims: claims | {"aud": "other"}, "aud"),
    "for nobody": (lambda claims: without(claims, "aud"), "aud"),
    "for several, given to another": (
        lambda claims: claims | {"aud": [CLIENT_ID, "other"], "azp": "other"},
        "azp",
    ),
    "for several, given to nobody": (lambda claims: claims | {"aud": [CLIENT_ID, "other"]}, "azp"),
    "of another issuer": (lambda claims: claims | {"iss": "https://evil.example"}, "iss"),
    "of an issuer beneath": (lambda claims: claims | {"iss": f"{claims['iss']}/"}, "iss"),
    # A minute is forgiven.
    "expired": (lambda claims: claims | {"exp": claims["iat"] - 61}, "expired"),
    "without an end": (lambda claims: without(claims, "exp"), "exp"),
    "with an end that is none": (lambda claims: claims | {"exp": "tomorrow"}, "exp"),
    "of the future": (lambda claims: claims | {"iat": claims["iat"] + 120}, "future"),
    "not yet good": (lambda claims: claims | {"nbf": claims["iat"] + 120}, "not yet"),
    "of nobody": (lambda claims: without(claims, "sub"), "sub"),
    "of somebody without a name": (lambda claims: claims | {"sub": ""}, "sub"),
    "of a number": (lambda claims: claims | {"sub": 7}, "sub"),
    "with another access token's hash": (lambda claims: claims | {"at_hash": "x" * 22}, "at_hash"),
}


def without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_the_provider_signed_for_something_else_is_refused(
    case: Case, signing_key: RSAKey, fault: str
) -> None:
    change, said = FAULTS[fault]
    told = case.refusal(signed(signing_key, change(case.claims)), "access")

    assert told.startswith("The provider's ID token does not count (")
    assert said in told


def test_a_clock_may_be_wrong_by_a_minute(case: Case, signing_key: RSAKey) -> None:
    seconds = int(case.now.timestamp())

    assert case.read(signed(signing_key, case.claims | {"exp": seconds - 59}))
    assert case.read(signed(signing_key, case.claims | {"iat": seconds + 59}))


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_a_signature_is_refused(case: Case, name: str) -> None:
    token = f"{base64({'alg': name, 'kid': 'first'})}.{base64(case.claims)}."

    assert "does not count" in case.refusal(token)


@pytest.mark.parametrize("form", ["pem", "der", "jwk", "secret"])
def test_a_token_signed_with_what_everybody_knows_is_refused(
    case: Case, signing_key: RSAKey, form: str
) -> None:
    """HS256 with the public key, or with the client's secret, as the shared secret."""
    public = json.dumps(signing_key.as_dict(private=False)).encode()
    known: dict[str, bytes] = {
        "pem": signing_key.as_pem(private=False),
        "der": signing_key.as_der(private=False),
        "jwk": public,
        "secret": SECRET.encode(),
    }
    # Put together by hand: the library refuses to take a public key for a secret.
    head = f"{base64({'alg': 'HS256', 'kid': 'first'})}.{base64(case.claims)}"
    digest = hmac.new(known[form], head.encode(), sha256).digest()
    token = f"{head}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    assert "does not count" in case.refusal(token)


def test_a_token_of_a_stranger_is_refused(case: Case, signing_key: RSAKey) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "first"})
    curve = ECKey.generate_key("P-256", {"kid": "first"})
    shared = OctKey.generate_key(256, {"kid": "first"})

    assert "does not count" in case.refusal(signed(stranger, case.claims))
    assert "does not count" in case.refusal(signed(curve, case.claims, "ES256"))
    assert "does not count" in case.refusal(signed(shared, case.claims, "HS256"))
    assert "does not count" in case.refusal(signed(stranger, case.claims, kid="unknown"))


def test_a_key_that_a_token_brings_along_is_not_used(case: Case) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": "first"})
    header = {"alg": "RS256", "kid": "first", "jwk": stranger.as_dict(private=False)}
    token = jwt.encode(header, case.claims, stranger)

    assert "does not count" in case.refusal(token)


@pytest.mark.parametrize("end", ["", ".", "x", ".x.y"])
def test_a_token_that_was_altered_is_refused(case: Case, signing_key: RSAKey, end: str) -> None:
    head, body, signature = signed(signing_key, case.claims).split(".")
    others = base64(case.claims | {"sub": "dana"})

    assert "does not count" in case.refusal(f"{head}.{others}.{signature}{end}")
    assert "does not count" in case.refusal(f"{head}.{body}.{signature[:-8]}{end}")


def test_a_token_that_is_too_long_is_not_looked_at(case: Case, signing_key: RSAKey) -> None:
    # 64 KiB are looked at.
    long = case.claims | {"groups": ["g" * 64] * 1_024}

    assert "more than 65,536 letters" in case.refusal(signed(signing_key, long))


def test_texts_that_are_no_token_are_refused(case: Case) -> None:
    for text in ("", "x", "a.b.c", "....", "é.é.é", f"{base64([])}.{base64([])}.x"):
        assert "does not count" in case.refusal(text)


def test_keys_that_were_changed_are_read_again_once(case: Case, signing_key: RSAKey) -> None:
    """The provider comes back on its port with a new key, and without the old one."""
    first = RSAKey.generate_key(2048, {"kid": "a", "use": "sig", "alg": "RS256"})
    second = RSAKey.generate_key(2048, {"kid": "b", "use": "sig", "alg": "RS256"})
    with identity_provider(HOME, keys=[first.as_dict(private=True)]) as running:
        issuer, port = running.issuer, running.port
        claims = case.claims | {"iss": issuer}
        own = replace(case, client=client_of(issuer), provider=Provider(issuer), claims=claims)
        assert own.read(signed(first, claims, kid="a"))
    with identity_provider(HOME, port=port, keys=[second.as_dict(private=True)]):
        # Within ten seconds nobody asks again.
        assert "does not count" in own.refusal(signed(second, claims, kid="b"))
        later = replace(own, now=own.now + timedelta(seconds=11))
        assert later.read(signed(second, claims, kid="b"))
        assert "does not count" in later.refusal(signed(first, claims, kid="a"))
