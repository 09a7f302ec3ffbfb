"""Build the package's tables of list prices and CPU speeds from a folder of public figures.

    python scripts/build_prices.py ../shared/catalog

Reads ec2_prices.csv, ec2_family_rates.csv, ec2_region_ratios.csv and cpu_perf_by_family.csv and
writes prices.json.gz and cpu_speeds.json into the package. What the law of prices misses by more
than TOLERANCE is listed type by type. The same figures give the same bytes.
"""

import argparse
import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import ascii_letters

import numpy as np

from compute_optimizer.catalog.instance_types import CPU_SPEEDS_FILE, INSTANCE_TYPES_FILE
from compute_optimizer.catalog.price_table import (
    HOME_REGION,
    LINUX,
    NO_FIGURE,
    PLATFORMS,
    PRICES_FILE,
    law_prices,
)
from compute_optimizer.catalog.prices import law_surcharge
from compute_optimizer.catalog.size_law import family_of
from compute_optimizer.catalog.tables import dump_table, read_table

Row = Mapping[str, str]
Fact = tuple[str, str, str]
"""Source, date and quality."""

Group = tuple[dict[str, object], dict[str, Fact]]
"""What the table says of one Region and platform, and the provenance of its types."""

TOLERANCE = 0.005
"""Share by which a figure may miss the law before it is listed by itself."""

SURCHARGE_STEPS = {
    "windows": ((0, 0.0, 0.046),),
    "rhel": ((0, 0.06, 0.0), (5, 0.13, 0.0)),
    "suse": ((0, 0.031, 0.0), (2, 0.0563, 0.0), (5, 0.125, 0.0)),
}
"""Per platform: (vCPUs at least, USD per hour, USD per hour and vCPU), as the figures show."""

HIGH_AVAILABILITY_USD = 0.035
"""The figures mix Red Hat with and without its High Availability add-on; this is the add-on."""

ROUNDING_USD = 0.01
"""How far a dated total may lie from law plus add-on: prices of that day were rounded."""

STALE_LINUX_USD = 1.0
"""A surcharge above the law's by more than this shows a Linux price that has fallen since."""

RATIO_DATES = {
    "karpenter": "2026-07-20",
    "libcloud-modal": "2025-03-02",
    "sparecores-2024": "2024-02-21",
}
"""When the figures behind a Region's ratio were published."""


SUPERSEDED = {"rhel": " (before Red Hat's change of prices in 2024)"}
"""What a reader must know about all figures of a platform."""

SAME_PROCESSOR = {
    "c5ad": "c5a",
    "c6id": "c6i",
    "c7gn": "hpc7g",
    "c8gd": "c8g",
    "c8id": "c8i",
    "m5dn": "r5n",
    "m5n": "r5n",
    "m8azn": "x8aedz",
    "m8gd": "m8g",
    "m8id": "m8i",
    "r5b": "r5n",
    "r5dn": "r5n",
    "r6id": "r6i",
    "r6idn": "r6i",
    "r6in": "r6i",
    "r8gd": "r8g",
    "r8gn": "r8g",
    "r8id": "r8i",
    "u7i-12tb": "u7i-8tb",
    "u7in-16tb": "u7i-8tb",
    "u7in-24tb": "u7i-8tb",
    "u7in-32tb": "u7i-8tb",
}
"""Families that nobody measured, and a measured one with the same processor.

Same by AWS's public pages, and in DescribeInstanceTypes by manufacturer, architecture and clock.
"""

CPU_SPEEDS_DATE = "2026-07-20"
"""The measurements bear no date of their own; this is the newest of the figures beside them."""


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a CSV file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def by_type(rows: Iterable[Row], region: str, platform: str) -> dict[str, Row]:
    """Return the rows of one Region and platform by instance type."""
    return {
        row["instance_type"]: row
        for row in rows
        if row["region"] == region and row["os"] == platform
    }


def usd(row: Row) -> float:
    """Return the price of a row."""
    return float(row["usd_per_hour"])


def misses(law: float | None, listed: float) -> bool:
    """Tell whether the law does not give a listed price within the tolerance."""
    return law is None or abs(law / listed - 1) > TOLERANCE


def exceptions(law: Mapping[str, float], listed: Mapping[str, Row]) -> dict[str, float]:
    """Return the listed prices that the law misses."""
    return {name: usd(row) for name, row in listed.items() if misses(law.get(name), usd(row))}


def ratio_date(ratios: Mapping[str, Row], family: str) -> str | None:
    """Return when the ratio of a family, or of the related one it was taken from, was published."""
    how = ratios[family]["how"] if family in ratios else ""
    kin = how.removeprefix("ancestor:")
    return ratio_date(ratios, kin) if kin != how else RATIO_DATES.get(how)


def linux_fact(row: Row, ratios: Mapping[str, Row]) -> Fact:
    """Return the provenance of a Linux price; a derived one is as old as its oldest input."""
    source, day = row["source"], row["date"]
    if not row["quality"].startswith("derived"):
        return source, day, row["quality"]
    if " x ratio of " in source:
        source = "derived: us-east-1 x ratio of a related family"
    used = ratio_date(ratios, family_of(row["instance_type"])) or day
    return source, min(day, used), row["quality"]


