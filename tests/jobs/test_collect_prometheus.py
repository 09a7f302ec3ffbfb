"""Collecting from a real Prometheus that holds real traces: tiles are what it was given."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.jobs.collect import CollectReport, CollectRequest, collect
from compute_optimizer.jobs.inventories import resource_of_row, stored_resources
from compute_optimizer.model.metrics import Matrix, MetricKey, Statistic, look_back
from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.prometheus import PrometheusSource, read_configuration
from compute_optimizer.sources.prometheus.exporters import EXPORTERS
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tiles import TileStore, read_samples
from tests.answering import Answer, Answering, answering, passing_on
from tests.enrolling import ALPHA, Desk
from tests.local_prometheus import Samples, counter, gauge, load, serving
from tests.records import FixedClock
from tests.traces import AZURE, BITBRAINS

AVERAGE, MAXIMUM, SUM = Statistic.AVERAGE, Statistic.MAXIMUM, Statistic.SUM
CPU_AVERAGE, CPU_MAXIMUM = (MetricKey("CPUUtilization", how) for how in (AVERAGE, MAXIMUM))
MEMORY_AVERAGE, MEMORY_MAXIMUM = (MetricKey("mem_used_percent", how) for how in (AVERAGE, MAXIMUM))
NETWORK_IN, READ_BYTES = MetricKey("NetworkIn", SUM), MetricKey("VolumeReadBytes", SUM)

Floats = NDArray[np.float64]

NOON = datetime(2013, 8, 20, 12, tzinfo=UTC)
"""The samples of the machines begin here."""

SLOTS = 96
"""Of the machines: eight hours, in minutes of which each is a sample of the trace."""

ISLAND = datetime(2013, 8, 1, tzinfo=UTC)
"""The samples of the instances begin here, one of the trace in each slot."""

MEMORY_BYTES = 16 * 2**30
KIB = 1024


@dataclass(frozen=True)
class Trace:
    """Samples of one machine of a public trace."""

    cpu: Floats
    """Percent."""
    memory: Floats
    """Share that is used."""
    network_in: Floats
    """Bytes per second."""
    disk_read: Floats


def bitbrains(shared: Path, count: int, length: int) -> list[Trace]:
    """Return so many machines that have as many samples, with gaps closed."""
    columns = ["cpu_centipct", "mem_used_mib", "mem_capacity_mib", "net_in_kbps", "disk_read_kbps"]
    table = next(
        pq.ParquetFile(shared / "traces" / BITBRAINS).iter_batches(
            20 * 8640, columns=["resource_id", *columns]
        )
    )
    ids = np.array(table["resource_id"].to_pylist())
    values = {name: table[name].to_numpy(zero_copy_only=False) for name in columns}
    found = []
    for name in dict.fromkeys(ids.tolist()):
        rows = np.flatnonzero(ids == name)[:length]
        some = {column: series[rows].astype(np.float64) for column, series in values.items()}
        whole = len(rows) == length and all(np.isfinite(one).all() for one in some.values())
        if whole and (some["mem_capacity_mib"] > 0).all() and some["cpu_centipct"].max() > 500:
            found.append(_trace(some))
        if len(found) == count:
            break
    assert len(found) == count
    return found


def _trace(some: Mapping[str, Floats]) -> Trace:
    return Trace(
        np.minimum(some["cpu_centipct"] / 100, 100.0),
        np.minimum(some["mem_used_mib"] / some["mem_capacity_mib"], 1.0),
        some["net_in_kbps"] * KIB,
        some["disk_read_kbps"] * KIB,
    )


def machine_series(number: int, trace: Trace) -> Iterator[Samples]:
    """Yield what node_exporter tells of a machine whose minutes are samples of a trace."""
    labels = {"instance": f"10.0.0.{number}:9100", "instance_id": f"i-{number:017x}"}
    minutes = len(trace.cpu)
    busy = trace.cpu / 100
    for mode, rates in (("idle", 1 - busy), ("user", busy)):
        cpu_labels = {**labels, "cpu": "0", "mode": mode}
        yield counter("node_cpu_seconds_total", cpu_labels, NOON, rates.tolist(), 60)
    uname = {**labels, "nodename": f"host-{number}", "machine": "x86_64"}
    yield gauge("node_uname_info", uname, NOON, [1] * minutes, 60)
    yield gauge("node_memory_MemTotal_bytes", labels, NOON, [MEMORY_BYTES] * minutes, 60)
    free = (MEMORY_BYTES * (1 - trace.memory)).tolist()
    yield gauge("node_memory_MemAvailable_bytes", labels, NOON, free, 60)
    for device, rates in (("eth0", trace.network_in), ("lo", trace.network_in * 7)):
        named = {**labels, "device": device}
        yield counter("node_network_receive_bytes_total", named, NOON, rates.tolist(), 60, 1e12)
    for device, rates in (("sda", trace.disk_read), ("dm-0", trace.disk_read)):
        named = {**labels, "device": device}
        yield counter("node_disk_read_bytes_total", named, NOON, rates.tolist(), 60, 1e12)


def instance_series(number: int, average: Floats, maximum: Floats) -> Iterator[Samples]:
    """Yield what the exporter of CloudWatch tells of an instance, a sample in each slot."""
    labels = {"job": "aws_ec2", "instance": "", "instance_id": f"i-{number:017x}"}
    del labels["instance"]
    yield gauge("aws_ec2_cpuutilization_average", labels, ISLAND, average.tolist(), 300)
    yield gauge("aws_ec2_cpuutilization_maximum", labels, ISLAND, maximum.tolist(), 300)


def azure(shared: Path, count: int) -> list[tuple[Floats, Floats]]:
    """Return averages and maxima of so many machines, in percent, with gaps closed."""
    table = pq.read_table(shared / "traces" / AZURE)
    ids = np.array(table["resource_id"].to_pylist())
    names = ("cpu_avg_centipct", "cpu_max_centipct")
    values = [table[name].to_numpy().astype(np.float64) / 100 for name in names]
    first = list(dict.fromkeys(ids.tolist()))[:count]
    return [(values[0][ids == name], values[1][ids == name]) for name in first]


@dataclass(frozen=True)
class Traces:
    """What the server was given."""

    url: str
    data: Path
    machines: list[Trace]
    instances: list[tuple[Floats, Floats]]


@pytest.fixture(scope="module")
def traces(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    folder = tmp_path_factory.mktemp("prometheus")
    machines, instances = bitbrains(shared, 3, SLOTS * 5), azure(shared, 2)
    series = [one for n, trace in enumerate(machines) for one in machine_series(n, trace)]
    series += [one for n, pair in enumerate(instances) for one in instance_series(n, *pair)]
    load(folder / "data", series, folder)
    # A server of its own for what is read with a limit; two cannot share a folder.
    shutil.copytree(folder / "data", folder / "copy")
    with serving(folder, folder / "data") as url:
        yield Traces(url, folder / "copy", machines, instances)


@dataclass(frozen=True)
class Installation:
    """A data folder whose account is opted in, and files beside it."""

    state: State
    tiles: TileStore
    folder: Path

    def collect(self, configuration: str, now: datetime, days: float, **more: str) -> CollectReport:
        """Collect by the text of a configuration."""
        path = self.folder / "prometheus.yaml"
        path.write_text(configuration)
        clock = FixedClock(now)
        known = (lambda: stored_resources(self.state)) if more.get("inventory") else None
        with closing(
            PrometheusSource(read_configuration(path), clock, resource_of_row, known)
        ) as source:
            request = CollectRequest(now - timedelta(days=days))
            return collect(self.state, self.tiles, clock, source, request)

    def samples(self, number: int, key: MetricKey, now: datetime, days: int) -> Matrix:
        """Return the stored values of a resource."""
        with self.state.reading() as connection:
            resource = inventory.find_resource(connection, f"i-{number:017x}")
        return self.stored(resource, key, now, days)

    def stored(self, resource: Resource, key: MetricKey, now: datetime, days: int) -> Matrix:
        window = look_back(now, days)
        with self.state.reading() as connection:
            shard = inventory.shard_of(connection, resource.arn)
            found = read_samples(connection, self.tiles, shard, window, [key], [resource.arn])
        values: Matrix = found.series[key][0]
        return values


@pytest.fixture
def here(sqlite_state: State, tmp_path: Path) -> Installation:
    desk = Desk(sqlite_state)
    desk.opt_in(ALPHA)
    desk.settle()
    return Installation(sqlite_state, TileStore(tmp_path / "tiles"), tmp_path)


OWNER = f'resource: {{account: "{ALPHA}", region: us-east-1}}\n'
EVENING = NOON + timedelta(minutes=5 * SLOTS)
MIDDAY = 144
"""Slots from midnight to noon."""


def machines_of(url: str, more: str = "") -> str:
    """Return the configuration of a server of node_exporter's series."""
    return f'{OWNER}servers: [{{url: "{url}"{more}}}]\n'


