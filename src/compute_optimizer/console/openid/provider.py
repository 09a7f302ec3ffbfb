"""The provider: what it says of itself and its keys, read when they are needed and kept a while."""

from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from compute_optimizer.console.openid.fetching import fetch, silent
from compute_optimizer.console.openid.refusals import Reason, SignInRefused
from compute_optimizer.model.hosts import is_loopback

T = TypeVar("T")

DISCOVERY = "/.well-known/openid-configuration"
"""Behind the issuer (OpenID Connect Discovery 1.0, 4)."""

KEPT = timedelta(hours=1)
"""How old an answer may be: keys that a provider withdrew are trusted for no longer."""

KEYS_REST = timedelta(seconds=10)
"""Keys that a token does not know are read anew, but no more often than this."""

FAILURE_REST = timedelta(seconds=5)
"""After a failure nobody is asked for so long: who waits for a provider that is away holds up
others."""

MOST_KEYS = 100

SHORTEST_RSA_BITS = 2048
"""NIST SP 800-131A; joserfc warns below it."""

ASYMMETRIC = frozenset({"RSA", "EC"})
"""Kinds of keys: a secret that both sides know would let this side sign."""


PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "x5c", "x5u"})
"""Members of a key that are nobody's business here, or not looked at (RFC 7518, 6)."""


class Facts(msgspec.Struct, frozen=True):
    """What a provider says of itself: what is used here of its discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class PublishedKeys(msgspec.Struct, frozen=True):
    """A JWK set as it is sent."""

    keys: list[dict[str, Any]]


@dataclass(slots=True)
class Kept(Generic[T]):
    """Something that is read anew when it is too old, by one thread while others wait."""

    load: Callable[[], T]
    _value: T | None = None
    _read_at: datetime | None = None
    _failed_at: datetime | None = None
    _failure: tuple[Reason, str] | None = None
    _lock: Lock = field(default_factory=Lock)

    def get(self, now: datetime, longest: timedelta = KEPT) -> T:
        """Return what was read within a span, or now; raise SignInRefused where it cannot be."""
        with self._lock:
            if self._value is not None and self._read_at and now - self._read_at < longest:
                return self._value
            if self._failure and self._failed_at and now - self._failed_at < FAILURE_REST:
                raise SignInRefused(*self._failure)
            try:
                self._value, self._read_at, self._failure = self.load(), now, None
            except SignInRefused as error:
                self._failure, self._failed_at = (error.reason, error.text), now
                raise
            return self._value


class Provider:
    """Who signs people in, by its issuer; safe to ask from several threads."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._facts = Kept(self._read_facts)
        self._keys: Kept[KeySet] | None = None
        self._keys_of = ""

    def facts(self, now: datetime) -> Facts:
        """Return what it says of itself; raise SignInRefused where it does not, or says it is
        somebody else."""
        return self._facts.get(now)

    def keys(self, now: datetime, *, anew: bool = False) -> KeySet:
        """Return its keys, `anew` where those that are kept do not do; raise SignInRefused."""
        url = self.facts(now).jwks_uri
        if self._keys is None or self._keys_of != url:
            self._keys, self._keys_of = Kept(lambda: _read_keys(url)), url
        return self._keys.get(now, KEYS_REST if anew else KEPT)

    def _read_facts(self) -> Facts:
        url = f"{self.issuer.rstrip('/')}{DISCOVERY}"
        facts: Facts = _read(url, Facts)
        if facts.issuer != self.issuer:
            raise silent(
                url,
                f"says that it is {facts.issuer[:200]!r}, which is not what the setting "
                "oidc_issuer says, letter for letter",
            )
        urls = {name: getattr(facts, name) for name in facts.__struct_fields__[1:6]}
        for name, one in urls.items():
            if one and not is_trusted_way(one, self.issuer):
                raise silent(url, f"names a {name} that is no https URL")
        return facts


def is_trusted_way(url: str, issuer: str = "") -> bool:
    """Whether what is sent there is read by nobody else: https, or this machine for itself."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_plain = all(one.isprintable() and one != " " for one in url) and url.isascii()
    if not host or parts.username is not None or parts.fragment or not is_plain:
        return False
    if parts.scheme == "https":
        return True
    # Where the issuer is on TLS, no part of it may leave that.
    return parts.scheme == "http" and is_loopback(host) and not issuer.startswith("https:")


def _read_keys(url: str) -> KeySet:
    published: PublishedKeys = _read(url, PublishedKeys)
    usable = [one for one in published.keys[:MOST_KEYS] if _is_usable(one)]
    found = [key for one in usable if (key := _imported(one)) is not None]
    if not found:
        raise silent(url, "publishes no key that can be used: RSA of 2,048 bits or more, or EC")
    return KeySet(found)


def _read(url: str, record: Any) -> Any:
    fetched = fetch(url)
    if fetched.status != 200:
        raise silent(url, f"answered {urlsplit(url).path} with status {fetched.status}")
    try:
        return fetched.decoded(record)
    except ValueError:
        raise silent(url, f"does not answer {urlsplit(url).path} as providers do") from None


def _is_usable(one: dict[str, Any]) -> bool:
    """Whether a key is one to verify signatures with."""
    if one.get("kty") not in ASYMMETRIC or one.get("use", "sig") != "sig":
        return False
    return one["kty"] != "RSA" or _bits(one.get("n")) >= SHORTEST_RSA_BITS


def _bits(modulus: Any) -> int:
    try:
        return int.from_bytes(urlsafe_b64decode(f"{modulus}===")).bit_length()
    except ValueError:
        return 0


def _imported(one: dict[str, Any]) -> Any:
    public = {name: value for name, value in one.items() if name not in PRIVATE}
    try:
        return JWKRegistry.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None  # Of another curve, or broken: another one may have signed.
