"""Resources that an emulator starts with: what they sent, and what the engine makes of it."""

from datetime import datetime, timedelta
from math import inf
from typing import Any

import pytest

from compute_optimizer.emulator.handles import Emulator
from compute_optimizer.emulator.state import (
    AuroraCluster,
    AutoScalingGroup,
    Database,
    ExportJob,
    Fleet,
    Function,
    IdleResource,
    Instance,
    NatGateway,
    Service,
    Volume,
)
from compute_optimizer.errors import InvalidInput
from tests.emulating import START, client_of


def listed(running: Emulator, operation: str, member: str, **request: Any) -> list[dict[str, Any]]:
    answer = getattr(client_of(running), operation)(**request)
    found: list[dict[str, Any]] = answer[member]
    return found


def instances_of(running: Emulator) -> list[dict[str, Any]]:
    return listed(running, "get_ec2_instance_recommendations", "instanceRecommendations")


def use_of(recommendation: dict[str, Any]) -> dict[str, float]:
    return {one["name"]: one["value"] for one in recommendation["utilizationMetrics"]}


def test_an_instance_has_the_use_that_is_stated_and_the_finding_that_follows(
    still: Emulator,
) -> None:
    (arn,) = still.put(
        Instance(
            "web", "m5.2xlarge", load="diurnal, 30 % peak", memory="steady, 20 %", tags={"a": "b"}
        )
    )

    (found,) = instances_of(still)
    assert found["instanceArn"] == arn
    assert found["instanceName"] == "web"
    assert found["tags"] == [{"key": "a", "value": "b"}]
    assert use_of(found)["CPU"] == pytest.approx(30)
    assert use_of(found)["MEMORY"] == pytest.approx(20)
    # 8 vCPUs at 30 % and 20 % headroom need 2.4 / 0.8 = 3 vCPUs: a m5.xlarge has 4.
    assert found["finding"] == "OVER_PROVISIONED"
    assert {"CPUOverprovisioned", "MemoryOverprovisioned"} <= set(found["findingReasonCodes"])


def test_an_instance_above_the_headroom_is_under_provisioned(still: Emulator) -> None:
    still.put(Instance("hot", "m5.large", load="saturated"))

    (found,) = instances_of(still)
    assert found["finding"] == "UNDER_PROVISIONED"
    assert "CPUUnderprovisioned" in found["findingReasonCodes"]


def test_without_an_agent_nothing_is_known_of_memory(still: Emulator) -> None:
    still.put(Instance("web", "m5.2xlarge"))

    (found,) = instances_of(still)
    assert "MEMORY" not in use_of(found)


def test_several_alike_are_numbered_and_keep_their_ids(still: Emulator) -> None:
    arns = still.put(Instance("web", count=3))

    assert [one["instanceName"] for one in instances_of(still)] != []
    names = {one["instanceArn"]: one["instanceName"] for one in instances_of(still)}
    assert [names[arn] for arn in arns] == ["web-1", "web-2", "web-3"]
    assert still.put(Instance("web", count=3)) == arns


def test_what_one_sent_does_not_depend_on_the_others(still: Emulator) -> None:
    still.put(Instance("web", load="bursty, 50 % peak"))
    (alone,) = instances_of(still)
    still.put(Instance("api", load="steady, 10 %"), Instance("web", load="bursty, 50 % peak"))

    beside = {one["instanceName"]: one for one in instances_of(still)}
    assert use_of(beside["web"]) == use_of(alone)


def test_samples_are_taken_as_stated(still: Emulator) -> None:
    hours = [(START - timedelta(hours=hour), 10.0 + hour % 7) for hour in range(1, 14 * 24)]
    samples: list[tuple[datetime, float]] = [
        (moment + timedelta(minutes=minutes), value)
        for moment, value in hours
        for minutes in range(0, 60, 5)
    ]
    still.put(Instance("web", "m5.2xlarge", load=samples))

    (found,) = instances_of(still)
    # The highest remainder of a division by seven is six.
    assert use_of(found)["CPU"] == pytest.approx(16)


def test_an_instance_that_is_too_young_has_no_recommendation_but_a_reason(
    still: Emulator,
) -> None:
    (arn,) = still.put(Instance("new", days=1))

    answer = client_of(still).get_ec2_instance_recommendations(instanceArns=[arn])
    assert answer["instanceRecommendations"] == []
    assert [one["identifier"] for one in answer["errors"]] == [arn]


