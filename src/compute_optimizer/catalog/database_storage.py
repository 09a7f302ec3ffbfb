"""Storage of databases: what each type can do, what Aurora's costs, and engines at their end.

RDS stripes larger storage over several EBS volumes, so its limits differ from those of a volume; a
type that changes its limits at a size stands as two entries. Sizes are GiB, throughput MiB/s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from compute_optimizer.catalog.tables import read_table
from compute_optimizer.catalog.volume_types import VolumeType, volume_type

DATABASE_STORAGE_FILE = "database_storage.json"

LEAST_GROWTH = 1.1
"""Storage that is enlarged grows by a tenth at least, and storage autoscaling needs a limit as far
above it (Amazon RDS User Guide, storage autoscaling)."""

AURORA_RATES_REGION = "us-east-1"
"""The one Region of which the rates of Aurora's storage are known."""


@dataclass(frozen=True, slots=True)
class AuroraRates:
    """What Aurora's storage costs, by storage type."""

    gib: Mapping[str, float]
    """USD a month."""
    million_io: Mapping[str, float]
    """USD."""
    instance_factor: Mapping[str, float]
    """Of the list price of an instance in Aurora Standard."""
    date: date
    source: str


@cache
def storage_types() -> tuple[VolumeType, ...]:
    """Return the entries ordered by name; `type_name` says of which type one is."""
    table = read_table(DATABASE_STORAGE_FILE)["types"]
    return tuple(volume_type(name, facts) for name, facts in sorted(table.items()))


@cache
def type_name(entry: str) -> str:
    """Return the type of an entry: gp3 of `gp3 striped`."""
    return entry.partition(" ")[0]


@cache
def aurora_rates() -> AuroraRates:
    """Return the rates of Aurora's storage in AURORA_RATES_REGION."""
    table = read_table(DATABASE_STORAGE_FILE)["aurora"]
    return AuroraRates(
        gib=table["gib"],
        million_io=table["million_io"],
        instance_factor=table["instance_factor"],
        date=date.fromisoformat(table["date"]),
        source=table["source"],
    )


def is_deprecated(engine: str, version: str, day: date) -> bool:
    """Return whether standard support of an engine's version has ended before a day.

    The version is as RDS names it, such as 5.7.44 or 13.11; one that is not listed has not ended.
    """
    ends = _ends().get(engine, {})
    numbers = version.split(".")
    found = (ends.get(".".join(numbers[:count])) for count in (2, 1))
    return any(end is not None and end < day for end in found)


@cache
def _ends() -> Mapping[str, Mapping[str, date]]:
    table = read_table(DATABASE_STORAGE_FILE)["engines"]["end_of_standard_support"]
    return {
        engine: {version: date.fromisoformat(end) for version, end in versions.items()}
        for engine, versions in table.items()
    }
