"""The advice of a past day for each type, held against what came in the two weeks after it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from compute_optimizer.backtest.replay import Outcomes, failures_of, joined, judged, scores
from compute_optimizer.backtest.run import SEED
from compute_optimizer.model.metrics import MetricKey, ShardSamples, Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources import type_named
from compute_optimizer.resources.functions.failures import ERRORS, FAILURES
from compute_optimizer.resources.resource_type import ResourceType
from tests.databases import FREE, GIB, MEMORY_USED, READ_IOPS, cluster, database
from tests.fleets import CPU
from tests.functions import function, runs
from tests.services import busy, service
from tests.volumes import use, volume

ORIGIN = date(2026, 3, 15)
SLOTS = 14 * 288

Series = Mapping[MetricKey, ArrayLike]


def samples(resources: Sequence[Resource], series: Series, first: date) -> ShardSamples:
    """Return two weeks of samples; a row of a matrix is one resource."""
    shape = (len(resources), SLOTS)
    matrices = {
        key: np.broadcast_to(np.asarray(values, np.float32), shape).copy()
        for key, values in series.items()
    }
    window = Window(first, first + timedelta(days=13))
    return ShardSamples(tuple(one.arn for one in resources), window, matrices)


def kind_of(resources: Sequence[Resource]) -> ResourceType:
    kind = type_named(resources[0].resource_type)
    assert kind is not None
    return kind


def replayed(resources: Sequence[Resource], before: Series, after: Series) -> Outcomes:
    return judged(
        kind_of(resources),
        resources,
        samples(resources, before, ORIGIN - timedelta(days=14)),
        samples(resources, after, ORIGIN),
        ORIGIN,
        DEFAULT_PREFERENCES,
    )


def score(resources: Sequence[Resource], before: Series, after: Series) -> dict[str, Any]:
    replay = kind_of(resources).replay
    assert replay is not None
    return scores(replayed(resources, before, after), replay, SEED)


def with_spikes(level: float, spike: float, slots: int) -> np.ndarray:
    """Return a level that some slots exceed."""
    series = np.full(SLOTS, level, np.float64)
    series[:slots] = spike
    return series


GP2 = volume(1, "gp2", 500)


@pytest.mark.parametrize(("slots", "violated"), [(4, 0), (5, 1)])
def test_a_volume_is_hurt_where_demand_exceeds_the_advice_beyond_what_is_forgiven(
    slots: int, violated: int
) -> None:
    # gp2 of 500 GiB does 250 MiB/s, the gp3 that is advised 125. Of 4,032 samples a thousandth,
    # four, may exceed it.
    found = score([GP2], use(100, 10), use(100, with_spikes(10, 200, slots)))

    assert found["violated"] == violated
    assert found["violations_by_dimension"] == {"IOPS": 0, "Throughput": violated}


def test_what_today_would_not_have_carried_either_is_not_held_against_the_advice() -> None:
    found = score([GP2], use(100, 10), use(100, with_spikes(10, 300, 100)))

    assert (found["violated"], found["reduced"]) == (0, 1)


def test_savings_are_a_ratio_of_sums_at_list_prices() -> None:
    # 500 GiB: 50 as gp2 and 40 as gp3; the second, 8 a month, stays what it is.
    found = score([GP2, volume(2, "gp3", 100)], use(100, 10), use(100, 10))

    assert found["monthly_usd_now"] == pytest.approx(58)
    assert found["monthly_usd_saved"] == pytest.approx(10)
    assert found["savings"] == pytest.approx(10 / 58)
    assert (found["judged"], found["moved"], found["violations"]) == (2, 1, 0)


def test_a_resource_without_a_recommendation_is_not_judged() -> None:
    found = score([GP2, volume(2, "no.such", 100)], use(100, 10), use(100, 10))

    assert found["judged"] == 1


def test_no_sample_afterwards_is_no_harm_and_is_counted() -> None:
    found = score([GP2], use(100, 10), {})

    assert (found["violated"], found["without_test_samples"]) == (0, 1)


def test_a_service_may_not_exceed_its_memory_once() -> None:
    # 256 units and 2,048 MiB are advised; 70 % of 3,072 are 2,150, 60 % are 1,843.
    one = service("api", 1024, 3072)
    hurt = score([one], busy(20.0, 30.0), busy(20.0, with_spikes(30, 70, 1)))
    fine = score([one], busy(20.0, 30.0), busy(20.0, with_spikes(30, 60, 1)))

    assert hurt["violations_by_dimension"] == {"CPU": 0, "Memory": 1}
    assert fine["violations"] == 0


def test_who_was_at_the_ceiling_before_is_left_out_of_the_scores() -> None:
    # 21 of 4,032 samples are more than the half percent that is allowed: 20.16.
    cpu = np.stack([with_spikes(20, 99.5, 21), with_spikes(20, 99.5, 20)])
    fleet = [service("a", 1024, 3072), service("b", 1024, 3072)]

    found = score(fleet, busy(cpu, 30.0), busy(20.0, 30.0))

    assert (found["judged"], found["clipped"], found["scored"]) == (2, 1, 1)


@pytest.mark.parametrize(("longest", "violated"), [(351.0, 0), (352.0, 1)])
def test_a_function_may_not_stretch_beyond_its_timeout(longest: float, violated: int) -> None:
    # 300 MB and a fifth more are 360 of 1,024 MB: 2.844 times as long, if it only computes. The
    # timeout of a second is reached from 351.6 ms on.
    one = function("worker", 1024, timeout_seconds=1)
    later = runs(10, with_spikes(200, longest, 1), 300.0)

    found = score([one], runs(10, 200.0, 300.0), later)

    assert found["violations_by_dimension"] == {"Memory": 0, "Duration": violated}


def test_a_function_may_not_run_out_of_memory_once() -> None:
    one = function("worker", 1024, timeout_seconds=30)
    found = score([one], runs(10, 200.0, 300.0), runs(10, 200.0, with_spikes(300, 361, 1)))

    assert found["violations_by_dimension"] == {"Memory": 1, "Duration": 0}


def failing(errors: ArrayLike) -> Series:
    """Return runs of 10 in each slot, of which so many fail."""
    return runs(10, 200.0, 300.0) | {ERRORS: errors}


# Of 40,320 calls 0.1 % more than before may fail, and 1.96 roots of what does are chance. Before,
# none: 54 - 1.96 * 7.35 = 39.6 of 40.3, and 55 - 1.96 * 7.42 = 40.5.
@pytest.mark.parametrize(("failed", "rose"), [(54, 0), (55, 1)])
def test_what_fails_more_often_though_nothing_was_changed_is_counted_beside(
    failed: int, rose: int
) -> None:
    fleet = [function("worker", 1024, timeout_seconds=30), function("other", 1024)]
    # Of the second nobody counts errors.
    errors = np.stack([with_spikes(0, 1, failed), np.full(SLOTS, np.nan)])
    outcomes = replayed(fleet, failing(0), failing(errors))

    told = failures_of(outcomes, FAILURES)

    assert [one["name"] for one in told] == ["Errors", "Throttles"]
    assert (told[0]["seen"], told[0]["rose"], told[0]["share"]) == (1, rose, float(rose))
    assert (told[1]["seen"], told[1]["share"], told[1]["interval"]) == (0, None, None)
    # It is no violation: the advice has nothing to do with it.
    assert not outcomes.violated.any()


def test_a_database_is_hurt_in_its_storage_and_clusters_are_not_scored() -> None:
    # io1 with 4,000 operations is advised gp3 with 3,000, and the class stays.
    one = database(1, "db.m5.large", storage_type="io1", iops=4_000)
    quiet: dict[MetricKey, Any] = {
        CPU: 40.0,
        MEMORY_USED: 60.0,
        READ_IOPS: 500.0,
        FREE: 60.0 * GIB,
    }
    later = quiet | {READ_IOPS: with_spikes(500, 3_500, 5)}

    found = score([one, cluster("shop")], quiet, later)

    assert found["judged"] == 1
    # The class itself does 3,600.
    hurt = {name for name, count in found["violations_by_dimension"].items() if count}
    assert hurt == {"StorageIOPS"}


def test_a_smaller_class_is_hurt_by_more_cpu() -> None:
    one = database(1, "db.m5.2xlarge", performance_insights=True)
    before: dict[MetricKey, Any] = {CPU: 12.0, MEMORY_USED: 20.0, READ_IOPS: 100.0}

    # 60 % of eight vCPUs are more than any class has that is advised for one of them.
    found = score([one], before, before | {CPU: with_spikes(12, 60, 5)})

    hurt = {name for name, count in found["violations_by_dimension"].items() if count}
    assert hurt == {"CPU"}
    assert found["violations_of_reduced"] == 1


def test_one_resource_at_several_origins_counts_once_in_the_interval() -> None:
    replay = kind_of([GP2]).replay
    assert replay is not None
    once = replayed([GP2], use(100, 10), use(100, 10))

    both = scores(joined([once, once]), replay, SEED, origins=2)

    assert both["scored"] == 2
    # Wilson's interval of none in one: 3.8415 / 4.8415.
    assert both["violations_interval"] == pytest.approx([0, 0.7935], abs=1e-4)
    assert both["monthly_usd_saved"] == pytest.approx(10)


def test_nothing_to_score_is_no_accident() -> None:
    replay = kind_of([GP2]).replay
    assert replay is not None
    nothing = replayed([volume(2, "no.such", 100)], use(100, 10), use(100, 10))

    found = scores(nothing, replay, SEED)

    assert (found["judged"], found["violations"], found["savings"]) == (0, 0, 0)
    assert found["violations_of_reduced"] is None