def slots(minutes: Floats) -> Floats:
    return minutes.reshape(SLOTS, 5)


def expected(trace: Trace) -> dict[MetricKey, Floats]:
    """Return what the slots of a machine must hold."""
    return {
        CPU_AVERAGE: slots(trace.cpu).mean(axis=1),
        CPU_MAXIMUM: slots(trace.cpu).max(axis=1),
        MEMORY_AVERAGE: 100 * slots(trace.memory).mean(axis=1),
        MEMORY_MAXIMUM: 100 * slots(trace.memory).max(axis=1),
        NETWORK_IN: 60 * slots(trace.network_in).sum(axis=1),
        READ_BYTES: 60 * slots(trace.disk_read).sum(axis=1),
    }


def check_machines(here: Installation, traces: Traces) -> None:
    """Compare what is stored with the trace, in the precision of float32."""
    for number, trace in enumerate(traces.machines):
        for key, values in expected(trace).items():
            found = here.samples(number, key, EVENING, 1)[MIDDAY : MIDDAY + SLOTS]
            # Counters of bytes begin at 1e12, where float64 has steps of 1e-4.
            np.testing.assert_allclose(found, values, rtol=2e-6, atol=1e-3, err_msg=key.column)


def test_tiles_hold_what_was_measured(here: Installation, traces: Traces) -> None:
    report = here.collect(machines_of(traces.url), EVENING, days=0.5)

    assert report.failures == []
    check_machines(here, traces)
    # Nothing before the first sample, and nothing after the last.
    stored = here.samples(0, CPU_AVERAGE, EVENING, 1)
    assert np.isnan(stored[:MIDDAY]).all()
    assert np.isnan(stored[MIDDAY + SLOTS :]).all()


