"""Build the package's table of EC2 instance types from the data that moto bundles.

moto (Apache-2.0) ships the answers of DescribeInstanceTypes and DescribeInstanceTypeOfferings.
This reads them and writes one compact file of columns, types sorted by name:

    python scripts/build_instance_types.py --date 2026-10-27

The date is the release date of the installed moto, which its files do not say. The same moto
gives the same bytes. What the source does not know is null; nothing is guessed.
"""

import argparse
import gzip
import json
from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from compute_optimizer.catalog.instance_types import INSTANCE_TYPES_FILE
from compute_optimizer.catalog.tables import dump_table
from compute_optimizer.catalog.type_descriptions import COLUMNS


def read_gzip_json(path: Traversable) -> Any:
    """Return the content of one of moto's data files."""
    return json.loads(gzip.decompress(path.read_bytes()))


def compact_column(values: Iterable[object]) -> list[object]:
    """Return the values as JSON writes them shortest: true and false as 1 and 0, 2.0 as 2."""
    return [compact(value) for value in values]


def compact(value: object) -> object:
    """Return a boolean or a float without a fraction as a whole number, anything else as it is."""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return value


def membership(names: list[str], offered: set[str]) -> str:
    """Return, in hexadecimal, one bit per type: offered or not."""
    bits = np.packbits([name in offered for name in names])
    return bits.tobytes().hex()


def read_offerings(folder: Traversable, names: list[str]) -> dict[str, str]:
    """Return the membership of every Region that moto knows."""
    return {
        path.name.removesuffix(".json.gz"): membership(
            names, {offering["InstanceType"] for offering in read_gzip_json(path)}
        )
        for path in folder.iterdir()
    }


def build(date: str) -> bytes:
    """Return the content of the data file."""
    resources = files("moto.ec2") / "resources"
    described = read_gzip_json(resources / "instance_types.json.gz")
    names = sorted(described)
    columns = {
        column: compact_column(read(described[name]) for name in names)
        for column, read in COLUMNS.items()
    }
    source = f"moto {version('moto')}, bundled DescribeInstanceTypes data"
    offerings = read_offerings(resources / "instance_type_offerings" / "region", names)
    table = {
        "source": source,
        "date": date,
        "names": names,
        "columns": columns,
        "offerings": offerings,
    }
    return dump_table(table, compressed=True)


def main() -> None:
    """Write the data file into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="release date of the installed moto")
    package = Path(__file__).parents[1] / "src/compute_optimizer/catalog/data"
    parser.add_argument("--output", type=Path, default=package / INSTANCE_TYPES_FILE)
    arguments = parser.parse_args()
    content = build(arguments.date)
    arguments.output.write_bytes(content)
    print(f"{arguments.output.name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
