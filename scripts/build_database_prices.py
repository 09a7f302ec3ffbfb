"""Build the package's table of RDS and Aurora list prices from a folder of public figures.

    python scripts/build_database_prices.py ../shared/catalog

Reads rds_prices.csv and rds_storage_prices.csv and writes database_prices.json.gz into the
package: only engines that get recommendations, of each class the newest figure. A figure without a
date is left out; one dated by its year counts as of the first day of that year, the oldest it can
be. The same figures give the same bytes.
"""

import argparse
import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import ascii_letters
from typing import Any

from compute_optimizer.catalog.database_classes import ENGINES
from compute_optimizer.catalog.database_prices import (
    DATABASE_PRICES_FILE,
    ENGINE_NAMES,
    MULTI_AZ,
)
from compute_optimizer.catalog.rates import GIB, IOPS
from compute_optimizer.catalog.tables import dump_table

Row = Mapping[str, str]
Fact = tuple[str, str, str]
"""Source, date and quality."""

PRICED_ENGINES = frozenset(ENGINE_NAMES.get(engine, engine) for engine in ENGINES)

RATES = {"GB-month": GIB, "IOPS-month": IOPS, "IOPS-month above baseline": IOPS}
"""The table's rate for each unit of the figures; storage is sold by the GiB and called GB."""

EXACT = "exact"
"""The quality of the storage figures, which all are of a published list."""

UNDATED = "unknown"


def fact_of(row: Row) -> Fact:
    """Return where a figure comes from."""
    day = row["date"] if "-" in row["date"] else f"{row['date']}-01-01"
    return row["source"], day, row.get("quality", EXACT)


def _rows(file: Path) -> list[Row]:
    with file.open(newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["date"] != UNDATED]


def _instance_rows(folder: Path) -> list[Row]:
    """Return the figures of instances, the oldest first: a newer one replaces an older.

    Those of Multi-AZ are left out: the product derives them.
    """
    rows = [
        row
        for row in _rows(folder / "rds_prices.csv")
        if row["engine"] in PRICED_ENGINES and row["deployment"] != MULTI_AZ
    ]
    return sorted(rows, key=lambda row: fact_of(row)[1])


def _instances(rows: Iterable[Row], letters: Mapping[Fact, str]) -> dict[str, Any]:
    regions: dict[str, Any] = {}
    for row in rows:
        classes = regions.setdefault(row["region"], {}).setdefault(row["engine"], {})
        classes[row["instance_class"]] = float(row["usd_per_hour"]), letters[fact_of(row)]
    return regions


def _storage(rows: Iterable[Row], letters: Mapping[Fact, str]) -> dict[str, Any]:
    regions: dict[str, Any] = {}
    for row in rows:
        kinds = regions.setdefault(row["region"], {}).setdefault(row["deployment"], {})
        rates = kinds.setdefault(row["storage_type"], {})
        rates[RATES[row["unit"]]] = float(row["usd"]), letters[fact_of(row)]
    return regions


def build_database_prices(folder: Path) -> bytes:
    """Return the content of the table."""
    instances, storage = _instance_rows(folder), _rows(folder / "rds_storage_prices.csv")
    facts = sorted({fact_of(row) for row in (*instances, *storage)})
    letters = dict(zip(facts, ascii_letters[: len(facts)], strict=True))
    table = {
        "facts": {letter: fact for fact, letter in letters.items()},
        "instances": _instances(instances, letters),
        "storage": _storage(storage, letters),
    }
    return dump_table(table, compressed=True)


def main() -> None:
    """Write the table into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="folder of the CSV files")
    package = Path(__file__).parents[1] / "src/compute_optimizer/catalog/data"
    parser.add_argument("--output", type=Path, default=package, help="folder of the table")
    arguments = parser.parse_args()
    content = build_database_prices(arguments.figures)
    (arguments.output / DATABASE_PRICES_FILE).write_bytes(content)
    print(f"{DATABASE_PRICES_FILE}: {len(content)} bytes")


if __name__ == "__main__":
    main()
