"""GetEC2RecommendationProjectedMetrics: points that agree with what the recommendation says."""

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
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, MANAGEMENT, STRANGER, Desk, opt_in
from tests.fleets import CPU, CPU_AVERAGE, MEMORY
from tests.kept import copied_desk, kept
from tests.records import arn
from tests.samples import put_samples
from tests.stored_fleets import LAST_DAY, machine

OPERATION = "GetEC2RecommendationProjectedMetrics"
MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
START = MIDNIGHT - timedelta(days=2)
"""Where the samples of the tests begin."""

WEB = arn(0, ALPHA)
SLOTS = 2 * SLOTS_PER_DAY

PEAK = 40.0
"""Percent, in one slot of the last day; else 20 to 20.575 and rising."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An organization with one analyzed m5.xlarge of two days: maxima and averages of the CPU."""
    folder = tmp_path_factory.mktemp("projected")
    with kept(folder) as state:
        analyze_machine(Desk(state, tiles=TileStore(folder / "tiles")))
    return folder


desk = copied_desk


def analyze_machine(desk: Desk) -> None:
    desk.organize(ALPHA)
    desk.opt_in_all()
    one = machine(0, ALPHA)
    rising = (20 + np.arange(SLOTS) / 1_000).astype(np.float32)
    maxima = rising.copy()
    maxima[SLOTS_PER_DAY + 12] = PEAK
    memory = np.full(SLOTS, 25, np.float32)
    series: dict[MetricKey, Matrix] = {
        CPU: maxima,
        CPU_AVERAGE: rising / np.float32(2),
        MEMORY: memory,
    }
    with desk.state.writing() as connection:
        upsert_resources(connection, [one])
        (key,) = place(connection, [one]).values()
    window = Window(LAST_DAY - timedelta(days=1), LAST_DAY)
    rows = {name: row[None, :] for name, row in series.items()}
    put_samples(desk.state, desk.tiles, key, ShardSamples((one.arn,), window, rows))
    analyze(desk.state, desk.tiles, desk.clock, as_of=MIDNIGHT, workers=1)


def ask(desk: Desk, account: str = ALPHA, **changes: Any) -> list[dict[str, Any]]:
    request = {
        "instanceArn": WEB,
        "stat": "Maximum",
        "period": 300,
        "startTime": START,
        "endTime": MIDNIGHT,
        **changes,
    }
    answer = desk.call(OPERATION, account, **request)
    assert set(answer) == {"recommendedOptionProjectedMetrics"}
    found: list[dict[str, Any]] = answer["recommendedOptionProjectedMetrics"]
    return found


def recommended(desk: Desk, **request: Any) -> list[dict[str, Any]]:
    answer = desk.call("GetEC2InstanceRecommendations", ALPHA, **request)
    (one,) = answer["instanceRecommendations"]
    options: list[dict[str, Any]] = one["recommendationOptions"]
    return options


def metric(option: dict[str, Any], name: str = "CPU") -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (one for one in option["projectedMetrics"] if one["name"] == name)
    return found


@pytest.mark.parametrize("architectures", [["CURRENT"], ["AWS_ARM64"], ["CURRENT", "AWS_ARM64"]])
def test_the_highest_point_of_each_option_is_what_the_recommendation_projects(
    desk: Desk, architectures: list[str]
) -> None:
    wanted: dict[str, Any] = {
        "recommendationPreferences": {"cpuVendorArchitectures": architectures}
    }

    projected, options = ask(desk, **wanted), recommended(desk, **wanted)

    assert len(options) == 3
    for one, option in zip(projected, options, strict=True):
        assert one["recommendedInstanceType"] == option["instanceType"]
        assert one["rank"] == option["rank"]
        said = {m["name"]: m["value"] for m in option["projectedUtilizationMetrics"]}
        shown = {m["name"]: max(m["values"]) for m in one["projectedMetrics"]}
        assert shown == said
        assert set(shown) == {"CPU", "MEMORY"}


def test_every_sample_is_a_point_in_five_minutes(desk: Desk) -> None:
    options = {one["recommendedInstanceType"]: one for one in ask(desk)}

    found = metric(options["m7i-flex.large"])

    assert found["timestamps"] == [START + timedelta(minutes=5) * n for n in range(SLOTS)]
    # Speeds of 1 and 1.473 for each vCPU, 4 and 2 of them: 20 x 4 / (2 x 1.473) = 27.1555.
    assert found["values"][0] == 27.1555
    # 25 % of 16 GiB are half of 8.
    assert set(metric(options["m7i-flex.large"], "MEMORY")["values"]) == {50.0}


