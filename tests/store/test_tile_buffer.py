"""Samples become tiles whatever their order and however little memory there is."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey, Statistic
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.store import tile_buffer
from compute_optimizer.store.tile_buffer import (
    BUFFER_BYTES,
    Combining,
    Places,
    Repeated,
    SeriesId,
    TileBuffer,
)
from compute_optimizer.store.tile_files import Tile, same

CPU_AVERAGE = MetricKey("CPUUtilization", Statistic.AVERAGE), Combining.MEAN
CPU_MAXIMUM = MetricKey("CPUUtilization", Statistic.MAXIMUM), Combining.HIGHEST
NETWORK = MetricKey("NetworkIn", Statistic.SUM), Combining.TOTAL
NETWORK_RATE = MetricKey("NetworkIn", Statistic.SUM), Combining.MEAN

EAST = ShardKey("111111111111", "us-east-1", "Ec2Instance", 0)
WEST = ShardKey("111111111111", "us-west-2", "Ec2Instance", 0)
PLACES = Places(
    shards=[EAST, WEST],
    arns={EAST: ("a", "c"), WEST: ("b",)},
    shard=np.array([0, 1, 0]),
    row=np.array([0, 0, 1]),
)
"""Resources a, b and c; b lives elsewhere."""

MIDNIGHT = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp())
DAY = date(2026, 1, 31)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    """Put a and c into different blocks of their shard."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tile_buffer, "BLOCK_RESOURCES", 1)
        yield


@dataclass(frozen=True)
class Sample:
    series: SeriesId
    resource: int
    second: int
    value: float

    @property
    def moment(self) -> tuple[SeriesId, int, int]:
        return self.series, self.resource, self.second


Tiles = dict[tuple[ShardKey, date], Tile]


def buffered(
    samples: list[Sample], batch: int = 1, budget: int = BUFFER_BYTES
) -> tuple[Tiles, list[int]]:
    """Return the tiles of samples added in batches, and the positions of those replaced."""
    tiles: Tiles = {}
    replaced: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        spill = Path(folder) / "staging" / "spill"
        buffer = TileBuffer(PLACES, spill, budget)
        first = 0
        for group in batches(samples, batch):
            buffer.add(
                group[0].series,
                np.array([one.resource for one in group]),
                np.array([MIDNIGHT + one.second for one in group]),
                np.array([one.value for one in group], np.float32),
                np.arange(first, first + len(group)),
            )
            first += len(group)
        for filled in buffer.tiles():
            tiles[filled.key, filled.day] = filled.tile
            for repeated in filled.repeated:
                check_repeated(repeated, samples)
                replaced += repeated.origins.tolist()
        assert not spill.exists(), "what was spilled is removed when it has been read back"
    return tiles, sorted(replaced)


def check_repeated(repeated: Repeated, samples: list[Sample]) -> None:
    """A replaced sample is told with its own metric and moment."""
    for origin, second in zip(repeated.origins, repeated.seconds, strict=True):
        assert samples[origin].series[0] == repeated.metric
        assert MIDNIGHT + samples[origin].second == second


def batches(samples: list[Sample], size: int) -> list[list[Sample]]:
    """Return groups of one series and of at most `size`, in order."""
    groups: list[list[Sample]] = []
    for sample in samples:
        fits = groups and groups[-1][0].series == sample.series and len(groups[-1]) < size
        if fits:
            groups[-1].append(sample)
        else:
            groups.append([sample])
    return groups


def values(tiles: Tiles, series: SeriesId, resource: int = 0) -> dict[int, float]:
    """Return the values of a resource by slot after midnight of the first day."""
    key, row = PLACES.shards[PLACES.shard[resource]], PLACES.row[resource]
    found: dict[int, float] = {}
    for (shard, day), tile in tiles.items():
        if shard == key and series[0] in tile.series:
            matrix = tile.series[series[0]][row]
            slots = np.flatnonzero(~np.isnan(matrix))
            start = (day - DAY).days * SLOTS_PER_DAY
            found |= {start + int(slot): float(matrix[slot]) for slot in slots}
    return found


@pytest.mark.parametrize(
    ("series", "expected"), [(CPU_AVERAGE, 20.0), (CPU_MAXIMUM, 30.0), (NETWORK, 60.0)]
)
def test_samples_of_a_slot_are_combined_by_their_statistic(
    series: SeriesId, expected: float
) -> None:
    samples = [Sample(series, 0, 600 + 60 * n, value) for n, value in enumerate([10, 30, 20])]
    samples.append(Sample(series, 0, 900, 7.0))

    tiles, repeated = buffered(samples, batch=4)

    assert values(tiles, series) == {2: expected, 3: 7.0}
    assert repeated == []


@pytest.mark.parametrize("budget", [0, BUFFER_BYTES])
def test_of_samples_with_the_same_moment_the_last_stands(budget: int) -> None:
    """Within a batch and over batches, whether or not the earlier ones left the memory."""
    samples = [Sample(NETWORK, 0, second, value) for second, value in
               [(0, 5), (60, 1), (60, 2), (4, 9), (5, 2), (0, 7)]]  # fmt: skip

    tiles, replaced = buffered(samples, batch=4, budget=budget)

    assert replaced == [0, 1]
    assert values(tiles, NETWORK) == {0: 2 + 9 + 2 + 7}


