"""Sessions by a provider's names on both kinds of databases: ended, and renewed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compute_optimizer.store import State
from compute_optimizer.store.access_keys import (
    KeyRequest,
    create_access_key,
    find_access_key,
    person_of_session,
)
from compute_optimizer.store.provider_sessions import ProviderNames, end_sessions, renew_session
from compute_optimizer.store.sealing import Sealer, open_key_file

NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
ISSUER = "https://login.example.com"


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return open_key_file(tmp_path / "key", tmp_path)


def opened(
    state: State, sealer: Sealer, subject: str, session: str = "", issuer: str = ISSUER
) -> str:
    names = ProviderNames(issuer, subject, session)
    wanted = KeyRequest(
        "111111111111",
        "console",
        {},
        with_session_token=True,
        person="before",
        provider=names.columns,
    )
    with state.writing() as connection:
        return create_access_key(connection, sealer, wanted, NOW).access_key_id


def test_sessions_end_by_the_names_that_are_told(state: State, sealer: Sealer) -> None:
    phone = opened(state, sealer, "rio", "phone")
    desk = opened(state, sealer, "rio", "desk")
    unnamed = opened(state, sealer, "rio")
    other = opened(state, sealer, "dana", "tablet")
    elsewhere = opened(state, sealer, "rio", "phone", issuer="https://other.example.com")
    with state.writing() as connection:
        assert end_sessions(connection, ProviderNames(ISSUER, "dana", "phone")) == []
        ended = end_sessions(connection, ProviderNames(ISSUER, "rio", "phone"))
        assert sorted(ended) == sorted([phone, unnamed])
        assert end_sessions(connection, ProviderNames(ISSUER, "", "tablet")) == [other]
        assert end_sessions(connection, ProviderNames(ISSUER, "rio", "")) == [desk]
        assert find_access_key(connection, phone) is None
        assert find_access_key(connection, elsewhere) is not None


def test_a_session_is_renewed_and_found_by_its_new_names(state: State, sealer: Sealer) -> None:
    name, then = opened(state, sealer, "rio", "phone"), NOW + timedelta(minutes=15)
    names = ProviderNames(ISSUER, "rio", "phone anew")
    with state.writing() as connection:
        assert renew_session(connection, sealer, name, "after", names, then)
        assert not renew_session(connection, sealer, "ASIANONE", "after", names, then)

    with state.writing() as connection:
        key = find_access_key(connection, name)
        assert key is not None
        assert (key.checked_at, person_of_session(sealer, key)) == (then, "after")
        assert end_sessions(connection, ProviderNames(ISSUER, "", "phone")) == []
        assert end_sessions(connection, names) == [name]
