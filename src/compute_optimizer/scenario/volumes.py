"""The volumes of a generated fleet: attached ones with their load, and ones left behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from compute_optimizer.model.ebs_volume import IN_USE, EbsVolume
from compute_optimizer.model.metrics import (
    SLOT_SECONDS,
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import EBS_VOLUME, Resource
from compute_optimizer.scenario.fleet import Machine
from compute_optimizer.scenario.load_shapes import LoadShape, generate_load
from compute_optimizer.scenario.samples import column

VOLUME_SHARE = 0.5
"""Share of the machines whose volumes are generated: enough to see every finding."""

DETACHED_SHARE = 0.12
"""Share of the volumes that no machine is attached to any more."""

MADE = datetime(2024, 1, 1, tzinfo=UTC)
"""When all of them were made: long before any window."""

READ_SHARE = 0.6
"""Reads as a share of all operations."""


@dataclass(frozen=True, slots=True)
class Make:
    """One way in which volumes are bought and used, in round figures of no real fleet."""

    volume_type: str
    sizes_gib: tuple[int, ...]
    iops: int | None
    """As provisioned."""
    busy_iops: tuple[float, float]
    """Lowest and highest operations a second at busy times."""
    operation_kib: int
    root: bool = False


MAKES: Mapping[str, Make] = {
    "root": Make("gp2", (20, 30, 50), None, (5.0, 60.0), 16, root=True),
    "data": Make("gp2", (100, 200, 500, 1000), None, (20.0, 400.0), 32),
    "modern": Make("gp3", (100, 200, 400), 3000, (50.0, 2800.0), 16),
    "database": Make("io1", (200, 400), 8000, (500.0, 7600.0), 16),
    "logs": Make("st1", (500, 1000), None, (2.0, 20.0), 512),
    "archive": Make("standard", (50, 100), None, (0.5, 20.0), 32),
}
MAKE_SHARES = (0.25, 0.30, 0.20, 0.10, 0.10, 0.05)
"""In the order of MAKES; they add up to 1."""


@dataclass(frozen=True, slots=True)
class Disk:
    """One generated volume and its load."""

    resource: EbsVolume
    shape: LoadShape
    busy_iops: float
    """Operations a second at its busy times."""
    operation_bytes: int


def generate_volumes(seed: int, fleet: Sequence[Machine]) -> tuple[Disk, ...]:
    """Return volumes of about VOLUME_SHARE of the machines, the same for the same seed, by ARN."""
    generator = np.random.default_rng((seed, len(fleet)))
    owners = [machine for machine in fleet if generator.random() < VOLUME_SHARE]
    disks = (_disk(generator, machine) for machine in owners)
    return tuple(sorted(disks, key=lambda disk: disk.resource.arn))


def generate_volume_samples(disks: Sequence[Disk], window: Window, seed: int) -> ShardSamples:
    """Return what the volumes sent in a window; detached ones are NaN throughout."""
    generator = np.random.default_rng((seed, window.last.toordinal(), len(disks)))
    load = np.zeros((len(disks), window.days * SLOTS_PER_DAY), dtype=np.float32)
    for shape in LoadShape:
        rows = [row for row, disk in enumerate(disks) if disk.shape is shape]
        load[rows] = generate_load(shape, len(rows), window, generator)
    load[[disk.resource.state != IN_USE for disk in disks]] = np.nan
    operations = load * column([disk.busy_iops * SLOT_SECONDS for disk in disks])
    size = column([disk.operation_bytes for disk in disks])
    series: dict[MetricKey, Matrix] = {}
    for direction, share in (("Read", READ_SHARE), ("Write", 1 - READ_SHARE)):
        counted = np.floor(operations * np.float32(share))
        series[MetricKey(f"Volume{direction}Ops", Statistic.SUM)] = counted
        series[MetricKey(f"Volume{direction}Bytes", Statistic.SUM)] = counted * size
    return ShardSamples(tuple(disk.resource.arn for disk in disks), window, series)


def _disk(generator: np.random.Generator, machine: Machine) -> Disk:
    name = str(generator.choice(list(MAKES), p=MAKE_SHARES))
    make = MAKES[name]
    attached = bool(generator.random() >= DETACHED_SHARE)
    return Disk(
        resource=_resource(generator, machine.resource, name, make, attached),
        shape=machine.shape,
        busy_iops=generator.uniform(*make.busy_iops),
        operation_bytes=make.operation_kib * 1024,
    )


def _resource(
    generator: np.random.Generator, owner: Resource, name: str, make: Make, attached: bool
) -> EbsVolume:
    volume_id = f"vol-0{generator.bytes(8).hex()}"
    return EbsVolume(
        arn=f"arn:aws:ec2:{owner.region}:{owner.account_id}:volume/{volume_id}",
        account_id=owner.account_id,
        region=owner.region,
        resource_type=EBS_VOLUME,
        resource_id=volume_id,
        instance_type=make.volume_type,
        name=f"{owner.name}-{name}",
        state=IN_USE if attached else "available",
        tags=owner.tags,
        size_gib=int(generator.choice(make.sizes_gib)),
        iops=make.iops,
        root=make.root,
        created_at=MADE,
    )
