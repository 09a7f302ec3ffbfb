"""What a provider says of itself is read with limits, kept for a while, and not believed blindly.

The servers here stand for what is in a provider's place: slow, endless, or somebody else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from compute_optimizer.console.openid import fetching
from compute_optimizer.console.openid.provider import DISCOVERY, Provider, is_trusted_way
from compute_optimizer.console.openid.refusals import SignInRefused
from tests.answering import Answer, Answering, Asked, answering
from tests.identity_provider import IdentityProvider

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


@dataclass
class Place:
    """A server that says what a provider says, some of it changed."""

    server: Answering
    changed: dict[str, Any] = field(default_factory=dict)
    keys: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.server.asked]

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/keys":
            return Answer(json.dumps({"keys": self.keys}).encode())
        names = ("authorization_endpoint", "token_endpoint")
        facts = {name: f"{self.url}/{name}" for name in names}
        facts |= {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return Answer(json.dumps(facts | self.changed).encode())


@pytest.fixture
def server() -> Iterator[Place]:
    with answering() as running:
        key = RSAKey.generate_key(2048, {"kid": "a"})
        place = Place(running, keys=[key.as_dict(private=False)])
        running.otherwise = place.answer
        yield place


def refusal(provider: Provider, now: datetime = NOW) -> str:
    with pytest.raises(SignInRefused) as caught:
        provider.keys(now)
    assert (caught.value.reason.code, caught.value.reason.status) == ("IDPCommunicationError", 503)
    return str(caught.value)


def test_a_real_provider_is_read(provider: IdentityProvider) -> None:
    found = Provider(provider.issuer)

    assert found.facts(NOW).token_endpoint == f"{provider.issuer}/token"
    assert found.facts(NOW).end_session_endpoint == f"{provider.issuer}/session/end"
    assert [key.kid for key in found.keys(NOW)] == ["first"]


def test_what_was_read_is_kept_for_an_hour(server: Place) -> None:
    provider = Provider(server.url)
    for minutes in (0, 59):
        provider.keys(NOW + timedelta(minutes=minutes))
    assert server.paths == [DISCOVERY, "/keys"]

    provider.keys(NOW + timedelta(minutes=60))
    assert len(server.paths) == 4


def test_after_a_failure_nobody_is_asked_for_five_seconds(server: Place) -> None:
    server.server.answers.append(Answer(b"down", 502))
    provider = Provider(server.url)

    assert "answered /.well-known/openid-configuration with status 502" in refusal(provider)
    assert "502" in refusal(provider, NOW + timedelta(seconds=4))
    assert len(server.paths) == 1
    assert provider.keys(NOW + timedelta(seconds=5))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": "https://evil.example"}, "says that it is 'https://evil.example'"),
        ({"jwks_uri": "ftp://127.0.0.1/keys"}, "names a jwks_uri that is no https URL"),
        ({"token_endpoint": "http://login.example/token"}, "names a token_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "names a authorization_endpoint"),
        ({"end_session_endpoint": "file:///etc/passwd"}, "names a end_session_endpoint"),
        ({"token_endpoint": None}, "does not answer"),
        ({"issuer": 7}, "does not answer"),
    ],
)
def test_a_provider_that_says_something_odd_is_not_used(
    server: Place, changed: dict[str, Any], said: str
) -> None:
    server.changed = changed

    assert said in refusal(Provider(server.url))


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{"kty": "oct", "k": "c2VjcmV0LXRoYXQtZXZlcnlib2R5LWtub3dz", "kid": "a"}],
        [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "short"}],
        [{"kty": "RSA", "n": "x" * 400, "kid": "without an exponent"}],
        [{"kty": "RSA", "use": "enc", "n": "x" * 400, "e": "AQAB", "kid": "to encrypt"}],
        [{"kty": "EC", "crv": "P-0", "x": "AA", "y": "AA", "kid": "of no curve"}],
    ],
)
def test_keys_that_verify_nothing_are_left_out(server: Place, keys: list[Any]) -> None:
    server.keys = keys
    assert "publishes no key that can be used" in refusal(Provider(server.url))

    good = RSAKey.generate_key(2048, {"kid": "good"})
    server.keys = [*keys, good.as_dict(private=False)]
    assert [key.kid for key in Provider(server.url).keys(NOW)] == ["good"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"{}", seconds_before=600.0),
        Answer(b"{" + b" " * 6_000, seconds_per_byte=0.1),
        Answer(b" " * (fetching.LONGEST_ANSWER_BYTES + 1)),
        Answer(b"[" * 100_000),
        Answer(b"\xff\xfe"),
        Answer(b"", 302, {"Location": "http://127.0.0.1:1/"}),
    ],
    ids=["silent", "dripping", "endless", "deep", "no text", "elsewhere"],
)
def test_whoever_answers_otherwise_is_left(
    server: Place, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "ANSWER_SECONDS", 1.0)
    server.server.answers.append(answer)
    begun = monotonic()

    assert server.url in refusal(Provider(server.url))
    # A second, and what a busy machine adds; the slow answers would take ten minutes.
    assert monotonic() - begun < 60


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://login.example.com/realms/x", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("http://login.example.com", False),
        ("https://somebody@login.example.com", False),
        ("https://login.example.com/#x", False),
        ("https://login.example.com/\n", False),
        ("https://", False),
        ("https://login.example.com:port", False),
        ("login.example.com", False),
    ],
)
def test_ways_that_others_can_read_are_not_trusted(url: str, trusted: bool) -> None:
    assert is_trusted_way(url) is trusted


def test_a_part_of_a_provider_on_tls_may_not_leave_it() -> None:
    assert not is_trusted_way("http://127.0.0.1:8080/token", "https://login.example.com")