def test_longer_periods_hold_their_highest_sample_or_the_mean_of_the_averages(desk: Desk) -> None:
    begin = MIDNIGHT - timedelta(days=1)
    wanted: dict[str, Any] = {"period": 3600, "startTime": begin, "endTime": begin + HOUR}

    highest, mean = (metric(ask(desk, stat=stat, **wanted)[0]) for stat in ("Maximum", "Average"))
    whole = metric(ask(desk)[0])["values"]

    # The period that begins at the end is the last one, and holds the peak.
    assert highest["timestamps"] == mean["timestamps"] == [begin, begin + HOUR]
    assert highest["values"] == [whole[SLOTS_PER_DAY + 11], max(whole)]
    # Averages are half of what rises: the middle of the first twelve slots of the day.
    middle = (whole[SLOTS_PER_DAY] + whole[SLOTS_PER_DAY + 11]) / 4
    assert mean["values"][0] == pytest.approx(middle, abs=1e-4)


def test_points_begin_at_the_period_in_which_the_first_moment_lies(desk: Desk) -> None:
    begin = MIDNIGHT - timedelta(hours=3)
    late = timedelta(minutes=17, seconds=3)

    found = metric(ask(desk, period=1800, startTime=begin + late, endTime=begin + HOUR - late)[0])

    half = timedelta(minutes=30)
    assert found["timestamps"] == [begin, begin + half]


def test_moments_outside_the_look_back_period_have_no_points(desk: Desk) -> None:
    early = datetime(1970, 1, 1, tzinfo=UTC)
    late = datetime(2200, 1, 1, tzinfo=UTC)

    whole = metric(ask(desk, startTime=early, endTime=late)[0])["timestamps"]

    assert (whole[0], len(whole)) == (START, SLOTS)
    for begin, end in ((early, MIDNIGHT - 20 * 24 * HOUR), (MIDNIGHT + HOUR, late)):
        before = ask(desk, startTime=begin, endTime=end)
        assert [one["projectedMetrics"] for one in before] == [[], [], []]
        assert [one["rank"] for one in before] == [1, 2, 3]


def test_samples_that_the_analysis_did_not_see_are_no_points(desk: Desk) -> None:
    noon = MIDNIGHT - 12 * HOUR
    analyze(desk.state, desk.tiles, desk.clock, as_of=noon, workers=1)

    found = metric(ask(desk)[0])

    assert found["timestamps"][-1] == noon - timedelta(minutes=5)


def test_a_period_longer_than_the_range_is_one_point(desk: Desk) -> None:
    day = 86_400 * 365

    found = metric(ask(desk, period=day)[0])

    assert len(found["values"]) == 1
    said = recommended(desk)[0]["projectedUtilizationMetrics"][0]
    assert (said["name"], said["value"]) == ("CPU", found["values"][0])


def test_a_metric_whose_averages_nobody_sent_is_left_out(desk: Desk) -> None:
    names = {m["name"] for one in ask(desk, stat="Average") for m in one["projectedMetrics"]}

    assert names == {"CPU"}


def test_an_administrator_reads_a_member(desk: Desk) -> None:
    assert ask(desk, MANAGEMENT) == ask(desk)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"instanceArn": "i-1"}, InvalidParameterValueException, "instanceArn 'i-1'"),
        (
            {"instanceArn": WEB.replace(":instance/i", ":volume/vol")},
            InvalidParameterValueException,
            "expected the ARN of an EC2 instance",
        ),
        (
            {"instanceArn": arn(0, ALPHA, "eu-west-1")},
            InvalidParameterValueException,
            "not in the Region",
        ),
        ({"instanceArn": arn(9, ALPHA)}, ResourceNotFoundException, "no recommendation"),
        ({"instanceArn": arn(0, STRANGER)}, AccessDeniedException, STRANGER),
        ({"instanceArn": arn(0, MANAGEMENT)}, AccessDeniedException, MANAGEMENT),
        ({"period": 0}, InvalidParameterValueException, "period 0 is not valid"),
        ({"period": -300}, InvalidParameterValueException, "period -300"),
        ({"period": 60}, InvalidParameterValueException, "multiple of 300 seconds"),
        ({"period": 450}, InvalidParameterValueException, "period 450"),
        ({"startTime": MIDNIGHT}, InvalidParameterValueException, "is not before the endTime"),
        ({"endTime": START - HOUR}, InvalidParameterValueException, "is not before the endTime"),
    ],
)
def test_what_is_no_question_is_refused_with_its_reason(
    desk: Desk, changes: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        ask(desk, **changes)


def test_an_account_that_is_not_opted_in_is_told_so(desk: Desk) -> None:
    with pytest.raises(OptInRequiredException):
        ask(desk, STRANGER)


def test_before_the_first_analysis_there_is_nothing_to_project(sqlite_state: State) -> None:
    desk = opt_in(sqlite_state, ALPHA)

    with pytest.raises(ResourceNotFoundException):
        ask(desk)
