"""GetRDSDatabaseRecommendationProjectedMetrics: points from stored samples, at their edges."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compute_optimizer.catalog.database_classes import load_database_classes
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.model.database import Database
from compute_optimizer.model.metrics import SLOTS_PER_DAY, MetricKey, ShardSamples, Window
from compute_optimizer.operations import rds_projected_metrics
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
    ResourceNotFoundException,
)
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.databases import MEMORY_USED, database, database_arn
from tests.enrolling import ALPHA, BETA, STRANGER, Desk
from tests.fleets import ACCOUNT, CPU, CPU_AVERAGE
from tests.kept import copied_desk, kept
from tests.samples import put_samples
from tests.stored_fleets import LAST_DAY

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
"""The analysis looks back from here; the samples are of the two days before."""

START = MIDNIGHT - timedelta(days=2)
LARGE, TINY = database(1, "db.m5.2xlarge", performance_insights=True), database(2, "db.r5.large")
UNSEEN = database_arn("orders-9")


def store(desk: Desk, series: dict[MetricKey, np.ndarray], fleet: Sequence[Database]) -> None:
    with desk.state.writing() as connection:
        upsert_resources(connection, fleet)
        keys = place(connection, fleet)
    window = Window(LAST_DAY.replace(day=LAST_DAY.day - 1), LAST_DAY)
    samples = ShardSamples(tuple(one.arn for one in fleet), window, series)
    put_samples(desk.state, desk.tiles, keys[fleet[0].arn], samples)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large instance at 10 % with one peak of 30 %, whose mean is 9 %, and a small one."""
    folder = tmp_path_factory.mktemp("projected")
    with kept(folder) as state:
        desk = Desk(state, tiles=TileStore(folder / "tiles"))
        desk.organize(ALPHA, BETA)
        desk.opt_in_all()
        analyze_databases(desk)
    return folder


desk = copied_desk


def analyze_databases(desk: Desk) -> None:
    cpu = np.full((2, 2 * SLOTS_PER_DAY), 10, np.float32)
    cpu[0, 1] = 30
    series = {CPU: cpu, CPU_AVERAGE: np.full_like(cpu, 9), MEMORY_USED: np.full_like(cpu, 20)}
    series[CPU_AVERAGE][1] = np.nan
    # So that nothing smaller is an option.
    series[MEMORY_USED][1] = 80
    store(desk, series, [LARGE, TINY])
    analyze(desk.state, desk.tiles, desk.clock, as_of=MIDNIGHT)


def ask(desk: Desk, account: str = ACCOUNT, **changes: Any) -> list[dict[str, Any]]:
    request = {
        "resourceArn": LARGE.arn,
        "stat": "Maximum",
        "period": 300,
        "startTime": START,
        "endTime": START + timedelta(minutes=10),
        **changes,
    }
    operation = "GetRDSDatabaseRecommendationProjectedMetrics"
    found = desk.call(operation, account, **request)["recommendedOptionProjectedMetrics"]
    assert isinstance(found, list)
    return found


def first(found: list[dict[str, Any]]) -> tuple[list[datetime], list[float]]:
    (metric,) = found[0]["projectedMetrics"]
    assert metric["name"] == "CPU"
    return metric["timestamps"], metric["values"]


def test_each_option_has_its_own_points_by_rank(desk: Desk) -> None:
    found = ask(desk)

    assert [(one["rank"], one["recommendedDBInstanceClass"]) for one in found] == [
        (1, "db.m5.large"),
        (2, "db.r5.large"),
        (3, "db.t3.xlarge"),
    ]
    moments, values = first(found)
    assert moments == [START + timedelta(minutes=5 * slot) for slot in range(3)]
    # A quarter of the vCPUs: four times the use, also where that is more than there is.
    assert values == pytest.approx([40, 120, 40])


