"""Access keys: who may sign requests, for which account, under which policy, until when.

A session of somebody who signed in is an access key with a session token, an expiry and the rule
that let it in.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from compute_optimizer.errors import NotFound
from compute_optimizer.store.schema import access_keys
from compute_optimizer.store.sealing import Sealer

LONG_TERM_PREFIX = "AKIA"
"""How ids of keys without a session token begin, as AWS's do."""

TEMPORARY_PREFIX = "ASIA"
"""How ids of keys with a session token begin."""

ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ID_RANDOM_LETTERS = 16
SECRET_BYTES = 30
"""40 letters of base64, the length of AWS's secrets."""
TOKEN_BYTES = 96


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A stored access key; its secret is sealed."""

    access_key_id: str
    account_id: str
    name: str
    sealed_secret: bytes
    session_token_digest: bytes | None
    policy: str
    """The policy document as JSON."""
    active: bool
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    signed_in_as: str | None = None
    """Of a session: the ARN that STS told."""
    sign_in_rule: str | None = None
    """Of a session: the id of the rule that let it in."""
    sealed_person: bytes | None = None
    """Of a session of the console: who it is, as a provider of OpenID Connect told."""
    provider_session: bytes | None = None
    """Digest of that provider's name for its own session."""
    provider_subject: bytes | None = None
    """Digest of its name for the person."""
    checked_at: datetime | None = None
    """When it said last that they are signed in there."""

    @property
    def principal_arn(self) -> str:
        """Who signs with the key, as messages and the audit log name it."""
        return self.signed_in_as or f"arn:aws:iam::{self.account_id}:user/{self.name}"


@dataclass(frozen=True, slots=True)
class NewSecret:
    """What is shown once, when a key is made or rotated, and never again."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What somebody wants a key for."""

    account_id: str
    name: str
    policy: Mapping[str, Any]
    """A valid policy document: see api.authorization.parse_policy."""
    expires_at: datetime | None = None
    with_session_token: bool = False
    signed_in_as: str | None = None
    sign_in_rule: str | None = None
    person: str | None = None
    """Sealed, and opened again by `person_of_session`."""
    provider: Mapping[str, bytes | None] = field(default_factory=dict)
    """What is stored of the names by which a provider ends it."""


def create_access_key(
    connection: Connection, sealer: Sealer, wanted: KeyRequest, now: datetime
) -> NewSecret:
    """Store a new active key and return its secret."""
    prefix = TEMPORARY_PREFIX if wanted.with_session_token else LONG_TERM_PREFIX
    key_id = prefix + "".join(secrets.choice(ID_LETTERS) for _ in range(ID_RANDOM_LETTERS))
    new = _new_secret(key_id, wanted.with_session_token)
    connection.execute(
        insert(access_keys).values(
            access_key_id=key_id,
            account_id=wanted.account_id,
            name=wanted.name,
            policy=dict(wanted.policy),
            active=True,
            created_at=now,
            expires_at=wanted.expires_at,
            signed_in_as=wanted.signed_in_as,
            sign_in_rule=wanted.sign_in_rule,
            sealed_person=sealed_person(sealer, wanted.person, key_id),
            **wanted.provider,
            **_stored(new, sealer),
        )
    )
    return new


def rotate_access_key(connection: Connection, sealer: Sealer, access_key_id: str) -> NewSecret:
    """Give a key a new secret (and session token), keeping all else; raise NotFound."""
    key = existing_access_key(connection, access_key_id)
    new = _new_secret(access_key_id, key.session_token_digest is not None)
    _change(connection, access_key_id, **_stored(new, sealer))
    return new


def person_of_session(sealer: Sealer, key: AccessKey) -> str | None:
    """Return who a session was opened for, as it was given; None for other keys."""
    if key.sealed_person is None:
        return None
    return sealer.unseal(key.sealed_person, _person_owner(key.access_key_id))


def move_session(
    connection: Connection, access_key_id: str, account_id: str, signed_in_as: str
) -> None:
    """Have a session act in another account; raise NotFound."""
    _change(connection, access_key_id, account_id=account_id, signed_in_as=signed_in_as)


