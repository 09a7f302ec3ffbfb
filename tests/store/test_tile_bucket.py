"""Tiles in a bucket, where they differ from a folder: requests, refusals, and crashes between them.

What both have in common is in test_tiles.py.
"""

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import numpy as np
import pytest

from compute_optimizer.errors import Conflict, InvalidInput, StoreUnavailable
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Window
from compute_optimizer.store import State, tile_bucket, tiles
from compute_optimizer.store.rights import Rights
from compute_optimizer.store.tile_bucket import AT_ONCE, TileBucket
from tests.buckets import in_bucket, keys_in
from tests.one_shard import CPU, DAY, files, put, read
from tests.states import FreshUrl
from tests.waiting import SECONDS


@pytest.fixture
def place(tiles_url: str, sqlite_state: State) -> TileBucket:
    return TileBucket(tiles_url, Rights(sqlite_state.url))


def counted(calls: list[str]) -> Callable[..., None]:
    def note(event_name: str, **_: Any) -> None:
        calls.append(event_name.rpartition(".")[2])

    return note


def test_a_tile_takes_one_request_to_write_and_one_to_read(
    sqlite_state: State, tiles_url: str, tmp_path: Path
) -> None:
    store = in_bucket(tmp_path / "tiles", tiles_url, sqlite_state)
    calls: list[str] = []
    events, note = tile_bucket.client().meta.events, counted(calls)
    events.register("before-send.s3", note)

    put(sqlite_state, store, {CPU: np.ones((1, 3 * SLOTS_PER_DAY), np.float32)})
    written, calls[:] = list(calls), []
    read(sqlite_state, store, Window(DAY, DAY.replace(month=2, day=2)), CPU)
    events.unregister("before-send.s3", note)

    assert written == ["PutObject"] * 3
    assert calls == ["GetObject"] * 3


@pytest.mark.parametrize("url", ["bucket/fleet", "s3://", "https://bucket/fleet"])
def test_a_url_that_is_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"tiles_url .* expected s3://BUCKET/PREFIX"):
        TileBucket(url, Rights("sqlite:///state.db"))


def test_a_bucket_that_is_not_there_is_named(place: TileBucket) -> None:
    place.check()
    with pytest.raises(InvalidInput, match=r"s3://no-such-bucket/x: .*make the bucket"):
        TileBucket("s3://no-such-bucket/x", place.rights).check()


def test_a_tile_that_is_gone_is_named(place: TileBucket) -> None:
    with pytest.raises(StoreUnavailable, match=rf"{place.url}/current/a.parquet does not exist"):
        list(place.open_all(["a.parquet"]))


def test_the_password_of_the_state_is_in_no_text() -> None:
    place = TileBucket("s3://bucket/x", Rights("postgresql://optimizer:hush@db/x"))

    assert "hush" not in f"{place} {place.rights!r}"
    assert pickle.loads(pickle.dumps(place)) == place


def test_a_right_that_was_lost_publishes_nothing(
    fresh_postgresql: FreshUrl, tiles_url: str, tmp_path: Path
) -> None:
    with closing(State(fresh_postgresql())) as state:
        store = in_bucket(tmp_path / "tiles", tiles_url, state)
        put(state, store, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})
        staged = [store.stage(one.key, one.day, one.tile) for one in _again(state, store)]
        with pytest.raises(Conflict, match="the right to import was lost"), store.locked():
            with state.writing() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks "
                    "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                )
            tiles.publish(state, store, staged)
        assert (read(state, store, Window(DAY, DAY), CPU).series[CPU] == 1).all()


def _again(state: State, store: tiles.TileStore) -> list[Any]:
    from compute_optimizer.store.tile_buffer import FilledTile
    from compute_optimizer.store.tile_files import Tile
    from tests.inventoried import instance
    from tests.one_shard import KEY

    two = Tile((instance(1).arn,), {CPU: np.full((1, SLOTS_PER_DAY), 2, np.float32)})
    return [FilledTile(KEY, DAY, two)]


class Flaky:
    """A store that answers some requests with 503 before it answers at all."""

    def __init__(self, failures: int) -> None:
        self.left, self.asked = failures, 0

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        self.asked += 1
        if self.left:
            self.left -= 1
            start("503 Slow Down", [("Content-Length", "0")])
            return [b""]
        start("200 OK", [("Content-Length", "4")])
        return [b"tile"]


