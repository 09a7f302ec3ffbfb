"""Databases from files to boto3, in both protocols."""

import re
from datetime import timedelta
from typing import Any

import pytest

from compute_optimizer.cli.explain import print_explanation
from compute_optimizer.jobs.explain import explain
from compute_optimizer.store.tiles import TileStore
from tests.breaches import mistyped_in
from tests.end_to_end.conftest import ACCOUNT, REGION, Served
from tests.end_to_end.imported import import_and_analyze, midnight_of

INVENTORY = f"""\
id,account,region,resource_type,type,engine,storage_type,size_gib,performance_insights,cluster,member_classes,tags
i-1,{ACCOUNT},{REGION},Ec2Instance,m5.large,,,,,,,
orders,{ACCOUNT},{REGION},RdsDBInstance,db.m5.2xlarge,mysql,gp2,100,true,,,team=data
legacy,{ACCOUNT},{REGION},RdsDBInstance,db.m5.large,mariadb,gp2,100,,,,
shop-1,{ACCOUNT},{REGION},RdsDBInstance,db.r5.large,aurora-mysql,,,,shop,,
shop,{ACCOUNT},{REGION},AuroraDBClusterStorage,aurora,aurora-mysql,,,,,db.r5.large,
"""

DAYS = 14


def arn(name: str, kind: str = "db") -> str:
    return f"arn:aws:rds:{REGION}:{ACCOUNT}:{kind}:{name}"


SHOP = arn("shop", "cluster")


@pytest.fixture(scope="module")
def analyzed(served_once: Served) -> Served:
    """Fourteen days of samples of instances and a cluster, imported and analyzed."""
    midnight = midnight_of(served_once)
    lines: list[str] = []
    for slot in range(DAYS * 48):
        moment = (midnight - timedelta(minutes=30 * (slot + 1))).isoformat()
        lines += [
            f"{arn(name)},{moment},CPUUtilization,Maximum,10"
            for name in ("orders", "shop-1", "legacy")
        ]
        lines.append(f"{arn('orders')},{moment},MemoryUtilization,Maximum,20")
        lines.append(f"{arn('orders')},{moment},os.swap.in,Maximum,0")
        lines.append(f"{SHOP},{moment},VolumeBytesUsed,,{100 * 2**30}")
        lines.append(f"{SHOP},{moment},VolumeReadIOPs,,100000")
        lines.append(f"{SHOP},{moment},VolumeWriteIOPs,,10000")
    return import_and_analyze(served_once, INVENTORY, lines, added=5)


def savings_of(option: dict[str, Any]) -> float:
    return float(option["savingsOpportunity"]["estimatedMonthlySavings"]["value"])


def test_databases_of_an_inventory_are_recommended_what_saves(
    analyzed: Served, protocol: str
) -> None:
    page = analyzed.client(protocol=protocol).get_rds_database_recommendations()

    found = {one["resourceArn"]: one for one in page["rdsDBRecommendations"]}
    assert set(found) == {arn("orders"), arn("shop-1"), SHOP}
    orders, shop = found[arn("orders")], found[SHOP]
    assert orders["instanceFinding"] == "Overprovisioned"
    first = orders["instanceRecommendationOptions"][0]
    assert first["dbInstanceClass"] == "db.m5.large"
    # (0.684 - 0.171) x 730.
    assert savings_of(first) == pytest.approx(374.49)
    assert orders["storageFindingReasonCodes"] == ["NewGenerationStorageTypeAvailable"]
    assert orders["tags"] == [{"key": "team", "value": "data"}]
    assert found[arn("shop-1")]["dbClusterIdentifier"] == "shop"
    # 211.70 + 10 + 110,000 x 8,760 / 10^6 x 0.20 = 414.42, against 275.21 + 22.50.
    assert shop["storageFinding"] == "NotOptimized"
    assert savings_of(shop["storageRecommendationOptions"][0]) == pytest.approx(116.71)
    assert mistyped_in(page, "GetRDSDatabaseRecommendations") == []


def test_the_points_of_an_option_arrive_as_the_model_types_them(
    analyzed: Served, protocol: str
) -> None:
    midnight = midnight_of(analyzed)

    page = analyzed.client(protocol=protocol).get_rds_database_recommendation_projected_metrics(
        resourceArn=arn("orders"),
        stat="Maximum",
        period=3600,
        startTime=midnight - timedelta(hours=2),
        endTime=midnight,
    )

    first = page["recommendedOptionProjectedMetrics"][0]
    (metric,) = first["projectedMetrics"]
    assert (first["recommendedDBInstanceClass"], first["rank"]) == ("db.m5.large", 1)
    assert metric["timestamps"] == [midnight - timedelta(hours=hours) for hours in (2, 1)]
    assert metric["values"] == pytest.approx([40.0, 40.0])
    assert mistyped_in(page, "GetRDSDatabaseRecommendationProjectedMetrics") == []


def test_arns_filters_and_pages_work_through_the_wire(analyzed: Served, protocol: str) -> None:
    client = analyzed.client(protocol=protocol)

    listed = client.get_rds_database_recommendations(resourceArns=[arn("legacy"), SHOP])
    first = client.get_rds_database_recommendations(maxResults=2)
    second = client.get_rds_database_recommendations(maxResults=2, nextToken=first["nextToken"])
    over = client.get_rds_database_recommendations(
        filters=[{"name": "InstanceFinding", "values": ["Overprovisioned"]}]
    )

    assert [one["resourceArn"] for one in listed["rdsDBRecommendations"]] == [SHOP]
    assert [(one["identifier"], one["code"]) for one in listed["errors"]] == [
        (arn("legacy"), "UNSUPPORTED_RESOURCE")
    ]
    pages = first["rdsDBRecommendations"] + second["rdsDBRecommendations"]
    assert [one["resourceArn"] for one in pages] == [SHOP, arn("orders"), arn("shop-1")]
    assert [one["resourceArn"] for one in over["rdsDBRecommendations"]] == [arn("orders")]


def test_a_wrong_filter_is_refused_by_the_modelled_exception(
    analyzed: Served, protocol: str
) -> None:
    client = analyzed.client(protocol=protocol)

    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Finding"):
        client.get_rds_database_recommendations(
            filters=[{"name": "Finding", "values": ["Optimized"]}]
        )


def test_what_a_database_costs_is_told_apart_by_what_it_is_for(
    analyzed: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    tiles = TileStore(analyzed.settings.tiles_dir)
    for name in ("orders", "shop-1"):
        print_explanation(explain(analyzed.state, tiles, analyzed.clock, arn(name)))

    orders, shop = re.findall("^db.*$", capsys.readouterr().out, re.MULTILINE)

    # 100 GiB of gp2 at 0.115 USD; the storage of a cluster's member is the cluster's.
    assert " USD an hour for the class and 11.50 USD a month for its storage (" in orders
    assert " USD an hour (" in shop
