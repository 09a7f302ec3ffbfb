"""The files of the demo: an organization, an inventory and metrics, generated and written to disk.

What happens with them is the main job itself: the demo calls the same code as a user's commands.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
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
from compute_optimizer.model.database import Database
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.metrics import SLOT_SECONDS, SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.resource import AURORA_STORAGE, Resource
from compute_optimizer.scenario.databases import (
    Hosted,
    generate_database_samples,
    generate_databases,
)
from compute_optimizer.scenario.fleet import FLEET_SIZE, Machine, generate_fleet
from compute_optimizer.scenario.organization import ACCOUNTS, ORGANIZATION
from compute_optimizer.scenario.samples import generate_samples
from compute_optimizer.scenario.volumes import Disk, generate_volume_samples, generate_volumes

SEED = 111
"""Any number would do; this one makes the demo the same on every machine."""

MARKER = "demo.json"
"""The file that tells a demo's folder from one with somebody's own data."""


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """What the main job takes in, and the day on which the metrics end."""

    organization: Path
    inventory: Path
    metrics: tuple[Path, ...]
    """Of the instances, the volumes and the databases."""
    last_day: date
    instances: int
    databases: int
    """DB instances and clusters; the rest of the inventory are volumes."""

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


def write_demo_files(folder: Path, last_day: date, size: int = FLEET_SIZE) -> DemoFiles:
    """Generate the organization, the fleet and what it sent up to that day, and write the files."""
    window = Window(last_day - timedelta(days=DEFAULT_PREFERENCES.lookback_days - 1), last_day)
    fleet = generate_fleet(SEED, size)
    volumes = generate_volumes(SEED, fleet)
    hosted = generate_databases(SEED, fleet)
    samples = generate_samples(fleet, window, load_instance_types(), SEED)
    files = DemoFiles(
        folder / "organization.yaml",
        folder / "inventory.csv",
        tuple(folder / f"{kind}metrics.parquet" for kind in ("", "volume_", "database_")),
        last_day,
        len(fleet),
        len(hosted),
    )
    files.organization.write_text(yaml.safe_dump(organization_document(), sort_keys=False))
    pa_csv.write_csv(inventory_table(fleet, volumes, hosted), files.inventory)
    of_volumes = generate_volume_samples(volumes, window, SEED)
    of_databases = generate_database_samples(hosted, window, SEED)
    for path, sent in zip(files.metrics, (samples, of_volumes, of_databases), strict=True):
        pq.write_table(metrics_table(sent), path)
    return files


def organization_document() -> dict[str, Any]:
    """Return the demo's organization as the file of `accounts apply` spells it."""
    accounts = [{"account_id": one.account_id, "name": one.name} for one in ACCOUNTS]
    organization = {
        "organization_id": ORGANIZATION.organization_id,
        "management_account_id": ORGANIZATION.management_account_id,
        "accounts": accounts,
    }
    return {"organizations": [organization]}


def inventory_table(
    fleet: tuple[Machine, ...], volumes: tuple[Disk, ...], hosted: tuple[Hosted, ...]
) -> pa.Table:
    """Return the inventory of a fleet, one row per machine, volume and database."""
    disks = [disk.resource for disk in volumes]
    resources: list[Resource] = [*(machine.resource for machine in fleet), *disks]
    databases = [one.resource for one in hosted]
    resources += databases
    of_volumes = {one.arn: one for one in disks}
    found = [of_volumes.get(one.arn) for one in resources]
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
            **_database_columns(resources),
        }
    )


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
    members = [one and ";".join(one.member_classes) for one in found]
    return columns | {"member_classes": pa.array(members, pa.string())}


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
    fleet = generate_fleet(SEED)
    whole = repr((fleet, generate_volumes(SEED, fleet), generate_databases(SEED, fleet)))
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