def region_table(
    listed: Mapping[str, Row], ratios: Mapping[str, Row], home: Mapping[str, float]
) -> Group:
    """Return ratios and exceptions of a Region's Linux prices."""
    used = {family_of(name) for name in listed}
    numbers = {
        family: float(row["ratio_to_us_east_1"])
        for family, row in ratios.items()
        if family in used and float(row["ratio_to_us_east_1"]) != 1
    }
    law = {name: price * numbers.get(family_of(name), 1.0) for name, price in home.items()}
    facts = {name: linux_fact(row, ratios) for name, row in listed.items()}
    return {"ratios": numbers, "prices": exceptions(law, listed)}, facts


def is_add_on(surcharge: float, law: float, platform: str) -> bool:
    """Tell whether a Red Hat figure is the one with the High Availability add-on."""
    return platform == "rhel" and abs(surcharge - law - HIGH_AVAILABILITY_USD) < ROUNDING_USD


def platform_table(
    platform: str, listed: Mapping[str, Row], home: Mapping[str, float], vcpus: Mapping[str, int]
) -> Group:
    """Return steps and exceptions of a platform's surcharge above Linux.

    Types without known vCPUs are left out. A figure that shows an add-on or an old Linux price
    is not followed: the law's price stands, marked as derived.
    """
    steps = SURCHARGE_STEPS[platform]
    surcharges: dict[str, float] = {}
    facts: dict[str, Fact] = {}
    for name, row in listed.items():
        if name not in vcpus:
            continue
        by_law = float(law_surcharge(np.array(vcpus[name]), steps))
        surcharge = usd(row) - home[name]
        source = row["source"] + SUPERSEDED.get(platform, "")
        facts[name] = (source, row["date"], row["quality"])
        if not misses(home[name] + by_law, usd(row)):
            continue
        if is_add_on(surcharge, by_law, platform) or surcharge > by_law + STALE_LINUX_USD:
            facts[name] = (f"derived: Linux + surcharge of {source}", row["date"], "derived")
        else:
            surcharges[name] = round(surcharge, 5)
    return {"steps": steps, "surcharges": surcharges}, facts


def read_vcpus() -> dict[str, int]:
    """Return the vCPUs of every type in the package's table of instance types."""
    table = read_table(INSTANCE_TYPES_FILE)
    return dict(zip(table["names"], table["columns"]["vcpus"], strict=True))


def region_groups(
    rows: list[Row], ratios: list[Row], home: Mapping[str, float]
) -> dict[str, Group]:
    """Return the group of every Region's Linux prices; the home Region needs no ratios."""
    groups = {}
    for region in sorted({row["region"] for row in rows}):
        own = {row["family"]: row for row in ratios if row["region"] == region != HOME_REGION}
        groups[region] = region_table(by_type(rows, region, LINUX), own, home)
    return groups


def platform_groups(rows: list[Row], home: Mapping[str, float]) -> dict[str, Group]:
    """Return the group of every other platform in the home Region."""
    vcpus = read_vcpus()
    return {
        platform: platform_table(platform, by_type(rows, HOME_REGION, platform), home, vcpus)
        for platform in PLATFORMS
        if platform != LINUX
    }


def fact_letters(groups: Iterable[Group]) -> dict[Fact, str]:
    """Return a letter for every fact that the groups hold."""
    kinds = sorted({fact for _, facts in groups for fact in facts.values()})
    return dict(zip(kinds, ascii_letters[: len(kinds)], strict=True))


def with_figures(group: Group, names: list[str], keys: Mapping[Fact, str]) -> dict[str, object]:
    """Return a group's table with one letter per type: which of the facts it has."""
    table, facts = group
    figures = (keys[facts[name]] if name in facts else NO_FIGURE for name in names)
    return table | {"figures": "".join(figures)}


def build_prices(folder: Path) -> bytes:
    """Return the content of the price table."""
    rows = read_rows(folder / "ec2_prices.csv")
    rates = {
        row["family"]: float(row["usd_per_normalised_unit_hour"])
        for row in read_rows(folder / "ec2_family_rates.csv")
    }
    names = sorted({row["instance_type"] for row in rows})
    law = law_prices(names, rates)
    listed = exceptions(law, by_type(rows, HOME_REGION, LINUX))
    home = law | listed
    regions = region_groups(rows, read_rows(folder / "ec2_region_ratios.csv"), home)
    platforms = platform_groups(rows, home)
    keys = fact_letters([*regions.values(), *platforms.values()])
    table = {
        "types": names,
        "rates": rates,
        "prices": listed,
        "regions": {name: with_figures(group, names, keys) for name, group in regions.items()},
        "platforms": {
            name: {HOME_REGION: with_figures(group, names, keys)}
            for name, group in platforms.items()
        },
        "facts": {letter: fact for fact, letter in keys.items()},
    }
    return dump_table(table, compressed=True)


def build_cpu_speeds(folder: Path) -> bytes:
    """Return the content of the table of CPU speeds."""
    rows = read_rows(folder / "cpu_perf_by_family.csv")
    measured = {row["family"]: float(row["relative_to_m5"]) for row in rows}
    table = {
        "source": "median CoreMark per vCPU of a family's types, relative to m5",
        "date": CPU_SPEEDS_DATE,
        "measured": measured,
        "same_processor": SAME_PROCESSOR,
    }
    return dump_table(table, compressed=False)


def main() -> None:
    """Write both tables into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="folder of the CSV files")
    package = Path(__file__).parents[1] / "src/compute_optimizer/catalog/data"
    parser.add_argument("--output", type=Path, default=package, help="folder of the tables")
    arguments = parser.parse_args()
    for name, build in ((PRICES_FILE, build_prices), (CPU_SPEEDS_FILE, build_cpu_speeds)):
        content = build(arguments.figures)
        (arguments.output / name).write_bytes(content)
        print(f"{name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
