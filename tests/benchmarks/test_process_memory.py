"""How memory that grows is told from memory that is taken once."""

import mmap
import os
from multiprocessing.connection import Connection

import pytest

from benchmarks.process_memory import growth, private_mb
from tests.forked import CONTEXT
from tests.waiting import SECONDS


def test_growth_is_told_by_100_000_answers() -> None:
    # 3 MB more with each 50,000 answers: 6 with 100,000.
    samples = [(number * 50_000, 120.0 + number * 3) for number in range(20)]

    assert growth(samples) == pytest.approx(6.0)


def test_what_is_taken_while_warming_up_is_no_growth() -> None:
    samples = [(number * 10_000, 100.0 if number < 25 else 180.0) for number in range(100)]

    assert growth(samples) == pytest.approx(0.0, abs=1e-9)


def test_a_run_that_is_hardly_more_than_its_warm_up_says_nothing_of_growth() -> None:
    # 350,000 answers of warm-up, and 340,000 behind them.
    samples = [(number * 10_000, 100.0 + number) for number in range(70)]

    assert growth(samples) is None
    # With the 700,000th, a megabyte with each 10,000 answers is ten with 100,000.
    assert growth([*samples, (700_000, 170.0)]) == pytest.approx(10.0)


def take(here: Connection) -> None:
    """Write to a mapping between two questions of what this process has.

    A mapping: what the allocator hands out may have been the process's before.
    """
    megabyte = os.urandom(1 << 20)
    with mmap.mmap(-1, 32 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as taken:
        here.send("mapped")
        here.recv()
        for _ in range(32):
            taken.write(megabyte)
        here.send("written")
        here.recv()


def test_memory_that_is_written_to_counts_as_private() -> None:
    # Of a process that does nothing else: this one has threads of other tests.
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=take, args=(there,))
    process.start()
    assert process.pid is not None
    assert here.recv() == "mapped"
    before = private_mb(process.pid)
    here.send("go on")
    assert here.recv() == "written"
    after = private_mb(process.pid)
    here.send("that is all")
    process.join(SECONDS)

    assert process.exitcode == 0
    assert after - before == pytest.approx((32 << 20) / 1e6, abs=4)
