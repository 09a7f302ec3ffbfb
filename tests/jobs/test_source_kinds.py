"""The file of sources, and the source `files`: what is brought in, how often, and what is not."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.jobs.collector import Collector
from compute_optimizer.jobs.source_kinds import collect_all, read_sources
from compute_optimizer.store import State
from compute_optimizer.store.inventory import placements
from compute_optimizer.store.tiles import TileStore, tile_paths
from tests.enrolling import ALPHA, HandClock, opt_in

HEADER = "resource,timestamp,metric,statistic,value\n"
SOURCES = """
sources:
  - name: lake
    kind: files
    arguments:
      inventory: fleet.csv
      metrics: [incoming]
"""


class Lake:
    """A folder of files, a data folder, and the file that names them."""

    def __init__(self, folder: Path, state: State) -> None:
        self.folder = folder
        self.clock = HandClock()
        self.collector = Collector(state, TileStore(folder / "data"), self.clock)
        (folder / "incoming").mkdir()
        self.write("sources.yaml", SOURCES)
        self.write("fleet.csv", f"id,account,region,type\ni-1,{ALPHA},us-east-1,m5.large\n")

    def write(self, name: str, text: str, age: timedelta = timedelta(hours=1)) -> None:
        """Write a file that changed some time ago."""
        path = self.folder / name
        path.write_text(text)
        changed = (self.clock.now() - age).timestamp()
        os.utime(path, (changed, changed))

    def samples(self, name: str, day: int, resource: str = "i-1", **age: timedelta) -> None:
        line = f"{resource},2026-03-{day:02}T00:00:00Z,CPUUtilization,Maximum,50\n"
        self.write(f"incoming/{name}", HEADER + line, **age)

    def collect(self) -> dict[str, int]:
        found = collect_all(read_sources(str(self.folder / "sources.yaml")), self.collector)
        return found["lake"]  # type: ignore[no-any-return]

    @property
    def days(self) -> list[int]:
        with self.collector.state.reading() as connection:
            return sorted(day.day for _, day in tile_paths(connection))


@pytest.fixture
def lake(sqlite_state: State, tmp_path: Path) -> Lake:
    opt_in(sqlite_state, ALPHA)
    return Lake(tmp_path, sqlite_state)


def test_what_is_there_is_brought_in_and_only_once(lake: Lake) -> None:
    lake.samples("a.csv", 1)
    lake.samples("b.csv", 2)

    assert lake.collect() == {"files": 3, "samples": 2, "tiles": 2, "refused": 0}
    assert lake.collect() == {"files": 0}
    assert lake.days == [1, 2]


def test_only_what_is_new_or_changed_is_read_again(lake: Lake) -> None:
    lake.samples("a.csv", 1)
    lake.samples("b.csv", 2)
    lake.collect()
    lake.samples("c.csv", 3)
    lake.samples("a.csv", 4, age=timedelta(minutes=5))

    assert lake.collect()["files"] == 2
    assert lake.days == [1, 2, 3, 4]


def test_a_file_that_somebody_may_be_writing_waits_for_the_next_time(lake: Lake) -> None:
    lake.samples("a.csv", 1, age=timedelta(seconds=3))
    assert lake.collect()["files"] == 1
    lake.clock.tick(minutes=1)
    assert lake.collect()["files"] == 1
    assert lake.days == [1]


def test_after_a_change_of_the_inventory_all_metrics_are_read_again(lake: Lake) -> None:
    lake.samples("a.csv", 1)
    lake.samples("b.csv", 2, resource="i-2")
    assert lake.collect()["refused"] == 1  # i-2 is unknown.
    both = "id,account,region,type\n" + "".join(
        f"{one},{ALPHA},us-east-1,m5.large\n" for one in ("i-1", "i-2")
    )
    lake.write("fleet.csv", both, age=timedelta(minutes=5))

    found = lake.collect()
    assert (found["files"], found["samples"], found["refused"]) == (3, 2, 0)
    assert lake.days == [1, 2]


def test_a_file_that_cannot_be_understood_does_not_hold_up_the_others(lake: Lake) -> None:
    lake.samples("a.csv", 1)
    lake.write("incoming/broken.csv", "what,is,this\n1,2,3\n")
    lake.samples("z.csv", 2)

    with pytest.raises(InvalidInput, match=r"source lake: 1 of 4 files were left out.*broken\.csv"):
        lake.collect()
    assert lake.days == [1, 2]
    with pytest.raises(InvalidInput, match=r"broken\.csv"):
        lake.collect()


def test_what_a_lost_lease_kept_from_being_seen_is_brought_in_the_next_time(lake: Lake) -> None:
    lake.samples("a.csv", 1)
    collector = lake.collector

    def lost(_connection: object) -> None:
        raise Conflict("given to another process")

    lake.collector = Collector(collector.state, collector.tiles, lake.clock, lost)
    with pytest.raises(Conflict):
        lake.collect()
    assert lake.days == []
    with collector.state.reading() as connection:
        assert not placements(connection)

    lake.collector = collector
    assert lake.collect()["files"] == 2
    assert lake.days == [1]


def test_patterns_and_absolute_paths_are_understood(lake: Lake) -> None:
    (lake.folder / "incoming" / "march").mkdir()
    lake.samples("march/a.csv", 1)
    lake.samples("b.csv", 2)
    incoming = lake.folder / "incoming"
    text = SOURCES.replace("[incoming]", f"['incoming/*/*.csv', '{incoming}/b*.csv']")
    lake.write("sources.yaml", text)

    lake.collect()

    assert lake.days == [1, 2]


def test_a_source_that_fails_does_not_hold_up_the_others(lake: Lake) -> None:
    lake.samples("a.csv", 1)
    gone = "  - {name: gone, kind: files, arguments: {metrics: [nowhere]}}\n"
    lake.write("sources.yaml", SOURCES.replace("sources:\n", f"sources:\n{gone}"))

    with pytest.raises(InvalidInput, match=r"source gone: .*nowhere: there is no such file"):
        lake.collect()
    assert lake.days == [1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "sources: [{name: a, kind: magic}]",
            "no kind of source 'magic'; expected one of aws, files, prometheus",
        ),
        ("sources: [{name: a}]", r"missing required field `kind` - at `\$\.sources\[0\]`"),
        (
            "sources: [{name: 'a b', kind: files}]",
            r"Expected `str` matching.*`\$\.sources\[0\]\.name`",
        ),
        ('sources: [{name: "a\\n", kind: files}]', r"matching.*`\$\.sources\[0\]\.name`"),
        (
            "sources: [{name: a, kind: files, arguments: {metric: x}}]",
            "source 'a', arguments: Object contains unknown field `metric`",
        ),
        ("sources: [{name: a, kind: files}, {name: a, kind: files}]", "'a' is listed more than"),
        ("sources: {a: 1}", "Expected `array`"),
        ("sources: [", "is no valid YAML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(text)

    with pytest.raises(InvalidInput, match=reason) as raised:
        read_sources(str(path))
    assert str(path) in str(raised.value)


def test_without_a_file_there_are_no_sources() -> None:
    assert read_sources("") == ()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"sources\.yaml: cannot be read"):
        read_sources(str(tmp_path / "sources.yaml"))
