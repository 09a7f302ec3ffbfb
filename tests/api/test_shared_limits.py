"""Buckets that processes share: they hold over all of them, and survive one that dies."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from compute_optimizer.api import shared_limits
from compute_optimizer.api.limits import Level, TokenBuckets, per_minute
from compute_optimizer.api.shared_limits import SET_BYTES, SETS, WAYS, SharedLevels


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[SharedLevels]:
    opened = SharedLevels(tmp_path / "levels")
    yield opened
    opened.close()


def take_many(path: Path, times: int, passed: "multiprocessing.Queue[int]") -> None:
    levels = SharedLevels(path)
    buckets = per_minute(100.0, levels)
    passed.put(sum(buckets.take("192.0.2.7", 1.0) == 0.0 for _ in range(times)))
    levels.close()


def test_processes_take_from_one_bucket(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    passed = context.Queue()
    arguments = (tmp_path / "levels", 80, passed)
    processes = [context.Process(target=take_many, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    # 3 x 80 are asked for at one moment, and 100 are allowed a minute: not one more or less.
    assert sum(passed.get() for _ in processes) == 100


def die_holding(path: Path) -> None:
    levels = SharedLevels(path)
    levels.keep("a", Level(0.0, 1.0))
    with levels.hold("a"):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_lets_go_and_what_it_counted_stays(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=die_holding, args=(tmp_path / "levels",))
    process.start()
    process.join()
    successor = SharedLevels(tmp_path / "levels")

    # Nothing is left in the bucket, and a token a second comes back.
    assert TokenBuckets(rate=1.0, burst=5.0, levels=successor).take("a", 1.0) == 1.0
    successor.close()


def test_keys_have_buckets_of_their_own(levels: SharedLevels) -> None:
    buckets = TokenBuckets(rate=1.0, burst=1.0, levels=levels)

    assert [buckets.take(key, 5.0) for key in ("a", "b", "a")] == [0.0, 0.0, 1.0]


def test_only_their_owner_may_read_and_change_them(levels: SharedLevels, tmp_path: Path) -> None:
    status = (tmp_path / "levels").stat()

    assert (status.st_mode & 0o777, status.st_size) == (0o600, SETS * SET_BYTES)


def test_of_keys_that_want_the_same_places_the_one_touched_longest_ago_is_dropped(
    levels: SharedLevels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_limits, "SETS", 1)
    for number in range(WAYS):
        levels.keep(str(number), Level(0.0, 10.0 + number))
    levels.keep("0", Level(0.0, 30.0))

    levels.keep("one more", Level(0.5, 31.0))

    # "1" was touched at 11 s, longest ago once "0" came again.
    assert levels.level("1") is None
    assert levels.level("0") == Level(0.0, 30.0)
    assert levels.level("one more") == Level(0.5, 31.0)
