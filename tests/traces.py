"""Inventories for the public traces: accounts, Regions and types are stand-ins."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

ACCOUNT = "111111111111"
REGION = "us-east-1"
ROOT = Path(__file__).parents[1]
MAPPINGS = ROOT / "examples" / "mappings"

BITBRAINS = "bitbrains_rnd_5min_aug2013.parquet"
AZURE = "azure2017_cpu_5min.parquet"
NAB = "nab_cloudwatch.parquet"


def write_bitbrains_inventory(shared: Path, path: Path) -> Path:
    """Write the Bitbrains VMs: capacity as provisioned, types as the fleet map stands in."""
    types = {
        row["resource_id"]: row["stand_in_instance_type"]
        for row in _rows(shared / "traces" / "bitbrains_fleet_map.csv")
    }
    return _write(
        path,
        (
            {
                "id": row["resource_id"],
                "type": types[row["resource_id"]],
                "vcpus": row["cpu_cores"],
                # Machines that were off throughout have no known memory.
                "memory_mib": row["mem_capacity_mib"] if row["mem_capacity_mib"] != "0" else "",
            }
            for row in _rows(shared / "traces" / "bitbrains_rnd_vms.csv")
        ),
    )


def write_inventory(path: Path, ids: Iterable[str], instance_type: str) -> Path:
    """Write an inventory of machines of one type."""
    return _write(path, ({"id": one, "type": instance_type} for one in ids))


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    placed = [{"account": ACCOUNT, "region": REGION, **row} for row in rows]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, placed[0])
        writer.writeheader()
        writer.writerows(placed)
    return path


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
