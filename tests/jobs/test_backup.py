"""Backups of one moment, and what comes back from them; from and into both kinds of database."""

import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import select

from compute_optimizer.errors import Conflict, InvalidInput, NotFound, StoreUnavailable
from compute_optimizer.jobs import backup as backup_job
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.backup import BackupRequest, back_up
from compute_optimizer.jobs.purge import purge_opted_out
from compute_optimizer.jobs.restore import Restored, RestoreRequest, restore
from compute_optimizer.jobs.retention import Retention, retain
from compute_optimizer.store import State, backup_files, state_copy
from compute_optimizer.store.backup_files import MANIFEST, Manifest
from compute_optimizer.store.schema import sealing_keys
from compute_optimizer.store.tile_pins import pinning
from compute_optimizer.store.tiles import PINNED, TileStore, sweep, tile_paths
from tests.buckets import in_bucket
from tests.enrolling import ALPHA, BETA, Desk, HandClock, opt_in
from tests.every_table import every_row
from tests.states import FreshUrl
from tests.stored_fleets import BUSY, QUIET, store_fleet

DAYS = 14
"""Of samples: a tile each."""


@dataclass(frozen=True)
class Place:
    """A state with its tiles and its key file."""

    state: State
    folder: Path
    clock: HandClock
    tiles_url: str = ""
    """Of a bucket, where the tiles lie in one."""

    @property
    def tiles(self) -> TileStore:
        root = self.folder / "tiles"
        return in_bucket(root, self.tiles_url, self.state) if self.tiles_url else TileStore(root)

    @property
    def key_file(self) -> Path:
        return self.folder / "secrets.key"

    def back_up(self, target: Path, *, with_key: bool = False) -> Manifest:
        request = BackupRequest(target, self.key_file if with_key else None)
        return back_up(self.state, self.tiles, self.clock, request, silently)

    def restore(self, source: Path, *, overwrite: bool = False) -> Restored:
        request = RestoreRequest(source, self.key_file, overwrite)
        return restore(self.state, self.tiles, request, silently)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.state.reading() as connection:
            return every_row(connection)

    def named(self) -> dict[str, bytes]:
        """Return the content of every tile that the state names."""
        with self.state.reading() as connection:
            paths = list(tile_paths(connection).values())
        with TemporaryDirectory(dir=self.folder) as copies:
            assert self.tiles.place.copy(paths, Path(copies)) is None
            return {path: (Path(copies) / path).read_bytes() for path in paths}

    def current(self) -> set[str]:
        root = self.tiles.root / "current"
        return {one.relative_to(root).as_posix() for one in root.rglob("*.parquet")}


