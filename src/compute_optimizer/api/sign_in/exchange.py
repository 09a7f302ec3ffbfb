"""The exchange: from a presigned request to a session's credentials, or to a refusal.

Nothing is written before STS has confirmed somebody, so that strangers cannot make the store work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from compute_optimizer.api.errors import (
    INVALID_IDENTITY,
    SIGN_IN_DENIED,
    SIGN_IN_THROTTLED,
    STS_SILENT,
    RequestRefused,
)
from compute_optimizer.api.limits import TokenBuckets, source_of
from compute_optimizer.api.sign_in.answers import read_answer
from compute_optimizer.api.sign_in.endpoints import StsEndpoint
from compute_optimizer.api.sign_in.presigned import NONCE, read_presigned, signed_header
from compute_optimizer.api.sign_in.sts import ask_sts
from compute_optimizer.errors import Conflict
from compute_optimizer.model.sign_in import (
    SHORTEST_SESSION_SECONDS,
    AwsIdentity,
    SignInRule,
    open_accounts,
)
from compute_optimizer.store import State
from compute_optimizer.store.access_keys import NewSecret
from compute_optimizer.store.sealing import Sealer
from compute_optimizer.store.sign_in import all_rules, open_session, use, was_used


class SignInRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request to sign in."""

    url: str
    """The presigned request."""
    server: str
    """The name that it was signed for."""
    nonce: str
    """What the signer has drawn for it."""
    account: str | None = None
    """The account to act in, where the rules leave a choice."""
    seconds: int | None = None
    """Length of the session; None takes the longest that the rule allows."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What signing in needs."""

    state: State
    sealer: Sealer
    names: frozenset[str]
    """Of this server."""
    endpoints: Mapping[str, StsEndpoint]
    """Of STS, by URL."""
    skew: timedelta
    """How far a presigned request may lie in the future."""
    limits: TokenBuckets
    """Of requests to sign in, per source address."""


@dataclass(slots=True)
class Attempt:
    """One request to sign in, and what is known of it so far, for the audit log."""

    body: bytes = field(repr=False)
    source: str
    now: datetime
    identity: AwsIdentity | None = None
    rule: SignInRule | None = None
    access_key_id: str = ""
    endpoint: str = ""


def check_rate(desk: SignIn, source: str, now: datetime) -> None:
    """Raise ThrottlingException where a source comes too often."""
    wait = desk.limits.take(source_of(source), now.timestamp())
    if wait:
        raise RequestRefused(SIGN_IN_THROTTLED, retry_after_ms=int(wait * 1000) + 1)


def sign_in(desk: SignIn, attempt: Attempt) -> bytes:
    """Return the credentials of a session as JSON; raise RequestRefused with the reason."""
    asked = _read(attempt.body)
    identity = attempt.identity = _identify(desk, attempt, asked)
    with desk.state.reading() as connection:
        opened = open_accounts(all_rules(connection), identity)
    rule = attempt.rule = _chosen(opened, identity, asked.account)
    return _admit(desk, attempt, identity, rule, asked.seconds)


def _identify(desk: SignIn, attempt: Attempt, asked: SignInRequest) -> AwsIdentity:
    """Return who signed the request, by STS's word, and use it up."""
    _check_addressee(desk, asked)
    presigned = read_presigned(asked.url, desk.endpoints, attempt.now, desk.skew)
    attempt.endpoint = presigned.endpoint.url
    with desk.state.reading() as connection:
        if was_used(connection, presigned.signature):
            raise _used()
    identity = read_answer(*ask_sts(presigned, signed_header(asked.server, asked.nonce)))
    if presigned.endpoint.partition not in (None, identity.partition):
        raise RequestRefused(STS_SILENT, "STS told an identity of another partition than its own.")
    try:
        # Committed by itself, so that it is used up also where no rule lets anybody in.
        with desk.state.writing() as connection:
            use(connection, presigned.signature, presigned.good_until)
    except Conflict:
        raise _used() from None
    return identity


def _check_addressee(desk: SignIn, asked: SignInRequest) -> None:
    """Raise where the request says that it is for another server; STS finds out whoever lies."""
    if asked.server not in desk.names:
        known = " or ".join(sorted(desk.names))
        raise _invalid(f"The request was signed for another server; this one is {known}.")
    if not NONCE.fullmatch(asked.nonce):
        raise _invalid(f"nonce: expected {NONCE.pattern}.")


def _admit(
    desk: SignIn, attempt: Attempt, identity: AwsIdentity, rule: SignInRule, seconds: int | None
) -> bytes:
    """Open the session and return its credentials."""
    expires_at = attempt.now + timedelta(seconds=_length(rule, seconds))
    try:
        with desk.state.writing() as connection:
            new = open_session(connection, desk.sealer, rule, identity, attempt.now, expires_at)
    except Conflict as error:
        raise RequestRefused(SIGN_IN_DENIED, str(error)) from None
    attempt.access_key_id = new.access_key_id
    return _credentials(new, rule, identity, expires_at)


def _read(body: bytes) -> SignInRequest:
    try:
        return msgspec.json.decode(body, type=SignInRequest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # msgspec's own text may repeat what was sent.
        raise _invalid(
            'The body must be JSON: {"url": PRESIGNED, "server": NAME, "nonce": TEXT}, on request '
            'with "account" and "seconds".'
        ) from None


def _chosen(
    opened: Mapping[str, SignInRule], identity: AwsIdentity, wanted: str | None
) -> SignInRule:
    """Return the rule of the account that is wanted, the only one, or the identity's own."""
    if wanted is None and len(opened) == 1:
        return next(iter(opened.values()))
    rule = opened.get(identity.account_id if wanted is None else wanted)
    if rule is not None:
        return rule
    principal = identity.principal_arn
    if wanted is None and opened:
        raise RequestRefused(
            SIGN_IN_DENIED,
            f"{principal} may act in several accounts; name one: {', '.join(sorted(opened))}.",
        )
    where = "" if wanted is None else " in the account that was asked for"
    raise RequestRefused(SIGN_IN_DENIED, f"No rule lets {principal} sign in{where}.")


def _length(rule: SignInRule, wanted: int | None) -> int:
    """Return the seconds of a session."""
    longest = rule.longest_session_seconds
    if wanted is None:
        return longest
    if not SHORTEST_SESSION_SECONDS <= wanted <= longest:
        raise _invalid(
            f"seconds: expected {SHORTEST_SESSION_SECONDS} to {longest}, the longest session that "
            "the rule allows."
        )
    return wanted


def _credentials(
    new: NewSecret, rule: SignInRule, identity: AwsIdentity, expires_at: datetime
) -> bytes:
    return msgspec.json.encode(
        {
            "AccessKeyId": new.access_key_id,
            "SecretAccessKey": new.secret_access_key,
            "SessionToken": new.session_token,
            "Expiration": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "AccountId": rule.account_id,
            "Arn": identity.arn,
        }
    )


def _used() -> RequestRefused:
    return _invalid("The presigned request was used before; sign a new one.")


def _invalid(message: str) -> RequestRefused:
    return RequestRefused(INVALID_IDENTITY, message)
