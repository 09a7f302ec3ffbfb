"""Fleets made of the load of real machines: what holds for each resource, whatever the seed."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fleets.profiles import (
    CPU,
    GENERATED,
    MEMORY,
    NETWORK_IN,
    PERCENT,
    Profile,
    load_profiles,
    told,
)
from benchmarks.fleets.recipe import (
    LARGEST_FACTOR,
    SMALLEST_FACTOR,
    Fleet,
    Recipe,
    draw,
    fleet_of,
    likely_types,
    resource_of,
    samples_of,
)
from benchmarks.fleets.writing import store_fleet, write_import_files
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from compute_optimizer.model.resource import ShardKey
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.inventory import resources_of, shards
from compute_optimizer.store.tile_files import TileFile
from compute_optimizer.store.tiles import TileStore, read_samples, tile_paths
from tests.records import FixedClock

HALF_A_STEP = 0.0051
"""Percent: what rounding to hundredths moves a sample by, and what float32 adds."""


def profile(seed: int, days: int = 7) -> Profile:
    """A machine whose memory follows its CPU, with a gap in both."""
    random = np.random.default_rng(seed)
    cpu = random.uniform(0, 100, days * SLOTS_PER_DAY).astype(np.float32)
    memory = (30 + 0.4 * cpu + random.uniform(0, 10, len(cpu))).astype(np.float32)
    cpu[100:120] = memory[100:120] = np.nan
    series = {CPU: cpu, MEMORY: memory, NETWORK_IN: np.round(cpu * np.float32(1e6))}
    return Profile("Bitbrains", series, vcpus=4, memory_mib=16_384)


PROFILES = tuple(profile(seed) for seed in range(5))
SEEDS = st.integers(0, 2**63 - 1)
NUMBERS = st.integers(0, 10**6)


def undisturbed(seed: int, days: int = 7) -> Fleet:
    return fleet_of(Recipe(seed=seed, days=days, noise=0, gaps=0), PROFILES)


@given(SEEDS, NUMBERS, st.floats(0, 0.5), st.floats(0, 0.5))
@settings(max_examples=50, deadline=None)
def test_percentages_lie_between_0_and_100_and_counters_are_not_negative(
    seed: int, number: int, noise: float, gaps: float
) -> None:
    fleet = fleet_of(Recipe(seed=seed, days=2, noise=noise, gaps=gaps), PROFILES)

    for key, matrix in samples_of(fleet, [number]).items():
        known = matrix[~np.isnan(matrix)]
        assert (known >= 0).all()
        assert key not in PERCENT or (known <= 100).all()


@given(SEEDS, NUMBERS)
@settings(max_examples=50, deadline=None)
def test_a_resource_is_its_profile_scaled_and_shifted(seed: int, number: int) -> None:
    fleet = undisturbed(seed)
    drawn = draw(fleet, number)
    found = samples_of(fleet, [number])
    factors = {CPU: drawn.load_factor, MEMORY: drawn.memory_factor}

    for key, factor in factors.items():
        shifted = np.roll(PROFILES[drawn.profile].series[key], -drawn.shift)
        np.testing.assert_allclose(found[key][0], shifted * factor, rtol=0, atol=HALF_A_STEP)
        assert SMALLEST_FACTOR <= factor <= LARGEST_FACTOR


@given(SEEDS, NUMBERS)
@settings(max_examples=50, deadline=None)
def test_the_correlation_of_cpu_and_memory_is_that_of_the_profile(seed: int, number: int) -> None:
    fleet = undisturbed(seed)
    found = samples_of(fleet, [number])
    origin = PROFILES[draw(fleet, number).profile].series

    # A correlation knows neither factors nor the order of slots.
    assert correlation(found[CPU][0], found[MEMORY][0]) == pytest.approx(
        correlation(origin[CPU], origin[MEMORY]), abs=1e-3
    )


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    known = ~np.isnan(one) & ~np.isnan(other)
    return float(np.corrcoef(one[known], other[known])[0, 1])


def test_noise_spares_the_correlation() -> None:
    fleet = fleet_of(Recipe(days=7, noise=0.02), PROFILES)
    found = samples_of(fleet, [3])
    origin = PROFILES[draw(fleet, 3).profile].series

    # Of profiles whose memory spreads by 12 points, 2 % are one point at most.
    assert correlation(found[CPU][0], found[MEMORY][0]) == pytest.approx(
        correlation(origin[CPU], origin[MEMORY]), abs=0.03
    )


@given(SEEDS, st.lists(NUMBERS, min_size=2, max_size=5, unique=True))
@settings(max_examples=25, deadline=None)
def test_a_resource_depends_on_nothing_but_the_seed_and_its_number(
    seed: int, numbers: list[int]
) -> None:
    fleet = fleet_of(Recipe(seed=seed, days=1), PROFILES)
    together = samples_of(fleet, numbers)
    alone = samples_of(fleet_of(Recipe(seed=seed, days=1), PROFILES), numbers[-1:])

    for key, matrix in alone.items():
        assert matrix[0].tobytes() == together[key][-1].tobytes()


def test_another_seed_makes_another_fleet() -> None:
    one, other = (samples_of(undisturbed(seed), [1])[CPU] for seed in (1, 2))

    assert one.tobytes() != other.tobytes()


def test_gaps_take_about_their_share_and_all_series_at_once() -> None:
    fleet = fleet_of(Recipe(days=7, gaps=0.05, noise=0), PROFILES)
    found = samples_of(fleet, range(200))
    missing = np.isnan(found[CPU])

    np.testing.assert_array_equal(missing, np.isnan(found[MEMORY]))
    # 5 % and the 20 of 2,016 slots of each profile; gaps that overlap or end the window take less.
    assert 0.05 < missing.mean() < 0.06


def test_types_come_close_to_the_machine_that_was_measured() -> None:
    types = load_instance_types()
    places = [types.index[name] for name in likely_types(PROFILES[0])]

    # 4 vCPUs and 16 GiB: sizes that are sold.
    assert [types.vcpus[place] for place in places] == [4, 4, 4]
    assert [types.memory_mib[place] for place in places] == [16_384, 16_384, 16_384]


def test_the_real_traces_keep_their_sources_and_their_correlation(shared: Path) -> None:
    profiles = load_profiles(shared / "traces")
    fleet = fleet_of(Recipe(days=30, noise=0, gaps=0), profiles)
    numbers = [n for n in range(200) if fleet.profiles[draw(fleet, n).profile].slots == 30 * 288]
    found = samples_of(fleet, numbers)

    assert {one.source for one in profiles} == {"Bitbrains", "Azure", "PlanetLab", "NAB"}
    for row, number in enumerate(numbers):
        origin = fleet.profiles[draw(fleet, number).profile].series
        if np.nanstd(origin[CPU]) > 1 and np.nanstd(origin[MEMORY]) > 1:
            assert correlation(found[CPU][row], found[MEMORY][row]) == pytest.approx(
                correlation(origin[CPU], origin[MEMORY]), abs=0.01
            )


def test_without_traces_generated_machines_stand_in_and_say_so(tmp_path: Path) -> None:
    profiles = load_profiles(tmp_path / "absent")

    assert {one.source for one in profiles} == {GENERATED}
    assert "shared/traces is not here" in told(profiles)
    assert resource_of(fleet_of(Recipe(), profiles), 5).instance_type in load_instance_types().index


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[str], tuple[State, TileStore]]:
    def opened_at(name: str) -> tuple[State, TileStore]:
        (tmp_path / name).mkdir()
        state = State(f"sqlite:///{tmp_path / name / 'state.db'}")
        state.migrate()
        return state, TileStore(tmp_path / name / "tiles")

    return opened_at


def content(state: State, tiles: TileStore) -> dict[tuple[ShardKey, object], bytes]:
    """Every tile, byte for byte: the names of files differ, what is in them must not."""
    with state.reading() as connection:
        paths = tile_paths(connection)
    return {place: (tiles.root / "current" / path).read_bytes() for place, path in paths.items()}


def test_the_same_seed_writes_the_same_bytes_however_many_processes_write(
    opened: Callable[[str], tuple[State, TileStore]],
) -> None:
    found = []
    for workers in (0, 2):
        state, tiles = opened(f"by-{workers}")
        with closing(state):
            store_fleet(state, tiles, undisturbed(7, days=2), 40, workers=workers)
            found.append(content(state, tiles))

    # Two Regions of two days.
    assert len(found[0]) == 4
    assert found[0] == found[1]


def test_files_to_import_bring_what_is_stored_otherwise(
    opened: Callable[[str], tuple[State, TileStore]], tmp_path: Path
) -> None:
    fleet = fleet_of(Recipe(days=2), PROFILES)
    (stored, tiles), (imported, others) = opened("stored"), opened("imported")
    with closing(stored), closing(imported):
        store_fleet(stored, tiles, fleet, 30, workers=0)
        inventory, metrics = write_import_files(tmp_path / "files", fleet, 30, workers=0)
        clock = FixedClock(fleet.recipe.as_of)
        change_enrollment(imported, clock, fleet.recipe.account, "Active")
        ingest(imported, others, clock, ImportRequest(inventory, tuple(metrics)))
        with stored.reading() as one, imported.reading() as other:
            keys = shards(one)
            assert keys == shards(other)
            for key in keys:
                assert resources_of(one, key) == resources_of(other, key)
                wanted = list(samples_of(fleet, [0]))
                first = read_samples(one, tiles, key, fleet.recipe.window, wanted)
                second = read_samples(other, others, key, fleet.recipe.window, wanted)
                for series, matrix in first.series.items():
                    if not np.isnan(matrix).all():
                        np.testing.assert_array_equal(matrix, second.series[series])


def test_tiles_hold_whole_days_of_the_window(
    opened: Callable[[str], tuple[State, TileStore]],
) -> None:
    state, tiles = opened("one")
    with closing(state):
        store_fleet(state, tiles, undisturbed(1, days=3), 3, workers=0)
        with state.reading() as connection:
            paths = tile_paths(connection)
        with TileFile(tiles.root / "current" / next(iter(paths.values()))) as file:
            assert CPU in file.keys
    assert len({day for _, day in paths}) == 3
