"""The columns of the exports: those of the service's files, and every field that it lists."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.export import ColumnKind
from compute_optimizer.model.recommendation import RecommendationError, UtilizationMetric
from compute_optimizer.shapes.model import service_model
from compute_optimizer.views.export_columns import Shown, chosen, error_row, recommended_rows
from compute_optimizer.views.exports import EXPORT_TABLES, metadata_document
from tests.every_type import SAMPLES
from tests.exporting import exported_row
from tests.groups import BY_HAND, group_arn, group_option, group_recommendation
from tests.idleness import TABLE, idle_recommendation
from tests.records import NOW, recommendation
from tests.volumes import volume_arn

FIELD_ENUMS = {
    "AutoScalingGroup": "ExportableAutoScalingGroupField",
    "EbsVolume": "ExportableVolumeField",
    "Ec2Instance": "ExportableInstanceField",
    "EcsService": "ExportableECSServiceField",
    "Idle": "ExportableIdleField",
    "LambdaFunction": "ExportableLambdaFunctionField",
    "License": "ExportableLicenseField",
    "RdsDBInstance": "ExportableRDSDBField",
}
"""By resource type, the enum of the service's model."""

PUBLIC_NAMES = {
    "AutoScalingGroup": "auto_scale",
    "EbsVolume": "ebs_volume",
    "Ec2Instance": "ec2_instance",
    "EcsService": "ecs_service",
    "Idle": "idle",
    "LambdaFunction": "lambda",
    "License": "license",
    "RdsDBInstance": "rds_database",
}
"""By resource type, the key of the public tables."""


PYTHON_TYPES: dict[ColumnKind, tuple[type, ...]] = {
    ColumnKind.STRING: (str,),
    ColumnKind.DOUBLE: (float,),
    ColumnKind.INTEGER: (int,),
    ColumnKind.BOOLEAN: (bool,),
    ColumnKind.DATETIME: (str,),
}

TYPES = sorted(EXPORT_TABLES)


def fields_of_the_model(resource_type: str) -> set[str]:
    shape: Any = service_model().shape_for(FIELD_ENUMS[resource_type])
    return set(shape.enum)


@pytest.mark.parametrize("resource_type", TYPES)
def test_every_exportable_field_of_the_model_has_its_columns(resource_type: str) -> None:
    fields = {column.field for column in EXPORT_TABLES[resource_type].columns} - {None}

    assert fields >= fields_of_the_model(resource_type)


@pytest.mark.parametrize("resource_type", TYPES)
def test_no_header_stands_twice(resource_type: str) -> None:
    names = [column.name.lower() for column in EXPORT_TABLES[resource_type].columns]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("resource_type", TYPES)
def test_the_first_columns_are_those_of_the_public_tables_in_their_order(
    resource_type: str, shared: Path
) -> None:
    public = json.loads((shared / "spec" / "export_columns.json").read_text())
    wanted = [name.lower() for name in public[PUBLIC_NAMES[resource_type]]]
    names = [column.name.lower() for column in EXPORT_TABLES[resource_type].columns]

    assert names[: len(wanted)] == wanted


@pytest.mark.parametrize(
    "name",
    [
        "current_vcpus",
        "recommendations_count",
        "recommendationOptions_1_estimatedMonthlySavings_value",
        "lastRefreshTimestamp_UTC",
    ],
)
def test_headers_that_a_public_reader_asks_for_by_name_are_spelled_so(name: str) -> None:
    assert name in [column.name for column in EXPORT_TABLES["Ec2Instance"].columns]


@pytest.mark.parametrize("resource_type", TYPES)
def test_every_cell_has_the_type_that_its_column_declares(resource_type: str) -> None:
    table = EXPORT_TABLES[resource_type]
    (row,) = recommended_rows(
        table.columns, [table.subject(SAMPLES[resource_type], Shown("us-east-1"))]
    )

    wrong = [
        (column.name, cell)
        for column, cell in zip(table.columns, row, strict=True)
        if cell is not None and type(cell) not in PYTHON_TYPES[column.kind]
    ]
    assert wrong == []


@pytest.mark.parametrize("resource_type", ["AutoScalingGroup", "EbsVolume", "Ec2Instance"])
def test_a_field_chooses_its_columns_and_those_that_are_always_there(resource_type: str) -> None:
    columns = EXPORT_TABLES[resource_type].columns

    names = [column.name for column in chosen(columns, ["RecommendationOptionsPerformanceRisk"])]

    assert sorted(names) == [
        "errorCode",
        "errorMessage",
        "recommendationOptions_1_performanceRisk",
        "recommendationOptions_2_performanceRisk",
        "recommendationOptions_3_performanceRisk",
        "recommendations_count",
    ]


def test_headers_of_groups_are_spelled_as_the_members_of_answers() -> None:
    names = [column.name for column in EXPORT_TABLES["AutoScalingGroup"].columns]

    assert names[1:3] == ["autoScalingGroupArn", "autoScalingGroupName"]
    assert names[7:11] == [
        "currentConfiguration_desiredCapacity",
        "currentConfiguration_minSize",
        "currentConfiguration_maxSize",
        "currentConfiguration_instanceType",
    ]
    assert names[61] == "lastRefreshTimestamp_UTC"