def silently(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def original(fresh_sqlite: FreshUrl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled store in one folder, its database and its data: made once, to be copied."""
    folder, url = tmp_path_factory.mktemp("original"), fresh_sqlite()
    with closing(State(url)) as state:
        filled(state, folder)
    shutil.copyfile(url.removeprefix("sqlite:///"), folder / "state.db")
    return folder


@pytest.fixture
def place(original: Path, tmp_path: Path) -> Iterator[Place]:
    """A filled store where the kind of its database does not matter."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        yield Place(state, tmp_path / "data", HandClock())


@pytest.fixture
def either(state: State, tmp_path: Path) -> Place:
    """A filled store on each kind of database in turn."""
    return filled(state, tmp_path)


def filled(state: State, tmp_path: Path) -> Place:
    """Return two accounts, one machine with two weeks of samples in each, analyzed."""
    return fill(Place(state, tmp_path / "data", HandClock()))


def fill(made: Place) -> Place:
    """Do so where the place says."""
    state = made.state
    opt_in(state, ALPHA, BETA, clock=made.clock)
    for account, cpu in ((ALPHA, QUIET), (BETA, BUSY)):
        store_fleet(state, made.tiles, account, cpu=[cpu], days=DAYS)
    made.key_file.write_bytes(b"the key of the place")
    analyze(state, made.tiles, made.clock, workers=1)
    return made


@pytest.fixture
def empty(fresh_sqlite: FreshUrl, tmp_path: Path) -> Iterator[Place]:
    """Somewhere to restore to."""
    with closing(State(fresh_sqlite())) as state:
        yield Place(state, tmp_path / "empty", HandClock())


@pytest.fixture
def either_empty(fresh_url: FreshUrl, tmp_path: Path) -> Iterator[Place]:
    """Somewhere to restore to, of each kind in turn."""
    with closing(State(fresh_url())) as state:
        yield Place(state, tmp_path / "empty", HandClock())


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Something to back up from, of each kind in turn, whatever is restored to."""
    fresh: FreshUrl = request.getfixturevalue(f"fresh_{request.param}")
    with closing(State(fresh())) as state:
        yield filled(state, tmp_path)


@pytest.mark.parametrize("name", ["backup", "backup.tar", "backup.tar.gz"])
def test_all_of_it_comes_back(place: Place, empty: Place, tmp_path: Path, name: str) -> None:
    check_that_all_comes_back(place, empty, tmp_path / name)


def test_all_of_it_comes_back_on_either_database(
    source: Place, either_empty: Place, tmp_path: Path
) -> None:
    check_that_all_comes_back(source, either_empty, tmp_path / "backup")


def check_that_all_comes_back(place: Place, empty: Place, target: Path) -> None:
    wanted, tiles = place.rows(), place.named()

    made = place.back_up(target)
    found = empty.restore(target)

    assert empty.rows() == wanted
    assert empty.named() == tiles
    assert found.manifest == made
    assert (found.tiles, found.rows) == (2 * DAYS, sum(map(len, wanted.values())))
    assert not empty.key_file.exists()


def test_tiles_come_back_from_one_bucket_into_another(
    sqlite_state: State, empty: Place, tiles_url: str, tmp_path: Path
) -> None:
    source = fill(Place(sqlite_state, tmp_path / "data", HandClock(), f"{tiles_url}/source"))
    target = replace(empty, tiles_url=f"{tiles_url}/target")

    check_that_all_comes_back(source, target, tmp_path / "backup")

    # Nothing stays on this machine that only a bucket should hold, pins of the backup included.
    for one in (source, target):
        assert one.current() == set()
        assert list((one.folder / "tiles").rglob("*.parquet")) == []
    assert len(target.tiles.place.files("current")) == 2 * DAYS


def test_tiles_of_a_bucket_come_back_into_a_folder(
    sqlite_state: State, empty: Place, tiles_url: str, tmp_path: Path
) -> None:
    source = fill(Place(sqlite_state, tmp_path / "data", HandClock(), tiles_url))

    check_that_all_comes_back(source, empty, tmp_path / "backup.tar")


def test_what_comes_back_can_be_analyzed_to_the_same_end(place: Place, tmp_path: Path) -> None:
    before = analyze(place.state, place.tiles, place.clock, workers=1)
    place.back_up(tmp_path / "backup")

    # A backup is a data folder; this one stays as it is, and its copy is used.
    shutil.copytree(tmp_path / "backup", tmp_path / "copy")
    with closing(State(f"sqlite:///{tmp_path / 'copy' / 'state.db'}")) as state:
        again = analyze(state, TileStore(tmp_path / "copy" / "tiles"), place.clock, workers=1)

    assert again.tally == before.tally
    assert again.tally.resources == 2


def test_a_backup_is_of_one_moment_whatever_goes_on_after_it(
    either: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, tiles = either.rows(), either.named()

    def purge_and_forget_first(*arguments: Any) -> None:
        """Do at the worst moment what takes files away: the view stands, nothing is copied yet."""
        other = State(either.state.url)
        clock = HandClock(either.clock.moment + timedelta(days=1))
        Desk(other, clock).opt_out(BETA)
        assert purge_opted_out(other, either.tiles, clock, timedelta(0)) == (BETA,)
        assert retain(other, either.tiles, clock, Retention(5)).tiles > 0
        other.close()
        state_copy.write_snapshot(*arguments)

    monkeypatch.setattr(backup_job, "write_snapshot", purge_and_forget_first)
    either.back_up(tmp_path / "backup")
    assert either.named().keys() < tiles.keys()

    monkeypatch.undo()
    either.restore(tmp_path / "backup", overwrite=True)
    assert either.rows() == wanted
    assert either.named() == tiles


def test_a_tile_that_went_between_reading_and_pinning_means_another_look(
    either: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = backup_job._view
    looks: list[int] = []

    def purge_after_the_first_look(*arguments: Any) -> Any:
        looks.append(1)
        found = view(*arguments)
        if len(looks) == 1:
            other = State(either.state.url)
            Desk(other, either.clock).opt_out(BETA)
            purge_opted_out(other, either.tiles, either.clock, timedelta(0))
            other.close()
        return found

    monkeypatch.setattr(backup_job, "_view", purge_after_the_first_look)
    made = either.back_up(tmp_path / "backup")

    assert len(looks) == 2
    assert sum(one.path.endswith(".parquet") for one in made.files) == DAYS
    assert not any(BETA in one.path for one in made.files)


def test_a_tile_that_is_lost_is_named(place: Place, tmp_path: Path) -> None:
    lost = min(place.current())
    (place.tiles.root / "current" / lost).unlink()

    with pytest.raises(StoreUnavailable, match=lost):
        place.back_up(tmp_path / "backup")

    assert not (tmp_path / "backup").exists()


def test_pins_are_gone_after_a_backup_and_those_of_a_dead_one_after_a_sweep(
    place: Place, tmp_path: Path
) -> None:
    place.back_up(tmp_path / "backup")
    pins = place.tiles.root / PINNED
    assert not pins.exists()

    (pins / "left").mkdir(parents=True)
    with place.tiles.locked():
        sweep(place.state, place.tiles)
    assert not pins.exists()


def test_a_sweep_leaves_the_pins_of_a_backup_that_is_being_made(place: Place) -> None:
    with pinning(place.tiles) as pins, place.tiles.locked():
        (pins / "kept").mkdir(parents=True)
        sweep(place.state, place.tiles)

        assert (pins / "kept").exists()


def test_two_backups_of_one_store_do_not_run_at_once(place: Place, tmp_path: Path) -> None:
    with pinning(place.tiles), pytest.raises(Conflict, match="another backup"):
        place.back_up(tmp_path / "backup")


def test_a_file_system_without_hard_links_is_copied_from(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    assert len(place.back_up(tmp_path / "backup").files) == 1 + 2 * DAYS


def test_the_key_file_is_taken_in_on_request_only(
    place: Place, empty: Place, tmp_path: Path
) -> None:
    assert not place.back_up(tmp_path / "without").has_key
    assert place.back_up(tmp_path / "with.tar", with_key=True).has_key

    assert empty.restore(tmp_path / "without").key_file == "not in the backup"
    assert empty.restore(tmp_path / "with.tar", overwrite=True).key_file == "restored"

    assert empty.key_file.read_bytes() == b"the key of the place"
    assert empty.key_file.stat().st_mode & 0o777 == 0o600
    assert empty.restore(tmp_path / "with.tar", overwrite=True).key_file == "unchanged"


def test_another_key_file_is_not_replaced_unless_told(
    place: Place, empty: Place, tmp_path: Path
) -> None:
    place.back_up(tmp_path / "backup", with_key=True)
    empty.folder.mkdir()
    empty.key_file.write_bytes(b"another key")
    before = empty.rows()

    with pytest.raises(Conflict, match="key file"):
        empty.restore(tmp_path / "backup")

    assert (empty.rows(), empty.current()) == (before, set())
    assert empty.restore(tmp_path / "backup", overwrite=True).key_file == "restored"


def test_a_key_file_that_is_not_there_is_named(place: Place, tmp_path: Path) -> None:
    place.key_file.unlink()

    with pytest.raises(NotFound, match=r"secrets\.key"):
        place.back_up(tmp_path / "backup", with_key=True)


def test_a_state_that_holds_something_is_replaced_only_when_told(
    either: Place, tmp_path: Path
) -> None:
    either.back_up(tmp_path / "backup")
    store_fleet(either.state, either.tiles, ALPHA, cpu=[BUSY], days=2)
    rows, tiles = either.rows(), either.named()

    with pytest.raises(Conflict, match="--overwrite"):
        either.restore(tmp_path / "backup")

    assert (either.rows(), either.named()) == (rows, tiles)
    either.restore(tmp_path / "backup", overwrite=True)
    # What the restored state does not name is swept.
    assert either.current() == either.named().keys() != tiles.keys()


def test_what_exists_is_never_written_over(place: Place, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    (tmp_path / "file.tar").write_text("mine")

    for name in ("folder", "file.tar"):
        with pytest.raises(Conflict, match=name):
            place.back_up(tmp_path / name)
    with pytest.raises(NotFound, match="no-such"):
        place.back_up(tmp_path / "no-such" / "backup")

    assert (tmp_path / "folder" / "mine").read_text() == "mine"
    assert (tmp_path / "file.tar").read_text() == "mine"


def test_what_a_killed_backup_left_is_removed_by_the_next_one(place: Place, tmp_path: Path) -> None:
    left = tmp_path / ".backup.partial" / "backup" / "state.db"
    left.parent.mkdir(parents=True)
    left.write_text("half")

    place.back_up(tmp_path / "backup")

    assert [one.name for one in tmp_path.glob(".*")] == []


def test_a_disk_without_room_is_told_before_anything_is_written(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.back_up(tmp_path / "whole")
    monkeypatch.setattr(backup_files, "SPARE_BYTES", 2**60)

    # Told of folders that the operator knows, not of those that are made on the way.
    with pytest.raises(StoreUnavailable, match=f"^{tmp_path} has .* MiB free"):
        place.back_up(tmp_path / "backup")
    with pytest.raises(StoreUnavailable, match=r"/tiles has .* MiB free"):
        place.restore(tmp_path / "whole", overwrite=True)

    assert not (tmp_path / "backup").exists()


def damaged_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_damage_to_any_file_is_found_before_anything_is_replaced(
    place: Place, empty: Place, tmp_path: Path
) -> None:
    made = place.back_up(tmp_path / "backup")
    before = empty.rows()
    tile = next(one.path for one in made.files if one.path.endswith(".parquet"))
    for name in ("state.db", tile):
        broken = tmp_path / "broken"
        shutil.copytree(tmp_path / "backup", broken)
        damaged_byte(broken / name)
        with pytest.raises(InvalidInput, match=f"{name} is damaged"):
            empty.restore(broken)
        (broken / name).unlink()
        with pytest.raises(InvalidInput, match=f"{name} is missing"):
            empty.restore(broken)
        shutil.rmtree(broken)

    assert (empty.rows(), empty.current()) == (before, set())


def test_an_archive_that_was_cut_off_is_refused(place: Place, empty: Place, tmp_path: Path) -> None:
    place.back_up(tmp_path / "backup.tar")
    whole = (tmp_path / "backup.tar").read_bytes()

    for length in (0, 100, len(whole) // 2, len(whole) * 9 // 10):
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        with pytest.raises((InvalidInput, NotFound), match=r"cut\.tar"):
            empty.restore(tmp_path / "cut.tar")

    assert empty.current() == set()


@pytest.mark.parametrize("name", ["../outside", "/outside", "tiles/current/../../outside", "other"])
def test_an_archive_that_leads_elsewhere_is_refused(
    place: Place, empty: Place, tmp_path: Path, name: str
) -> None:
    place.back_up(tmp_path / "backup")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.add(tmp_path / "backup" / "state.db", arcname=name)

    with pytest.raises(InvalidInput, match="that no backup has"):
        empty.restore(tmp_path / "evil.tar")

    assert not list(tmp_path.rglob("outside"))


def test_a_list_that_leaves_files_out_is_refused(
    place: Place, empty: Place, tmp_path: Path
) -> None:
    place.back_up(tmp_path / "backup")
    path = tmp_path / "backup" / MANIFEST
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"files": told["files"][1:]}))

    with pytest.raises(InvalidInput, match="does not list its files"):
        empty.restore(tmp_path / "backup")


def test_a_later_format_is_refused_with_its_number(
    place: Place, empty: Place, tmp_path: Path
) -> None:
    place.back_up(tmp_path / "backup")
    path = tmp_path / "backup" / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))

    with pytest.raises(InvalidInput, match="format 2"):
        empty.restore(tmp_path / "backup")


@pytest.mark.parametrize("name", ["nothing", "nothing.tar", "data"])
def test_what_is_no_backup_is_refused(
    place: Place, empty: Place, tmp_path: Path, name: str
) -> None:
    assert place.folder.name == "data"
    with pytest.raises(NotFound, match=name):
        empty.restore(tmp_path / name)


def test_a_restore_waits_for_no_import(place: Place, tmp_path: Path) -> None:
    place.back_up(tmp_path / "backup")

    with place.tiles.locked(), pytest.raises(Conflict, match="such as an import"):
        place.restore(tmp_path / "backup", overwrite=True)


def test_page_tokens_stay_good_over_a_restore(place: Place, empty: Place, tmp_path: Path) -> None:
    place.back_up(tmp_path / "backup")
    empty.restore(tmp_path / "backup")

    with place.state.reading() as one, empty.state.reading() as other:
        keys = [connection.execute(select(sealing_keys.c.key)).all() for connection in (one, other)]

    assert keys[0] == keys[1]
