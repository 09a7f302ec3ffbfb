"""A console that knows a real provider, and people who sign in through it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from compute_optimizer.console.messages import Response
from compute_optimizer.console.openid.desk import Desk
from tests.console.conftest import House, housed
from tests.console.visiting import HOST, Visit
from tests.identity_provider import CLIENT_ID, SECRET, IdentityProvider, Person
from tests.records import FixedClock

HOME = f"https://{HOST}"
ACCOUNT, OTHER = "111111111111", "222222222222"

ACCESS = [
    {"claim": "groups", "value": "finops", "accounts": [OTHER], "access": "read-write"},
    {"claim": "groups", "value": "everybody", "accounts": [ACCOUNT], "access": "read-only"},
]


@contextmanager
def house_of(
    folder: Path, issuer: str, access: list[dict[str, Any]] | None = None, **settings: Any
) -> Iterator[House]:
    """Open a program that the provider of an issuer signs people in to; its clock begins now,
    as the provider's tokens do."""
    folder.mkdir(exist_ok=True)
    write_access(folder, ACCESS if access is None else access)
    given = {
        "console_url": HOME,
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": SECRET,
        "oidc_access_file": str(folder / "access.yaml"),
        "oidc_title": "Example ID",
    }
    clock = FixedClock(datetime.now(UTC))
    with housed(folder, clock=clock, **(given | settings)) as house:
        yield house


def write_access(folder: Path, access: list[dict[str, Any]]) -> None:
    (folder / "access.yaml").write_text(yaml.safe_dump({"access": access}))


def desk_of(house: House) -> Desk:
    assert house.room.gate.openid is not None
    return house.room.gate.openid


def begin(visit: Visit, back: str = "/console/") -> str:
    """Press the button and return where the provider is."""
    response = visit.get(f"/console/sign-in/provider?{urlencode({'next': back})}")
    assert response.status == 303, response.body
    return response.headers["location"]


def walk(visit: Visit, provider: IdentityProvider, login: str, back: str = "/console/") -> str:
    """Sign in at the provider and return the path that the browser is sent back to."""
    place = Person(provider, login).go(begin(visit, back))
    assert place.startswith(HOME)
    return place.removeprefix(HOME)


def sign_in(
    house: House, provider: IdentityProvider, login: str, back: str = "/console/"
) -> tuple[Visit, Response]:
    """Sign somebody in, from the button to the page that follows."""
    # The clock of the provider goes on.
    house.clock.advance(datetime.now(UTC) - house.clock.now() + timedelta(milliseconds=1))
    visit = house.visit()
    return visit, visit.get(walk(visit, provider, login, back))


def is_in(visit: Visit) -> bool:
    return visit.get("/console/accounts").status == 200