class Gathering:
    """A store that answers when so many requests are there at once."""

    def __init__(self, requests: int) -> None:
        self.all_there = Barrier(requests)

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        self.all_there.wait(SECONDS)
        start("200 OK", [("Content-Length", "4")])
        return [b"tile"]


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flaky]:
    app = Flaky(2)
    with served(app, monkeypatch):
        yield app


@contextmanager
def served(app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let buckets be in a store for as long as the block lasts."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    tile_bucket.client.cache_clear()
    yield
    tile_bucket.client().close()
    tile_bucket.client.cache_clear()
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_fails_in_passing_is_asked_again(flaky: Flaky, tmp_path: Path) -> None:
    place = TileBucket("s3://bucket/x", Rights("sqlite:///state.db"))

    assert place.copy(["a.parquet"], tmp_path) is None

    assert (tmp_path / "a.parquet").read_bytes() == b"tile"
    assert flaky.asked == 3  # Two refusals and the answer.


def test_readers_side_by_side_each_keep_their_connections(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    place = TileBucket("s3://bucket/x", Rights("sqlite:///state.db"))
    paths = [f"{number}.parquet" for number in range(AT_ONCE)]

    with served(Gathering(2 * AT_ONCE), monkeypatch), ThreadPoolExecutor(2) as readers:
        tile_bucket.client()  # One for both, which two that come first at once would not have.
        found = list(readers.map(partial(place.copy, paths), [tmp_path / "a", tmp_path / "b"]))

    assert found == [None, None]
    # urllib3 warns of each connection that it closes because it keeps fewer.
    assert "pool is full" not in caplog.text


# kill -9

DRIVER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from compute_optimizer.store import State, tile_bucket
from tests.buckets import in_bucket
from tests.one_shard import CPU, put

url, *folders = sys.argv[1:]
tile_bucket.client()
for left, folder in enumerate(folders):
    if (child := os.fork()) == 0:
        def watch(left=[left], **_):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        state = State(f"sqlite:///{folder}/state.db")
        tile_bucket.client().meta.events.register("before-send.s3", watch)
        store = in_bucket(Path(folder) / "tiles", f"{url}/{Path(folder).name}", state)
        put(state, store, {CPU: np.full((1, 2 * SLOTS_PER_DAY), 2, np.float32)})
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Stores new samples for each folder, and dies before the n-th request to the bucket.

What takes long is done before it is forked: a client.
"""

REQUESTS = 10
"""More than an import of two days makes: 2 GET, 2 PUT, 2 COPY, 1 to remove."""


def test_an_import_that_is_killed_leaves_the_old_view_or_the_new_one(
    fresh_sqlite: FreshUrl, tiles_url: str, s3: Any, tmp_path: Path
) -> None:
    folders = []
    for number in range(REQUESTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copyfile(fresh_sqlite().removeprefix("sqlite:///"), folder / "state.db")
        with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
            store = in_bucket(folder / "tiles", f"{tiles_url}/{number}", state)
            put(state, store, {CPU: np.ones((1, 2 * SLOTS_PER_DAY), np.float32)})
        folders.append(str(folder))
    root = Path(__file__).parents[2]

    ended = subprocess.run(
        [sys.executable, "-c", DRIVER, tiles_url, *folders],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )

    codes = [int(line) for line in ended.stdout.split()]
    assert codes == sorted(codes)
    assert {codes[0], codes[-1]} == {-9, 0}
    seen = [_view(folder, f"{tiles_url}/{Path(folder).name}") for folder in folders]
    assert seen == sorted(seen)
    assert set(seen) == {1.0, 2.0}
    # Killed after it had been published, and before all of the old objects were away.
    assert any(code == -9 and view == 2.0 for code, view in zip(codes, seen, strict=True))
    names = [key for key in keys_in(s3, tiles_url.split("/")[2]) if "/current/" in key]
    assert len(names) == 2 * REQUESTS


def _view(folder: str, url: str) -> float:
    """Return the one value that every sample has, once what the crash left was swept."""
    with closing(State(f"sqlite:///{folder}/state.db")) as state:
        store = in_bucket(Path(folder) / "tiles", url, state)
        before = read(state, store, Window(DAY, DAY.replace(month=2, day=1)), CPU).series[CPU]
        with store.locked():
            tiles.sweep(state, store)
        after = read(state, store, Window(DAY, DAY.replace(month=2, day=1)), CPU).series[CPU]
        assert len(files(store, "current")) == 2
    (value,) = np.unique(np.concatenate([before, after])).tolist()
    return float(value)
