"""The files of the demo: an organization, an inventory and metrics, generated and written to disk.

What happens with them is the main job itself: the demo calls the same code as a user's commands.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import yaml

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import Conflict
from compute_optimizer.model.auto_scaling_group import AutoScalingGroup
from compute_optimizer.model.database import Database
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.ecs_service import EcsService
from compute_optimizer.model.idle_only import IdleOnly
from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.model.license import SqlServer
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.nat_gateway import NatGateway
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.resource import AURORA_STORAGE, Resource
from compute_optimizer.scenario.databases import (
    Hosted,
    generate_database_samples,
    generate_databases,
)
from compute_optimizer.scenario.fleet import FLEET_SIZE, Machine, generate_fleet
from compute_optimizer.scenario.groups import generate_groups
from compute_optimizer.scenario.idle_resources import (
    Idler,
    generate_idle_resources,
    generate_idle_samples,
)
from compute_optimizer.scenario.licenses import generate_license_samples, generate_licenses
from compute_optimizer.scenario.organization import ACCOUNTS, ORGANIZATION
from compute_optimizer.scenario.samples import generate_samples
from compute_optimizer.scenario.serverless import (
    Function,
    Service,
    generate_function_samples,
    generate_functions,
    generate_service_samples,
    generate_services,
)
from compute_optimizer.scenario.volumes import Disk, generate_volume_samples, generate_volumes

SEED = 111
"""Any number would do; this one makes the demo the same on every machine."""

METRIC_FILES = (
    "",
    "volume_",
    "function_",
    "service_",
    "database_",
    "idle_",
    "idle_32_days_",
    "idle_63_days_",
    "license_",
)
"""How the names of the metric files begin, in their order."""

MARKER = "demo.json"
"""The file that tells a demo's folder from one with somebody's own data."""


@dataclass(frozen=True, slots=True)
class Estate:
    """What the organization of the demo owns."""

    fleet: tuple[Machine, ...]
    volumes: tuple[Disk, ...]
    groups: tuple[AutoScalingGroup, ...]
    members: Mapping[str, str]
    """The ARN of the group by that of its machine."""
    functions: tuple[Function, ...]
    services: tuple[Service, ...]
    databases: tuple[Hosted, ...]
    """DB instances and clusters."""
    idlers: tuple[Idler, ...]
    """What idles, and its busy twins."""
    licenses: Mapping[str, SqlServer]
    """By the ARN of the machine."""
    features_used: Mapping[str, int]
    """Of Enterprise, on the machines on which they are counted."""

    @property
    def resources(self) -> list[Resource]:
        """Return what the inventory lists."""
        owners: tuple[Machine | Disk | Function | Service | Hosted | Idler, ...] = (
            *self.fleet,
            *self.volumes,
            *self.functions,
            *self.services,
            *self.databases,
            *self.idlers,
        )
        return [*(one.resource for one in owners), *self.groups]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many there are of each type, by what people call several of them."""
        return {
            "instances": len(self.fleet),
            "volumes": len(self.volumes),
            "groups": len(self.groups),
            "functions": len(self.functions),
            "services": len(self.services),
            "databases": len(self.databases),
            "others": len(self.idlers),
            "licenses": len(self.licenses),
        }


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """What the main job takes in, and the day on which the metrics end."""

    organization: Path
    inventory: Path
    metrics: tuple[Path, ...]
    """In the order of METRIC_FILES."""
    last_day: date
    counts: Mapping[str, int]
    """Resources in the inventory by what people call several of them, such as instances."""

    @property
    def as_of(self) -> datetime:
        """The moment at which the last day ends."""
        return datetime.combine(self.last_day + timedelta(days=1), time(), UTC)