def test_a_period_shows_its_highest_sample_or_the_mean_of_averages(desk: Desk) -> None:
    hour: dict[str, Any] = {"period": 3600, "endTime": START + timedelta(minutes=119)}

    moments, values = first(ask(desk, **hour))
    _, means = first(ask(desk, stat="Average", **hour))

    assert moments == [START, START + timedelta(hours=1)]
    assert values == pytest.approx([120, 40])
    assert means == pytest.approx([36, 36])


def test_without_a_point_an_option_has_no_metric(desk: Desk) -> None:
    found = ask(desk, resourceArn=TINY.arn, stat="Average")

    assert found
    assert all(one["projectedMetrics"] == [] for one in found)
    assert first(ask(desk, resourceArn=TINY.arn))[1] == pytest.approx([10, 10, 10])


def test_an_option_that_the_catalog_no_longer_has_has_no_metric(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load_database_classes()
    index = {name: place for name, place in known.types.index.items() if name != "db.r5.large"}
    later = replace(known, types=replace(known.types, index=index))
    monkeypatch.setattr(rds_projected_metrics, "load_database_classes", lambda: later)

    assert [len(one["projectedMetrics"]) for one in ask(desk)] == [1, 0, 1]


def test_an_instance_that_sent_averages_only_has_their_points_beside_others_that_sent_more(
    desk: Desk,
) -> None:
    plain = database(3, "db.m5.2xlarge", performance_insights=True)
    shape = (2, 2 * SLOTS_PER_DAY)
    maxima, means = np.full(shape, 10, np.float32), np.full(shape, 9, np.float32)
    maxima[1] = np.nan
    memory = np.full(shape, 20, np.float32)
    store(desk, {CPU: maxima, CPU_AVERAGE: means, MEMORY_USED: memory}, [LARGE, plain])
    analyze(desk.state, desk.tiles, desk.clock, as_of=MIDNIGHT)

    # A quarter of the vCPUs: four times 9 %.
    assert first(ask(desk, resourceArn=plain.arn))[1] == pytest.approx([36, 36, 36])


def test_points_outside_the_look_back_period_are_left_out(desk: Desk) -> None:
    late: dict[str, Any] = {
        "startTime": MIDNIGHT - timedelta(minutes=5),
        "endTime": MIDNIGHT + timedelta(days=9),
    }

    assert first(ask(desk, **late))[0] == [MIDNIGHT - timedelta(minutes=5)]
    before: dict[str, Any] = {
        "startTime": START - timedelta(days=90),
        "endTime": START - timedelta(days=80),
    }
    assert [one["projectedMetrics"] for one in ask(desk, **before)] == [[], [], []]


def test_moments_are_rounded_down_to_the_period(desk: Desk) -> None:
    odd: dict[str, Any] = {
        "startTime": START + timedelta(seconds=301),
        "endTime": START + timedelta(seconds=302),
    }

    assert first(ask(desk, **odd))[0] == [START + timedelta(minutes=5)]


def test_the_architectures_of_the_request_choose_the_options(desk: Desk) -> None:
    wanted = {"cpuVendorArchitectures": ["AWS_ARM64"]}

    found = ask(desk, recommendationPreferences=wanted)

    assert found[0]["recommendedDBInstanceClass"] == "db.m6g.large"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"period": 0}, "multiple of 300"),
        ({"period": 60}, "multiple of 300"),
        ({"period": 301}, "multiple of 300"),
        ({"endTime": START}, "not before"),
        ({"resourceArn": "orders-1"}, "expected the ARN"),
        ({"resourceArn": database_arn("shop", "cluster")}, "expected the ARN"),
        ({"resourceArn": database_arn("orders-1", region="eu-west-1")}, "not in the Region"),
    ],
)
def test_what_is_no_question_is_refused(desk: Desk, change: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=told):
        ask(desk, **change)


def test_an_instance_without_a_recommendation_is_not_found(desk: Desk) -> None:
    with pytest.raises(ResourceNotFoundException, match="no recommendation"):
        ask(desk, resourceArn=UNSEEN)


def test_who_may_not_see_the_instance_is_refused(desk: Desk) -> None:
    with pytest.raises(AccessDeniedException):
        ask(desk, ALPHA)
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER, resourceArn="orders-1")
