"""A logout and a sign-in on its way at the same moment, on a database with several writers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.store.provider_sessions import ProviderNames, end_sessions
from tests.console.conftest import House
from tests.console.openid.signing_in import house_of, is_in, sign_in, walk
from tests.console.visiting import words
from tests.identity_provider import IdentityProvider
from tests.states import FreshUrl
from tests.waiting_locks import wait_until_it_waits


@pytest.fixture
def busy(tmp_path: Path, provider: IdentityProvider, fresh_postgresql: FreshUrl) -> Iterator[House]:
    """A console whose state is in PostgreSQL."""
    with house_of(tmp_path, provider.issuer, state_url=fresh_postgresql()) as found:
        yield found


def test_who_comes_back_while_the_logout_is_being_stored_is_not_let_in(
    busy: House, provider: IdentityProvider
) -> None:
    visit = busy.visit()
    back = walk(visit, provider, "rio")
    busy.clock.advance(timedelta(microseconds=1))
    now = busy.clock.now()
    with ThreadPoolExecutor(1) as pool:
        with busy.state.writing() as connection:
            end_sessions(connection, ProviderNames(provider.issuer, "rio", ""), now)
            coming = pool.submit(visit.get, back)
            # Its transaction has begun, and cannot see the logout before this one ends.
            wait_until_it_waits(busy.state, coming)

        response = coming.result()

    assert response.status == 403
    assert "The provider has signed you out meanwhile" in words(response)
    assert not is_in(visit)
    dana, _ = sign_in(busy, provider, "dana")
    assert is_in(dana)
