"""The same server over PostgreSQL, several servers over one state, and a state that goes away."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.model.job_run import Outcome
from compute_optimizer.store import State
from compute_optimizer.store.job_runs import runs_of
from compute_optimizer.store.schema import recommendations, runs
from compute_optimizer.store.tiles import TileStore
from tests.end_to_end.conftest import ACCOUNT, Served
from tests.states import FreshUrl
from tests.stored_fleets import BUSY, QUIET, store_fleet
from tests.waiting import SECONDS, wait_until


def wait_until_active(client: Any) -> None:
    """Return once the account is Active."""
    wait_until(lambda: client.get_enrollment_status()["status"] == "Active")


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

    wait_until_active(client)


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


MACHINES = 20
ANALYSES = 3
"""That must have been published before it ends."""

WORKERS = 2


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Start workers on a database; they analyze every second, and are stopped at the end."""
    settings = {"SCHEDULE_ANALYSIS": "1s", "WORKERS": "1"}
    with ExitStack() as stack:

        def start(url: str) -> None:
            environment = os.environ | {
                f"COMPUTE_OPTIMIZER_{name}": value
                for name, value in (settings | {"STATE_URL": url}).items()
            }
            command = [sys.executable, "-m", "compute_optimizer", "worker", "--port", "0"]
            command += ["--job", "analysis", "--job", "enrollment", "--data-dir", str(tmp_path)]
            log = stack.enter_context((tmp_path / "workers.log").open("ab"))
            process = subprocess.Popen(command, stderr=log, env=environment)
            stack.callback(process.wait, SECONDS)
            stack.callback(process.send_signal, signal.SIGTERM)

        yield start


def published(state: State) -> dict[str, int]:
    """Return how many recommendations each run that became visible has."""
    with state.reading() as connection:
        done = runs.c.completed_at.is_not(None)
        found = list(connection.execute(select(runs.c.run_id).where(done)).scalars())
        rows = Counter(connection.execute(select(recommendations.c.run_id)).scalars())
    return {one: rows[one] for one in found}


def test_several_servers_and_workers_share_one_postgresql(
    serve: Callable[..., Served],
    work: Callable[[str], None],
    fresh_postgresql: FreshUrl,
    tmp_path: Path,
) -> None:
    url = fresh_postgresql()
    one, other = (serve(state_url=url).client() for _ in range(2))
    with closing(State(url)) as state:
        one.update_enrollment_status(status="Active")
        wait_until_active(other)
        yesterday = SystemClock().now().date() - timedelta(days=1)
        cpu = (QUIET, BUSY) * (MACHINES // 2)
        store_fleet(state, TileStore(tmp_path / "tiles"), ACCOUNT, cpu=cpu, last=yesterday)
        for _ in range(WORKERS):
            work(url)
        wait_until(lambda: len(published(state)) >= ANALYSES, (tmp_path / "workers.log").read_text)
        first = one.get_ec2_instance_recommendations(maxResults=MACHINES // 2)
        # The other server goes on where the first one stopped, whatever was published meanwhile.
        rest = other.get_ec2_instance_recommendations(nextToken=first["nextToken"])
        with state.reading() as connection:
            jobs = runs_of(connection, "analysis")
        kept = published(state)

    arns = [
        found["instanceArn"] for page in (first, rest) for found in page["instanceRecommendations"]
    ]
    assert len(set(arns)) == len(arns) == MACHINES
    assert set(kept.values()) == {MACHINES}
    assert len(kept) >= sum(job.outcome is Outcome.SUCCEEDED for job in jobs) >= ANALYSES
    assert len({job.holder for job in jobs}) <= WORKERS
