"""Sessions that stand on one at a provider of OpenID Connect: ended and renewed by its names.

Its names for the person and for its own session are kept as digests: enough to find a session by,
and nothing to read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from compute_optimizer.store.access_keys import sealed_person
from compute_optimizer.store.schema import access_keys, ended_provider_sessions
from compute_optimizer.store.sealing import Sealer

REMEMBERED = timedelta(hours=1)
"""How long it is known that a provider has ended something. A sign-in that began before may come
for ten minutes (console/openid/waiting), and no ID token counts longer, since each has the nonce of
one sign-in; the rest is for the clocks of several servers."""

MOST_REMEMBERED = 100_000
"""Names that a provider has ended, some 100 bytes each; beyond it the oldest are forgotten."""

UNNAMED = "sub without sid"
"""Kind of a digest: the sessions of a person of which the provider named none."""

LOCK = 0x0C02
"""Number of the PostgreSQL advisory lock under which sessions begin and end by a provider's word;
any fixed one does that nothing else uses."""


@dataclass(frozen=True, slots=True)
class ProviderNames:
    """What a provider calls somebody and its own session; either may be unknown."""

    issuer: str
    subject: str
    session: str

    @property
    def columns(self) -> dict[str, bytes | None]:
        """Return what is stored of them."""
        return {
            "provider_session": _digest(self.issuer, "sid", self.session),
            "provider_subject": _digest(self.issuer, "sub", self.subject),
        }


def end_sessions(connection: Connection, names: ProviderNames, now: datetime) -> list[str]:
    """Forget the sessions that a provider has ended and return their ids; remember that it has.

    Those of its own session where it names one, with those of the person of which it named none;
    without one all of the person (OpenID Connect Back-Channel Logout 1.0, 2.7).
    """
    _lock(connection)
    _remember(connection, names, now)
    digests = names.columns
    of_person = access_keys.c.provider_subject == digests["provider_subject"]
    of_session = access_keys.c.provider_session == digests["provider_session"]
    unnamed = access_keys.c.provider_session.is_(None)
    chosen = {
        (True, True): of_person & (of_session | unnamed),
        (True, False): of_person,
        (False, True): of_session,
    }
    wanted = chosen[bool(names.subject), bool(names.session)]
    ids = list(connection.scalars(select(access_keys.c.access_key_id).where(wanted)))
    connection.execute(delete(access_keys).where(access_keys.c.access_key_id.in_(ids)))
    return ids


def was_ended(connection: Connection, names: ProviderNames, began_at: datetime) -> bool:
    """Return whether a provider has ended what somebody is signed in by since a sign-in began.

    Until the transaction ends nothing else is ended, so that a session which is stored in it is
    either refused here or found by `end_sessions`.
    """
    _lock(connection)
    table = ended_provider_sessions
    mine = table.c.name.in_(_ended_by(names)), table.c.ended_at > began_at
    return bool(connection.scalar(select(exists().where(*mine))))


def expired_endings(now: datetime) -> tuple[Table, ColumnElement[bool]]:
    """Return what is remembered of a provider's endings and need not be any more."""
    return ended_provider_sessions, ended_provider_sessions.c.expires_at <= now


def _remember(connection: Connection, names: ProviderNames, now: datetime) -> None:
    table, digests = ended_provider_sessions, _ending(names)
    connection.execute(delete(table).where(table.c.name.in_(digests)))
    moments = {"ended_at": now, "expires_at": now + REMEMBERED}
    connection.execute(insert(table), [{"name": one, **moments} for one in digests])
    newest = select(table.c.ended_at).order_by(table.c.ended_at.desc())
    oldest = connection.scalar(newest.offset(MOST_REMEMBERED - 1).limit(1))
    if oldest is not None:
        connection.execute(delete(table).where(table.c.ended_at < oldest))


def _ending(names: ProviderNames) -> list[bytes]:
    """Return what is remembered of names that are ended, as `end_sessions` chooses by them."""
    of_session = _digest(names.issuer, "sid", names.session)
    unnamed = _digest(names.issuer, UNNAMED, names.subject)
    of_person = _digest(names.issuer, "sub", names.subject)
    return [one for one in ((of_session, unnamed) if of_session else (of_person,)) if one]


def _ended_by(names: ProviderNames) -> list[bytes]:
    """Return what ends a session of these names, of what is remembered."""
    of_session = _digest(names.issuer, "sid", names.session)
    unnamed = _digest(names.issuer, UNNAMED, names.subject)
    return [one for one in (of_session or unnamed, names.columns["provider_subject"]) if one]


def _lock(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        # SQLite has one writer at a time; here a session could begin beside its end, unseen by it.
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))


def renew_session(
    connection: Connection,
    sealer: Sealer,
    access_key_id: str,
    person: str,
    names: ProviderNames,
    now: datetime,
) -> bool:
    """Keep what a provider says anew of a session's person; return whether the session is there."""
    values = {**names.columns, "checked_at": now}
    values["sealed_person"] = sealed_person(sealer, person, access_key_id)
    same = update(access_keys).where(access_keys.c.access_key_id == access_key_id)
    return bool(connection.execute(same.values(values)).rowcount)


def _digest(issuer: str, kind: str, name: str) -> bytes | None:
    return sha256(f"{kind} {issuer}\n{name}".encode()).digest() if name else None
