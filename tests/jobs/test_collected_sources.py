"""The worker's sources `aws` and `prometheus`, against a local AWS and a real Prometheus."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compute_optimizer.errors import InvalidInput, SourceUnavailable
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.collector import Collector
from compute_optimizer.jobs.source_kinds import collect_all, read_sources
from compute_optimizer.jobs.worker import Stopped
from compute_optimizer.store import State
from compute_optimizer.store.inventory import placements
from compute_optimizer.store.tiles import TileStore, tile_paths
from tests.enrolling import ALPHA, opt_in
from tests.local_aws import OWN, REGION, LocalAws
from tests.local_prometheus import counter, gauge, load, serving, whole_slots_until

AWS = f"""
sources:
  - name: organization
    kind: aws
    arguments:
      accounts: ["{OWN}"]
      regions: [{REGION}]
      types: [Ec2Instance]
      days: 2
"""

PROMETHEUS = """
sources:
  - name: own-machines
    kind: prometheus
    arguments: {config: prometheus.yaml}
"""

SLOTS = 12


@pytest.fixture
def collector(sqlite_state: State, tmp_path: Path) -> Collector:
    opt_in(sqlite_state, OWN, ALPHA)
    return Collector(sqlite_state, TileStore(tmp_path / "tiles"), SystemClock())


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[str]:
    labels, minutes = {"instance": "web-1:9100", "job": "node"}, SLOTS * 5
    start = whole_slots_until(datetime.now(UTC), SLOTS)
    uname = {**labels, "nodename": "web-1", "machine": "x86_64"}
    series = [gauge("node_uname_info", uname, start, [1] * minutes, 60)]
    for mode, rate in (("idle", 0.9), ("user", 0.1)):
        cpu = {**labels, "cpu": "0", "mode": mode}
        series.append(counter("node_cpu_seconds_total", cpu, start, [rate] * minutes, 60))
    load(tmp_path / "data", iter(series), tmp_path)
    with serving(tmp_path, tmp_path / "data") as served:
        yield served


def sources(folder: Path, text: str) -> str:
    path = folder / "sources.yaml"
    path.write_text(text)
    return str(path)


def stored(collector: Collector) -> tuple[int, int]:
    """Return how many resources and day tiles there are."""
    with collector.state.reading() as connection:
        return len(placements(connection)), len(tile_paths(connection))


def test_an_account_of_aws_is_collected_once(
    aws: LocalAws, collector: Collector, tmp_path: Path
) -> None:
    machine = aws.machine()
    # An hour, so that it may lie in two days at most.
    moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 300 * 300, UTC)
    aws.put("AWS/EC2", "CPUUtilization", {"InstanceId": machine}, [10.0] * SLOTS, moment)
    listed = read_sources(sources(tmp_path, AWS))

    first = collect_all(listed, collector)["organization"]
    second = collect_all(listed, collector)["organization"]

    assert (first["accounts"], first["resources"]) == (1, 1)
    assert first["tiles"] in (1, 2)
    assert second["tiles"] == 0
    assert stored(collector) == (1, first["tiles"])


def test_what_aws_refuses_fails_the_job_by_name(
    aws: LocalAws, collector: Collector, tmp_path: Path
) -> None:
    aws.failing["ec2", "DescribeInstances"] = ["UnauthorizedOperation"]

    with pytest.raises(SourceUnavailable) as refused:
        collect_all(read_sources(sources(tmp_path, AWS)), collector)

    assert "source organization: 1 parts could not be read" in str(refused.value)
    assert f"{OWN}, {REGION}, Ec2Instance" in str(refused.value)


def test_a_worker_that_lost_its_lease_makes_nothing_visible(
    aws: LocalAws, collector: Collector, tmp_path: Path
) -> None:
    aws.machine()

    def lost(_connection: object) -> None:
        raise Stopped

    fenced = Collector(collector.state, collector.tiles, collector.clock, fence=lost)

    with pytest.raises(Stopped):
        collect_all(read_sources(sources(tmp_path, AWS)), fenced)

    assert stored(collector) == (0, 0)


def test_machines_are_collected_from_prometheus(
    prometheus: str, collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "prometheus.yaml").write_text(
        f'servers: [{{url: "{prometheus}"}}]\n'
        f'resource: {{account: "{ALPHA}", region: us-east-1, type: m5.large}}\n'
    )

    found = collect_all(read_sources(sources(tmp_path, PROMETHEUS)), collector)["own-machines"]

    assert (found["accounts"], found["resources"]) == (1, 1)
    assert stored(collector) == (1, found["tiles"])
    assert found["tiles"] in (1, 2)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("days: 0", ">= 1"),
        ("days: 1000000", "<= 36525"),
        ("overlap_hours: .nan", ">= 0"),
        ("overlap_hours: .inf", "<= 876600"),
        ("requests_per_second: -1", ">= 0"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(
    tmp_path: Path, argument: str, expected: str
) -> None:
    text = f"sources: [{{name: a, kind: aws, arguments: {{{argument}}}}}]"
    with pytest.raises(InvalidInput, match=f"source 'a', arguments: .*{expected}"):
        read_sources(sources(tmp_path, text))


def test_misspelled_arguments_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"source 'organization', arguments: .*`region`"):
        read_sources(sources(tmp_path, AWS.replace("regions:", "region:")))
