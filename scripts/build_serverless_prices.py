"""Build the package's tables of Lambda and Fargate list prices from a folder of public figures.

    python scripts/build_serverless_prices.py ../shared/catalog

Reads lambda_prices.csv and fargate_prices.csv and writes lambda_prices.json and
fargate_prices.json into the package. Of Lambda's tiers the first is taken. A figure without a date
is left out, and so is a row that lacks the price of memory; one dated by its year counts as of the
first day of that year, the oldest it can be. The same figures give the same bytes.
"""

import argparse
import csv
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from string import ascii_letters
from typing import Any

from compute_optimizer.catalog.serverless_prices import FARGATE_PRICES_FILE, LAMBDA_PRICES_FILE
from compute_optimizer.catalog.tables import dump_table

Row = Mapping[str, str]
Fact = tuple[str, str, str]
"""Source, date and quality."""

DAY = re.compile(r"(\d{4})(-\d{2}-\d{2})?")
FIRST_TIER = "1"

UNSTATED = "unstated"
"""The quality of figures whose table states none."""


def fact_of(row: Row) -> Fact | None:
    """Return where a figure comes from; None without a date."""
    found = DAY.match(row["date"].strip())
    if found is None:
        return None
    return row["source"], found[1] + (found[2] or "-01-01"), row.get("quality") or UNSTATED


def build_lambda_prices(folder: Path) -> bytes:
    """Return the content of Lambda's table: by Region and architecture."""
    rows = [row for row in _rows(folder / "lambda_prices.csv") if row["tier"] == FIRST_TIER]
    return _table(rows, lambda row: row["architecture"], _lambda_figures)


def build_fargate_prices(folder: Path) -> bytes:
    """Return the content of Fargate's table: by Region, and platform with architecture."""
    rows = [row for row in _rows(folder / "fargate_prices.csv") if row["usd_per_gb_hour"]]
    return _table(rows, lambda row: f"{row['os']} {row['architecture']}", _fargate_figures)


def _lambda_figures(row: Row) -> list[float]:
    return [float(row["usd_per_gb_second"]), float(row["usd_per_request"])]


def _fargate_figures(row: Row) -> list[float]:
    # The licence of the operating system is paid per vCPU, beside the vCPU itself.
    vcpu = float(row["usd_per_vcpu_hour"]) + float(row["os_licence_usd_per_vcpu_hour"] or 0)
    return [round(vcpu, 6), float(row["usd_per_gb_hour"])]


def _rows(path: Path) -> list[Row]:
    with path.open(newline="") as lines:
        return [row for row in csv.DictReader(lines) if fact_of(row)]


def _table(
    rows: Iterable[Row], name: Callable[[Row], str], figures: Callable[[Row], list[float]]
) -> bytes:
    dated = [(row, fact) for row in rows if (fact := fact_of(row))]
    facts = sorted({fact for _, fact in dated})
    letters = dict(zip(facts, ascii_letters[: len(facts)], strict=True))
    regions: dict[str, dict[str, list[Any]]] = {}
    for row, fact in dated:
        regions.setdefault(row["region"], {})[name(row)] = [*figures(row), letters[fact]]
    table = {"regions": regions, "facts": {letter: fact for fact, letter in letters.items()}}
    return dump_table(table, compressed=False)


def main() -> None:
    """Write the tables into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="folder of the CSV files")
    package = Path(__file__).parents[1] / "src/compute_optimizer/catalog/data"
    parser.add_argument("--output", type=Path, default=package, help="folder of the tables")
    arguments = parser.parse_args()
    for name, content in (
        (LAMBDA_PRICES_FILE, build_lambda_prices(arguments.figures)),
        (FARGATE_PRICES_FILE, build_fargate_prices(arguments.figures)),
    ):
        (arguments.output / name).write_bytes(content)
        print(f"{name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
