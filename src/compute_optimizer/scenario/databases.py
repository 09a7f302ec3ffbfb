"""The databases of a generated fleet: DB instances of RDS, and clusters of Aurora."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compute_optimizer.model.database import AURORA_STANDARD, Database
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import RDS_DB_INSTANCE, Resource
from compute_optimizer.model.units import BYTES_PER_GIB
from compute_optimizer.scenario.fleet import Machine
from compute_optimizer.scenario.load_shapes import LoadShape, generate_load
from compute_optimizer.scenario.samples import column

DATABASE_SHARE = 0.15
"""Share of the machines that have a database: enough to see every finding."""

OPERATION_BYTES = 16 * 1024
"""A page of MySQL (InnoDB)."""


@dataclass(frozen=True, slots=True)
class Make:
    """One way in which databases are bought and used, in round figures of no real fleet."""

    db_class: str
    engine: str
    engine_version: str
    storage: tuple[str, int, int | None] | None
    """Type, GiB and IOPS; None for Aurora."""
    cpu: tuple[float, float]
    """Lowest and highest CPU use at busy times, percent."""
    memory: float | None
    """Percent in use; None where nothing reports it."""
    iops: float
    """Operations a second at busy times; of an Aurora cluster charged I/Os."""
    space: float
    """Share of the storage in use."""
    connections: float = 40.0
    insights: bool = True


MAKES: Mapping[str, Make] = {
    "orders": Make("db.m5.2xlarge", "mysql", "8.0.40", ("gp2", 200, None), (5, 30), 20, 300, 0.5),
    "catalog": Make("db.r5.xlarge", "postgres", "16.3", ("gp3", 100, None), (40, 70), 60, 900, 0.6),
    "reports": Make("db.r5.large", "postgres", "12.19", ("io1", 100, 5000), (70, 99), 70, 800, 0.6),
    "archive": Make("db.m5.large", "mysql", "5.7.44", ("gp2", 100, None), (1, 3), None, 2, 0.93, 0),
    "shop": Make("db.r5.large", "aurora-mysql", "8.0", None, (20, 60), 50, 900, 0.5),
    "events": Make("db.r5.xlarge", "aurora-postgresql", "16.4", None, (20, 50), None, 60, 0.5),
}
MAKE_SHARES = (0.25, 0.20, 0.15, 0.10, 0.15, 0.15)
"""In the order of MAKES; they add up to 1."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """One generated DB instance or cluster and its load."""

    resource: Database
    make: Make
    shape: LoadShape
    busy_cpu: float
    """Percent at its busy times."""


def generate_databases(seed: int, fleet: Sequence[Machine]) -> tuple[Hosted, ...]:
    """Return databases of about DATABASE_SHARE of the machines, the same for a seed, by ARN."""
    generator = np.random.default_rng((seed, len(fleet), len(MAKES)))
    owners = [machine for machine in fleet if generator.random() < DATABASE_SHARE]
    found = [one for owner in owners for one in _hosted(generator, owner)]
    return tuple(sorted(found, key=lambda one: one.resource.arn))


def generate_database_samples(hosted: Sequence[Hosted], window: Window, seed: int) -> ShardSamples:
    """Return what the databases sent in a window; NaN where a metric is not theirs."""
    generator = np.random.default_rng((seed, window.last.toordinal(), len(hosted)))
    load = np.zeros((len(hosted), window.days * SLOTS_PER_DAY), dtype=np.float32)
    for shape in LoadShape:
        rows = [row for row, one in enumerate(hosted) if one.shape is shape]
        load[rows] = generate_load(shape, len(rows), window, generator)
    clusters = np.array([one.resource.is_cluster for one in hosted], dtype=np.bool_)
    arns = tuple(one.resource.arn for one in hosted)
    return ShardSamples(arns, window, _series(hosted, load, clusters))


def _series(
    hosted: Sequence[Hosted], load: Matrix, clusters: np.ndarray
) -> dict[MetricKey, Matrix]:
    peak, mean = Statistic.MAXIMUM, Statistic.AVERAGE
    iops = load * column([one.make.iops for one in hosted])
    memory = column([np.nan if one.make.memory is None else one.make.memory for one in hosted])
    free = [one.resource.allocated_gib * (1 - one.make.space) or np.nan for one in hosted]
    of_instances: dict[MetricKey, Matrix] = {
        MetricKey("CPUUtilization", peak): load * column([one.busy_cpu for one in hosted]),
        MetricKey("mem_used_percent", peak): memory + 0 * load,
        MetricKey("DatabaseConnections", peak): np.floor(
            load * column([one.make.connections for one in hosted])
        ),
        MetricKey("ReadIOPS", peak): iops * np.float32(0.7),
        MetricKey("WriteIOPS", peak): iops * np.float32(0.3),
        MetricKey("ReadThroughput", peak): iops * np.float32(0.7 * OPERATION_BYTES),
        MetricKey("WriteThroughput", peak): iops * np.float32(0.3 * OPERATION_BYTES),
        MetricKey("FreeStorageSpace", mean): column(free) * np.float32(BYTES_PER_GIB) + 0 * load,
    }
    slot_ios = np.floor(iops * np.float32(300))
    of_clusters: dict[MetricKey, Matrix] = {
        MetricKey("VolumeReadIOPs", Statistic.SUM): slot_ios,
        MetricKey("VolumeWriteIOPs", Statistic.SUM): np.floor(slot_ios / 3),
        MetricKey("VolumeBytesUsed", mean): np.full_like(load, 200 * BYTES_PER_GIB),
    }
    for found, others in ((of_instances, clusters), (of_clusters, ~clusters)):
        for matrix in found.values():
            matrix[others] = np.nan
    return of_instances | of_clusters


def _hosted(generator: np.random.Generator, machine: Machine) -> list[Hosted]:
    name = str(generator.choice(list(MAKES), p=MAKE_SHARES))
    make = MAKES[name]
    cpu = generator.uniform(*make.cpu)
    identifier = f"{name}-{machine.resource.resource_id[-8:]}"
    if make.storage is not None:
        one = _database(machine.resource, identifier, make, make.storage)
        return [Hosted(one, make, machine.shape, cpu)]
    # An Aurora cluster: a writer, and a reader that does half as much.
    parts = [(f"{identifier}-{place}", cpu / (1 + place), place == 0) for place in range(2)]
    members = [
        Hosted(_member(machine.resource, part, identifier, make, writes), make, machine.shape, used)
        for part, used, writes in parts
    ]
    cluster = _cluster(machine.resource, identifier, make, len(members))
    return [*members, Hosted(cluster, make, machine.shape, 0.0)]


def _database(
    owner: Resource, identifier: str, make: Make, storage: tuple[str, int, int | None]
) -> Database:
    storage_type, gib, iops = storage
    return Database(
        **_shared(owner, identifier, "db"),
        instance_type=make.db_class,
        engine=make.engine,
        engine_version=make.engine_version,
        storage_type=storage_type,
        allocated_gib=gib,
        iops=iops,
        performance_insights=make.insights,
    )


def _member(owner: Resource, identifier: str, cluster: str, make: Make, writes: bool) -> Database:
    return Database(
        **_shared(owner, identifier, "db"),
        instance_type=make.db_class,
        engine=make.engine,
        engine_version=make.engine_version,
        cluster=cluster,
        promotion_tier=0 if writes else 1,
        writer=writes,
        performance_insights=make.insights,
    )


def _cluster(owner: Resource, identifier: str, make: Make, members: int) -> Database:
    return Database(
        **_shared(owner, identifier, "cluster"),
        instance_type=AURORA_STANDARD,
        engine=make.engine,
        engine_version=make.engine_version,
        member_classes=(make.db_class,) * members,
    )


def _shared(owner: Resource, identifier: str, kind: str) -> dict[str, Any]:
    return {
        "arn": f"arn:aws:rds:{owner.region}:{owner.account_id}:{kind}:{identifier}",
        "account_id": owner.account_id,
        "region": owner.region,
        "resource_type": RDS_DB_INSTANCE,
        "resource_id": identifier,
        "name": identifier,
        "state": "available",
        "tags": owner.tags,
    }
