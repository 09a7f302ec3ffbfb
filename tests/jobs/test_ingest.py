"""Import as a whole: one visible change, whatever came in, how often and in what order."""

import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compute_optimizer.errors import Conflict, InvalidInput, StoreUnavailable
from compute_optimizer.jobs.ingest import ImportReport, ImportRequest, ingest
from compute_optimizer.model.metrics import MetricKey, Statistic, Window
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.sources.files.refusals import Reason
from compute_optimizer.store import State, disk_space, inventory
from compute_optimizer.store.inventory import UpsertCounts
from compute_optimizer.store.tiles import TileStore, read_samples
from tests.enrolling import ALPHA, MANAGEMENT, Desk
from tests.records import FixedClock

NOW = datetime(2026, 3, 15, 6, 30, tzinfo=UTC)
CPU_MAXIMUM = MetricKey("CPUUtilization", Statistic.MAXIMUM)
CPU_AVERAGE = MetricKey("CPUUtilization", Statistic.AVERAGE)
NETWORK = MetricKey("NetworkIn", Statistic.SUM)
EVERY = (CPU_MAXIMUM, CPU_AVERAGE, NETWORK)

FLEET = [
    "id,account,region,type",
    f"i-1,{MANAGEMENT},us-east-1,m5.large",
    f"i-2,{MANAGEMENT},us-east-1,c5.xlarge",
    f"i-3,{MANAGEMENT},eu-west-1,c5.xlarge",
]
LONG = "resource,timestamp,metric,statistic,value"
FIRST, LAST = date(2026, 1, 31), date(2026, 2, 1)
SAMPLES = [
    "i-1,2026-01-31T00:00:00Z,CPUUtilization,Maximum,90",
    "i-1,2026-01-31T00:05:00Z,CPUUtilization,Maximum,80",
    "i-1,2026-01-31T00:00:00Z,CPUUtilization,Average,30",
    "i-2,2026-01-31T23:55:00Z,NetworkIn,Sum,1e6",
    "i-2,2026-02-01T00:00:00Z,NetworkIn,Sum,2e6",
    "i-3,2026-02-01T12:00:00Z,CPUUtilization,Maximum,7",
]

View = dict[tuple[str, str], dict[str, float]]
"""Values by resource and tile column, and by moment."""


@dataclass
class Installation:
    """A data folder with one opted-in account, and files to import."""

    state: State
    tiles: TileStore
    folder: Path

    def write(self, name: str, lines: Iterable[str]) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def fleet(self, *lines: str) -> Path:
        return self.write("fleet.csv", lines or FLEET)

    def metrics(self, *lines: str, name: str = "metrics.csv") -> Path:
        return self.write(name, [LONG, *(lines or SAMPLES)])

    def take(self, *metrics: Path, inventory: Path | None = None, **more: Any) -> ImportReport:
        request = ImportRequest(inventory=inventory, metrics=metrics, **more)
        return ingest(self.state, self.tiles, FixedClock(NOW), request)

    def files(self) -> dict[str, bytes]:
        found = self.tiles.root.rglob("*.parquet")
        return {str(file.relative_to(self.tiles.root)): file.read_bytes() for file in found}

    def view(self, first: date = FIRST, last: date = LAST) -> View:
        """Return every sample that readers see."""
        found: View = {}
        with self.state.reading() as connection:
            for key in inventory.shards(connection):
                found |= self._view_of(connection, key, Window(first, last))
        return found

    def _view_of(self, connection: Any, key: ShardKey, window: Window) -> View:
        samples = read_samples(connection, self.tiles, key, window, EVERY)
        midnight = datetime(window.first.year, window.first.month, window.first.day)
        found: View = {}
        for metric, matrix in samples.series.items():
            for row, slot in np.argwhere(~np.isnan(matrix)).tolist():
                moment = (midnight + slot * timedelta(minutes=5)).isoformat()
                arn = samples.resource_arns[row].rpartition("/")[2]
                found.setdefault((arn, metric.column), {})[moment] = float(matrix[row, slot])
        return found


@pytest.fixture
def place(sqlite_state: State, tmp_path: Path) -> Installation:
    return installation(sqlite_state, tmp_path)