def test_a_second_collection_writes_nothing_and_asks_for_the_overlap_only(
    here: Installation, traces: Traces
) -> None:
    with answering() as between:
        between.otherwise = passing_on(traces.url)
        here.collect(machines_of(between.url), EVENING, days=0.5)
        between.asked.clear()

        report = here.collect(machines_of(between.url), EVENING, days=0.5)

        assert report.tiles == 0
        starts = {
            float(one.parameters["start"])
            for one in between.asked
            if "node_cpu" in one.parameters["query"] and one.call == "query_range"
        }
    # The overlap is three hours; a slot is asked for at its end.
    assert starts == {EVENING.timestamp() - 3 * 3600 + 300}


def test_a_server_that_loads_few_samples_is_asked_for_less(
    here: Installation, traces: Traces, tmp_path: Path
) -> None:
    # 96 slots of one machine take some 6 samples of 3 series each at once, and the same for the
    # minutes of maxima; all three machines with 96 results each are more than 200.
    with (
        serving(tmp_path, traces.data, options=["--query.max-samples=200"]) as url,
        answering() as between,
    ):
        between.otherwise = passing_on(url)
        report = here.collect(machines_of(between.url), EVENING, days=0.5)
        asked = [one for one in between.asked if one.call == "query_range"]

    assert report.failures == []
    assert len(asked) > 12  # as many as there are series, where nothing is refused
    check_machines(here, traces)


NIGHT = ISLAND + timedelta(days=27)
CLOUDWATCH = "exporters: [cloudwatch_exporter]"


def instances_of(url: str, more: str = "") -> str:
    resource = f'resource: {{account: "{ALPHA}", region: us-east-1, type: m5.large}}\n'
    return f'{resource}servers: [{{url: "{url}", {CLOUDWATCH}{more}}}]\n'


