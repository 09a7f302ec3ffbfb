"""The worker's own port: probes, nothing else, and an error where it is taken."""

import socket
import urllib.error
import urllib.request

import pytest

from compute_optimizer.api.probe_server import probes_served
from compute_optimizer.api.probes import Probes
from compute_optimizer.api.telemetry import Telemetry
from compute_optimizer.errors import InvalidInput
from compute_optimizer.store import State
from tests.records import FixedClock
from tests.waiting import SECONDS


@pytest.fixture
def probes(sqlite_state: State) -> Probes:
    return Probes(sqlite_state, Telemetry(sqlite_state, FixedClock()), lambda: False)


def asked(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_probes_are_answered_until_the_block_ends(probes: Probes) -> None:
    with probes_served(probes, 0) as port:
        assert asked(port, "/readyz") == (200, b'{"status":"ready"}')
        status, body = asked(port, "/metrics")
        assert (status, b"compute_optimizer_state_bytes " in body) == (200, True)
        assert asked(port, "/else")[0] == 404

    with pytest.raises(urllib.error.URLError):
        asked(port, "/readyz")


def test_a_port_that_is_taken_is_named(probes: Probes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(InvalidInput, match=f"cannot bind 127.0.0.1 port {port} for metrics"),
            probes_served(probes, port),
        ):
            pytest.fail("the port is taken")
