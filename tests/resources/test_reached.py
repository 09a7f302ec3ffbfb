"""Whether resources came up against the capacity that a change left them, by type."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from compute_optimizer.engine.reached import MadeChange, Reached
from compute_optimizer.model.decision import Configuration
from compute_optimizer.model.metrics import MetricKey
from compute_optimizer.resources import RESOURCE_TYPES, type_named
from tests.databases import FREE, GIB, MEMORY_USED, READ_FLOW, READ_IOPS, cluster, database
from tests.fleets import CPU, MEMORY, instance, shard
from tests.functions import function, runs
from tests.services import busy, service
from tests.volumes import use, volume

SLOTS = 14 * 288
FORGIVEN_SLOTS = 4
"""A thousandth of 4,032 samples."""

Series = Mapping[MetricKey, ArrayLike]


def came(one: Any, former: Configuration, now: Configuration, after: Series) -> Reached:
    """Return what became of one resource."""
    kind = type_named(one.resource_type)
    assert kind is not None
    assert kind.judge is not None
    return kind.judge([MadeChange(one, former, now)], shard([one], after), kind.catalog())


def names(found: Reached, which: np.ndarray) -> set[str]:
    return {name for name, is_so in zip(found.dimensions, which[0], strict=True) if is_so}


def reached(one: Any, former: Configuration, now: Configuration, after: Series) -> set[str]:
    found = came(one, former, now, after)
    return names(found, found.reached)


def spikes(level: float, spike: float, slots: int) -> np.ndarray:
    """Return a level that some slots exceed."""
    series = np.full(SLOTS, level, np.float64)
    series[:slots] = spike
    return series


GP2 = {"volumeType": "gp2", "sizeGib": 500, "iops": 1500, "throughputMibps": 250}
GP3 = {"volumeType": "gp3", "sizeGib": 500, "iops": 3000, "throughputMibps": 125}
DISK = volume(1, "gp3", 500)


# gp2 of 500 GiB does 3,000 operations in bursts and 250 MiB/s; gp3 has 3,000 and 125. So only the
# throughput fell, and 99 % of 125 are 123.75.
@pytest.mark.parametrize(
    ("flow", "slots", "where"),
    [
        (124.0, FORGIVEN_SLOTS + 1, {"Throughput"}),
        (124.0, FORGIVEN_SLOTS, set()),
        (123.0, 100, set()),
    ],
)
def test_a_volume_reaches_what_it_can_do_now(flow: float, slots: int, where: set[str]) -> None:
    assert reached(DISK, GP2, GP3, use(100, spikes(10, flow, slots))) == where


def test_a_volume_at_a_limit_that_did_not_fall_is_not_hurt_by_the_change() -> None:
    found = came(DISK, GP2, GP3, use(3000, 10))

    assert names(found, found.smaller) == {"Throughput"}
    assert names(found, found.reached) == set()


def test_bursts_that_a_volume_had_count_as_capacity_that_fell() -> None:
    # 500 GiB of gp2 burst to 3,000; 1,500 of io2 do not.
    io2 = {"volumeType": "io2", "sizeGib": 500, "iops": 1500, "throughputMibps": 250}

    assert "IOPS" in reached(DISK, GP2, io2, use(1500, 10))


def test_of_an_unknown_volume_type_nothing_is_known() -> None:
    found = came(DISK, GP2, GP2 | {"volumeType": "no.such"}, use(9999, 9999))

    assert not found.known.any()
    assert not found.reached.any()


WORKER = function("worker", 512, timeout_seconds=10.0)
MORE, LESS = {"memorySize": 1024}, {"memorySize": 512}


# 99 % of 512 MB are 506.9, and of 10 s 9.9: once is once too often.
@pytest.mark.parametrize(
    ("memory", "duration", "where"),
    [
        (spikes(300, 508, 1), 900, {"Memory"}),
        (spikes(300, 506, 9), 900, set()),
        (300, spikes(900, 9950, 1), {"Duration"}),
        (300, spikes(900, 9850, 9), set()),
    ],
)
def test_a_function_with_less_memory_runs_out_of_it_or_of_time(
    memory: ArrayLike, duration: ArrayLike, where: set[str]
) -> None:
    assert reached(WORKER, MORE, LESS, runs(1, duration, memory)) == where


def test_a_function_with_more_memory_than_before_is_not_hurt_by_the_change() -> None:
    assert reached(function("worker", 1024), LESS, MORE, runs(1, 900, 1024)) == set()


def test_without_a_timeout_only_the_memory_of_a_function_is_known() -> None:
    found = came(function("worker", 512), MORE, LESS, runs(1, 1e9, 300))

    assert names(found, found.known) == names(found, found.smaller) == {"Memory"}
    assert not found.reached.any()


BIG, SMALL = {"cpuUnits": 1024, "memoryMib": 3072}, {"cpuUnits": 512, "memoryMib": 3072}
API = service("api", 512, 3072)


@pytest.mark.parametrize(("slots", "where"), [(4, set()), (5, {"CPU"})])
def test_a_service_reaches_the_cpu_of_its_smaller_tasks(slots: int, where: set[str]) -> None:
    assert reached(API, BIG, SMALL, busy(spikes(40, 99.5, slots), 99.9)) == where


def test_a_service_may_not_reach_less_memory_once() -> None:
    less = {"cpuUnits": 1024, "memoryMib": 2048}

    assert reached(service("api", 1024, 2048), BIG, less, busy(40, spikes(50, 99.5, 1))) == {
        "Memory"
    }


XLARGE, LARGE = {"dbClass": "db.r5.xlarge"}, {"dbClass": "db.r5.large"}


def test_a_database_reaches_the_cpu_and_the_memory_of_a_smaller_class() -> None:
    one = database(1, "db.r5.large")
    hurt = {CPU: spikes(30, 99.5, 5), MEMORY_USED: spikes(40, 99.5, 1)}

    assert reached(one, XLARGE, LARGE, hurt) == {"CPU", "Memory"}
    assert reached(one, XLARGE, LARGE, {CPU: 98.5, MEMORY_USED: 98.5}) == set()
    assert reached(one, LARGE, LARGE, hurt) == set()


def test_a_database_reaches_the_operations_and_bytes_of_its_storage() -> None:
    one = database(1, "db.r5.4xlarge")
    gp3 = {"storageType": "gp3", "allocatedGib": 400, "iops": 3000, "throughputMibps": 125}
    former = gp3 | {"storageType": "io1", "iops": 6000, "throughputMibps": 500}
    # 99 % of 3,000 operations are 2,970, and of 125 MiB/s 123.75.
    hurt = {READ_IOPS: 2980, READ_FLOW: 124 * 2**20}

    assert reached(one, former, gp3, hurt) == {"StorageIOPS", "StorageThroughput"}
    assert reached(one, former, gp3, {READ_IOPS: 2960, READ_FLOW: 123 * 2**20}) == set()


def test_a_database_may_not_fill_less_space_once() -> None:
    # 99 % of 100 GiB are used where less than 1 is free.
    before, now = ({"storageType": "gp3", "allocatedGib": size} for size in (200, 100))
    one = database(1, "db.r5.large")

    assert reached(one, before, now, {FREE: spikes(50, 0.5, 1) * GIB}) == {"StorageSpace"}
    assert reached(one, before, now, {FREE: 1.5 * GIB}) == set()


def test_of_an_aurora_cluster_no_capacity_is_known() -> None:
    storage = {"storageType": "aurora"}, {"storageType": "aurora-iopt1"}

    assert not came(cluster("shop"), *storage, {CPU: 100}).known.any()


def test_a_machine_reaches_its_new_type_in_what_became_smaller_only() -> None:
    one = instance(1, "m5.large")
    xlarge, large = {"instanceType": "m5.xlarge"}, {"instanceType": "m5.large"}

    assert reached(one, xlarge, large, {CPU: 99.5, MEMORY: 50}) == {"CPU"}
    assert reached(one, large, large, {CPU: 99.5, MEMORY: 99.5}) == set()
    # r5.large has as much memory as m5.xlarge, and half of the CPU.
    assert "Memory" not in reached(one, xlarge, {"instanceType": "r5.large"}, {MEMORY: 99.5})


def test_what_was_not_sent_is_not_seen_and_not_reached() -> None:
    found = came(WORKER, MORE, LESS, {})

    assert not found.seen.any()
    assert not found.reached.any()
    assert names(found, found.smaller) == {"Memory", "Duration"}


def test_every_type_whose_advice_changes_a_capacity_is_judged() -> None:
    judged = {kind.name for kind in RESOURCE_TYPES if kind.judge}
    replayed = {kind.name for kind in RESOURCE_TYPES if kind.replay}

    # Whatever is replayed has capacities; machines and groups are backtested by themselves.
    assert judged == replayed | {"Ec2Instance", "AutoScalingGroup"}