@pytest.mark.parametrize("more", ["", ", max_points: 500"], ids=["whole", "in pieces"])
def test_samples_at_the_start_of_slots_stay_in_them(
    here: Installation, traces: Traces, more: str
) -> None:
    report = here.collect(instances_of(traces.url, more), NIGHT, days=27)

    assert report.failures == []
    length = 27 * 288
    for number, (average, maximum) in enumerate(traces.instances):
        for key, values in ((CPU_AVERAGE, average), (CPU_MAXIMUM, maximum)):
            found = here.samples(number, key, NIGHT, 27)
            assert found.tolist() == values[:length].astype(np.float32).tolist()


def test_more_points_than_a_server_allows_are_asked_for_in_pieces(
    here: Installation, traces: Traces
) -> None:
    # 40 days are 11,520 points, and Prometheus answers 11,000.
    later = NIGHT + timedelta(minutes=50)
    with answering() as between:
        between.otherwise = passing_on(traces.url)
        report = here.collect(instances_of(between.url, ", max_points: 100000"), later, days=40)
        asked = [one for one in between.asked if one.call == "query_range"]

    # Both machines at once, then one alone, then each in two pieces: what was refused is learned.
    assert len(asked) == 6 * 12
    assert report.failures == []
    assert here.samples(0, CPU_AVERAGE, NIGHT, 27)[-1] == np.float32(
        traces.instances[0][0][27 * 288 - 1]
    )


def test_memory_may_come_from_another_server_than_cpu(here: Installation, traces: Traces) -> None:
    noon, both = ISLAND + timedelta(days=19, hours=12), CLOUDWATCH
    assert noon == NOON
    configuration = (
        f'resource: {{account: "{ALPHA}", region: us-east-1, type: m5.large}}\n'
        f'servers: [{{url: "{traces.url}", {both}}}, {{url: "{traces.url}/"}}]\n'
    )

    report = here.collect(configuration, EVENING, days=0.25)

    # Two of the three machines are known to both, by one id.
    assert report.resources == {"Ec2Instance": 3}
    found = here.samples(1, CPU_MAXIMUM, EVENING, 1)[MIDDAY + SLOTS - 12 : MIDDAY + SLOTS]
    first = 19 * 288 + MIDDAY + SLOTS - 12
    maximum = traces.instances[1][1][first : first + 12]
    assert found.tolist() == maximum.astype(np.float32).tolist()
    memory = here.samples(1, MEMORY_MAXIMUM, EVENING, 1)[MIDDAY + SLOTS - 12 : MIDDAY + SLOTS]
    assert memory == pytest.approx(expected(traces.machines[1])[MEMORY_MAXIMUM][-12:], rel=1e-5)


def test_a_server_that_fails_half_way_keeps_nothing_half(
    here: Installation, traces: Traces
) -> None:
    def failing(between: Answering) -> None:
        passing = passing_on(traces.url)
        between.otherwise = lambda asked: (
            Answer(b"gone", 410)
            if "node_disk_read_bytes" in asked.parameters["query"]
            else passing(asked)
        )

    with answering() as between:
        failing(between)
        report = here.collect(machines_of(between.url), EVENING, days=0.5)

    assert [one.message for one in report.failures] == [
        f"node_exporter: VolumeReadBytes_Sum: {between.url}: answers 410: gone"
    ]
    assert report.tiles == 0

    assert here.collect(machines_of(traces.url), EVENING, days=0.5).tiles == 1
    check_machines(here, traces)


def test_answers_that_are_no_answers_are_told(here: Installation, traces: Traces) -> None:
    with answering() as between:
        between.otherwise = lambda _: Answer(b"<html>log in</html>")

        with pytest.raises(SourceUnavailable, match="the answer is garbled"):
            here.collect(machines_of(between.url), EVENING, days=0.5)


def test_a_server_that_is_down_stops_no_other(here: Installation, traces: Traces) -> None:
    with answering() as gone:
        down = gone.url
    configuration = f'{OWNER}servers: [{{url: "{traces.url}"}}, {{url: "{down}", attempts: 1}}]\n'
    path = here.folder / "prometheus.yaml"
    path.write_text(configuration)
    with closing(
        PrometheusSource(read_configuration(path), FixedClock(EVENING), resource_of_row)
    ) as source:
        found, plan = source.found(), source.plan()

    assert {one.url for one in plan} == {traces.url}
    assert len(found.resources) == len(traces.machines)
    assert [one.partition(down)[0] for one in found.unread.values()] == ["node_exporter: "]


