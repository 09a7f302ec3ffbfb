"""DuckDB reads exports, told nothing but what a file's description declares."""

from pathlib import Path
from typing import Any

import duckdb

EXPORTS = {
    "AutoScalingGroup": "AutoScalingGroup",
    "EbsVolume": "EBSVolume",
    "Ec2Instance": "EC2Instance",
    "EcsService": "ECSService",
    "Idle": "Idle",
    "LambdaFunction": "LambdaFunction",
    "License": "License",
    "RdsDBInstance": "RDSDatabase",
}
"""By resource type, how the operation Export...Recommendations calls what is exported."""

MOMENTS = {
    "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S",
    "yyyy-MM-ddTHH:mm:ssX": "%Y-%m-%dT%H:%M:%SZ",
    "yyyy-MM-ddTHH:mm:ss.SSSX": "%Y-%m-%dT%H:%M:%S.%fZ",
}
"""Formats of moments, from the letters of CSV on the Web to those of strptime."""

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "double": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "datetime": "TIMESTAMP",
}
"""By datatype of the description."""


class Described:
    """What a description declares of its columns."""

    def __init__(self, document: dict[str, Any]) -> None:
        declared = {one["name"]: one["datatype"] for one in document["tableSchema"]["columns"]}
        self.base: dict[str, str] = {
            name: kind if isinstance(kind, str) else kind["base"] for name, kind in declared.items()
        }
        self.format = {
            name: kind["format"] for name, kind in declared.items() if isinstance(kind, dict)
        }
        self.required = [
            one["name"] for one in document["tableSchema"]["columns"] if one["required"]
        ]

    @property
    def moments(self) -> dict[str, str]:
        """Return the format of every moment, for strptime."""
        return {
            name: MOMENTS[self.format[name]]
            for name, base in self.base.items()
            if base == "datetime"
        }


def by_duckdb(file: bytes, described: Described, folder: Path) -> tuple[list[str], list[Any]]:
    """Return the types of the columns and the rows."""
    path = folder / "export.csv"
    path.write_bytes(file)
    types = ", ".join(f"'{name}': '{DUCKDB_TYPES[base]}'" for name, base in described.base.items())
    (moment,) = described.moments.values()
    with duckdb.connect() as connection:
        found = connection.sql(
            f"SELECT * FROM read_csv('{path}', header=true, auto_detect=false, delim=',', "
            f"quote='\"', escape='\"', nullstr='', timestampformat='{moment}', "
            f"columns={{{types}}})"
        )
        assert found is not None
        return [str(one) for one in found.types], [list(row) for row in found.fetchall()]
