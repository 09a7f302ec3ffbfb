"""Who is calling: the holder of a stored access key, or whoever a local caller says they are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest

from sqlalchemy import Connection

from compute_optimizer.api import signature
from compute_optimizer.api.errors import EXPIRED_TOKEN, UNRECOGNIZED_CLIENT, RequestRefused
from compute_optimizer.api.messages import Request
from compute_optimizer.api.signature import CACHED_CREDENTIALS, SigningKey
from compute_optimizer.model.account import ACCOUNT_ID
from compute_optimizer.store import State
from compute_optimizer.store.access_keys import AccessKey, find_access_key, record_last_use
from compute_optimizer.store.sealing import Sealer

NO_SIGNING_KEY = SigningKey(bytes(32))
"""Stands for the signing key of an unknown access key, so that both take the same time."""

NO_REGION = ""
"""Of callers who have not said in which Region they ask."""


@dataclass(slots=True)
class Caller:
    """Who signed a request, and for which Region."""

    account_id: str
    region: str
    principal_arn: str
    access_key_id: str
    policy: str | None
    """The policy document (JSON) that applies; None allows everything."""


Authenticate = Callable[[Request, str, datetime], Caller]
"""Takes a request, the signing name of its service and the time; returns who calls, or raises
MissingAuthenticationToken or an error of the front door."""


@dataclass(slots=True)
class VerifiedCallers:
    """Callers whose signature was verified against a stored access key."""

    state: State
    sealer: Sealer
    skew: timedelta
    """How far the time of a request may be from the server's."""
    last_used: dict[str, datetime] = field(default_factory=dict)
    """When keys were used since somebody last looked, by id."""
    _signing_key: Callable[[str, bytes, str], SigningKey] = field(init=False)

    def __post_init__(self) -> None:
        self._signing_key = lru_cache(maxsize=CACHED_CREDENTIALS)(self._derive)

    def __call__(self, request: Request, service: str, now: datetime) -> Caller:
        """Return the holder of the key that signed the request; raise why it does not count."""
        headers = request.headers
        authorization, claimed = signature.read_authorization(headers)
        credential = authorization.credential
        signature.check_scope(credential, service)
        signed_at = signature.check_time(credential, headers, now, self.skew)
        signature.check_signed_headers(authorization.signed_headers, headers)
        key = self._find(credential.access_key_id, looked=request.looked)
        request.looked = True
        try:
            signing_key = self._key_of(key, authorization.scope)
            signature.check_signature(request, authorization, claimed, signed_at, signing_key)
        except RequestRefused:
            if key is None:
                raise RequestRefused(UNRECOGNIZED_CLIENT) from None
            raise
        token = headers.get(b"x-amz-security-token")
        return self._caller(key, credential.region, token, now)

    def holder_of(
        self, access_key_id: str, secret: str, token: str | None, now: datetime
    ) -> Caller:
        """Return the holder of a key who shows its secret; raise why it does not count.

        For people at a form: whoever can sign sends a signature instead. The secret is compared in
        constant time, and an unknown key takes as long as a known one.
        """
        key = self._find(access_key_id)
        known = "" if key is None else self.sealer.unseal(key.sealed_secret, access_key_id)
        digests = (sha256(text.encode()).digest() for text in (known, secret))
        if not compare_digest(*digests) or key is None:
            raise RequestRefused(UNRECOGNIZED_CLIENT)
        return self._caller(key, NO_REGION, token.encode() if token else None, now)

    def standing_holder(self, access_key_id: str, now: datetime) -> Caller | None:
        """Return the holder of a key that still counts; None where it does not any more."""
        key = self._find(access_key_id)
        if key is None or not key.active or (key.expires_at and key.expires_at <= now):
            return None
        return Caller(key.account_id, NO_REGION, key.principal_arn, access_key_id, key.policy)

    def write_last_use(self) -> None:
        """Store when keys were used since the last time, in one transaction.

        Each write makes every process read its keys and enrollments anew, so it is done for all
        keys together and seldom, not by the request.
        """
        if self.last_used:
            used, self.last_used = self.last_used, {}
            try:
                with self.state.writing() as connection:
                    record_last_use(connection, used)
            except Exception:
                # Kept for the next time; what has been used again since is newer.
                self.last_used = used | self.last_used
                raise

    def _find(self, access_key_id: str, *, looked: bool = False) -> AccessKey | None:
        def load(connection: Connection) -> AccessKey | None:
            return find_access_key(connection, access_key_id)

        return self.state.remembered(("access key", access_key_id), load, looked=looked)

    def _key_of(self, key: AccessKey | None, scope: str) -> SigningKey:
        if key is None:
            return NO_SIGNING_KEY
        return self._signing_key(key.access_key_id, key.sealed_secret, scope)

    def _derive(self, access_key_id: str, sealed_secret: bytes, scope: str) -> SigningKey:
        return signature.derive_signing_key(self.sealer.unseal(sealed_secret, access_key_id), scope)

    def _caller(
        self, key: AccessKey | None, region: str, token: bytes | None, now: datetime
    ) -> Caller:
        if key is None or not key.active or not _token_fits(key, token):
            raise RequestRefused(UNRECOGNIZED_CLIENT)
        if key.expires_at is not None and key.expires_at <= now:
            raise RequestRefused(UNRECOGNIZED_CLIENT if token is None else EXPIRED_TOKEN)
        self.last_used[key.access_key_id] = now
        return Caller(key.account_id, region, key.principal_arn, key.access_key_id, key.policy)


def _token_fits(key: AccessKey, token: bytes | None) -> bool:
    if key.session_token_digest is None or token is None:
        return key.session_token_digest is None and token is None
    return compare_digest(key.session_token_digest, sha256(token).digest())


def trust_access_key_id(request: Request, _service: str, _now: datetime) -> Caller:
    """Return the account that the access key id names; nothing is verified (`auth off`)."""
    authorization, _ = signature.read_authorization(request.headers)
    credential = authorization.credential
    account_id = credential.access_key_id
    if not ACCOUNT_ID.fullmatch(account_id):
        raise RequestRefused(
            UNRECOGNIZED_CLIENT,
            f"This server runs with auth off and takes the account from the access key id, which "
            f"must be 12 digits such as 111111111111, not {account_id!r}.",
        )
    return trusted_account(account_id, credential.region)


def trusted_account(account_id: str, region: str = NO_REGION) -> Caller:
    """Return an account that is taken at its word (`auth off`)."""
    return Caller(account_id, region, f"arn:aws:iam::{account_id}:root", account_id, policy=None)
