"""A row of an export of databases: of a DB instance, of an Aurora cluster and of its instance."""

import pytest

from tests.databases import database, recommended_database
from tests.exporting import exported_row
from tests.fleets import CPU
from tests.recommended_databases import CLUSTER, INSTANCE, MEMBER

CLASS, STORAGE = "instanceRecommendationOptions_", "storageRecommendationOptions_"
COSTS = ("Instance", "Storage", "StorageIO")


def test_an_instance_is_a_row_of_its_class_and_of_its_storage() -> None:
    row = exported_row("RdsDBInstance", INSTANCE)

    assert row["resourceArn"] == INSTANCE.resource_arn
    assert (row["engine"], row["engineVersion"]) == ("mysql", "8.4.3")
    assert (row["idle"], row["multiAZDBInstance"]) == (False, False)
    assert row["currentDBInstanceClass"] == "db.m5.2xlarge"
    assert row["currentStorageConfigurationStorageType"] == "gp3"
    assert row["currentStorageConfigurationAllocatedStorage"] == 100
    assert row["currentStorageConfigurationMaxAllocatedStorage"] == 500
    # 3,000 IOPS and 125 MiB/s come with gp3.
    assert row["currentStorageConfigurationIOPS"] == 3000
    assert row["currentStorageConfigurationStorageThroughput"] == 125
    assert row["currentInstanceOnDemandHourlyPrice"] == pytest.approx(INSTANCE.hourly_usd)
    assert row["utilizationMetricsCpuMaximum"] == 10.0
    # 15 of 100 GiB are free.
    assert row["utilizationMetricsEBSVolumeStorageSpaceUtilizationMaximum"] == 85.0
    assert row["instanceFinding"] == "Overprovisioned"
    assert row["instanceFindingReasonCodes_isCPUOverprovisioned"] is True
    assert row["instanceFindingReasonCodes_isCPUUnderprovisioned"] is False
    assert row["storageFindingReasonCodes_isEBSVolumeAllocatedStorageUnderprovisioned"] is True
    assert row["instance_recommendations_count"] == 3
    assert [row[f"{CLASS}{rank}_rank"] for rank in (1, 2, 3)] == [1, 2, 3]
    assert row[f"{STORAGE}1_storageType"] == "gp3"
    assert row[f"{STORAGE}1_maxAllocatedStorage"] == 500
    assert row["effectiveRecommendationPreferencesCpuVendorArchitectures"] == "CURRENT"
    assert row["effectiveRecommendationPreferencesLookBackPeriod"] == "DAYS_14"
    assert row["lastRefreshTimestamp"].endswith(".000Z")
    assert "clusterWriter" not in row
    assert not any(name.startswith("currentStorageEstimatedCluster") for name in row)


def test_options_of_classes_are_those_of_the_asked_architectures() -> None:
    row = exported_row("RdsDBInstance", INSTANCE, architectures=("AWS_ARM64",))

    assert row[f"{CLASS}1_dbInstanceClass"].startswith(("db.m6g", "db.m7g", "db.t4g", "db.m8g"))
    assert row["effectiveRecommendationPreferencesCpuVendorArchitectures"] == "AWS_ARM64"


def test_a_cluster_is_a_row_of_its_storage_and_of_what_it_costs() -> None:
    row = exported_row("RdsDBInstance", CLUSTER)

    assert row["storageFinding"] == "NotOptimized"
    assert row["storageFindingReasonCodes_isDBClusterStorageSavingsAvailable"] is True
    assert row["dbClusterIdentifier"] == "shop"
    assert row["instance_recommendations_count"] == 0
    assert row["storage_recommendations_count"] == 2
    first, second = (row[f"{STORAGE}{rank}_storageType"] for rank in (1, 2))
    assert (first, second) == ("aurora-iopt1", "aurora")
    # 110,000 I/Os in each of 8,760 slots are 963.6 million a month, at 0.20 USD a million.
    assert row["currentStorageEstimatedClusterStorageIOOnDemandMonthlyCost"] == pytest.approx(
        192.72
    )
    # 100 GiB at 0.10 USD.
    assert row["currentStorageEstimatedClusterStorageOnDemandMonthlyCost"] == pytest.approx(10.0)
    assert row[f"{STORAGE}1_estimatedClusterStorageIOOnDemandMonthlyCost"] == 0.0
    # I/O-Optimized costs 2.25 times as much for storage, 1.3 times for instances.
    assert row[f"{STORAGE}1_estimatedClusterStorageOnDemandMonthlyCost"] == pytest.approx(22.5)
    instances = row["currentStorageEstimatedClusterInstanceOnDemandMonthlyCost"]
    assert row[f"{STORAGE}1_estimatedClusterInstanceOnDemandMonthlyCost"] == pytest.approx(
        instances * 1.3
    )
    parts = [row[f"{STORAGE}2_estimatedCluster{word}OnDemandMonthlyCost"] for word in COSTS]
    assert sum(parts) == pytest.approx(row[f"{STORAGE}2_onDemandMonthlyPrice"])
    # What only instances have is empty, findings and their reasons too.
    assert not any(name.startswith(("instanceFinding", CLASS)) for name in row)
    assert "multiAZDBInstance" not in row


def test_an_instance_of_aurora_has_no_storage_of_its_own() -> None:
    row = exported_row("RdsDBInstance", MEMBER)

    assert (row["dbClusterIdentifier"], row["promotionTier"]) == ("shop", 0)
    assert row["clusterWriter"] is False
    assert row["storage_recommendations_count"] == 0
    assert not any(name.startswith(("storageFinding", "currentStorageC")) for name in row)


def test_an_instance_tells_its_standby_and_a_member_that_it_writes() -> None:
    standby = recommended_database(database(1, "db.m5.large", multi_az=True), {CPU: 30})
    writer = recommended_database(
        database(1, "db.r5.large", engine="aurora-mysql", cluster="shop", writer=True), {CPU: 30}
    )

    assert exported_row("RdsDBInstance", standby)["multiAZDBInstance"] is True
    assert exported_row("RdsDBInstance", writer)["clusterWriter"] is True