@pytest.mark.parametrize(
    ("series", "expected"), [(CPU_AVERAGE, 149.5), (CPU_MAXIMUM, 299.0), (NETWORK, 44_850.0)]
)
def test_samples_of_every_second_all_count(series: SeriesId, expected: float) -> None:
    """The finest that CloudWatch takes: 300 in a slot, here 0 to 299, whose sum is 44,850."""
    tiles, replaced = buffered([Sample(series, 0, n, float(n)) for n in range(300)], batch=99)

    assert replaced == []
    assert values(tiles, series) == {0: expected}


def test_days_and_shards_become_tiles_of_their_own() -> None:
    samples = [
        Sample(CPU_MAXIMUM, 0, -1, 1.0),
        Sample(CPU_MAXIMUM, 1, 0, 2.0),
        Sample(CPU_MAXIMUM, 2, 86_399, 3.0),
    ]

    tiles, _ = buffered(samples, batch=3)

    before = DAY - timedelta(days=1)
    assert {key: tile.resource_arns for key, tile in tiles.items()} == {
        (EAST, before): ("a", "c"),
        (EAST, DAY): ("a", "c"),
        (WEST, DAY): ("b",),
    }
    assert values(tiles, CPU_MAXIMUM, 0) == {-1: 1.0}
    assert values(tiles, CPU_MAXIMUM, 1) == {0: 2.0}
    assert values(tiles, CPU_MAXIMUM, 2) == {287: 3.0}


def test_a_metric_that_comes_in_two_ways_takes_the_first_where_both_are() -> None:
    samples = [
        Sample(NETWORK_RATE, 0, 0, 1.0),
        Sample(NETWORK, 0, 0, 2.0),
        Sample(NETWORK, 0, 300, 3.0),
    ]

    assert values(buffered(samples)[0], NETWORK) == {0: 1.0, 1: 3.0}
    assert values(buffered(samples, budget=1)[0], NETWORK) == {0: 1.0, 1: 3.0}


def test_a_sum_beyond_float32_stops_there() -> None:
    largest = float(np.finfo(np.float32).max)

    tiles, _ = buffered([Sample(NETWORK, 0, 60 * n, largest) for n in range(2)], batch=2)

    assert values(tiles, NETWORK) == {0: largest}


def test_nothing_added_is_no_tile() -> None:
    assert buffered([]) == ({}, [])


SAMPLES = st.lists(
    st.builds(
        Sample,
        st.sampled_from([CPU_AVERAGE, CPU_MAXIMUM, NETWORK]),
        st.integers(0, 2),
        # Few slots around a midnight, so that many samples meet.
        st.integers(85_500, 87_300),
        st.floats(0, 100, width=32),
    ),
    max_size=60,
    unique_by=lambda sample: sample.moment,
)


def expected(samples: list[Sample]) -> dict[tuple[SeriesId, int], dict[int, float]]:
    """Return the value of every slot by series and resource, the plain way."""
    slots: dict[tuple[SeriesId, int, int], list[float]] = defaultdict(list)
    for one in samples:
        slots[one.series, one.resource, one.second // 300].append(one.value)
    found: dict[tuple[SeriesId, int], dict[int, float]] = defaultdict(dict)
    for (series, resource, slot), several in slots.items():
        found[series, resource][slot] = {
            Combining.MEAN: sum(several) / len(several),
            Combining.HIGHEST: max(several),
            Combining.TOTAL: sum(several),
        }[series[1]]
    return found


@settings(max_examples=50, deadline=None)
@given(SAMPLES, st.integers(1, 60))
def test_every_slot_holds_what_plain_arithmetic_says(samples: list[Sample], batch: int) -> None:
    tiles, repeated = buffered(samples, batch)

    assert repeated == []
    for (series, resource), slots in expected(samples).items():
        # float32: 24 bits.
        assert values(tiles, series, resource) == pytest.approx(slots, rel=1e-6, abs=1e-37)
    stored = sum(int(np.sum(~np.isnan(m))) for t in tiles.values() for m in t.series.values())
    assert stored == sum(len(slots) for slots in expected(samples).values())


@settings(max_examples=50, deadline=None)
@given(SAMPLES, st.randoms(use_true_random=False), st.integers(1, 60), st.sampled_from([0, 320]))
def test_neither_order_nor_memory_shows_in_the_tiles(
    samples: list[Sample], random: Random, batch: int, budget: int
) -> None:
    """Also with room for no sample at all, or for twenty."""
    straight, _ = buffered(samples, batch=60)
    random.shuffle(samples)

    shuffled, _ = buffered(samples, batch, budget)

    assert shuffled.keys() == straight.keys()
    for place, tile in straight.items():
        assert same(shuffled[place], tile)


@settings(max_examples=50, deadline=None)
@given(SAMPLES, st.integers(1, 60), st.sampled_from([0, BUFFER_BYTES]))
def test_samples_that_come_twice_count_once(samples: list[Sample], batch: int, budget: int) -> None:
    once, _ = buffered(samples, batch)

    twice, replaced = buffered([*samples, *samples], batch, budget)

    assert replaced == list(range(len(samples)))
    assert all(same(twice[place], tile) for place, tile in once.items())
