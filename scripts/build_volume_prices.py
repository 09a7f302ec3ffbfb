"""Build the package's table of EBS list prices from a folder of public figures.

    python scripts/build_volume_prices.py ../shared/catalog

Reads ebs_prices.csv and writes volume_prices.json into the package. A figure without a date is
left out; one dated by its year counts as of the first day of that year, the oldest it can be. The
same figures give the same bytes.
"""

import argparse
import csv
from collections.abc import Mapping
from pathlib import Path
from string import ascii_letters

from compute_optimizer.catalog.rates import GIB, IOPS, MIBPS, MILLION_OPERATIONS
from compute_optimizer.catalog.tables import dump_table
from compute_optimizer.catalog.volume_prices import VOLUME_PRICES_FILE

Row = Mapping[str, str]
Fact = tuple[str, str, str]
"""Source, date and quality."""

RATES = {
    "GB-month": GIB,
    "IOPS-month": IOPS,
    "IOPS-month above 3000": IOPS,
    "IOPS-month up to 32000": IOPS,
    "MiB/s-month above 125": MIBPS,
    "million I/O": MILLION_OPERATIONS,
}
"""The table's rate for each unit of the figures; storage is sold by the GiB and called GB."""

UNDATED = "unknown"


def fact_of(row: Row) -> Fact:
    """Return where a figure comes from."""
    day = row["date"] if "-" in row["date"] else f"{row['date']}-01-01"
    return row["source"], day, row["quality"]


def build_volume_prices(folder: Path) -> bytes:
    """Return the content of the table."""
    with (folder / "ebs_prices.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["date"] != UNDATED]
    facts = sorted({fact_of(row) for row in rows})
    letters = dict(zip(facts, ascii_letters[: len(facts)], strict=True))
    regions: dict[str, dict[str, dict[str, tuple[float, str]]]] = {}
    for row in rows:
        rates = regions.setdefault(row["region"], {}).setdefault(row["volume_type"], {})
        rates[RATES[row["unit"]]] = float(row["usd"]), letters[fact_of(row)]
    table = {"regions": regions, "facts": {letter: fact for fact, letter in letters.items()}}
    return dump_table(table, compressed=False)


def main() -> None:
    """Write the table into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="folder of the CSV file")
    package = Path(__file__).parents[1] / "src/compute_optimizer/catalog/data"
    parser.add_argument("--output", type=Path, default=package, help="folder of the table")
    arguments = parser.parse_args()
    content = build_volume_prices(arguments.figures)
    (arguments.output / VOLUME_PRICES_FILE).write_bytes(content)
    print(f"{VOLUME_PRICES_FILE}: {len(content)} bytes")


if __name__ == "__main__":
    main()