def group_row(one: AutoScalingGroupRecommendation, **shown: Any) -> dict[str, Any]:
    """Return the cells of a group that are not empty."""
    return exported_row("AutoScalingGroup", one, **shown)


def test_a_group_of_one_type_is_a_row_of_its_sizes_and_of_one_machine() -> None:
    row = group_row(group_recommendation(1, current_hourly_usd=0.192))

    begin, first = "currentConfiguration_", "recommendationOptions_1_"
    assert row["autoScalingGroupArn"] == group_arn(1, row["accountId"])
    assert (row["autoScalingGroupName"], row["finding"]) == ("web-1", "NOT_OPTIMIZED")
    sizes = ("desiredCapacity", "minSize", "maxSize")
    assert [row[f"{begin}{name}"] for name in sizes] == [2, 2, 2]
    assert [row[f"{first}configuration_{name}"] for name in sizes] == [2, 2, 2]
    assert row[f"{begin}instanceType"] == "m5.xlarge"
    assert row[f"{begin}type"] == "SingleInstanceType"
    assert row[f"{first}configuration_instanceType"] == "m5.large"
    # Of one m5.xlarge (4 vCPUs, 16 GiB, 0.192 USD an hour), and of one m5.large.
    assert (row["current_vcpus"], row["current_memory"]) == (4.0, 16.0)
    assert row["current_onDemandPrice"] == 0.192
    assert (row[f"{first}vcpus"], row[f"{first}memory"]) == (2.0, 8.0)
    # Of both machines: half of 2 * 0.192 * 730 = 280.32 USD a month.
    assert row[f"{first}estimatedMonthlySavings_value"] == 140.16
    assert row[f"{first}projectedUtilizationMetrics_CPU_MAXIMUM"] == 36.0
    # The option of Graviton is not asked for.
    assert row["recommendations_count"] == 1
    assert not any(name.startswith("recommendationOptions_2") for name in row)


def test_options_of_groups_are_those_of_the_asked_architectures() -> None:
    row = group_row(group_recommendation(1), architectures=("AWS_ARM64", "CURRENT"))

    # m6g.large saves 168.192 USD a month, m5.large 140.16.
    types = [row[f"recommendationOptions_{n}_configuration_instanceType"] for n in (1, 2)]
    assert types == ["m6g.large", "m5.large"]


def test_findings_of_groups_are_spelled_as_asked() -> None:
    assert group_row(group_recommendation(1), enum_style="model")["finding"] == "NotOptimized"


def test_a_group_that_mixes_types_has_a_list_in_place_of_its_type() -> None:
    mixed = structs.replace(
        BY_HAND.configuration,
        mixed_types=("m5.xlarge", "m5a.xlarge"),
        allocation_strategy="LowestPrice",
    )
    option = group_option("m6i.large", 140.16, hour_reduction=12.5)
    row = group_row(group_recommendation(1, configuration=mixed, options=(option,)))

    begin, first = "currentConfiguration_", "recommendationOptions_1_configuration_"
    assert f"{begin}instanceType" not in row
    assert f"{first}instanceType" not in row
    assert row[f"{begin}type"] == row[f"{first}type"] == "MixedInstanceTypes"
    assert row[f"{begin}mixedInstanceTypes"] == "m5.xlarge,m5a.xlarge"
    assert row[f"{first}mixedInstanceTypes"] == "m6i.large,m5.xlarge,m5a.xlarge"
    assert row[f"{begin}allocationStrategy"] == "LowestPrice"
    assert row[f"{first}allocationStrategy"] == "Prioritized"
    assert row[f"{first}estimatedInstanceHourReductionPercentage"] == 12.5


def test_savings_of_idle_resources_are_one_field_of_three_columns() -> None:
    table = EXPORT_TABLES["Idle"]
    columns = chosen(table.columns, ["SavingsOpportunity", "LastRefreshTimestamp"])
    unpriced = idle_recommendation(2, savings=None)
    subjects = [
        table.subject(one, Shown("cn-north-1")) for one in (idle_recommendation(1), unpriced)
    ]

    rows = recommended_rows(columns, subjects)

    assert [column.name for column in columns] == [
        "lastRefreshTimestamp_UTC",
        "recommendations_count",
        "savingsOpportunityPercentage",
        "estimatedMonthlySavingsCurrency",
        "estimatedMonthlySavingsValue",
        "errorCode",
        "errorMessage",
    ]
    moment = "2026-03-15T06:30:00Z"
    assert rows == [
        [moment, 1, 100.0, "CNY", 8.0, "", ""],
        [moment, 1, None, None, None, "", ""],
    ]


