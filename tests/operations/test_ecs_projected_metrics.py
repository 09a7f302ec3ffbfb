"""GetECSServiceRecommendationProjectedMetrics: points that agree with the recommendation."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, MetricKey, ShardSamples, Window
from compute_optimizer.shapes import (
    AccessDeniedException,
    InvalidParameterValueException,
    OptInRequiredException,
    ResourceNotFoundException,
)
from compute_optimizer.store.inventory import place, remove_resources_of, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk
from tests.fleets import CPU, CPU_AVERAGE, MEMORY
from tests.kept import copied_desk, kept
from tests.samples import put_samples
from tests.services import service, service_arn
from tests.stored_fleets import LAST_DAY

OPERATION = "GetECSServiceRecommendationProjectedMetrics"
MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
START = MIDNIGHT - timedelta(days=2)
"""Where the samples of the tests begin."""

API = service_arn("api", MANAGEMENT)
SLOTS = 2 * SLOTS_PER_DAY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organization with a service of a vCPU and 3 GiB, analyzed over two days.

    The CPU is at 8 % but for 9 % in the third slot of the last day, its averages at half of that.
    """
    folder = tmp_path_factory.mktemp("projected")
    with kept(folder) as state:
        analyze_service(Desk(state, tiles=TileStore(folder / "tiles")))
    return folder


desk = copied_desk


def analyze_service(desk: Desk) -> None:
    desk.organize(ALPHA)
    desk.opt_in_all()
    one = service("api", 1024, 3072)
    maxima = np.full((1, SLOTS), 8, np.float32)
    maxima[0, SLOTS_PER_DAY + 2] = 9
    memory = np.full((1, SLOTS), 11, np.float32)
    memory[0, 12:24] = np.nan
    series: dict[MetricKey, Matrix] = {
        CPU: maxima,
        CPU_AVERAGE: maxima * np.float32(0.5),
        MEMORY: memory,
    }
    window = Window(LAST_DAY - timedelta(days=1), LAST_DAY)
    with desk.state.writing() as connection:
        upsert_resources(connection, [one])
        (key,) = place(connection, [one]).values()
    put_samples(desk.state, desk.tiles, key, ShardSamples((one.arn,), window, series))
    analyze(desk.state, desk.tiles, desk.clock, as_of=MIDNIGHT, workers=1)


def ask(desk: Desk, account: str = MANAGEMENT, **changes: Any) -> dict[str, Any]:
    request = {
        "serviceArn": API,
        "stat": "Maximum",
        "period": 300,
        "startTime": START,
        "endTime": MIDNIGHT,
        **changes,
    }
    answer = desk.call(OPERATION, account, **request)
    (option,) = answer["recommendedOptionProjectedMetrics"]
    found: dict[str, Any] = option
    return found


def metric(option: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in option["projectedMetrics"] if one["name"] == name)
    return found


def test_the_highest_points_are_what_the_recommendation_projects(desk: Desk) -> None:
    option = ask(desk)
    told = desk.call("GetECSServiceRecommendations", MANAGEMENT)["ecsServiceRecommendations"][0]

    (recommended,) = told["serviceRecommendationOptions"]
    assert option["recommendedCpuUnits"] == recommended["cpu"] == 256
    assert option["recommendedMemorySize"] == recommended["memory"] == 512
    for projected in recommended["projectedUtilizationMetrics"]:
        points = metric(option, projected["name"])
        assert max(points["lowerBoundValues"]) == pytest.approx(projected["lowerBoundValue"])
        assert max(points["upperBoundValues"]) == pytest.approx(projected["upperBoundValue"])


def test_each_slot_is_a_point_and_gaps_are_none(desk: Desk) -> None:
    option = ask(desk)

    cpu, memory = metric(option, "Cpu"), metric(option, "Memory")
    assert cpu["timestamps"][:2] == [START, START + timedelta(minutes=5)]
    assert len(cpu["timestamps"]) == len(cpu["upperBoundValues"]) == SLOTS
    assert len(memory["timestamps"]) == SLOTS - 12
    # 8 % of 1,024 units are 32 % of 256, a tenth more and less.
    assert cpu["upperBoundValues"][0] == pytest.approx(35.2)
    assert cpu["lowerBoundValues"][0] == pytest.approx(28.8)


def test_longer_periods_are_their_highest_or_their_mean(desk: Desk) -> None:
    day = MIDNIGHT - timedelta(days=1)
    hour: dict[str, Any] = {"period": 3600, "startTime": day, "endTime": day + timedelta(minutes=1)}

    highest, mean = ask(desk, **hour), ask(desk, stat="Average", **hour)

    assert metric(highest, "Cpu")["timestamps"] == [day]
    # 9 % x 4 x 1.1, and (11 x 4 + 4.5) / 12 x 4 x 1.1.
    assert metric(highest, "Cpu")["upperBoundValues"] == [pytest.approx(39.6)]
    assert metric(mean, "Cpu")["upperBoundValues"] == [pytest.approx(17.7833, abs=1e-4)]
    # Nobody sent averages of memory.
    assert [one["name"] for one in mean["projectedMetrics"]] == ["Cpu"]


def test_periods_of_a_minute_have_a_point_where_a_slot_begins(desk: Desk) -> None:
    option = ask(desk, period=60, endTime=START + timedelta(minutes=9))

    assert metric(option, "Cpu")["timestamps"] == [START, START + timedelta(minutes=5)]


def test_the_first_point_is_the_period_in_which_the_first_moment_lies(desk: Desk) -> None:
    inside = START + timedelta(minutes=7)

    option = ask(desk, startTime=inside, endTime=inside + timedelta(minutes=1))

    assert metric(option, "Cpu")["timestamps"] == [START + timedelta(minutes=5)]


@pytest.mark.parametrize("days", [-30, 30])
def test_outside_the_look_back_period_there_are_no_points(desk: Desk, days: int) -> None:
    start = START + timedelta(days=days)

    assert ask(desk, startTime=start, endTime=start + timedelta(days=1))["projectedMetrics"] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"period": 0}, "period 0 is not valid; expected a multiple of 60 seconds"),
        ({"period": 90}, "period 90"),
        ({"endTime": START}, "is not before the endTime"),
        ({"serviceArn": "api"}, "serviceArn 'api' is not valid"),
        ({"serviceArn": service_arn("api", MANAGEMENT, "eu-west-1")}, "not in the Region"),
    ],
)
def test_what_is_not_valid_is_told(desk: Desk, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=message):
        ask(desk, **changes)


def test_services_without_a_recommendation_are_not_found(desk: Desk) -> None:
    with pytest.raises(ResourceNotFoundException, match="no recommendation"):
        ask(desk, serviceArn=service_arn("web", MANAGEMENT))
    with desk.state.writing() as connection:
        remove_resources_of(connection, MANAGEMENT)
    with pytest.raises(ResourceNotFoundException, match="not known any more"):
        ask(desk)


def test_only_who_may_see_the_account_is_answered(desk: Desk) -> None:
    with pytest.raises(AccessDeniedException):
        ask(desk, ALPHA)
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)