@pytest.fixture
def place_on_each(state: State, tmp_path: Path) -> Installation:
    """On each kind of database in turn."""
    return installation(state, tmp_path)


def installation(state: State, folder: Path) -> Installation:
    desk = Desk(state)
    desk.organize(ALPHA)
    desk.opt_in(MANAGEMENT)
    desk.settle()
    return Installation(state, TileStore(folder / "tiles"), folder)


@pytest.fixture
def filled(place: Installation) -> Installation:
    place.take(place.metrics(), inventory=place.fleet())
    return place


WHOLE: View = {
    ("i-1", "CPUUtilization_Maximum"): {"2026-01-31T00:00:00": 90, "2026-01-31T00:05:00": 80},
    ("i-1", "CPUUtilization_Average"): {"2026-01-31T00:00:00": 30},
    ("i-2", "NetworkIn_Sum"): {"2026-01-31T23:55:00": 1e6, "2026-02-01T00:00:00": 2e6},
    ("i-3", "CPUUtilization_Maximum"): {"2026-02-01T12:00:00": 7},
}


def test_what_was_taken_is_stored_and_reported(place_on_each: Installation) -> None:
    place = place_on_each

    report = place.take(place.metrics(), inventory=place.fleet())

    assert place.view() == WHOLE
    assert report.resources == UpsertCounts(added=3, changed=0, unchanged=0)
    assert report.samples == {CPU_MAXIMUM: 3, CPU_AVERAGE: 1, NETWORK: 2}
    assert report.first == datetime(2026, 1, 31, tzinfo=UTC)
    assert report.last == datetime(2026, 2, 1, 12, tzinfo=UTC)
    # us-east-1 has samples on two days, eu-west-1 on one.
    assert report.tiles == 3
    assert report.refusals.total == 0
    assert not report.unknown_types


def test_inventory_and_metrics_may_come_one_after_the_other(place: Installation) -> None:
    place.take(inventory=place.fleet())
    place.take(place.metrics())

    assert place.view() == WHOLE


def test_metrics_may_name_resources_by_arn(place: Installation) -> None:
    arn = f"arn:aws:ec2:us-east-1:{MANAGEMENT}:instance/i-1"

    place.take(place.metrics(SAMPLES[0].replace("i-1", arn)), inventory=place.fleet())

    assert place.view() == {("i-1", "CPUUtilization_Maximum"): {"2026-01-31T00:00:00": 90}}


def test_an_id_of_two_resources_needs_the_arn(place: Installation) -> None:
    twin = FLEET[3].replace("i-3", "i-1")
    arn = f"arn:aws:ec2:eu-west-1:{MANAGEMENT}:instance/i-1"
    lines = SAMPLES[0], SAMPLES[1].replace("i-1", arn)

    report = place.take(place.metrics(*lines), inventory=place.fleet(*FLEET[:2], twin))

    (refused,) = report.refusals.examples
    assert (refused.row, refused.reason, refused.found) == (1, Reason.AMBIGUOUS_RESOURCE, "i-1")
    assert report.samples.total() == 1


