"""Exports of what is idle, with the types that the service's model has only lately."""

from pathlib import Path

import pytest
from msgspec import structs

from compute_optimizer.store import State
from tests.enrolling import MANAGEMENT, opt_in
from tests.exporting import ExportDesk, export_desk
from tests.idleness import TABLE, idle_recommendation


@pytest.fixture
def exports(sqlite_state: State, tmp_path: Path) -> ExportDesk:
    """An account that is Active, exporting to a folder."""
    desk = opt_in(sqlite_state, MANAGEMENT)
    return export_desk(desk, tmp_path)


@pytest.mark.parametrize("newer", [True, False])
def test_newer_idle_types_are_exported_unless_a_setting_leaves_them_out(
    exports: ExportDesk, newer: bool
) -> None:
    exports.publish([], idle=[idle_recommendation(1, account_id=MANAGEMENT)])
    table = structs.replace(TABLE, account_id=MANAGEMENT)
    exports.publish([], resource_type=TABLE.idle_type, idle=[table])
    exports.desk.newer_idle_types = newer

    rows = exports.exported(kind="Idle")

    told = {row["resourceType"] for row in rows}
    assert told == ({"EBSVolume", "DynamoDBTable"} if newer else {"EBSVolume"})
