"""Sessions end when the provider says so, and nobody else can say it in its name."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select

from compute_optimizer.console.messages import Response
from compute_optimizer.console.openid.logout_tokens import EVENT
from compute_optimizer.console.sessions import COOKIE
from compute_optimizer.store.provider_sessions import ProviderNames
from compute_optimizer.store.schema import access_keys, sign_in_signatures
from tests.console.conftest import House
from tests.console.openid.signing_in import HOME, begin, is_in, sign_in, walk
from tests.console.visiting import Visit, words
from tests.identity_provider import CLIENT_ID, IdentityProvider, Person

PATH = "/console/sign-in/back-channel-logout"
MOMENT = timedelta(microseconds=1)
"""The clock of the provider goes on by itself, so that ours may not run ahead of it."""

Claims = dict[str, Any]
Sign = Callable[..., str]


@pytest.fixture
def claims(house: House, provider: IdentityProvider) -> Claims:
    """What the provider says when Rio signs out there now."""
    seconds = int(house.clock.now().timestamp())
    return {
        "iss": provider.issuer,
        "aud": CLIENT_ID,
        "sub": "rio",
        "iat": seconds,
        "exp": seconds + 120,
        "jti": uuid4().hex,
        "events": {EVENT: {}},
    }


@pytest.fixture
def sign(signing_key: RSAKey) -> Sign:
    """Sign as the provider does; members of the header may be others."""

    def sign(claims: Claims, **header: Any) -> str:
        given = {"alg": "RS256", "kid": "first", "typ": "logout+jwt"} | header
        stated = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(stated, claims, signing_key, algorithms=["RS256"])

    return sign


def tell(house: House, token: str, source: str = "203.0.113.77") -> Response:
    """Send a token as a provider does: no cookie, no Origin."""
    return Visit(house.room, source=source).post(PATH, origin="", logout_token=token)


def sid_of(house: House, visit: Visit) -> bytes:
    """Return the digest that is stored of the provider's own session."""
    name = visit.cookies[COOKIE].partition(".")[0]
    query = select(access_keys.c.provider_session).where(access_keys.c.access_key_id == name)
    with house.state.reading() as connection:
        digest = connection.scalar(query)
    assert isinstance(digest, bytes)
    return digest


def test_a_person_who_signed_out_is_out_everywhere_and_nobody_else(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign
) -> None:
    rio, _ = sign_in(house, provider, "rio")
    elsewhere, _ = sign_in(house, provider, "rio")
    dana, _ = sign_in(house, provider, "dana")

    response = tell(house, sign(claims))

    assert (response.status, response.body) == (200, b"")
    assert [is_in(one) for one in (rio, elsewhere, dana)] == [False, False, True]
    line = json.loads(house.audit.splitlines()[-1])
    assert line["operation"] == "ConsoleBackChannelSignOut"
    assert line["parameters"] == {"issuer": provider.issuer, "sessions": "2"}


def test_one_session_of_a_person_ends_by_its_name(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign
) -> None:
    one, _ = sign_in(house, provider, "rio")
    other, _ = sign_in(house, provider, "rio")
    # What the provider calls it is in the ID token; here only its digest is known.
    assert sid_of(house, one) != sid_of(house, other)
    named = {"sid": "of Rio's phone"}
    digest = ProviderNames(provider.issuer, "", named["sid"]).columns["provider_session"]
    key = access_keys.c.access_key_id == one.cookies[COOKIE].partition(".")[0]
    with house.state.writing() as connection:
        connection.execute(access_keys.update().where(key).values(provider_session=digest))

    without_sub = {name: value for name, value in claims.items() if name != "sub"}
    assert tell(house, sign(without_sub | named)).status == 200
    assert [is_in(visit) for visit in (one, other)] == [False, True]


def test_a_session_of_which_no_name_is_known_ends_with_its_person(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign
) -> None:
    visit, _ = sign_in(house, provider, "rio")
    with house.state.writing() as connection:
        connection.execute(access_keys.update().values(provider_session=None))

    assert tell(house, sign(claims | {"sid": "another", "sub": "dana"})).status == 200
    assert is_in(visit)
    assert tell(house, sign(claims | {"sid": "another", "jti": "2"})).status == 200
    assert not is_in(visit)


def test_who_was_signed_out_on_the_way_back_is_not_let_in(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign
) -> None:
    visit, dana = house.visit(), house.visit()
    back, other = walk(visit, provider, "rio"), walk(dana, provider, "dana")
    house.clock.advance(MOMENT)
    assert tell(house, sign(claims)).status == 200

    response = visit.get(back)

    assert response.status == 403
    assert "The provider has signed you out meanwhile" in words(response)
    assert not is_in(visit)
    line = json.loads(house.audit.splitlines()[-1])
    assert (line["operation"], line["outcome"]) == ("ConsoleSignIn", "ExpiredTokenException")
    # Others come in, and whoever begins anew: the provider knows best who they are.
    dana.get(other)
    assert is_in(dana)
    again, _ = sign_in(house, provider, "rio")
    assert is_in(again)


