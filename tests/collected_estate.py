"""An organization in a local AWS whose metrics are real traces, and what tiles must hold of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from compute_optimizer.model.metrics import SLOT_SECONDS, Window
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.resources import type_named
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tiles import TileStore, read_samples
from tests import aws_estate
from tests.local_aws import OWN, REGION, LocalAws
from tests.traces import BITBRAINS

REGIONS = (REGION, "eu-west-1")

BEFORE, LAST_DAY = 31 * 12, 24 * 12
"""Slots that are there at first, more than the 30 hours that an analysis asks for, and later."""

DAYS = 3
"""Asked for: more than there is."""

ROLE = "OrganizationAccountAccessRole"


@dataclass(frozen=True)
class Metric:
    """One metric of a resource, and the column of the trace that it has the values of."""

    resource_type: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    column: str = "least(cpu_centipct / 100.0, 100)"


@dataclass(frozen=True)
class Series:
    """A metric in its place, with a value for each slot."""

    account_id: str
    region: str
    suffix: str
    """Of the ARN."""
    metric: Metric
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Estate:
    """What was made, and when its last sample begins to be old."""

    aws: LocalAws
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    series: Sequence[Series]
    end: datetime

    def send(self, first: int, last: int) -> None:
        """Send the slots from one number to before another."""
        for one in self.series:
            self.aws.put(
                one.metric.namespace,
                one.metric.name,
                dict(one.metric.dimensions),
                list(one.values[first:last]),
                self.end - timedelta(seconds=SLOT_SECONDS * (BEFORE + LAST_DAY - last)),
                account_id=one.account_id,
                region=one.region,
            )

    @property
    def window(self) -> Window:
        """Return the days that the samples lie in, and one more."""
        return Window((self.end - timedelta(days=DAYS)).date(), self.end.date())

    def expected(self, slots: int, without: str = "") -> dict[tuple[str, str, str, str], bytes]:
        """Return the slots of the whole window of each series, as tiles keep them: float32."""
        midnight = datetime.combine(self.window.first, datetime.min.time(), UTC)
        length = BEFORE + LAST_DAY
        start = int((self.end - midnight).total_seconds()) // SLOT_SECONDS - length
        found = {}
        for one in self.series:
            row = np.full((DAYS + 1) * 288, np.nan, np.float32)
            row[start : start + slots] = one.values[:slots]
            if one.account_id != without:
                found[one.account_id, one.region, one.suffix, one.metric.name] = row.tobytes()
        return found


def stored(data: Path, window: Window) -> dict[tuple[str, str, str, str], set[bytes]]:
    """Return what is stored of each metric with samples: a row for each of its statistics.

    A slot here has one sample, so the statistics are alike.
    """
    found: dict[tuple[str, str, str, str], set[bytes]] = {}
    with closing(State(f"sqlite:///{data / 'state.db'}")) as state, state.reading() as connection:
        for key in inventory.shards(connection):
            arns = inventory.arns_of(connection, key)
            kind = type_named(key.resource_type)
            assert kind is not None
            samples = read_samples(connection, TileStore(data / "tiles"), key, window, kind.metrics)
            for series, matrix in samples.series.items():
                for arn, row in _rows(key, arns, matrix):
                    found.setdefault((*arn, series.metric), set()).add(row)
    return found


def _rows(
    key: ShardKey, arns: Sequence[str], matrix: NDArray[np.float32]
) -> Iterator[tuple[tuple[str, str, str], bytes]]:
    for arn, row in zip(arns, matrix, strict=True):
        if not np.isnan(row).all():
            yield (
                (key.account_id, key.region, arn.replace("/", ":").rpartition(":")[2]),
                (row.astype(np.float32).tobytes()),
            )


def make(
    aws: LocalAws,
    accounts: tuple[str, ...],
    shared: Path,
    others: Sequence[tuple[str, Metric]],
    regions: tuple[str, ...] = REGIONS,
) -> Estate:
    """Start a machine in each account and Region; `others` are in the first of them."""
    metrics = [(OWN, REGION, *one) for one in others]
    for account_id in accounts:
        for region in regions:
            machine = aws.machine(region, account_id)
            cpu = Metric("Ec2Instance", "AWS/EC2", "CPUUtilization", {"InstanceId": machine})
            metrics.append((account_id, region, machine, cpu))
    traces = _traces(shared, [one[3].column for one in metrics])
    series = [Series(*one, values) for one, values in zip(metrics, traces, strict=True)]
    now = datetime.now(UTC).timestamp()
    return Estate(aws, accounts, regions, series, datetime.fromtimestamp(now // 300 * 300, UTC))


def scaling(aws: LocalAws) -> list[tuple[str, Metric]]:
    """Make a group and a service that follow their load."""
    aws_estate.group(aws, aws_estate.network(aws).subnet)
    aws_estate.service(aws)
    name = {"ClusterName": "prod", "ServiceName": "api"}
    return [("api", Metric("EcsService", "AWS/ECS", "CPUUtilization", name))]


def standing(aws: LocalAws) -> list[tuple[str, Metric]]:
    """Make a volume, a function and databases."""
    aws_estate.function(aws)
    aws_estate.databases(aws)
    volume = aws.client("ec2").create_volume(
        AvailabilityZone="us-east-1a", Size=100, VolumeType="io1", Iops=2000
    )["VolumeId"]
    database = {"DBInstanceIdentifier": "orders"}
    # Traces of what machines read, as milliseconds and as bytes.
    lasts, read = "1 + disk_read_kbps", "disk_read_kbps * 300 * 1024.0"
    function = {"FunctionName": "worker"}
    return [
        ("orders", Metric("RdsDBInstance", "AWS/RDS", "CPUUtilization", database)),
        ("$LATEST", Metric("LambdaFunction", "AWS/Lambda", "Duration", function, lasts)),
        (volume, Metric("EbsVolume", "AWS/EBS", "VolumeReadBytes", {"VolumeId": volume}, read)),
    ]


def _traces(shared: Path, columns: Sequence[str]) -> Iterator[NDArray[np.float64]]:
    """Yield a column of one machine after the other, one sample a slot."""
    trace, length = str(shared / "traces" / BITBRAINS), BEFORE + LAST_DAY
    machines = """
        SELECT resource_id FROM read_parquet(?) GROUP BY 1 HAVING count(*) >= ?
        AND max(cpu_centipct) > 0 ORDER BY 1 LIMIT ?
    """
    samples = """
        SELECT {column} AS value FROM read_parquet(?) WHERE resource_id = ?
        ORDER BY timestamp LIMIT ?
    """
    with duckdb.connect() as connection:
        found = connection.execute(machines, [trace, length, len(columns)]).fetchall()
        for (machine,), column in zip(found, columns, strict=True):
            query = samples.format(column=column)
            values = connection.execute(query, [trace, machine, length]).fetchnumpy()["value"]
            yield np.array(values, np.float64)
