"""The columns of the exports: those of the service's files, and every field that it lists."""

import json
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.model
import pytest

from compute_optimizer.model.export import ColumnKind
from compute_optimizer.model.recommendation import RecommendationError
from compute_optimizer.views.export_columns import Shown, chosen, error_row, recommended_rows
from compute_optimizer.views.exports import EXPORT_TABLES, metadata_document
from tests.records import NOW, recommendation
from tests.volumes import volume_arn, volume_recommendation

FIELD_ENUMS = {"Ec2Instance": "ExportableInstanceField", "EbsVolume": "ExportableVolumeField"}
"""By resource type, the enum of the service's model."""

PUBLIC_NAMES = {"Ec2Instance": "ec2_instance", "EbsVolume": "ebs_volume"}
"""By resource type, the key of the public tables."""

SAMPLES = {"Ec2Instance": recommendation(1), "EbsVolume": volume_recommendation(1)}

PYTHON_TYPES: dict[ColumnKind, tuple[type, ...]] = {
    ColumnKind.STRING: (str,),
    ColumnKind.DOUBLE: (float,),
    ColumnKind.INTEGER: (int,),
    ColumnKind.BOOLEAN: (bool,),
    ColumnKind.DATETIME: (str,),
}

TYPES = sorted(EXPORT_TABLES)


def fields_of_the_model(resource_type: str) -> set[str]:
    loaded = botocore.loaders.Loader().load_service_model(
        "compute-optimizer", "service-2", "2019-11-01"
    )
    model: Any = botocore.model.ServiceModel(loaded)
    return set(model.shape_for(FIELD_ENUMS[resource_type]).enum)


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


@pytest.mark.parametrize("resource_type", TYPES)
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