def test_every_declared_expression_is_understood(here: Installation, traces: Traces) -> None:
    path = here.folder / "prometheus.yaml"
    known = ", ".join(EXPORTERS)
    path.write_text(
        f'resource: {{account: "{ALPHA}", region: us-east-1, type: m5.large}}\n'
        f'servers: [{{url: "{traces.url}", exporters: [{known}]}}]\n'
    )
    with closing(
        PrometheusSource(read_configuration(path), FixedClock(EVENING), resource_of_row)
    ) as source:
        plan = source.plan()

    assert len(plan) == sum(len(one.metrics) for one in EXPORTERS.values())
    series = {(one.exporter, one.rule.key): one.series for one in plan}
    assert series["node_exporter", CPU_MAXIMUM] == len(traces.machines)
    assert series["cloudwatch_exporter", CPU_MAXIMUM] == len(traces.instances)
    assert series["yace", CPU_MAXIMUM] == 0


def cadvisor_series() -> Iterator[Samples]:
    """Yield what cAdvisor tells of a machine of four cores, three quarters of them busy."""
    labels = {"instance": "node-1:8080", "node": "node-1"}
    root, minutes = {**labels, "id": "/"}, SLOTS * 5
    yield gauge("machine_cpu_cores", labels, NOON, [4] * minutes, 60)
    yield gauge("machine_memory_bytes", labels, NOON, [MEMORY_BYTES] * minutes, 60)
    for place, rate in (("/", 3.0), ("/kubepods", 2.0)):
        named = {**labels, "id": place, "cpu": "total"}
        yield counter("container_cpu_usage_seconds_total", named, NOON, [rate] * minutes, 60)
    used = [MEMORY_BYTES / 4] * minutes
    yield gauge("container_memory_working_set_bytes", root, NOON, used, 60)
    for device, rate in (("eth0", 1000.0), ("veth1", 9000.0)):
        named = {**root, "interface": device}
        yield counter("container_network_receive_bytes_total", named, NOON, [rate] * minutes, 60)


def yace_series() -> Iterator[Samples]:
    """Yield what another exporter of CloudWatch tells of an instance, scraped each minute."""
    arn = f"arn:aws:ec2:eu-west-1:{ALPHA}:instance/i-{7:017x}"
    labels = {"account_id": ALPHA, "region": "eu-west-1", "name": arn}
    metric = {**labels, "dimension_InstanceId": f"i-{7:017x}"}
    minutes = SLOTS * 5
    yield gauge("aws_ec2_info", {"name": arn, "tag_Name": "web"}, NOON, [0] * minutes, 60)
    yield gauge("aws_ec2_cpuutilization_maximum", metric, NOON, [42] * minutes, 60)
    yield gauge("aws_ec2_network_in_sum", metric, NOON, [3000] * minutes, 60)


def test_cadvisor_and_yace_tell_of_machines_too(here: Installation, tmp_path: Path) -> None:
    load(tmp_path / "data", [*cadvisor_series(), *yace_series()], tmp_path)
    with serving(tmp_path, tmp_path / "data") as url:
        here.collect(
            f'resource: {{account: [{{label: account_id}}, "{ALPHA}"], '
            "region: [{label: region}, us-east-1]}\n"
            f'servers: [{{url: "{url}", exporters: [cadvisor, yace]}}]\n'
            "exporters: {yace: {resource: {type: m5.large}}}\n",
            EVENING,
            days=0.5,
        )

    slot = MIDDAY + SLOTS // 2
    with here.state.reading() as connection:
        nodes = {one: inventory.find_resource(connection, one) for one in ("node-1", f"i-{7:017x}")}
    assert nodes["node-1"].instance_type == "m6i.xlarge"  # 4 vCPUs, 16 GiB
    assert nodes[f"i-{7:017x}"].name == "web"
    found = {
        (one, key): float(here.stored(nodes[one], key, EVENING, 1)[slot])
        for one, keys in (
            ("node-1", (CPU_AVERAGE, CPU_MAXIMUM, MEMORY_MAXIMUM, NETWORK_IN)),
            (f"i-{7:017x}", (CPU_MAXIMUM, NETWORK_IN)),
        )
        for key in keys
    }
    assert list(found.values()) == pytest.approx([75, 75, 25, 300_000, 42, 3000], rel=1e-6)
