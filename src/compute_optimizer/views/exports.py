"""The export tables of all resource types, and the file that describes the columns of one."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from compute_optimizer.model.export import IDLE
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    LICENSE,
    RDS_DB_INSTANCE,
)
from compute_optimizer.views import (
    auto_scaling_group_export,
    database_export,
    ebs_volume_export,
    ec2_instance_export,
    ecs_service_export,
    idle_export,
    lambda_function_export,
    license_export,
)
from compute_optimizer.views.export_columns import Column, ExportTable

EXPORT_TABLES: Mapping[str, ExportTable] = {
    AUTO_SCALING_GROUP: auto_scaling_group_export.TABLE,
    EBS_VOLUME: ebs_volume_export.TABLE,
    EC2_INSTANCE: ec2_instance_export.TABLE,
    ECS_SERVICE: ecs_service_export.TABLE,
    IDLE: idle_export.TABLE,
    LAMBDA_FUNCTION: lambda_function_export.TABLE,
    LICENSE: license_export.TABLE,
    RDS_DB_INSTANCE: database_export.TABLE,
}
"""By resource type, IDLE among them; a type without a table cannot be exported."""

DIALECT = {
    "encoding": "utf-8",
    "lineTerminators": ["\n"],
    "doubleQuote": True,
    "skipRows": 0,
    "header": True,
    "headerRowCount": 1,
    "delimiter": ",",
    "skipColumns": 0,
    "skipBlankRows": False,
    "trim": False,
}
"""How the CSV file is written (spec 9.6)."""


def metadata_document(
    title: str, columns: Sequence[Column], file_name: str, modified: date
) -> dict[str, Any]:
    """Return the CSV-on-the-web description of a file (spec 9.6)."""
    return {
        "@context": ["http://www.w3.org/ns/csvw"],
        "url": file_name,
        "dc:title": title,
        "dialect": DIALECT,
        "dc:modified": {"@value": modified.isoformat(), "@type": "xsd:date"},
        "tableSchema": {"columns": [_described(column) for column in columns]},
    }


def _described(column: Column) -> dict[str, Any]:
    kind, pattern = column.kind.value, column.pattern
    described: dict[str, Any] = {
        "name": column.name,
        "titles": column.name,
        "datatype": {"base": kind, "format": pattern} if pattern else kind,
    }
    if not column.required:
        described["null"] = ""
    return {**described, "required": column.required}
