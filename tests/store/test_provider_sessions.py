"""Sessions by a provider's names on both kinds of databases: ended, and renewed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compute_optimizer.store import State, provider_sessions
from compute_optimizer.store.access_keys import (
    KeyRequest,
    create_access_key,
    find_access_key,
    person_of_session,
)
from compute_optimizer.store.expiry import remove_expired
from compute_optimizer.store.provider_sessions import (
    REMEMBERED,
    ProviderNames,
    end_sessions,
    renew_session,
    was_ended,
)
from compute_optimizer.store.sealing import Sealer, open_key_file
from tests.states import FreshUrl
from tests.waiting_locks import wait_until_it_waits

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
        assert end_sessions(connection, ProviderNames(ISSUER, "dana", "phone"), NOW) == []
        ended = end_sessions(connection, ProviderNames(ISSUER, "rio", "phone"), NOW)
        assert sorted(ended) == sorted([phone, unnamed])
        assert end_sessions(connection, ProviderNames(ISSUER, "", "tablet"), NOW) == [other]
        assert end_sessions(connection, ProviderNames(ISSUER, "rio", ""), NOW) == [desk]
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
        assert end_sessions(connection, ProviderNames(ISSUER, "", "phone"), NOW) == []
        assert end_sessions(connection, names, NOW) == [name]


def names(subject: str, session: str = "", issuer: str = ISSUER) -> ProviderNames:
    return ProviderNames(issuer, subject, session)


# What was ended -> who is kept out by it, of those whose sign-in began before.
ENDINGS = (
    (names("rio", "phone"), {"rio at phone", "rio unnamed"}),
    (names("rio"), {"rio at phone", "rio at desk", "rio unnamed"}),
    (names("", "phone"), {"rio at phone"}),
)
ARRIVALS = {
    "rio at phone": names("rio", "phone"),
    "rio at desk": names("rio", "desk"),
    "rio unnamed": names("rio"),
    "dana unnamed": names("dana"),
    "rio of another provider": names("rio", "phone", "https://other.example.com"),
}


@pytest.mark.parametrize(("ended", "kept_out"), ENDINGS)
def test_what_was_ended_keeps_out_who_began_before(
    state: State, ended: ProviderNames, kept_out: set[str]
) -> None:
    second = timedelta(seconds=1)
    with state.writing() as connection:
        end_sessions(connection, ended, NOW)
        before = {who for who, one in ARRIVALS.items() if was_ended(connection, one, NOW - second)}
        after = {who for who, one in ARRIVALS.items() if was_ended(connection, one, NOW)}

    assert before == kept_out
    # Whoever goes to the provider after that is known to it again.
    assert after == set()


def test_what_was_ended_is_remembered_for_a_time_and_the_newest_of_many(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_sessions, "MOST_REMEMBERED", 2)
    long_ago = NOW - timedelta(days=1)
    with state.writing() as connection:
        for number, name in enumerate(("one", "two", "three")):
            end_sessions(connection, names(name), NOW + timedelta(seconds=number))
        found = [was_ended(connection, names(one), long_ago) for one in ("one", "two", "three")]
        # Again, which is no second row.
        end_sessions(connection, names("three"), NOW + timedelta(seconds=2))
        assert remove_expired(connection, NOW + REMEMBERED) == 0
        assert remove_expired(connection, NOW + REMEMBERED + timedelta(seconds=2)) == 2

    assert found == [False, True, True]


@pytest.fixture
def postgresql(fresh_postgresql: FreshUrl) -> Iterator[State]:
    """A database that has several writers at a time."""
    with closing(State(fresh_postgresql())) as found:
        yield found


RIO = names("rio", "phone")


def let_in(state: State, sealer: Sealer, began_at: datetime) -> str | None:
    """Store a session unless its sign-in was ended meanwhile, as the console does."""
    wanted = KeyRequest("111111111111", "console", {}, provider=RIO.columns)
    with state.writing() as connection:
        if was_ended(connection, RIO, began_at):
            return None
        return create_access_key(connection, sealer, wanted, NOW).access_key_id


def test_who_comes_back_while_a_logout_is_being_stored_waits_and_is_kept_out(
    postgresql: State, sealer: Sealer
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with postgresql.writing() as connection:
            assert end_sessions(connection, RIO, NOW) == []
            coming = pool.submit(let_in, postgresql, sealer, NOW - timedelta(seconds=1))
            # Nothing of the logout can be seen yet, and the session would outlive it.
            wait_until_it_waits(postgresql, coming)

        assert coming.result() is None


def test_a_logout_that_comes_while_a_session_is_being_stored_waits_and_ends_it(
    postgresql: State, sealer: Sealer
) -> None:
    def end() -> list[str]:
        with postgresql.writing() as connection:
            return end_sessions(connection, RIO, NOW)

    wanted = KeyRequest("111111111111", "console", {}, provider=RIO.columns)
    with ThreadPoolExecutor(1) as pool:
        with postgresql.writing() as connection:
            assert not was_ended(connection, RIO, NOW - timedelta(seconds=1))
            name = create_access_key(connection, sealer, wanted, NOW).access_key_id
            ending = pool.submit(end)
            wait_until_it_waits(postgresql, ending)

        assert ending.result() == [name]
    with postgresql.reading() as connection:
        assert find_access_key(connection, name) is None
