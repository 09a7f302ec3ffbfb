"""What CloudWatch has becomes samples of our series: a local AWS answers."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from compute_optimizer.errors import SourceUnavailable
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.model.collection import NOTHING_WANTED, Effort, Scope, Wanted
from compute_optimizer.model.ecs_service import EcsService
from compute_optimizer.model.lambda_function import LambdaFunction
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.resource import (
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    Resource,
)
from compute_optimizer.sources.aws import Access, AwsSource
from compute_optimizer.sources.aws.measures import Measure
from compute_optimizer.sources.aws.metrics import samples_of
from compute_optimizer.sources.aws.queries import Batch, Series
from tests import aws_estate
from tests.local_aws import OWN, REGION, LocalAws

END = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 300 * 300, UTC)
"""The end of the last slot that has ended."""

CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)
CPU_MEAN = MetricKey("CPUUtilization", Statistic.AVERAGE)
MEMORY = MetricKey("mem_used_percent", Statistic.MAXIMUM)
MEMORY_MEAN = MetricKey("mem_used_percent", Statistic.AVERAGE)
READS = MetricKey("VolumeReadOps", Statistic.SUM)


@pytest.fixture
def source(aws: LocalAws) -> Iterator[AwsSource]:
    """AWS as the program sees it."""
    with closing(AwsSource(Access(requests_per_second=0), SystemClock())) as found:
        yield found


def an_instance(name: str, kind: str = "m5.large") -> Resource:
    arn = f"arn:aws:ec2:{REGION}:{OWN}:instance/{name}"
    return Resource(arn, OWN, REGION, EC2_INSTANCE, name, kind)


def asked(
    source: AwsSource,
    resource_type: str,
    resources: list[Resource],
    *keys: MetricKey,
    hours: float = 1,
) -> dict[MetricKey, dict[str, NDArray[np.float32]]]:
    """Return the values by series and resource, in the order of time, of the last hours."""
    since = np.full(len(resources), int((END - timedelta(hours=hours)).timestamp()), np.int64)
    wanted = Wanted(resources, dict.fromkeys(keys, since), int(END.timestamp()))
    found: dict[MetricKey, dict[str, NDArray[np.float32]]] = {}
    for one in source.samples(Scope(OWN, REGION, resource_type), wanted):
        for place in np.unique(one.places):
            its = one.places == place
            order = np.argsort(one.seconds[its])
            name = resources[place].resource_id
            found.setdefault(one.key, {})[name] = one.values[its][order]
    return found


def test_averages_and_maxima_are_different_series(aws: LocalAws, source: AwsSource) -> None:
    # Minutes of 0 to 59 %: the first five-minute slot has 0 to 4.
    aws.put("AWS/EC2", "CPUUtilization", {"InstanceId": "i-1"}, range(60), END, seconds=60)

    found = asked(source, EC2_INSTANCE, [an_instance("i-1")], CPU, CPU_MEAN)

    assert found[CPU]["i-1"].tolist() == list(range(4, 60, 5))
    assert found[CPU_MEAN]["i-1"].tolist() == list(range(2, 60, 5))


def test_only_what_is_wanted_of_each_resource_is_asked_for(
    aws: LocalAws, source: AwsSource
) -> None:
    for name in ("i-1", "i-2"):
        aws.put("AWS/EC2", "CPUUtilization", {"InstanceId": name}, [1.0] * 12, END)
    until = int(END.timestamp())
    wanted = Wanted(
        [an_instance("i-1"), an_instance("i-2")],
        {CPU: np.array([until - 600, NOTHING_WANTED])},
        until,
    )

    (found,) = source.samples(Scope(OWN, REGION, EC2_INSTANCE), wanted)

    assert found.places.tolist() == [0, 0]
    assert found.seconds.tolist() == [until - 600, until - 300]


def test_volumes_of_an_instance_are_added_up(aws: LocalAws, source: AwsSource) -> None:
    machine = aws_estate.machines(aws)
    volumes = aws.client("ec2").describe_volumes()["Volumes"]
    for number, volume in enumerate(volumes, 1):
        dimensions = {"VolumeId": volume["VolumeId"]}
        aws.put("AWS/EBS", "VolumeReadOps", dimensions, [10.0 * number] * 3, END)

    found = asked(source, EC2_INSTANCE, [an_instance(machine)], READS)

    assert len(volumes) == 2
    assert found[READS][machine].tolist() == [30, 30, 30]  # 10 + 20


@pytest.mark.parametrize(
    ("namespace", "metric", "more"),
    [
        ("CWAgent", "mem_used_percent", {}),
        ("CWAgent", "mem_used_percent", {"ImageId": "ami-1", "InstanceType": "m5.large"}),
        ("CWAgent", "mem_used_percent", {"cost-center": "7"}),
        ("System/Linux", "MemoryUtilization", {}),
        ("CWAgent", "Memory % Committed Bytes In Use", {"objectname": "Memory"}),
    ],
)
def test_memory_is_found_whatever_dimensions_the_agent_was_told(
    aws: LocalAws, source: AwsSource, namespace: str, metric: str, more: dict[str, str]
) -> None:
    aws.put(namespace, metric, {"InstanceId": "i-1", **more}, [40.0, 60.0], END)
    aws.put(namespace, metric, {"InstanceId": "i-2", **more}, [70.0], END)

    found = asked(source, EC2_INSTANCE, [an_instance("i-1")], MEMORY)

    assert found[MEMORY]["i-1"].tolist() == [40, 60]


def test_of_several_series_of_an_agent_the_whole_counts(aws: LocalAws, source: AwsSource) -> None:
    part = {"InstanceId": "i-1", "container": "web"}
    aws.put("CWAgent", "mem_used_percent", part, [10.0], END)
    aws.put("CWAgent", "mem_used_percent", {"InstanceId": "i-1"}, [40.0], END)

    found = asked(source, EC2_INSTANCE, [an_instance("i-1")], MEMORY)

    assert found[MEMORY]["i-1"].tolist() == [40]


def test_free_memory_of_windows_becomes_used_memory(aws: LocalAws, source: AwsSource) -> None:
    # m5.large has 8,192 MiB. Two minutes of one slot: 2,048 MiB free are 75 % used, 4,096 are 50.
    dimensions = {"InstanceId": "i-1", "objectname": "Memory"}
    aws.put("CWAgent", "Memory Available MBytes", dimensions, [4096.0, 2048.0], END, seconds=60)
    aws.put("CWAgent", "Memory % Committed Bytes In Use", dimensions, [99.0], END)

    found = asked(source, EC2_INSTANCE, [an_instance("i-1")], MEMORY, MEMORY_MEAN)

    assert found[MEMORY]["i-1"].tolist() == [75]
    assert found[MEMORY_MEAN]["i-1"].tolist() == [62.5]


def test_free_memory_of_an_unknown_type_tells_nothing(aws: LocalAws, source: AwsSource) -> None:
    aws.put("CWAgent", "Memory Available MBytes", {"InstanceId": "i-1"}, [4096.0], END)

    assert asked(source, EC2_INSTANCE, [an_instance("i-1", "q9.huge")], MEMORY) == {}


def test_gpus_of_an_instance_are_one(aws: LocalAws, source: AwsSource) -> None:
    use, memory = "nvidia_smi_utilization_gpu", "nvidia_smi_memory_used"
    for index, values in (("0", [10.0, 90.0]), ("1", [30.0, 20.0])):
        dimensions = {"InstanceId": "i-1", "index": index, "name": "T4"}
        for metric in (use, memory):
            aws.put("CWAgent", metric, dimensions, values, END)
    keys = [MetricKey(metric, Statistic.MAXIMUM) for metric in (use, memory)]

    found = asked(source, EC2_INSTANCE, [an_instance("i-1", "g4dn.12xlarge")], *keys)

    assert found[keys[0]]["i-1"].tolist() == [30, 90]  # of the busiest
    assert found[keys[1]]["i-1"].tolist() == [40, 110]  # of both


def test_the_agent_may_write_to_a_namespace_of_its_own(aws: LocalAws) -> None:
    aws.put("Acme/Hosts", "mem_used_percent", {"InstanceId": "i-1"}, [40.0], END)

    access, clock = Access(requests_per_second=0), SystemClock()
    with closing(AwsSource(access, clock, "Acme/Hosts")) as source:
        found = asked(source, EC2_INSTANCE, [an_instance("i-1")], MEMORY)

    assert found[MEMORY]["i-1"].tolist() == [40]


def test_checks_of_volumes_are_found_with_further_dimensions(
    aws: LocalAws, source: AwsSource
) -> None:
    check = MetricKey("VolumeIOPSExceededCheck", Statistic.MAXIMUM)
    dimensions = {"VolumeId": "vol-1", "InstanceId": "i-1"}
    aws.put("AWS/EBS", "VolumeIOPSExceededCheck", dimensions, [0.0, 1.0], END)
    volume = replace(an_instance("vol-1"), resource_type=EBS_VOLUME)

    assert asked(source, EBS_VOLUME, [volume], check)[check]["vol-1"].tolist() == [0, 1]


def test_minutes_of_a_service_are_kept(aws: LocalAws, source: AwsSource) -> None:
    dimensions = {"ClusterName": "prod", "ServiceName": "api"}
    aws.put("AWS/ECS", "MemoryUtilization", dimensions, range(10), END, seconds=60)
    arn = f"arn:aws:ecs:{REGION}:{OWN}:service/prod/api"
    service = EcsService(arn, OWN, REGION, ECS_SERVICE, "prod/api", "Fargate")

    found = asked(source, ECS_SERVICE, [service], MEMORY)

    assert found[MEMORY]["prod/api"].tolist() == list(range(10))


def test_functions_have_their_memory_from_lambda_insights(aws: LocalAws, source: AwsSource) -> None:
    key, calls = (
        MetricKey("used_memory_max", Statistic.MAXIMUM),
        MetricKey("Invocations", Statistic.SUM),
    )
    aws.put("LambdaInsights", "used_memory_max", {"function_name": "worker"}, [99.0], END)
    aws.put("AWS/Lambda", "Invocations", {"FunctionName": "worker"}, [7.0], END)
    arn = f"arn:aws:lambda:{REGION}:{OWN}:function:worker:$LATEST"
    function = Resource(arn, OWN, REGION, LAMBDA_FUNCTION, "worker", "arm64")

    found = asked(source, LAMBDA_FUNCTION, [function], key, calls)

    assert (found[key]["worker"].tolist(), found[calls]["worker"].tolist()) == ([99], [7])


def a_version(short: str) -> Resource:
    """Return a version of a function that has several."""
    version = short if ":" in short else f"{short}:$LATEST"
    arn = f"arn:aws:lambda:{REGION}:{OWN}:function:{version}"
    return LambdaFunction(
        arn, OWN, REGION, LAMBDA_FUNCTION, short, "arm64", has_versions=True, memory_size=512
    )


def test_versions_of_a_function_have_what_was_called_of_them(
    aws: LocalAws, source: AwsSource
) -> None:
    for dimensions, invocations, duration in (
        ({}, 111.0, 99.0),  # all together, which tells of no version
        ({"Resource": "worker"}, 1.0, 10.0),
        ({"Resource": "worker:1"}, 10.0, 20.0),
        ({"Resource": "worker:prod", "ExecutedVersion": "2"}, 40.0, 30.0),
        ({"Resource": "worker:test", "ExecutedVersion": "2"}, 60.0, 50.0),
        ({"Resource": "worker:prod"}, 100.0, 77.0),
    ):
        whole = {"FunctionName": "worker", **dimensions}
        aws.put("AWS/Lambda", "Invocations", whole, [invocations], END)
        aws.put("AWS/Lambda", "Duration", whole, [duration], END)
    aws.put("LambdaInsights", "used_memory_max", {"function_name": "worker"}, [500.0], END)
    insights = {"function_name": "worker", "version": "2"}
    aws.put("LambdaInsights", "used_memory_max", insights, [300.0], END)
    keys = (
        MetricKey("Invocations", Statistic.SUM),
        MetricKey("Duration", Statistic.AVERAGE),
        MetricKey("Duration", Statistic.MAXIMUM),
        MetricKey("used_memory_max", Statistic.MAXIMUM),
    )
    versions = [a_version(name) for name in ("worker", "worker:1", "worker:2")]

    found = asked(source, LAMBDA_FUNCTION, versions, *keys)

    values = [{name: list(one) for name, one in found[key].items()} for key in keys]
    # Of two aliases of version 2: 40 + 60 calls, (30 + 50) / 2 and the longer of both.
    assert values == [
        {"worker": [1], "worker:1": [10], "worker:2": [100]},
        {"worker": [10], "worker:1": [20], "worker:2": [40]},
        {"worker": [10], "worker:1": [20], "worker:2": [50]},
        {"worker:2": [300]},
    ]


def test_an_estimate_asks_for_no_samples(aws: LocalAws, source: AwsSource) -> None:
    since = np.array([int((END - timedelta(days=14)).timestamp())], np.int64)
    wanted = Wanted([an_instance("i-1")], {CPU: since, CPU_MEAN: since}, int(END.timestamp()))

    effort = source.effort(Scope(OWN, REGION, EC2_INSTANCE), wanted)

    # Two series for 0.01 USD per 1,000; 2 x 4,032 samples at 180,000 a second.
    assert effort == Effort(1, 2, 8064 / 180_000, 2 * (0.01 / 1_000))
    assert ("cloudwatch", "GetMetricData") not in aws.asked()


MEASURE = Measure("CPUUtilization", "AWS/EC2", "CPUUtilization", lambda _: ())


def a_batch(*names: str) -> tuple[Batch, Wanted]:
    """Return a call that asks for CPU maxima of some instances, and what it is for."""
    series = tuple(
        Series(place, CPU, 0, 1200, MEASURE, ((("InstanceId", name),),), 300)
        for place, name in enumerate(names)
    )
    return Batch(series), Wanted([an_instance(name) for name in names], {}, 1200)


def result(name: str, *points: tuple[int, float], status: str = "Complete") -> dict[str, Any]:
    return {
        "Id": name,
        "Timestamps": [float(moment) for moment, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": status,
    }


def test_a_series_may_go_on_on_the_next_page() -> None:
    # The local AWS answers everything on one page, CloudWatch does not.
    batch, wanted = a_batch("a", "b")
    pages = [
        {"MetricDataResults": [result("s0_0", (0, 1.0), (300, 2.0), status="PartialData")]},
        {"MetricDataResults": [result("s0_0", (600, 3.0)), result("s1_0", (0, 9.0))]},
    ]

    (found,) = samples_of(batch, pages, wanted, lambda _: 0.0)

    assert found.places.tolist() == [0, 0, 0, 1]
    assert found.seconds.tolist() == [0, 300, 600, 0]
    assert found.values.tolist() == [1, 2, 3, 9]


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_a_series_that_cloudwatch_could_not_read_is_told(status: str) -> None:
    batch, wanted = a_batch("a")
    pages = [{"MetricDataResults": [result("s0_0", status=status)]}]

    with pytest.raises(SourceUnavailable, match=status):
        list(samples_of(batch, pages, wanted, lambda _: 0.0))