@pytest.mark.parametrize(
    ("metric", "header"),
    [
        ("CPU", "utilizationMetricsCpuMaximum"),
        ("NetworkInBytesPerSecond", "utilizationMetricsNetworkInBytesPerSecondMaximum"),
        ("VolumeWriteOpsPerSecond", "utilizationMetricsVolumeWriteOpsPerSecondMaximum"),
        ("PacketsInFromSource", "utilizationMetricsPacketsInFromSourceMaximum"),
    ],
)
def test_use_of_idle_resources_stands_in_the_column_of_its_metric(metric: str, header: str) -> None:
    table = EXPORT_TABLES["Idle"]
    one = idle_recommendation(1, utilization=(UtilizationMetric(metric, 0.5),))

    (row,) = recommended_rows(table.columns, [table.subject(one, Shown("us-east-1"))])

    names = [column.name for column in table.columns]
    found = {
        name: cell
        for name, cell in zip(names, row, strict=True)
        if name.startswith("utilizationMetrics") and cell is not None
    }
    assert found == {header: 0.5}


def test_sums_of_a_table_are_those_of_its_indexes_too_and_maxima_the_highest() -> None:
    table = EXPORT_TABLES["Idle"]

    (row,) = recommended_rows(table.columns, [table.subject(TABLE, Shown("us-east-1"))])

    names = [column.name for column in table.columns]
    found = dict(zip(names, row, strict=True))
    # 3 of the table and 4 of its indexes.
    assert found["utilizationMetricsConsumedReadCapacityUnitsSum"] == 7.0
    assert found["utilizationMetricsConsumedWriteCapacityUnitsSum"] is None
    assert found["utilizationMetricsIsIdleMinimum"] is None


def test_the_description_of_idle_resources_tells_the_format_of_their_moments() -> None:
    table = EXPORT_TABLES["Idle"]
    columns = chosen(table.columns, ["LastRefreshTimestamp"])

    described = metadata_document(table.title, columns, "file.csv", NOW.date())

    # X takes the Z behind 2026-03-15T06:30:00 (Unicode Technical Standard 35).
    assert described["tableSchema"]["columns"][0]["datatype"] == {
        "base": "datetime",
        "format": "yyyy-MM-ddTHH:mm:ssX",
    }


def test_volumes_in_china_are_exported_in_cny() -> None:
    table = EXPORT_TABLES["EbsVolume"]
    columns = chosen(table.columns, ["RecommendationOptionsEstimatedMonthlySavingsCurrency"])

    (row,) = recommended_rows(columns, [table.subject(SAMPLES["EbsVolume"], Shown("cn-north-1"))])

    assert [cell for cell in row if isinstance(cell, str) and cell] == ["CNY"]


def test_an_instance_type_that_the_catalog_does_not_know_has_empty_specifications() -> None:
    table = EXPORT_TABLES["Ec2Instance"]
    columns = chosen(table.columns, ["CurrentVCpus", "CurrentMemory", "CurrentNetwork"])
    unknown = recommendation(1, current_instance_type="z9.nano", options=())

    (row,) = recommended_rows(columns, [table.subject(unknown, Shown("us-east-1"))])

    assert row == [None, None, None, 0, "", ""]


def test_a_row_of_an_error_has_what_is_known_of_the_resource() -> None:
    columns = EXPORT_TABLES["EbsVolume"].columns
    error = RecommendationError(volume_arn(7), "UNSUPPORTED_RESOURCE", "Not supported.")

    row = dict(zip((one.name for one in columns), error_row(columns, error), strict=True))

    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "accountId": "111111111111",
        "volumeArn": volume_arn(7),
        "recommendations_count": 0,
        "errorCode": "UNSUPPORTED_RESOURCE",
        "errorMessage": "Not supported.",
    }


def test_the_description_names_every_column_with_its_type() -> None:
    table = EXPORT_TABLES["EbsVolume"]
    columns = chosen(table.columns, ["LastRefreshTimestamp", "RootVolume", "CurrentMonthlyPrice"])

    document = metadata_document(table.title, columns, "file.csv", NOW.date())

    assert document["@context"] == ["http://www.w3.org/ns/csvw"]
    assert (document["url"], document["dc:title"]) == ("file.csv", "EBS Volume Recommendations")
    assert document["dc:modified"] == {"@value": "2026-03-15", "@type": "xsd:date"}
    moment = {"base": "datetime", "format": "yyyy-MM-dd HH:mm:ss"}

    def optional(name: str, datatype: Any) -> dict[str, Any]:
        return {
            "name": name,
            "titles": name,
            "datatype": datatype,
            "null": "",
            "required": False,
        }

    def required(name: str, datatype: str) -> dict[str, Any]:
        return {"name": name, "titles": name, "datatype": datatype, "required": True}

    assert document["tableSchema"]["columns"] == [
        optional("lastRefreshTimestamp_UTC", moment),
        optional("current_monthlyPrice", "double"),
        required("recommendations_count", "integer"),
        required("errorCode", "string"),
        required("errorMessage", "string"),
        optional("rootVolume", "boolean"),
    ]
