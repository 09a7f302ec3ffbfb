"""What volumes can do, held to the limits that the Amazon EBS User Guide states."""

import numpy as np
import pytest

from compute_optimizer.catalog.volume_types import (
    Curve,
    Figures,
    VolumeType,
    load_volume_types,
    needed,
    performance_of,
)

NOTHING = np.nan


def kind(name: str) -> VolumeType:
    types = load_volume_types()
    return types.types[types.index[name]]


def one(value: float) -> Figures:
    return np.array([value])


def limits(
    name: str, gib: float, iops: float = NOTHING, throughput: float = NOTHING
) -> list[float]:
    """Return baseline and burst IOPS, baseline and burst throughput."""
    found = performance_of(kind(name), one(gib), one(iops), one(throughput))
    return [
        float(figure[0])
        for figure in (found.iops, found.burst_iops, found.throughput, found.burst_throughput)
    ]


@pytest.mark.parametrize(
    ("gib", "expected"),
    [
        # 3 IOPS for each GiB, 100 at least: 33 GiB have 99, 34 have 102.
        (33, [100, 3000, 128, 128]),
        (34, [102, 3000, 128, 128]),
        (170, [510, 3000, 128, 128]),
        (171, [513, 3000, 128, 250]),
        (333, [999, 3000, 128, 250]),
        (334, [1002, 3000, 250, 250]),
        (1000, [3000, 3000, 250, 250]),
        (1001, [3003, 3003, 250, 250]),
        (5333, [15999, 15999, 250, 250]),
        (5334, [16000, 16000, 250, 250]),
    ],
)
def test_gp2_has_its_performance_by_size(gib: float, expected: list[float]) -> None:
    assert limits("gp2", gib) == pytest.approx(expected)


def test_gp3_has_what_is_provisioned_or_what_is_included() -> None:
    assert limits("gp3", 100) == [3000, 3000, 125, 125]
    assert limits("gp3", 100, 5000, 300) == [5000, 5000, 300, 300]


@pytest.mark.parametrize(
    ("iops", "throughput"), [(100, 25), (2000, 500), (32000, 500), (48000, 750), (64000, 1000)]
)
def test_io1_has_its_throughput_by_its_iops(iops: float, throughput: float) -> None:
    # 256 KiB each to 500 MiB/s; beyond 32,000 IOPS 16 KiB each: 48000 / 64 = 750.
    assert limits("io1", 1280, iops) == pytest.approx([iops, iops, throughput, throughput])


@pytest.mark.parametrize(
    ("name", "gib", "throughput", "burst"),
    [
        ("st1", 1024, 40, 250),
        ("st1", 2048, 80, 500),
        ("st1", 16384, 500, 500),
        ("sc1", 1024, 12, 80),
        ("sc1", 16384, 192, 250),
    ],
)
def test_hard_disks_have_their_throughput_by_size(
    name: str, gib: float, throughput: float, burst: float
) -> None:
    assert limits(name, gib)[2:] == pytest.approx([throughput, burst])


@pytest.mark.parametrize(
    ("name", "gib", "iops", "throughput", "expected"),
    [
        ("gp2", 10, 90, 100, 10),
        # 500 / 3 = 166.7 GiB.
        ("gp2", 10, 500, 100, 167),
        ("gp2", 10, 300, 100, 100),
        ("gp2", 10, 90, 129, 334),
        # 500 IOPS for each GiB beyond what is included.
        ("gp3", 5, 3000, 10, 5),
        ("gp3", 5, 3001, 10, 7),
        ("gp3", 160, 80000, 10, 160),
        ("gp3", 159, 80000, 10, 160),
        # 1000 MiB/s take 4000 IOPS, which take 8 GiB.
        ("gp3", 5, 100, 1000, 8),
        ("io1", 4, 201, 10, 5),
        ("st1", 10, 10, 1, 125),
        ("st1", 10, 10, 40, 1024),
    ],
)
def test_the_smallest_volume_that_carries_a_demand(
    name: str, gib: float, iops: float, throughput: float, expected: float
) -> None:
    found = needed(kind(name), one(gib), one(iops), one(throughput))

    assert found.feasible.tolist() == [True]
    assert found.gib.tolist() == [expected]
    assert found.performance.iops[0] >= iops
    assert found.performance.throughput[0] >= throughput - 1e-6


@pytest.mark.parametrize(
    ("name", "iops", "throughput"),
    [
        ("gp2", 16001, 1),
        ("gp2", 1, 251),
        ("gp3", 80001, 1),
        ("gp3", 1, 2001),
        ("io1", 64001, 1),
        ("io1", 1, 1001),
        ("io2", 256001, 1),
        ("io2", 1, 4001),
        ("st1", 501, 1),
        ("sc1", 1, 193),
    ],
)
def test_beyond_its_limits_a_type_carries_nothing(
    name: str, iops: float, throughput: float
) -> None:
    found = needed(kind(name), one(100), one(iops), one(throughput))

    assert found.feasible.tolist() == [False]


def test_no_type_shrinks_a_volume_or_grows_beyond_its_largest() -> None:
    for one_kind in load_volume_types().types:
        largest = one_kind.most_gib
        kept = needed(one_kind, one(largest), one(1), one(1))
        grown = needed(one_kind, one(largest + 1), one(1), one(1))
        assert kept.gib.tolist() == [largest]
        assert grown.feasible.tolist() == [False]


def test_a_curve_is_reached_where_it_first_has_the_value() -> None:
    curve = Curve(np.array([0.0, 10, 20, 40]), np.array([0.0, 100, 100, 200]))

    reached = curve.reached(np.array([0.0, 50, 100, 101, 200, 201]))

    # 101 lies one hundredth of the way from 20 to 40.
    assert reached.tolist() == pytest.approx([0, 5, 10, 20.2, 40, np.inf])
