"""The demo's files are what a user's commands take in, and its folder is nobody else's."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from compute_optimizer.errors import Conflict
from compute_optimizer.jobs.demo import (
    MARKER,
    analyzed_until,
    claim_folder,
    mark_analyzed,
    write_demo_files,
)
from compute_optimizer.jobs.organization_file import read_file
from compute_optimizer.scenario.organization import MANAGEMENT_ACCOUNT_ID, MEMBER_ACCOUNT_IDS

LAST_DAY = date(2026, 3, 15)


def test_organization_file_can_be_applied_as_it_is(tmp_path: Path) -> None:
    files = write_demo_files(tmp_path, LAST_DAY, size=3)

    (organization,) = read_file(files.organization).organizations
    assert organization.account_ids == [MANAGEMENT_ACCOUNT_ID, *MEMBER_ACCOUNT_IDS]


def test_metrics_are_fourteen_days_of_slots_that_end_with_the_last_day(tmp_path: Path) -> None:
    files = write_demo_files(tmp_path, LAST_DAY, size=3)

    table = pq.read_table(files.metrics[0])
    moments = table.column("timestamp")
    assert table.num_rows == 3 * 14 * 288
    assert pc.min(moments).as_py() == datetime(2026, 3, 2, tzinfo=UTC)
    assert pc.max(moments).as_py() == datetime(2026, 3, 15, 23, 55, tzinfo=UTC)
    assert {"CPUUtilization_Maximum", "CPUUtilization_Average"} <= set(table.column_names)
    assert files.as_of == datetime(2026, 3, 16, tzinfo=UTC)


def test_what_was_never_sent_is_null_and_nothing_is_nan(tmp_path: Path) -> None:
    files = write_demo_files(tmp_path, LAST_DAY, size=40)

    table = pq.read_table(files.metrics[0])
    # Some machines have no agent, so memory is missing for them.
    assert table.column("mem_used_percent_Maximum").null_count > 0
    for name in table.column_names[2:]:
        assert not pc.any(pc.is_nan(table.column(name))).as_py()


def test_folder_remembers_how_far_it_was_analyzed(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    claim_folder(folder)
    before = analyzed_until(folder)
    mark_analyzed(folder, write_demo_files(folder, LAST_DAY, size=1))
    claim_folder(folder)

    assert before is None
    assert analyzed_until(folder) == LAST_DAY


def test_folder_with_somebody_elses_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.db").touch()

    with pytest.raises(Conflict, match="not the demo's"):
        claim_folder(tmp_path)

    assert (tmp_path / "state.db").exists()


def test_folder_of_another_versions_fleet_is_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    claim_folder(folder)
    (folder / "state.db").touch()
    marker = json.loads((folder / MARKER).read_text())
    (folder / MARKER).write_text(json.dumps(marker | {"fleet": "another"}))

    claim_folder(folder)

    assert [path.name for path in folder.iterdir()] == [MARKER]
