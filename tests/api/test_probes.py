"""What probes are told, and who is told the metrics."""

from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from compute_optimizer.api.probes import Probes, probe
from compute_optimizer.api.telemetry import Telemetry
from compute_optimizer.store import State
from tests.records import FixedClock

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.7"


@pytest.fixture
def probes(sqlite_state: State) -> Probes:
    return Probes(sqlite_state, Telemetry(sqlite_state, FixedClock()), lambda: False)


def status(probes: Probes, path: str, source: str = HERE) -> int | None:
    found = probe(probes, path, source)
    return None if found is None else found.status


@pytest.mark.parametrize("path", ["/healthz", "/health", "/readyz"])
def test_anybody_may_ask_whether_the_process_lives_and_is_ready(probes: Probes, path: str) -> None:
    assert status(probes, path, ELSEWHERE) == 200


def test_a_process_that_is_stopping_lives_and_is_not_ready(probes: Probes) -> None:
    stopping = Event()
    probes = replace(probes, stopping=stopping.is_set)
    assert status(probes, "/readyz") == 200
    stopping.set()

    assert status(probes, "/readyz") == 503
    assert status(probes, "/healthz") == 200


def test_without_its_state_a_process_lives_and_is_not_ready(tmp_path: Path) -> None:
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    (tmp_path / "state.db").write_bytes(b"this is no database, whatever its name says" * 100)
    broken = Probes(state, Telemetry(state, FixedClock()), lambda: False)

    assert status(broken, "/readyz") == 503
    assert status(broken, "/metrics") == 503
    assert status(broken, "/healthz") == 200


def test_metrics_are_for_callers_on_this_machine_unless_opened(probes: Probes) -> None:
    assert status(probes, "/metrics") == 200
    assert status(probes, "/metrics", "::1") == 200
    assert status(probes, "/metrics", ELSEWHERE) is None
    assert status(replace(probes, metrics_for="open"), "/metrics", ELSEWHERE) == 200
    assert status(replace(probes, metrics_for="off"), "/metrics") is None


def test_whoever_comes_through_a_proxy_is_not_on_this_machine(probes: Probes) -> None:
    assert probe(probes, "/metrics", HERE, {b"x-forwarded-for": b"192.0.2.7"}) is None
    assert probe(probes, "/metrics", HERE, {b"forwarded": b"for=192.0.2.7"}) is None


def test_other_paths_are_not_the_probes_business(probes: Probes) -> None:
    assert probe(probes, "/", HERE) is None
    assert probe(probes, "/metrics/", HERE) is None