def test_resources_are_where_they_are_stated(still: Emulator) -> None:
    still.put(Instance("web", region="eu-west-1", account_id="222222222222"))

    client = client_of(still, "222222222222", "eu-west-1")
    assert len(client.get_ec2_instance_recommendations()["instanceRecommendations"]) == 1
    assert (
        client_of(still, "222222222222").get_ec2_instance_recommendations()[
            "instanceRecommendations"
        ]
        == []
    )


def test_a_group_is_sized_by_what_its_instances_use(still: Emulator) -> None:
    (arn,) = still.put(AutoScalingGroup("front", "c5.2xlarge", load="steady, 10 %"))

    (found,) = listed(
        still, "get_auto_scaling_group_recommendations", "autoScalingGroupRecommendations"
    )
    assert found["autoScalingGroupArn"] == arn
    assert found["finding"] == "NOT_OPTIMIZED"
    assert use_of(found)["CPU"] == pytest.approx(10)


def test_a_member_of_a_group_names_it(still: Emulator) -> None:
    group, *_ = still.put(
        AutoScalingGroup("front", desired_capacity=2),
        Instance("front", auto_scaling_group="front", count=2),
    )

    sources = {
        source["recommendationSourceArn"]
        for one in instances_of(still)
        for source in one["recommendationSources"]
    }
    assert sources == {group}


def test_a_volume_is_used_by_a_share_of_its_baseline(still: Emulator) -> None:
    still.put(Volume("data", "gp2", 1000, load="steady, 50 %"))

    (found,) = listed(still, "get_ebs_volume_recommendations", "volumeRecommendations")
    use = use_of(found)
    # A gp2 volume of 1,000 GiB has 3 IOPS for each: 3,000, of which half are 1,500. What is shown
    # is the P99.5 of reads and writes (docs/ebs-volumes.md): a little below the highest sample.
    shown = use["VolumeReadOpsPerSecond"] + use["VolumeWriteOpsPerSecond"]
    assert 0.95 * 1500 < shown <= 1500
    assert found["finding"] == "NotOptimized"


def test_a_function_uses_a_share_of_its_memory(still: Emulator) -> None:
    still.put(Function("resize", 1024, memory="steady, 25 %"))

    (found,) = listed(still, "get_lambda_function_recommendations", "lambdaFunctionRecommendations")
    used = {(one["name"], one["statistic"]): one["value"] for one in found["utilizationMetrics"]}
    assert used["Memory", "Maximum"] == pytest.approx(256)
    assert used["Duration", "Maximum"] == pytest.approx(200)
    assert found["finding"] == "NotOptimized"
    assert found["findingReasonCodes"] == ["MemoryOverprovisioned"]


def test_a_service_uses_shares_of_its_task(still: Emulator) -> None:
    still.put(Service("api", 1024, 4096, load="steady, 10 %", memory="steady, 10 %"))

    (found,) = listed(still, "get_ecs_service_recommendations", "ecsServiceRecommendations")
    assert use_of(found) == pytest.approx({"Cpu": 10, "Memory": 10})
    assert found["finding"] == "Overprovisioned"


def test_a_database_uses_its_cpu_and_storage(still: Emulator) -> None:
    still.put(Database("orders", "db.m5.2xlarge", load="steady, 10 %", free_storage=40))

    (found,) = listed(still, "get_rds_database_recommendations", "rdsDBRecommendations")
    assert found["instanceFinding"] == "Overprovisioned"
    use = use_of(found)
    assert use["CPU"] == pytest.approx(10)
    assert use["EBSVolumeStorageSpaceUtilization"] == pytest.approx(60)


def test_an_aurora_cluster_has_its_storage_and_its_instances(still: Emulator) -> None:
    still.put(
        AuroraCluster("shop", load="steady, 100 %", operations=4000, used_gib=10),
        Database("shop-1", "db.r6g.large", engine="aurora-mysql", cluster="shop"),
    )

    cluster, instance = listed(still, "get_rds_database_recommendations", "rdsDBRecommendations")
    assert cluster["resourceArn"].endswith(":cluster:shop")
    assert cluster["currentStorageConfiguration"]["storageType"] == "aurora"
    # What is charged for 4,000 I/Os a second is far above what I/O-Optimized costs more.
    (option, *_) = cluster["storageRecommendationOptions"]
    assert option["storageConfiguration"]["storageType"] == "aurora-iopt1"
    assert instance["dbClusterIdentifier"] == "shop"
    assert use_of(instance)["CPU"] == pytest.approx(40)
    assert "currentStorageConfiguration" not in instance


