"""Read exports as AWS's Cloud Intelligence Dashboards do, and print what their views show.

`python dashboards.py` runs in an environment that holds the dashboards' own definitions (cid-cmd):
the columns of their Athena tables, and the SQL of their views. Both run in DuckDB, the SQL after a
translation of the dialect. Standard input is {"module": "file.csv", ...}; modules that are not
named have empty tables. As their tables do, a file is read by position: its header is skipped.
"""

import csv
import json
import sys
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import sqlglot

QUERIES = files("cid") / "builtin" / "core" / "data" / "queries" / "co"

TABLES = {"rds_database": "rds_instance"}
"""Modules whose table is called otherwise in the views."""

ALL = "all_options"
"""The view of all the others."""


def main() -> None:
    """Make the tables and views, and print both."""
    exported = json.load(sys.stdin)
    database = duckdb.connect()
    modules = sorted(one.name.removesuffix(".json") for one in QUERIES.iterdir() if _is_table(one))
    columns = {module: make_table(database, module) for module in modules}
    for module, path in exported.items():
        fill(database, table_of(module), columns[module], Path(path))
    views = {
        one.name.removesuffix(".sql"): one.read_text()
        for one in QUERIES.iterdir()
        if not _is_table(one)
    }
    for view in sorted(views, key=_all_last):
        (statement,) = sqlglot.transpile(views[view], read="athena", write="duckdb")
        database.execute(statement)
    told = {
        "columns": columns,
        "tables": {module: rows(database, table_of(module)) for module in exported},
        "views": {view: rows(database, f"compute_optimizer_{view}") for view in views},
        "statements": views,
    }
    print(json.dumps(told, default=_plain))


def table_of(module: str) -> str:
    """Return how the views call the table of a module."""
    return f"compute_optimizer_{TABLES.get(module, module)}_lines"


def make_table(database: duckdb.DuckDBPyConnection, module: str) -> list[str]:
    """Make the empty table of a module and return its columns."""
    defined = json.loads((QUERIES / f"{module}.json").read_text())
    described = defined["TableInput"]["StorageDescriptor"]["Columns"]
    columns = [column["Name"] for column in described]
    spelled = ", ".join(f'"{name}" VARCHAR' for name in columns)
    database.execute(f"CREATE TABLE {table_of(module)} ({spelled})")
    return columns


def fill(database: duckdb.DuckDBPyConnection, table: str, columns: list[str], path: Path) -> None:
    """Put the rows of a file into a table, by position; more cells than columns are left out."""
    with path.open(newline="") as file:
        lines = list(csv.reader(file))[1:]
    marks = ", ".join("?" for _ in columns)
    width = len(columns)
    cells = [[*line[:width], *[None] * (width - len(line))] for line in lines]
    if cells:
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", cells)


def rows(database: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    """Return every row of a table or a view."""
    found = database.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _is_table(one: Any) -> bool:
    return str(one.name).endswith(".json")


def _all_last(view: str) -> tuple[bool, str]:
    return view == ALL, view


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))


if __name__ == "__main__":
    main()
