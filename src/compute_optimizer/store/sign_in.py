"""Who may sign in, what was used to do so, and the sessions that came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from compute_optimizer.errors import Conflict
from compute_optimizer.model.sign_in import AwsIdentity, SignInRule
from compute_optimizer.store.access_keys import KeyRequest, NewSecret, create_access_key
from compute_optimizer.store.schema import access_keys, sign_in_rules, sign_in_signatures
from compute_optimizer.store.sealing import Sealer

KEPT_AFTER_EXPIRY = timedelta(days=1)
"""How long a session that has expired is told so, before it is unknown."""

KEPT_AFTER_USE = timedelta(hours=1)
"""How long a used signature is kept beyond its life: the clocks of several servers differ."""


@dataclass(frozen=True, slots=True)
class RuleRequest:
    """Whom somebody wants to let in."""

    principal: str
    account_id: str
    policy: Mapping[str, Any]
    longest_session_seconds: int


def save_rule(connection: Connection, wanted: RuleRequest, now: datetime) -> str:
    """Store the rule of a principal and an account, in place of the present one; return its id.

    Sessions that the present one let in go on under the new policy, until they expire.
    """
    present = _rule_id(connection, wanted.principal, wanted.account_id)
    values = {
        "policy": dict(wanted.policy),
        "longest_session_seconds": wanted.longest_session_seconds,
    }
    if present is None:
        rule_id = str(uuid4())
        new = {"rule_id": rule_id, "principal": wanted.principal, "created_at": now}
        row = new | values | {"account_id": wanted.account_id}
        connection.execute(insert(sign_in_rules).values(row))
        return rule_id
    chosen = sign_in_rules.c.rule_id == present
    connection.execute(update(sign_in_rules).where(chosen).values(**values))
    sessions = update(access_keys).where(access_keys.c.sign_in_rule == present)
    connection.execute(sessions.values(policy=values["policy"]))
    return present


def remove_rule(connection: Connection, principal: str, account_id: str) -> int | None:
    """Remove a rule and every session that it let in; return how many, None without a rule."""
    rule_id = _rule_id(connection, principal, account_id)
    if rule_id is None:
        return None
    connection.execute(delete(sign_in_rules).where(sign_in_rules.c.rule_id == rule_id))
    sessions = delete(access_keys).where(access_keys.c.sign_in_rule == rule_id)
    return connection.execute(sessions).rowcount


def all_rules(connection: Connection) -> tuple[SignInRule, ...]:
    """Return every rule, by account and principal."""
    columns = (sign_in_rules.c[name] for name in SignInRule.__dataclass_fields__)
    order = (sign_in_rules.c.account_id, sign_in_rules.c.principal)
    rows = connection.execute(select(*columns).order_by(*order)).mappings()
    return tuple(SignInRule(**{**row, "policy": json.dumps(row["policy"])}) for row in rows)


def was_used(connection: Connection, signature: str) -> bool:
    """Return whether somebody has signed in with this signature."""
    same = sign_in_signatures.c.digest == _digest(signature)
    return bool(connection.scalar(select(exists().where(same))))


def use(connection: Connection, signature: str, good_until: datetime) -> None:
    """Note that a signature was used; raise Conflict where it was before, by whatever process."""
    statement = insert(sign_in_signatures)
    try:
        connection.execute(statement.values(digest=_digest(signature), good_until=good_until))
    except IntegrityError:
        raise Conflict("the presigned request was used before; sign a new one") from None


def open_session(
    connection: Connection,
    sealer: Sealer,
    rule: SignInRule,
    identity: AwsIdentity,
    now: datetime,
    expires_at: datetime,
) -> NewSecret:
    """Store a session under a rule and return its credentials.

    Raises Conflict where somebody has removed the rule meanwhile.
    """
    present = select(sign_in_rules.c.policy).where(sign_in_rules.c.rule_id == rule.rule_id)
    policy = connection.scalar(present.with_for_update())
    if policy is None:
        raise Conflict("the rule that lets you in was removed just now")
    wanted = KeyRequest(
        rule.account_id,
        identity.name,
        policy,
        expires_at=expires_at,
        with_session_token=True,
        signed_in_as=identity.arn,
        sign_in_rule=rule.rule_id,
    )
    return create_access_key(connection, sealer, wanted, now)


def expired_signatures(now: datetime) -> tuple[Table, ColumnElement[bool]]:
    """Return the used signatures that nobody can use any more."""
    return sign_in_signatures, sign_in_signatures.c.good_until <= now - KEPT_AFTER_USE


def expired_sessions(now: datetime) -> tuple[Table, ColumnElement[bool]]:
    """Return the sessions that have expired long ago."""
    is_session = access_keys.c.sign_in_rule.is_not(None)
    return access_keys, is_session & (access_keys.c.expires_at <= now - KEPT_AFTER_EXPIRY)


def _rule_id(connection: Connection, principal: str, account_id: str) -> str | None:
    of_both = (sign_in_rules.c.principal == principal) & (sign_in_rules.c.account_id == account_id)
    rule_id: str | None = connection.scalar(select(sign_in_rules.c.rule_id).where(of_both))
    return rule_id


def _digest(signature: str) -> bytes:
    """Return what is kept of a signature: nobody can sign in with it."""
    return sha256(signature.encode()).digest()