def test_who_was_signed_out_while_the_provider_was_asked_again_stays_out(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign
) -> None:
    person, visit = Person(provider, "rio"), house.visit()
    visit.get(person.go(begin(visit)).removeprefix(HOME))
    back = person.go(visit.get("/console/sign-in/check").headers["location"]).removeprefix(HOME)
    house.clock.advance(MOMENT)
    assert tell(house, sign(claims)).status == 200

    assert visit.get(back).status == 403
    assert not is_in(visit)


def without(claims: Claims, *names: str) -> Claims:
    return {name: value for name, value in claims.items() if name not in names}


FAULTS: dict[str, tuple[Callable[[Claims], Claims], str]] = {
    "of another issuer": (lambda one: one | {"iss": "https://evil.example"}, "iss"),
    "for another client": (lambda one: one | {"aud": "other"}, "aud"),
    "for others": (lambda one: one | {"aud": ["other", "others"]}, "aud"),
    "for nobody": (lambda one: without(one, "aud"), "aud"),
    "without a moment": (lambda one: without(one, "iat"), "iat"),
    "of a moment that is none": (lambda one: one | {"iat": True}, "iat"),
    # Five minutes are the longest life, one more is forgiven.
    "six minutes old": (lambda one: without(one, "exp") | {"iat": one["iat"] - 361}, "iat or exp"),
    "of the future": (lambda one: one | {"iat": one["iat"] + 90}, "iat or exp"),
    "over": (lambda one: one | {"iat": one["iat"] - 120, "exp": one["iat"] - 61}, "iat or exp"),
    "without an id": (lambda one: without(one, "jti"), "jti"),
    "with an id that is no text": (lambda one: one | {"jti": 7}, "jti"),
    "about nobody": (lambda one: without(one, "sub"), "neither sub nor sid"),
    "about a list": (lambda one: one | {"sub": ["rio"]}, "sub"),
    "without an event": (lambda one: without(one, "events"), "events"),
    "of another event": (lambda one: one | {"events": {"urn:other": {}}}, "events"),
    "of an event that is a text": (lambda one: one | {"events": EVENT}, "events"),
    "with a nonce, as ID tokens": (lambda one: one | {"nonce": "n" * 43}, "nonce"),
    "with a nonce that is null": (lambda one: one | {"nonce": None}, "nonce"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_the_provider_signed_for_something_else_ends_nothing(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign, fault: str
) -> None:
    visit, _ = sign_in(house, provider, "rio")
    change, said = FAULTS[fault]

    response = tell(house, sign(change(claims)))

    assert response.status == 400
    told = json.loads(response.body)
    assert told["error"] == "invalid_request"
    assert said in told["error_description"]
    assert is_in(visit)


def test_an_id_token_is_no_logout_token(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign
) -> None:
    visit, _ = sign_in(house, provider, "rio")

    assert tell(house, sign(claims, typ="at+jwt")).status == 400
    assert is_in(visit)
    # Providers that know the older drafts name no kind, or the general one.
    assert tell(house, sign(claims, typ=None)).status == 200


def test_a_token_counts_once(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign
) -> None:
    token = sign(claims)
    assert tell(house, token).status == 200
    visit, _ = sign_in(house, provider, "rio")

    again = tell(house, token)
    assert again.status == 400
    assert "used before" in json.loads(again.body)["error_description"]
    # The same id in another signature is the same token.
    assert tell(house, sign(claims | {"exp": claims["exp"] + 1})).status == 400
    assert is_in(visit)


@pytest.mark.parametrize("kind", ["none", "HS256", "stranger", "altered", "empty", "long"])
def test_a_token_that_the_provider_did_not_sign_ends_nothing(
    house: House,
    provider: IdentityProvider,
    claims: Claims,
    sign: Sign,
    signing_key: RSAKey,
    kind: str,
) -> None:
    visit, _ = sign_in(house, provider, "rio")
    header = {"alg": kind, "kid": "first", "typ": "logout+jwt"}
    body = f"{base64(header)}.{base64(claims)}"
    public = signing_key.as_pem(private=False)
    mac = urlsafe_b64encode(hmac.digest(public, body.encode(), sha256)).rstrip(b"=").decode()
    stranger = RSAKey.generate_key(2048, {"kid": "first"})
    forged = {
        "none": f"{body}.",
        "HS256": f"{body}.{mac}",
        "stranger": jwt.encode(header | {"alg": "RS256"}, claims, stranger),
        "altered": f"{sign(claims)[:-8]}AAAAAAAA",
        "empty": "",
        "long": "a" * 70_000,
    }

    assert tell(house, forged[kind]).status == 400
    assert is_in(visit)


def base64(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_many_failures_of_one_source_are_throttled_and_the_provider_is_heard(
    house: House, provider: IdentityProvider, claims: Claims, sign: Sign
) -> None:
    statuses = [tell(house, "x", "203.0.113.5").status for _ in range(200)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    visit, _ = sign_in(house, provider, "rio")

    assert tell(house, sign(claims)).status == 200
    assert not is_in(visit)


def test_the_id_is_remembered_for_as_long_as_the_token_would_count(
    house: House, claims: Claims, sign: Sign
) -> None:
    tell(house, sign(claims))
    with house.state.reading() as connection:
        (until,) = connection.scalars(select(sign_in_signatures.c.good_until)).all()

    # exp is two minutes after iat, and a clock may be wrong by one.
    assert until == datetime.fromtimestamp(claims["iat"], UTC) + timedelta(minutes=3)
