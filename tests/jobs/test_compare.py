"""Exports of the types that are no instances, joined with what is recommended here."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.compare import ONLY_HERE, ONLY_THERE, SAME, compare_export
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import MANAGEMENT, Desk
from tests.samples import put_samples
from tests.stored_fleets import LAST_DAY
from tests.volumes import READ_OPS, WRITE_OPS, volume, volume_arn

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)


@pytest.fixture
def desk(sqlite_state: State, tmp_path: Path) -> Desk:
    """Two attached volumes, of which the first does nothing."""
    desk, tiles = Desk(sqlite_state), TileStore(tmp_path / "tiles")
    desk.opt_in(MANAGEMENT)
    desk.settle()
    disks = [volume(1, "gp3", 100), volume(2, "gp3", 100)]
    with sqlite_state.writing() as connection:
        upsert_resources(connection, disks)
        key = place(connection, disks)[disks[0].arn]
    window = Window(LAST_DAY.replace(day=1), LAST_DAY)
    still = np.zeros((2, 14 * SLOTS_PER_DAY), np.float32)
    still[1] = 9
    series = {READ_OPS: still, WRITE_OPS: still.copy()}
    samples = ShardSamples(tuple(one.arn for one in disks), window, series)
    put_samples(sqlite_state, tiles, key, samples)
    analyze(sqlite_state, tiles, desk.clock, as_of=MIDNIGHT, workers=1)
    return desk


def test_what_is_idle_is_joined_and_the_other_side_says_why(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "idle.csv"
    path.write_text(
        "accountId,resourceArn,resourceType,finding,lookBackPeriodInDays,"
        "estimatedMonthlySavingsValue,findingDescription\n"
        # 100 GiB of gp3 at 0.08.
        f"111111111111,{volume_arn(1)},EBSVolume,Idle,14.0,8.0,idle\n"
        f"111111111111,{volume_arn(2)},EBSVolume,Idle,14.0,8.0,idle\n"
    )

    found = compare_export(desk.state, path)

    told = {one.arn: (one.outcome, one.causes) for one in found.resources}
    assert told == {
        volume_arn(1): (SAME, ()),
        volume_arn(2): (ONLY_THERE, ("no rule here finds it idle",)),
    }
    assert found.aspects == ("finding", "savings", "look-back")
    assert [one.savings_here for one in found.resources if one.outcome == SAME] == [8.0]


def test_what_is_idle_only_here_is_told(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "idle.csv"
    path.write_text(
        f"accountId,resourceArn,resourceType,finding\n1,{volume_arn(2)},EBSVolume,Idle\n"
    )

    outcomes = {one.arn: one.outcome for one in compare_export(desk.state, path).resources}
    assert outcomes == {volume_arn(1): ONLY_HERE, volume_arn(2): ONLY_THERE}


def test_a_type_that_is_not_exported_here_has_nothing_to_compare_with(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "volumes.csv"
    path.write_text(f"volumeArn,finding\n{volume_arn(1)},Optimized\n")
    assert compare_export(desk.state, path).resource_type == "EbsVolume"
    monkeypatch.setattr("compute_optimizer.jobs.compare.EXPORT_TABLES", {})

    with pytest.raises(InvalidInput, match="type EbsVolume, which has no columns here"):
        compare_export(desk.state, path)
