"""The same server over PostgreSQL, several servers over one state, and a state that goes away."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.end_to_end.conftest import Served
from tests.states import FreshUrl

SECONDS = 10.0


def active_within(client: Any, seconds: float) -> bool:
    """Return whether the account becomes Active in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = client.get_enrollment_status()
        if answer["status"] == "Active":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("auth", ["on", "off"])
def test_postgresql_serves_as_sqlite_does(
    serve: Callable[..., Served], fresh_postgresql: FreshUrl, protocol: str, auth: str
) -> None:
    served = serve(state_url=fresh_postgresql(), auth=auth)
    client = (
        served.client(protocol=protocol)
        if auth == "off"
        else served.signed_client(served.new_key(), protocol)
    )

    client.update_enrollment_status(status="Active")

    assert active_within(client, SECONDS)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_one_server_changes_the_other_answers_at_once(
    serve: Callable[..., Served], request: pytest.FixtureRequest, kind: str
) -> None:
    fresh: FreshUrl = request.getfixturevalue(f"fresh_{kind}")
    url = fresh()
    one, other = serve(state_url=url).client(), serve(state_url=url).client()

    for status in ("Active", "Inactive") * 10:
        one.update_enrollment_status(status=status)
        seen = other.get_enrollment_status()["status"]
        # Pending until the background step of either server has looked.
        assert seen in ({"Pending", "Active"} if status == "Active" else {"Inactive"})


def test_a_database_that_goes_away_is_a_503_until_it_comes_back(
    serve: Callable[..., Served], fresh_postgresql: FreshUrl, postgresql_url: str
) -> None:
    served = serve(state_url=fresh_postgresql())
    client = served.client()
    client.get_enrollment_status()
    name = sql.Identifier(str(served.state.engine.url.database))

    with psycopg.connect(postgresql_url, autocommit=True) as administrator:
        administrator.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [served.state.engine.url.database],
        )
        with pytest.raises(client.exceptions.ServiceUnavailableException) as raised:
            client.get_enrollment_status()
        administrator.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))

    headers = raised.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert int(headers["x-amz-retry-after"]) > 0
    assert client.get_enrollment_status()["status"] == "Inactive"