def claim_folder(folder: Path) -> None:
    """Make the folder the demo's; raise Conflict where it holds anything else.

    A folder with another version's fleet is emptied.
    """
    if (folder / MARKER).exists():
        if _marked(folder)["fleet"] == _fleet_digest():
            return
        shutil.rmtree(folder)
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(
            f"{folder} holds data that is not the demo's; choose another folder (--data-dir)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _mark(folder, None)


def analyzed_until(folder: Path) -> date | None:
    """Return the last day of the metrics that the demo's folder was analyzed with, if any."""
    marked = _marked(folder)["analyzed_until"]
    return date.fromisoformat(marked) if marked else None


def mark_analyzed(folder: Path, files: DemoFiles) -> None:
    """Remember that everything up to the files' last day is done."""
    _mark(folder, files.last_day)


def generate_estate(size: int = FLEET_SIZE) -> Estate:
    """Generate what the organization owns: a number of instances, and what goes with them."""
    fleet = generate_fleet(SEED, size)
    groups, members = generate_groups(SEED, fleet)
    licenses, features_used = generate_licenses(SEED, fleet)
    return Estate(
        fleet=fleet,
        volumes=generate_volumes(SEED, fleet),
        groups=groups,
        members=members,
        functions=generate_functions(SEED, fleet),
        services=generate_services(SEED, fleet),
        databases=generate_databases(SEED, fleet),
        idlers=generate_idle_resources(),
        licenses=licenses,
        features_used=features_used,
    )


def write_demo_files(folder: Path, last_day: date, size: int = FLEET_SIZE) -> DemoFiles:
    """Generate the organization, its estate and what it sent up to that day; write the files."""
    window = Window(last_day - timedelta(days=DEFAULT_PREFERENCES.lookback_days - 1), last_day)
    estate = generate_estate(size)
    files = DemoFiles(
        folder / "organization.yaml",
        folder / "inventory.csv",
        tuple(folder / f"{kind}metrics.parquet" for kind in METRIC_FILES),
        last_day,
        estate.counts,
    )
    files.organization.write_text(yaml.safe_dump(organization_document(), sort_keys=False))
    pa_csv.write_csv(inventory_table(estate), files.inventory)
    for path, sent in zip(files.metrics, samples_of(estate, window), strict=True):
        pq.write_table(metrics_table(sent), path)
    return files


def samples_of(estate: Estate, window: Window) -> Iterator[ShardSamples]:
    """Generate what the estate sent, one kind after the other, in the order of METRIC_FILES."""
    yield generate_samples(estate.fleet, window, load_instance_types(), SEED)
    yield generate_volume_samples(estate.volumes, window, SEED)
    yield generate_function_samples(estate.functions, window, SEED)
    yield generate_service_samples(estate.services, window, SEED)
    yield generate_database_samples(estate.databases, window, SEED)
    yield from generate_idle_samples(estate.idlers, window)
    yield generate_license_samples(estate.features_used, window)


def organization_document() -> dict[str, Any]:
    """Return the demo's organization as the file of `accounts apply` spells it."""
    accounts = [{"account_id": one.account_id, "name": one.name} for one in ACCOUNTS]
    organization = {
        "organization_id": ORGANIZATION.organization_id,
        "management_account_id": ORGANIZATION.management_account_id,
        "accounts": accounts,
    }
    return {"organizations": [organization]}


def inventory_table(estate: Estate) -> pa.Table:
    """Return the inventory of an estate, one row per resource."""
    resources = estate.resources
    found = [one if isinstance(one, EbsVolume) else None for one in resources]
    return pa.table(
        {
            "arn": [one.arn for one in resources],
            "account": [one.account_id for one in resources],
            "region": [one.region for one in resources],
            "resource_type": [_named_type(one) for one in resources],
            "type": [one.instance_type for one in resources],
            "name": [one.name for one in resources],
            "state": [one.state for one in resources],
            "platform": [one.platform for one in resources],
            "tags": [json.dumps(dict(one.tags)) for one in resources],
            "size_gib": pa.array([_size_of(one) for one in resources], pa.int64()),
            "iops": pa.array([getattr(one, "iops", None) for one in resources], pa.int64()),
            "root": [one and one.root for one in found],
            "created_at": [
                one.created_at.isoformat() if one and one.created_at else None for one in found
            ],
            **_group_columns(resources, estate.members),
            **_serverless_columns(resources),
            **_database_columns(resources),
            **_idle_columns(resources),
            **_license_columns(resources, estate.licenses),
        }
    )


def _group_columns(
    resources: Sequence[Resource], members: Mapping[str, str]
) -> dict[str, pa.Array]:
    """Return the columns that only groups and their members fill."""
    groups = [one if isinstance(one, AutoScalingGroup) else None for one in resources]
    sizes = {
        name: pa.array([one and getattr(one, name) for one in groups], pa.int64())
        for name in ("min_size", "desired_capacity", "max_size")
    }
    return sizes | {
        "auto_scaling_group_arn": pa.array(
            [members.get(one.arn) for one in resources], pa.string()
        ),
        "scaling": pa.array([one and one.scaling for one in groups], pa.string()),
    }


def _serverless_columns(resources: Sequence[Resource]) -> dict[str, pa.Array]:
    """Return the columns that only functions and services fill."""
    functions = [one if isinstance(one, LambdaFunction) else None for one in resources]
    services = [one if isinstance(one, EcsService) else None for one in resources]
    memory = [
        (one and one.memory_size) or (other and other.task_memory)
        for one, other in zip(functions, services, strict=True)
    ]
    return {
        "memory_mib": pa.array(memory, pa.int64()),
        "architecture": pa.array([one and one.instance_type for one in functions], pa.string()),
        "timeout_seconds": pa.array([one and one.timeout_seconds for one in functions]),
        "cpu_units": pa.array([one and one.cpu_units for one in services], pa.int64()),
        "desired_count": pa.array([one and one.desired_count for one in services], pa.int64()),
        "auto_scaling": pa.array([one and ";".join(one.auto_scaling) for one in services]),
        "containers": pa.array([one and _containers(one) for one in services], pa.string()),
    }


def _containers(one: EcsService) -> str:
    told = [{"name": c.name, "cpu": c.cpu, "memory": c.memory} for c in one.containers]
    return json.dumps(told)


def _named_type(one: Resource) -> str:
    return AURORA_STORAGE if isinstance(one, Database) and one.is_cluster else one.resource_type


DATABASE_COLUMNS = (
    "engine",
    "engine_version",
    "storage_type",
    "cluster",
    "promotion_tier",
    "writer",
    "performance_insights",
)
"""Of the inventory: named as the members of a database."""


def _database_columns(resources: Sequence[Resource]) -> dict[str, pa.Array]:
    """Return the columns that only databases fill."""
    found = [one if isinstance(one, Database) else None for one in resources]
    columns = {
        name: pa.array([one and getattr(one, name) for one in found]) for name in DATABASE_COLUMNS
    }
    # Caches have an engine, too.
    columns["engine"] = pa.array([getattr(one, "engine", None) or None for one in resources])
    members = [one and ";".join(one.member_classes) for one in found]
    return columns | {"member_classes": pa.array(members, pa.string())}


def _idle_columns(resources: Sequence[Resource]) -> dict[str, pa.Array]:
    """Return the columns that only NAT gateways and what is only looked at for idleness fill."""
    gateways = [one if isinstance(one, NatGateway) else None for one in resources]
    others = [one if isinstance(one, IdleOnly) else None for one in resources]
    indexes = [one and one.indexes and ";".join(one.indexes) for one in others]
    return {
        "in_route_table": pa.array([one and one.in_route_table for one in gateways], pa.bool_()),
        "global_secondary_indexes": pa.array(indexes, pa.string()),
        "monthly_usd": pa.array([one and one.monthly_usd for one in others], pa.float64()),
    }


def _license_columns(
    resources: Sequence[Resource], licenses: Mapping[str, SqlServer]
) -> dict[str, pa.Array]:
    """Return the columns that only machines with SQL Server fill."""
    found = [licenses.get(one.arn) for one in resources]
    texts = {
        "license_edition": [one and one.edition for one in found],
        "license_version": [one and one.version for one in found],
        "license_model": [one and one.license_model for one in found],
        "application_insights_arn": [one and one.metrics_source_arn for one in found],
    }
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    return columns | {"production": pa.array([one and one.production for one in found], pa.bool_())}


def _size_of(one: Resource) -> int | None:
    """Return GiB of a volume or of storage that is allocated."""
    if isinstance(one, Database):
        return one.allocated_gib or None
    return one.size_gib if isinstance(one, EbsVolume) else None


def metrics_table(samples: ShardSamples) -> pa.Table:
    """Return samples in the wide layout: a row per machine and slot, a column per series.

    What was never sent is null.
    """
    machines, slots = len(samples.resource_arns), samples.window.days * SLOTS_PER_DAY
    start = np.datetime64(samples.window.first, "s")
    moments = start + np.arange(slots) * np.timedelta64(SLOT_SECONDS, "s")
    resource = pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(np.arange(machines, dtype=np.int32), slots)),
        pa.array(samples.resource_arns),
    )
    columns: dict[str, Any] = {
        "resource": resource,
        "timestamp": pa.array(np.tile(moments, machines), pa.timestamp("s", tz="UTC")),
    }
    for key, matrix in samples.series.items():
        columns[key.column] = pa.array(matrix.reshape(-1), from_pandas=True)
    return pa.table(columns)


def _marked(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / MARKER).read_text())
    return content


def _mark(folder: Path, analyzed: date | None) -> None:
    content = {
        "note": "Generated data of `compute-optimizer demo`, which may remove this folder.",
        "fleet": _fleet_digest(),
        "analyzed_until": analyzed.isoformat() if analyzed else None,
    }
    (folder / MARKER).write_text(json.dumps(content, indent=2))


def _fleet_digest() -> str:
    """Return what tells the fleet of this version from that of another one."""
    whole = repr(generate_estate())
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