def test_files_that_the_disk_cannot_hold_are_refused_before_they_are_read(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if each sample were as large as the whole disk.
    monkeypatch.setattr(disk_space, "TILE_SAMPLE_BYTES", shutil.disk_usage(place.folder).total)

    with pytest.raises(StoreUnavailable, match=r"GiB free, and up to .* samples need"):
        place.take(place.metrics(), inventory=place.fleet())

    with place.state.reading() as connection:
        assert inventory.shards(connection) == []


def test_the_same_import_again_changes_nothing(filled: Installation) -> None:
    before = filled.files()

    report = filled.take(filled.metrics(), inventory=filled.fleet())

    assert report.tiles == 0
    assert report.resources == UpsertCounts(added=0, changed=0, unchanged=3)
    assert report.samples.total() == len(SAMPLES)
    assert filled.files() == before
    assert filled.view() == WHOLE


def test_the_order_of_rows_and_files_does_not_matter(place: Installation) -> None:
    lines = list(SAMPLES)
    random.Random(5).shuffle(lines)
    parts = [place.metrics(*lines[n::3], name=f"{n}.csv") for n in range(3)]

    report = place.take(*parts, inventory=place.fleet())

    assert report.refusals.total == 0
    assert place.view() == WHOLE


def test_late_samples_join_those_that_are_there_and_corrections_replace_them(
    filled: Installation,
) -> None:
    report = filled.take(
        filled.metrics(
            "i-1,2026-01-31T00:10:00Z,CPUUtilization,Maximum,70",
            "i-1,2026-01-31T00:05:00Z,CPUUtilization,Maximum,81",
            "i-2,2026-01-31T00:00:00Z,CPUUtilization,Average,3",
        )
    )

    # Only the day and the Region that the samples belong to.
    assert report.tiles == 1
    assert filled.view() == WHOLE | {
        ("i-1", "CPUUtilization_Maximum"): {
            "2026-01-31T00:00:00": 90,
            "2026-01-31T00:05:00": 81,
            "2026-01-31T00:10:00": 70,
        },
        ("i-2", "CPUUtilization_Average"): {"2026-01-31T00:00:00": 3},
    }


def test_resources_that_join_later_leave_the_samples_of_the_others(filled: Installation) -> None:
    newcomer = f"i-0,{MANAGEMENT},us-east-1,m5.large"
    late = "i-0,2026-01-31T00:00:00Z,CPUUtilization,Maximum,1"

    report = filled.take(filled.metrics(late), inventory=filled.fleet(FLEET[0], newcomer))

    assert report.resources == UpsertCounts(added=1, changed=0, unchanged=0)
    assert filled.view() == WHOLE | {("i-0", "CPUUtilization_Maximum"): {"2026-01-31T00:00:00": 1}}


def test_averages_and_maxima_stay_apart(place: Installation) -> None:
    cpu = "i-1,2026-01-31T00:00:00Z,CPUUtilization"
    lines = f"{cpu},Average,30", f"{cpu},Maximum,90", f"{cpu},avg,31"

    report = place.take(place.metrics(*lines), inventory=place.fleet())

    assert place.view() == {
        ("i-1", "CPUUtilization_Maximum"): {"2026-01-31T00:00:00": 90},
        ("i-1", "CPUUtilization_Average"): {"2026-01-31T00:00:00": 31},
    }
    # avg is Average: row 3 replaces row 1.
    assert [one.row for one in report.refusals.examples] == [1]


def test_samples_of_a_slot_are_averaged_maximized_or_summed(place: Installation) -> None:
    lines = [
        f"i-1,2026-01-31T00:0{minute}:00Z,{metric},{10 + minute}"
        for minute in range(5)
        for metric in ("CPUUtilization,Average", "CPUUtilization,Maximum", "NetworkIn,Sum")
    ]

    place.take(place.metrics(*lines), inventory=place.fleet())

    assert place.view() == {
        ("i-1", "CPUUtilization_Average"): {"2026-01-31T00:00:00": 12},
        ("i-1", "CPUUtilization_Maximum"): {"2026-01-31T00:00:00": 14},
        ("i-1", "NetworkIn_Sum"): {"2026-01-31T00:00:00": 10 + 11 + 12 + 13 + 14},
    }


def test_duplicates_count_once_and_are_told_with_file_and_row(place: Installation) -> None:
    one = place.metrics(SAMPLES[3], SAMPLES[4], SAMPLES[3], name="one.csv")
    two = place.metrics(SAMPLES[5], SAMPLES[4].replace("2e6", "8e6"), name="two.csv")

    report = place.take(one, two, inventory=place.fleet())

    # Those that were replaced: row 1 by row 3, row 2 by row 2 of the second file.
    places = [(one.file.name, one.row, one.found) for one in report.refusals.examples]
    assert places == [
        ("one.csv", 1, "2026-01-31T23:55:00+00:00"),
        ("one.csv", 2, "2026-02-01T00:00:00+00:00"),
    ]
    assert report.refusals.counts == {(one, Reason.DUPLICATE_SAMPLE): 2}
    assert report.samples == {NETWORK: 2, CPU_MAXIMUM: 1}
    assert place.view()["i-2", "NetworkIn_Sum"] == {
        "2026-01-31T23:55:00": 1e6,
        "2026-02-01T00:00:00": 8e6,
    }


def test_a_correction_stands_in_the_same_import_as_in_the_next(place: Installation) -> None:
    first = place.metrics(name="first.csv")
    corrected = place.metrics(*(line.replace(",90", ",91") for line in SAMPLES), name="second.csv")

    place.take(first, corrected, inventory=place.fleet())
    together = place.view()
    place.take(first)
    place.take(corrected)

    assert together == place.view()
    assert together["i-1", "CPUUtilization_Maximum"]["2026-01-31T00:00:00"] == 91


def test_accounts_that_have_not_opted_in_are_refused(place: Installation) -> None:
    stranger = f"i-9,{ALPHA},us-east-1,m5.large"

    report = place.take(inventory=place.fleet(*FLEET, stranger))

    (refused,) = report.refusals.examples
    assert (refused.row, refused.reason, refused.found) == (4, Reason.NOT_OPTED_IN, ALPHA)
    assert report.resources.added == 3


def test_samples_of_an_account_that_opted_out_since_are_refused(filled: Installation) -> None:
    desk = Desk(filled.state)
    desk.opt_in(ALPHA)
    desk.opt_out(MANAGEMENT)
    desk.settle()

    report = filled.take(filled.metrics())

    assert {one.reason for one in report.refusals.examples} == {Reason.NOT_OPTED_IN}
    assert report.refusals.total == len(SAMPLES)
    assert report.tiles == 0


def test_nothing_may_be_collected_before_anybody_opted_in(
    sqlite_state: State, tmp_path: Path
) -> None:
    place = Installation(sqlite_state, TileStore(tmp_path / "tiles"), tmp_path)

    with pytest.raises(Conflict, match="no account is opted in, so nothing may be collected"):
        place.take(inventory=place.fleet())


def test_unknown_instance_types_are_taken_and_told(place: Installation) -> None:
    fleet = place.fleet(*FLEET[:2], f"i-4,{MANAGEMENT},us-east-1,z9.huge")

    report = place.take(inventory=fleet)

    assert report.unknown_types == {"z9.huge": 1}
    assert report.resources.added == 2
    assert report.refusals.total == 0


def test_columns_that_are_not_read_are_told(place: Installation) -> None:
    """A misspelled metric must not get lost without a word."""
    fleet = place.fleet("id,account,region,type,tag", f"i-1,{MANAGEMENT},us-east-1,m5.large,a=b")
    lines = ["id,time,NetworkIn,Networkout,host", "i-1,2026-01-31T00:00:00Z,1,2,web"]
    wide = place.write("wide.csv", lines)

    report = place.take(wide, inventory=fleet)

    assert report.not_read == {fleet: ("tag",), wide: ("Networkout", "host")}
    assert place.take(place.metrics(), inventory=place.fleet()).not_read == {}


def test_moments_in_the_future_and_before_2000_are_refused(place: Installation) -> None:
    late = (NOW + timedelta(days=1, seconds=1)).isoformat()
    lines = [SAMPLES[0], *(SAMPLES[1].replace("2026-01-31T00:05:00Z", one) for one in
                           (late, "1999-12-31T23:59:59Z", "0"))]  # fmt: skip

    report = place.take(place.metrics(*lines), inventory=place.fleet())

    assert [(one.row, one.reason) for one in report.refusals.examples] == [
        (2, Reason.FUTURE),
        (3, Reason.TOO_OLD),
        (4, Reason.TOO_OLD),
    ]
    assert report.samples.total() == 1


def test_strict_brings_in_nothing_when_anything_is_refused(filled: Installation) -> None:
    before = filled.files()
    late = filled.metrics("i-1,2026-01-31T00:10:00Z,CPUUtilization,Maximum,70", "i-7,,,,")

    with pytest.raises(InvalidInput, match=r"1 refused, .*metrics\.csv row 2: the resource is"):
        filled.take(
            late, inventory=filled.fleet(*FLEET, FLEET[1].replace("i-1", "i-5")), strict=True
        )

    assert filled.files() == before
    with filled.state.reading() as connection:
        assert len(inventory.placements(connection)) == 3
    assert filled.take(filled.metrics(), strict=True).samples.total() == len(SAMPLES)


def good_parquet() -> bytes:
    sink = pa.BufferOutputStream()
    moments = [datetime(2026, 1, 31, tzinfo=UTC) + timedelta(minutes=5 * n) for n in range(250)]
    columns = {"resource": ["i-1"] * 250, "timestamp": moments, "NetworkIn": [5.0] * 250}
    pq.write_table(pa.table(columns), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


DAMAGED = {
    "empty.csv": b"",
    "garbage.csv": bytes(range(256)) * 100,
    "columns.csv": b"vm,at,load\ni-1,2026-01-31,5\n",
    "garbage.parquet": bytes(range(256)) * 100,
    "truncated.parquet": good_parquet()[:-40],
    # Good for 100 kB, then no text any more.
    "later.csv": f"{LONG}\n{SAMPLES[0]}\n".encode() + f"{SAMPLES[1]}\n".encode() * 200 + b"\xff\n",
    "table.xls": b"\x00",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_cannot_be_read_brings_in_nothing(filled: Installation, name: str) -> None:
    before = filled.files()
    path = filled.folder / name
    path.write_bytes(DAMAGED[name])
    late = filled.metrics("i-1,2026-01-31T00:10:00Z,CPUUtilization,Maximum,70")

    with pytest.raises(InvalidInput, match=name):
        filled.take(late, path, inventory=filled.fleet(*FLEET, FLEET[1].replace("i-1", "i-5")))

    assert filled.files() == before
    assert not (filled.tiles.root / "staging").exists()
    assert filled.view() == WHOLE
    with filled.state.reading() as connection:
        assert len(inventory.placements(connection)) == 3


def test_what_stops_half_way_leaves_nothing_in_the_way_of_the_next(
    filled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up while tiles are staged."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    late = filled.metrics("i-1,2026-01-31T00:10:00Z,CPUUtilization,Maximum,70")
    with monkeypatch.context() as patch:
        patch.setattr("compute_optimizer.store.tile_files.os.fsync", full)
        with pytest.raises(StoreUnavailable, match="No space left on device"):
            filled.take(late)

    assert not (filled.tiles.root / "staging").exists()
    assert filled.view() == WHOLE
    assert filled.take(late).tiles == 1


def test_a_folder_that_cannot_be_written_is_named(place: Installation) -> None:
    place.tiles.root.write_text("a file where the folder should be")

    with pytest.raises(StoreUnavailable, match=f"tiles in {place.tiles.root} cannot be written"):
        place.take(inventory=place.fleet())


def test_a_second_import_at_the_same_time_is_told_to_wait(filled: Installation) -> None:
    with (
        TileStore(filled.tiles.root).locked(),
        pytest.raises(Conflict, match="such as an import, is changing the tiles"),
    ):
        filled.take(filled.metrics())

    assert filled.take(filled.metrics()).tiles == 0


def test_fleets_larger_than_a_shard_are_spread(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "SHARD_RESOURCES", 2)
    ids = [f"i-{number}" for number in range(1, 6)]
    fleet = place.fleet(FLEET[0], *(FLEET[1].replace("i-1", one) for one in ids))
    lines = (SAMPLES[0].replace("i-1", one).replace(",90", f",{n}") for n, one in enumerate(ids))

    report = place.take(place.metrics(*lines), inventory=fleet)

    assert report.tiles == 3
    assert place.view() == {
        (one, "CPUUtilization_Maximum"): {"2026-01-31T00:00:00": n} for n, one in enumerate(ids)
    }


def test_little_memory_gives_the_same_tiles(place: Installation) -> None:
    place.take(place.metrics(*sorted(SAMPLES)), inventory=place.fleet(), buffer_bytes=1)

    assert place.view() == WHOLE


def test_changed_resources_keep_their_samples(filled: Installation) -> None:
    grown = [FLEET[0], FLEET[1].replace("m5.large", "m5.xlarge")]

    report = filled.take(inventory=filled.fleet(*grown))

    assert report.resources == UpsertCounts(added=0, changed=1, unchanged=0)
    assert filled.view() == WHOLE
    with filled.state.reading() as connection:
        one = inventory.find_resource(connection, "i-1")
        assert one == replace(one, instance_type="m5.xlarge")
