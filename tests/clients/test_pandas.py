"""pandas reads every export as DuckDB does, by what its description declares."""

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from compute_optimizer.model.recommendation import RecommendationError
from compute_optimizer.store import State
from tests.clients.foreign import program
from tests.enrolling import MANAGEMENT, opt_in
from tests.every_type import SAMPLES
from tests.export_readers import EXPORTS, Described, by_duckdb
from tests.exporting import BUCKET, ExportDesk, export_desk
from tests.idleness import idle_recommendation
from tests.records import arn
from tests.states import FreshUrl

pytestmark = pytest.mark.clients

READER = Path(__file__).with_name("pandas_reader.py")
TYPES = {
    "string": "string",
    "double": "Float64",
    "integer": "Int64",
    "boolean": "boolean",
    "datetime": "datetime64[us]",
}
"""By datatype of the description."""


def publish(exports: ExportDesk, resource_type: str) -> None:
    """Store a recommendation of a type, and tell of a resource that has none."""
    missing = RecommendationError(arn(9, MANAGEMENT), "UNSUPPORTED_RESOURCE", 'Not, "yet".\n')
    if resource_type == "Idle":
        exports.publish([], [missing], idle=[idle_recommendation(1)])
    else:
        exports.publish([SAMPLES[resource_type]], [missing], resource_type=resource_type)


def export(state: State, folder: Path, resource_type: str) -> tuple[Path, Described]:
    """Return the file of an export, and what its description declares."""
    exports = export_desk(opt_in(state, MANAGEMENT), folder)
    publish(exports, resource_type)
    answer = exports.ask(kind=EXPORTS[resource_type])
    assert [one.failure_reason for one in exports.run()] == [None]
    file = folder / BUCKET / answer["s3Destination"]["key"]
    return file, Described(exports.metadata(answer))


def by_pandas(exported: list[tuple[Path, Described]]) -> list[dict[str, Any]]:
    """Return what pandas reads in each file."""
    asked = [
        {
            "file": str(file),
            "types": {name: TYPES[base] for name, base in described.base.items()},
            "moments": described.moments,
        }
        for file, described in exported
    ]
    ended = subprocess.run(
        [program("client-pandas", "python"), str(READER)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def plain(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def test_every_export_is_read_with_the_types_that_are_declared_and_as_duckdb_does(
    fresh_sqlite: FreshUrl, tmp_path: Path
) -> None:
    exported = []
    for resource_type in EXPORTS:
        state = State(fresh_sqlite())
        exported.append(export(state, tmp_path / resource_type, resource_type))
        state.close()

    for (file, described), read in zip(exported, by_pandas(exported), strict=True):
        assert read["types"] == [TYPES[base] for base in described.base.values()]
        _, rows = by_duckdb(file.read_bytes(), described, tmp_path)
        assert rows
        assert read["rows"] == [[plain(cell) for cell in row] for row in rows]