def set_access_key_active(connection: Connection, access_key_id: str, active: bool) -> None:
    """Let a key sign or stop it from signing; raise NotFound."""
    _change(connection, access_key_id, active=active)


def delete_access_key(connection: Connection, access_key_id: str) -> None:
    """Forget a key for good; raise NotFound."""
    statement = delete(access_keys).where(access_keys.c.access_key_id == access_key_id)
    if not connection.execute(statement).rowcount:
        raise _unknown(access_key_id)


def find_access_key(connection: Connection, access_key_id: str) -> AccessKey | None:
    """Return a key, or None where no key has this id."""
    statement = select(access_keys).where(access_keys.c.access_key_id == access_key_id)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _access_key(row)


def existing_access_key(connection: Connection, access_key_id: str) -> AccessKey:
    """Return a key; raise NotFound where no key has this id."""
    key = find_access_key(connection, access_key_id)
    if key is None:
        raise _unknown(access_key_id)
    return key


def list_access_keys(
    connection: Connection, account_id: str | None = None, *, sessions: bool = False
) -> list[AccessKey]:
    """Return all keys, or those of one account, by account and age; or sessions instead of keys."""
    statement = (
        select(access_keys)
        .where(access_keys.c.sign_in_rule.is_not(None) == sessions)
        .order_by(access_keys.c.account_id, access_keys.c.created_at, access_keys.c.access_key_id)
    )
    if account_id is not None:
        statement = statement.where(access_keys.c.account_id == account_id)
    return [_access_key(row) for row in connection.execute(statement)]


def has_access_keys(connection: Connection) -> bool:
    """Return whether any secret is stored that a key file has to open."""
    return connection.execute(select(access_keys.c.access_key_id).limit(1)).first() is not None


def check_key_file(connection: Connection, sealer: Sealer) -> None:
    """Raise InvalidInput when the key file does not open a stored secret; one stands for all."""
    row = connection.execute(select(access_keys).limit(1)).one_or_none()
    if row is not None:
        key = _access_key(row)
        sealer.unseal(key.sealed_secret, key.access_key_id)


def record_last_use(connection: Connection, used: Mapping[str, datetime]) -> None:
    """Note when keys were used last; a later moment that is known already stays."""
    column = access_keys.c.last_used_at
    for access_key_id, moment in used.items():
        connection.execute(
            update(access_keys)
            .where(access_keys.c.access_key_id == access_key_id)
            .where(column.is_(None) | (column < moment))
            .values(last_used_at=moment)
        )


def digest_session_token(token: str) -> bytes:
    """Return what is stored of a session token: it is long and random, so a plain hash will do."""
    return sha256(token.encode()).digest()


def _new_secret(access_key_id: str, with_session_token: bool) -> NewSecret:
    token = _random_text(TOKEN_BYTES) if with_session_token else None
    return NewSecret(access_key_id, _random_text(SECRET_BYTES), token)


def _random_text(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).decode()


def _stored(new: NewSecret, sealer: Sealer) -> dict[str, Any]:
    token = new.session_token
    return {
        "sealed_secret": sealer.seal(new.secret_access_key, new.access_key_id),
        "session_token_digest": None if token is None else digest_session_token(token),
    }


def sealed_person(sealer: Sealer, person: str | None, access_key_id: str) -> bytes | None:
    """Return who a session is opened for, sealed for that session alone."""
    return None if person is None else sealer.seal(person, _person_owner(access_key_id))


def _person_owner(access_key_id: str) -> str:
    """Return what a person is sealed for: a secret of the same record cannot stand in its place."""
    return f"{access_key_id} person"


def _change(connection: Connection, access_key_id: str, **values: Any) -> None:
    statement = update(access_keys).where(access_keys.c.access_key_id == access_key_id)
    if not connection.execute(statement.values(**values)).rowcount:
        raise _unknown(access_key_id)


def _unknown(access_key_id: str) -> NotFound:
    return NotFound(f"no access key {access_key_id}; `compute-optimizer keys list` shows them")


def _access_key(row: Row[Any]) -> AccessKey:
    values = dict(row._mapping)
    return AccessKey(**{**values, "policy": json.dumps(values["policy"])})
