"""Every member of a database's recommendation, held against botocore's model."""

from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.views.database import database_recommendation
from tests.breaches import breaches_of, members_of
from tests.databases import (
    GIB,
)
from tests.fleets import AS_OF
from tests.recommended_databases import CLUSTER, INSTANCE, MEMBER

SHAPE = "RDSDBRecommendation"

OF_CLUSTERS = {
    "dbClusterIdentifier",
    "promotionTier",
    "currentStorageEstimatedMonthlyVolumeIOPsCostVariation",
}
OF_INSTANCES = {
    "promotionTier",
    "currentDBInstanceClass",
    "idle",
    "instanceFinding",
    "instanceFindingReasonCodes",
    "currentInstancePerformanceRisk",
    "instanceRecommendationOptions",
}


def savings(percentage: float, usd: float) -> dict[str, Any]:
    found = {
        "savingsOpportunityPercentage": pytest.approx(percentage),
        "estimatedMonthlySavings": {"currency": "USD", "value": pytest.approx(usd)},
    }
    return {"savingsOpportunity": found, "savingsOpportunityAfterDiscounts": found}


def test_an_instance_of_rds_stands_in_the_spelling_of_the_wire() -> None:
    found = database_recommendation(INSTANCE, "us-east-1")

    options = found.pop("instanceRecommendationOptions")
    storage = found.pop("storageRecommendationOptions")
    assert found == {
        "resourceArn": "arn:aws:rds:us-east-1:111111111111:db:orders-1",
        "accountId": "111111111111",
        "engine": "mysql",
        "engineVersion": "8.4.3",
        "currentDBInstanceClass": "db.m5.2xlarge",
        "currentStorageConfiguration": {
            "storageType": "gp3",
            "allocatedStorage": 100,
            "iops": 3000,
            "maxAllocatedStorage": 500,
            "storageThroughput": 125,
        },
        "idle": "False",
        "instanceFinding": "Overprovisioned",
        "instanceFindingReasonCodes": [
            "CPUOverprovisioned",
            "EBSIOPSOverprovisioned",
            "NewGenerationDBInstanceClassAvailable",
        ],
        "currentInstancePerformanceRisk": "VeryLow",
        "storageFinding": "Underprovisioned",
        "storageFindingReasonCodes": ["EBSVolumeAllocatedStorageUnderprovisioned"],
        "utilizationMetrics": [
            {"name": "CPU", "statistic": "Maximum", "value": 10.0},
            {"name": "Memory", "statistic": "Maximum", "value": 20.0},
            {"name": "EBSVolumeReadIOPS", "statistic": "Maximum", "value": 100.0},
            {"name": "EBSVolumeStorageSpaceUtilization", "statistic": "Maximum", "value": 85.0},
        ],
        "effectiveRecommendationPreferences": {
            "cpuVendorArchitectures": ["CURRENT"],
            "enhancedInfrastructureMetrics": "Inactive",
            "lookBackPeriod": "DAYS_14",
            "savingsEstimationMode": {"source": "PublicPricing"},
        },
        "lookbackPeriodInDays": 14.0,
        "lastRefreshTimestamp": AS_OF,
        "tags": [{"key": "team", "value": "data"}],
    }
    assert options[0] == {
        "dbInstanceClass": "db.m5.large",
        "performanceRisk": 0.0,
        "rank": 1,
        "projectedUtilizationMetrics": [{"name": "CPU", "statistic": "Maximum", "value": 40.0}],
        # 0.171 instead of 0.684 USD an hour.
        **savings(75, 374.49),
    }
    # 85 of 100 GiB require 106.25, and RDS grows storage by a tenth at least.
    assert storage[0] == {
        "storageConfiguration": {
            "storageType": "gp3",
            "allocatedStorage": 110,
            "iops": 3000,
            "maxAllocatedStorage": 500,
            "storageThroughput": 125,
        },
        "rank": 1,
        **savings(0, 0),
    }


def test_the_storage_of_a_cluster_stands_by_itself() -> None:
    found = database_recommendation(CLUSTER, "us-east-1")

    assert not OF_INSTANCES & found.keys()
    assert found["resourceArn"] == "arn:aws:rds:us-east-1:111111111111:cluster:shop"
    assert found["dbClusterIdentifier"] == "shop"
    assert found["currentStorageConfiguration"] == {"storageType": "aurora"}
    assert found["currentStorageEstimatedMonthlyVolumeIOPsCostVariation"] == "None"
    assert found["utilizationMetrics"] == [
        {"name": "VolumeReadIOPs", "statistic": "Average", "value": 100_000},
        {"name": "VolumeBytesUsed", "statistic": "Average", "value": 100 * GIB},
        {"name": "VolumeWriteIOPs", "statistic": "Average", "value": 10_000},
    ]
    # 414.42 USD of which 192.72 for I/O, and 297.71 without.
    assert found["storageRecommendationOptions"][0] == {
        "storageConfiguration": {"storageType": "aurora-iopt1"},
        "rank": 1,
        **savings(100 * 116.71 / 414.42, 116.71),
        "estimatedMonthlyVolumeIOPsCostVariation": "None",
    }


def test_every_member_of_the_model_is_one_of_some_recommendation() -> None:
    found = [database_recommendation(one, "us-east-1") for one in (INSTANCE, CLUSTER, MEMBER)]

    assert {name for one in found for name in one} == set(members_of(SHAPE))
    assert not OF_CLUSTERS & found[0].keys()
    assert found[2]["promotionTier"] == 0
    assert "storageFinding" not in found[2]


@pytest.mark.parametrize("one", [INSTANCE, CLUSTER, MEMBER], ids=["rds", "cluster", "member"])
def test_every_value_is_one_that_the_service_model_lists(one: DatabaseRecommendation) -> None:
    assert breaches_of(database_recommendation(one, "us-east-1"), SHAPE) == []


@pytest.mark.parametrize("finding", [Finding.OPTIMIZED, Finding.UNDER_PROVISIONED])
def test_every_finding_is_one_that_the_service_model_lists(finding: Finding) -> None:
    one = structs.replace(INSTANCE, instance_finding=finding, storage_finding=finding)

    assert breaches_of(database_recommendation(one, "us-east-1"), SHAPE) == []


def test_the_options_of_several_architectures_are_ranked_together() -> None:
    found = database_recommendation(INSTANCE, "us-east-1", ("CURRENT", "AWS_ARM64"))

    options = found["instanceRecommendationOptions"]
    # 0.152, 0.171 and 0.215 USD.
    assert [(one["rank"], one["dbInstanceClass"]) for one in options] == [
        (1, "db.m6g.large"),
        (2, "db.m5.large"),
        (3, "db.r6g.large"),
    ]
    graviton = database_recommendation(INSTANCE, "us-east-1", ("AWS_ARM64",))
    classes = [one["dbInstanceClass"] for one in graviton["instanceRecommendationOptions"]]
    assert all(name.split(".")[1].endswith("g") for name in classes)


def test_savings_are_absent_where_a_price_is_unknown_and_in_cny_in_china() -> None:
    unpriced = structs.replace(INSTANCE.instance_options[0], savings=None)
    found = database_recommendation(
        structs.replace(INSTANCE, instance_options=(unpriced,)), "cn-north-1"
    )

    assert "savingsOpportunity" not in found["instanceRecommendationOptions"][0]
    saved = found["storageRecommendationOptions"][0]["savingsOpportunity"]
    assert saved["estimatedMonthlySavings"]["currency"] == "CNY"
