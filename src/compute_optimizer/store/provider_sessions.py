"""Sessions that stand on one at a provider of OpenID Connect: ended and renewed by its names.

Its names for the person and for its own session are kept as digests: enough to find a session by,
and nothing to read.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, delete, select, update

from compute_optimizer.store.access_keys import sealed_person
from compute_optimizer.store.schema import access_keys
from compute_optimizer.store.sealing import Sealer


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


def end_sessions(connection: Connection, names: ProviderNames) -> list[str]:
    """Forget the sessions that a provider has ended and return their ids.

    Those of its own session where it names one, with those of the person of which it named none;
    without one all of the person (OpenID Connect Back-Channel Logout 1.0, 2.7).
    """
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
