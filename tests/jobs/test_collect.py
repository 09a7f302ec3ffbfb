"""Collecting: only what is missing, of those who opted in, whatever else fails."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compute_optimizer.errors import Conflict, NotFound, StoreUnavailable
from compute_optimizer.jobs.collect import collect, estimate
from compute_optimizer.jobs.collect_run import CollectReport, CollectRequest, Failure
from compute_optimizer.model.collection import Collected, Effort, Scope, Wanted
from compute_optimizer.model.metrics import Matrix, Window
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE, Resource
from compute_optimizer.resources import ec2_instance
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tiles import TileStore, read_samples
from tests.collecting import CPU, ArraySource, machine
from tests.enrolling import ALPHA, BETA, Desk, opt_in
from tests.records import FixedClock

NOW = datetime(2026, 3, 15, 6, 32, tzinfo=UTC)
END = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
"""The last whole slot before then ends here."""

SINCE = NOW - timedelta(days=2)
ONE, TWO = machine(ALPHA, 1), machine(ALPHA, 2)
ELSEWHERE = machine(ALPHA, 3, "eu-west-1")
OTHER = machine(BETA, 4)

SLOTS = 576
"""In the two days from 06:30 to 06:30: 48 hours of 12."""


@dataclass
class Installation:
    """A data folder whose accounts ALPHA and BETA are opted in."""

    state: State
    tiles: TileStore

    def collect(self, source: ArraySource, now: datetime = NOW, **request: Any) -> CollectReport:
        wanted = replace(CollectRequest(SINCE), **request)
        return collect(self.state, self.tiles, FixedClock(now), source, wanted)

    def samples(self, resource: Resource) -> Matrix:
        """Return the stored values of the three days that the range touches."""
        window = Window(SINCE.date(), NOW.date())
        with self.state.reading() as connection:
            key = inventory.shard_of(connection, resource.arn)
            found = read_samples(connection, self.tiles, key, window, [CPU], [resource.arn])
        values: Matrix = found.series[CPU][0]
        return values


@pytest.fixture
def here(sqlite_state: State, tmp_path: Path) -> Installation:
    opt_in(sqlite_state, ALPHA, BETA)
    return Installation(sqlite_state, TileStore(tmp_path / "tiles"))


def source(*fleet: Resource, **members: Any) -> ArraySource:
    """Return a source whose resources all have samples of 50 since long ago."""
    values = {one.arn: 50.0 for one in fleet}
    return replace(ArraySource(fleet, NOW - timedelta(days=90), values), **members)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 72 MiB, of which 64 stay free: room for eight."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=72m", "tmpfs", str(folder)]
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only who may mount has a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_without_room_is_told_before_a_sample_is_asked_for(
    here: Installation, small_disk: Path
) -> None:
    there = replace(here, tiles=TileStore(small_disk / "tiles"))
    # The range touches three days; of each a tile has 288 samples of four bytes of every series.
    each = 3 * 288 * 4 * len(ec2_instance.METRICS)
    most = 8 * 2**20 // each

    too_many = source(*(machine(ALPHA, number) for number in range(most + 1)))
    with pytest.raises(StoreUnavailable, match=r"GiB free, and tiles of .* need .*--accounts"):
        there.collect(too_many)
    assert too_many.asked == []

    # A few less, for the folders take room too.
    fewer = source(*(machine(BETA, number) for number in range(most - 5)))
    assert there.collect(fewer).tiles == 3


def test_inventory_and_samples_come_in(here: Installation) -> None:
    report = here.collect(source(ONE, TWO))

    assert report.resources == {EC2_INSTANCE: 2}
    assert report.counts.added == 2
    # The first slot is that of 06:30, two days ago; what has not ended is left out.
    first = 78  # 6.5 hours of 12 slots
    found = here.samples(ONE)
    assert np.isnan(found[:first]).all()
    assert (found[first : first + SLOTS] == 50).all()
    assert np.isnan(found[first + SLOTS :]).all()


def test_coverage_tells_what_was_asked_for_and_what_there_was(here: Installation) -> None:
    some = ArraySource([ONE, TWO], END - timedelta(hours=1), {ONE.arn: 50.0})

    coverage = here.collect(some).coverage[EC2_INSTANCE, CPU]

    assert (coverage.resources, coverage.with_samples) == (2, 1)
    # An hour of one of two machines, which were asked for two days each.
    assert (coverage.slots, coverage.slots_wanted) == (12, 2 * SLOTS)


def test_the_next_run_asks_from_the_newest_sample_with_an_overlap(here: Installation) -> None:
    some = source(ONE)
    here.collect(some)
    later = NOW + timedelta(hours=5)

    here.collect(replace(some, values={ONE.arn: 60.0}), later, since=later - timedelta(days=2))

    # Stored until 06:30; three hours of it are read again.
    wanted = some.asked[-1].wanted
    assert wanted.since[CPU].tolist() == [int((END - timedelta(hours=3)).timestamp())]
    assert wanted.until == int((END + timedelta(hours=5)).timestamp())
    newer = here.samples(ONE)[78 + SLOTS - 37 : 78 + SLOTS - 35]
    assert newer.tolist() == [50, 60]  # the correction begins three hours, 36 slots, before


def test_a_series_without_samples_is_asked_for_from_the_start(here: Installation) -> None:
    here.collect(source(ONE))
    two = source(ONE, TWO)

    here.collect(two)

    late, all_of_it = (END - timedelta(hours=3)).timestamp(), (END - timedelta(days=2)).timestamp()
    assert two.asked[-1].wanted.since[CPU].tolist() == [late, all_of_it]


def test_everything_can_be_read_again(here: Installation) -> None:
    some = source(ONE)
    here.collect(some)

    here.collect(some, again=True)

    assert some.asked[-1].wanted.since[CPU].tolist() == [(END - timedelta(days=2)).timestamp()]


def test_what_the_source_no_longer_keeps_is_told_and_not_asked_for(here: Installation) -> None:
    some = source(ONE, retention=timedelta(days=1))

    report = here.collect(some)

    assert report.not_kept_since == SINCE
    assert report.first == END - timedelta(days=1)
    assert some.asked[-1].wanted.since[CPU].tolist() == [report.first.timestamp()]


def test_accounts_that_are_not_opted_in_are_left_alone(here: Installation) -> None:
    stranger = machine("999999999999", 9)
    some = source(ONE, stranger)

    report = here.collect(some)

    assert report.not_opted_in == ("999999999999",)
    assert {one.scope.account_id for one in some.asked} == {ALPHA}


def test_nothing_is_collected_where_nobody_is_opted_in(here: Installation) -> None:
    with pytest.raises(Conflict, match="of 1 account none is opted in"):
        here.collect(source(machine("999999999999", 9)))


def test_an_account_that_refuses_stops_no_other(here: Installation) -> None:
    report = here.collect(source(ONE, OTHER, broken=frozenset({BETA})))

    assert report.failures == [Failure(BETA, "", "", f"account {BETA}: access denied")]
    assert (here.samples(ONE)[78:] == 50).any()


def test_a_shard_that_fails_half_way_keeps_nothing_and_stops_no_other(here: Installation) -> None:
    report = here.collect(source(ONE, ELSEWHERE, broken=frozenset({"eu-west-1"})))

    assert [(one.region, one.resource_type) for one in report.failures] == [
        ("eu-west-1", EC2_INSTANCE)
    ]
    assert report.tiles == 3  # the three days of the other Region
    assert (here.samples(ONE)[78:] == 50).any()
    with pytest.raises(KeyError):
        here.samples(ELSEWHERE)


def test_what_the_source_no_longer_has_leaves_the_inventory(here: Installation) -> None:
    here.collect(source(ONE, TWO, OTHER))

    report = here.collect(source(TWO, OTHER))

    assert report.gone == 1
    with pytest.raises(NotFound):
        here.samples(ONE)
    assert (here.samples(TWO)[78 : 78 + SLOTS] == 50).all()


def test_what_is_gone_can_be_kept(here: Installation) -> None:
    here.collect(source(ONE, TWO))

    assert here.collect(source(TWO), keep_gone=True).gone == 0
    assert (here.samples(ONE)[78 : 78 + SLOTS] == 50).all()


def test_what_could_not_be_read_is_not_gone(here: Installation) -> None:
    here.collect(source(ONE, OTHER))

    report = here.collect(source(ONE, OTHER, broken=frozenset({BETA})))

    assert report.gone == 0
    assert (here.samples(OTHER)[78 : 78 + SLOTS] == 50).all()


def test_types_that_are_not_wanted_are_not_collected(here: Installation) -> None:
    some = source(ONE)

    report = here.collect(some, resource_types=frozenset({EBS_VOLUME}))

    assert not report.resources
    assert not some.asked


def test_memory_does_not_show_in_what_is_kept(here: Installation) -> None:
    # 16 bytes a sample: a budget of 100 bytes puts everything on the disk.
    here.collect(source(ONE, TWO), buffer_bytes=100, concurrency=1)

    assert (here.samples(TWO)[78 : 78 + SLOTS] == 50).all()
    assert not list(here.tiles.root.rglob("spill*"))


def test_an_estimate_counts_and_changes_nothing(here: Installation) -> None:
    some = source(ONE, TWO)

    report = estimate(here.state, here.tiles, FixedClock(NOW), some, CollectRequest(SINCE))

    # Two machines of 22 series, which this source charges a cent each.
    assert report.effort == Effort(calls=1, metrics=44, seconds=1.0, usd=0.44)
    assert not some.asked
    with here.state.reading() as connection:
        assert inventory.shards(connection) == []


def test_another_import_is_not_disturbed(here: Installation) -> None:
    with here.tiles.locked(), pytest.raises(Conflict, match="such as an import"):
        here.collect(source(ONE))


def test_an_account_that_opts_out_meanwhile_gets_no_samples(here: Installation) -> None:
    desk = Desk(here.state)

    class Leaving(ArraySource):
        """Whose only account leaves before its samples are there."""

        def samples(self, scope: Scope, wanted: Wanted) -> Iterator[Collected]:
            desk.opt_out(ALPHA)
            yield from super().samples(scope, wanted)

    report = here.collect(Leaving([ONE], NOW - timedelta(days=9), {ONE.arn: 1.0}))

    assert [one.message for one in report.failures] == [
        "the account has opted out meanwhile; nothing was kept"
    ]
    assert report.tiles == 0
