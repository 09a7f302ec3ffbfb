"""The demo tests itself: days before those that it shows, and a backtest that is asked for."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from compute_optimizer.jobs.demo import write_demo_files
from compute_optimizer.jobs.demo_testing import ask_for_test, bring_in_past
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.jobs.organization_file import apply_file
from compute_optimizer.model.backtested import DEMO, Backtested
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.scenario.organization import MANAGEMENT_ACCOUNT_ID
from compute_optimizer.store import State
from compute_optimizer.store.backtests import find_request, save_backtests
from compute_optimizer.store.tiles import TileStore, tile_paths
from tests.backtested import report
from tests.enrolling import Desk

LAST_DAY = date(2026, 3, 14)


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    return Desk(sqlite_state)


def test_what_the_fleet_sent_before_is_brought_in_once(desk: Desk, tmp_path: Path) -> None:
    state, tiles, clock = desk.state, TileStore(tmp_path / "tiles"), desk.clock
    files = write_demo_files(tmp_path, LAST_DAY, size=3)
    apply_file(state, clock, files.organization)
    change_enrollment(state, clock, MANAGEMENT_ACCOUNT_ID, "Active", True)
    desk.settle()
    wanted = ImportRequest(inventory=files.inventory, metrics=files.metrics[:1])
    ingest(state, tiles, clock, wanted)

    assert bring_in_past(state, tiles, clock, tmp_path, LAST_DAY)

    with state.reading() as connection:
        days = {day for key, day in tile_paths(connection) if key.resource_type == EC2_INSTANCE}
    # 14 days to learn from and 14 to test on.
    assert days == {LAST_DAY - timedelta(days=number) for number in range(28)}
    assert not bring_in_past(state, tiles, clock, tmp_path, LAST_DAY)
    assert not list(tmp_path.glob("past-*"))


def test_a_test_is_asked_for_unless_it_was_made_up_to_the_last_day(desk: Desk) -> None:
    # The report is of the 28 days from 1 January on.
    last = date(2026, 1, 28)
    made = Backtested(MANAGEMENT_ACCOUNT_ID, EC2_INSTANCE, desk.clock.now(), 1, 3, 3)
    assert ask_for_test(desk.state, desk.clock, last)
    with desk.state.writing() as connection:
        request = find_request(connection, MANAGEMENT_ACCOUNT_ID)
        assert request is not None
        assert request.requested_by == DEMO
        save_backtests(connection, [replace(made, report=report(0.0))])

    assert not ask_for_test(desk.state, desk.clock, last)
    assert ask_for_test(desk.state, desk.clock, last + timedelta(days=1))
