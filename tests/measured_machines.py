"""Machines of public traces as exporters tell of them, and what tiles must hold of them."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from compute_optimizer.jobs.collect import collect
from compute_optimizer.jobs.collect_run import CollectReport, CollectRequest
from compute_optimizer.jobs.inventories import resource_of_row, stored_resources
from compute_optimizer.model.metrics import Matrix, MetricKey, Statistic, look_back
from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.prometheus import PrometheusSource, read_configuration
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tiles import TileStore, read_samples
from tests.enrolling import ALPHA, opt_in
from tests.local_prometheus import Samples, counter, gauge
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


def installed(state: State, folder: Path) -> Installation:
    """Return a data folder whose account is opted in."""
    opt_in(state, ALPHA)
    return Installation(state, TileStore(folder / "tiles"), folder)


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