def test_an_instance_with_sql_server_is_a_license_as_well(still: Emulator) -> None:
    (arn,) = still.put(
        Instance("sql", "r5.4xlarge", sql_server="Enterprise", enterprise_features=0)
    )

    (found,) = listed(still, "get_license_recommendations", "licenseRecommendations")
    assert found["resourceArn"] == arn
    # No feature of Enterprise is in use, so Standard would do.
    assert found["finding"] == "NotOptimized"
    assert found["findingReasonCodes"] == ["LicenseOverprovisioned"]
    assert len(instances_of(still)) == 1


IDLE: dict[str, Fleet] = {
    "EC2Instance": Instance("idle", load="idle"),
    "AutoScalingGroup": AutoScalingGroup("idle", load="idle"),
    "EBSVolume": Volume("idle", load="idle"),
    "ECSService": Service("idle", load="idle", memory="idle"),
    "RDSDBInstance": Database("idle", load="idle"),
    "NatGateway": NatGateway("idle"),
    "DynamoDBTable": IdleResource("DynamoDBTable", "idle", monthly_usd=5),
    "ElastiCacheCluster": IdleResource("ElastiCacheCluster", "idle"),
    "MemoryDBCluster": IdleResource("MemoryDBCluster", "idle"),
    "DocumentDBCluster": IdleResource("DocumentDBCluster", "idle"),
    "WorkSpaces": IdleResource("WorkSpaces", "idle"),
    "SageMakerEndpoint": IdleResource("SageMakerEndpoint", "idle"),
}
USED: list[Fleet] = [
    Instance("used", load="steady, 30 %"),
    AutoScalingGroup("used"),
    Volume("used"),
    Service("used"),
    Database("used"),
    NatGateway("used", used=True),
    *(
        IdleResource(one.resource_type, "used", used=True)
        for one in IDLE.values()
        if isinstance(one, IdleResource)
    ),
]


def test_what_is_idle_of_every_type_is_found_and_what_is_used_is_not(still: Emulator) -> None:
    still.put(*IDLE.values(), *USED, Volume("lost", attached=False))

    found = listed(still, "get_idle_recommendations", "idleRecommendations", maxResults=100)
    assert sorted((one["resourceType"], one["finding"]) for one in found) == sorted(
        [
            *((kind, "Unused" if kind == "NatGateway" else "Idle") for kind in IDLE),
            ("EBSVolume", "Unattached"),
        ]
    )


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (
            Instance("web", "m5.huge"),
            r"'web': the catalog knows no type 'm5.huge' for Ec2Instance; "
            r"expected one such as m5\.",
        ),
        (Volume("data", "gp9"), "knows no type 'gp9' for EbsVolume; expected one such as gp2"),
        (Database("db", "m5.large"), "knows no type 'm5.large' for RdsDBInstance"),
        (Database("db", engine="aurora-mysql"), "the cluster None; expected a cluster with Aurora"),
        (Instance("web", load="busy"), "Instance 'web': load 'busy': expected a shape"),
        # Beyond the bounds no figures of single precision come of it, and no moment.
        (Function("f", invocations=inf), r"<= 1000000000.0 - at `\$.invocations`"),
        (Database("db", operations=1e300), r"<= 1000000000.0 - at `\$.operations`"),
        (Database("db", iops=10**30), r"at `\$.iops`"),
        (Volume("data", throughput_mibps=-1), r">= 0 - at `\$.throughput_mibps`"),
        (Service("api", cpu_units=0), r">= 1 - at `\$.cpu_units`"),
        (ExportJob(days_ago=1e6), r"<= 36500.0 - at `\$.days_ago`"),
        (Function("f", memory="60"), "Function 'f': load '60'"),
        (Instance("web", days=94), r"Instance: .*<= 93.*\$\.days"),
        (Instance("web", count=0), r">= 1.*\$\.count"),
        (Instance("web", count=2, instance_id="i-1"), "cannot have one id"),
    ],
)
def test_refuses_resources_that_cannot_be_and_says_why(
    still: Emulator, record: Fleet | ExportJob, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        still.put(record)


def test_refuses_one_resource_twice(still: Emulator) -> None:
    with pytest.raises(InvalidInput, match="stated twice"):
        still.put(Instance("web"), Instance("web"))


def test_refuses_what_is_no_record(still: Emulator) -> None:
    with pytest.raises(InvalidInput, match="nothing that an emulator starts with"):
        still.put({"instances": []})  # type: ignore[arg-type] # what it refuses
