"""Two tools that people read exports with, told nothing but what a file's description declares."""

import io
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

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
PANDAS_TYPES = {
    "string": "string",
    "double": "Float64",
    "integer": "Int64",
    "boolean": "boolean",
    "datetime": "datetime64[us]",
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


def by_pandas(file: bytes, described: Described) -> tuple[list[str], list[Any]]:
    """Return the same."""
    moments = described.moments
    found = pd.read_csv(
        io.BytesIO(file),
        dtype={
            name: "string" if name in moments else PANDAS_TYPES[base]
            for name, base in described.base.items()
        },
        keep_default_na=False,
        na_values=[""],
    )
    assert list(found.columns) == list(described.base)
    for name, form in moments.items():
        found[name] = pd.to_datetime(found[name], format=form).astype("datetime64[us]")
    rows = found.astype(object).where(found.notna(), None).to_numpy().tolist()
    return [str(one) for one in found.dtypes], [[_plain(cell) for cell in row] for row in rows]


def _plain(cell: Any) -> Any:
    return cell.to_pydatetime() if isinstance(cell, pd.Timestamp) else cell
