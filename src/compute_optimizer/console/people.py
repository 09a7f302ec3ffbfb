"""People whom a provider of OpenID Connect told of: what a session keeps of them, and who they are
in an account that the rules open to them now.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from compute_optimizer.console.gate import Room, Visitor
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.openid import Person
from compute_optimizer.store.access_keys import AccessKey, person_of_session

if TYPE_CHECKING:
    from compute_optimizer.console.openid.desk import Desk

SIGNED_IN = "openid"
"""Stands in place of a sign-in rule: the rules of the file are looked at with each request."""


@dataclass(frozen=True, slots=True)
class KeptPerson:
    """What a session keeps, sealed."""

    person: Person
    id_token: str = field(repr=False)
    """Says at the provider who signs out."""

    def as_text(self) -> str:
        """Return it as it is sealed."""
        return msgspec.json.encode(self).decode()


def kept_person(room: Room, key: AccessKey) -> KeptPerson | None:
    """Return what a session keeps; None for one that was opened in another way, and for what was
    not sealed for it."""
    if room.gate.sealer is None:
        return None
    try:
        text = person_of_session(room.gate.sealer, key)
        return None if text is None else msgspec.json.decode(text, type=KeptPerson)
    except (InvalidInput, ValueError):
        return None  # Of another key file, another session or an older release: sign in again.


def visitors_of(desk: "Desk", person: Person, session_id: str) -> dict[str, Visitor]:
    """Return who somebody is in each account that is open to them now."""
    return {
        account_id: Visitor(account_id, person.principal_arn(account_id), session_id, policy)
        for account_id, policy in desk.policies(person).items()
    }
