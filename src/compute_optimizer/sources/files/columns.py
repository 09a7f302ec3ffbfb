"""Which column names are understood: one table per kind of file."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from compute_optimizer.errors import InvalidInput

METRIC_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "resource": (
        "resource",
        "resource_arn",
        "resource_id",
        "arn",
        "instance_id",
        "volume_id",
        "nat_gateway_id",
        "function_name",
        "db_instance_identifier",
        "id",
    ),
    "timestamp": ("timestamp", "time", "datetime"),
    "metric": ("metric", "metric_name"),
    "statistic": ("statistic", "stat"),
    "value": ("value",),
}
"""Of metric files; compared without case, `_`, `-` and blanks, as are those below."""

INVENTORY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "arn": (
        "arn",
        "resource_arn",
        "instance_arn",
        "volume_arn",
        "nat_gateway_arn",
        "group_arn",
        "function_arn",
        "service_arn",
        "db_instance_arn",
    ),
    "id": (
        "id",
        "resource_id",
        "instance_id",
        "volume_id",
        "nat_gateway_id",
        "function_name",
        "db_instance_identifier",
    ),
    "account": ("account", "account_id", "owner_id"),
    "region": ("region", "aws_region"),
    "type": (
        "type",
        "instance_type",
        "current_instance_type",
        "volume_type",
        "connectivity_type",
        "billing_mode",
        "running_mode",
        "db_instance_class",
    ),
    "resource_type": ("resource_type",),
    "name": ("name", "instance_name"),
    "tags": ("tags",),
    "state": ("state", "instance_state"),
    "platform": ("platform", "platform_details", "operating_system", "os"),
    "vcpus": ("vcpus", "vcpu", "cpu_cores"),
    "memory_mib": ("memory_mib", "mem_capacity_mib", "memory_size"),
    "architecture": ("architecture", "cpu_architecture"),
    "cpu_units": ("cpu_units", "cpu"),
    "launch_type": ("launch_type",),
    "desired_count": ("desired_count", "tasks"),
    "auto_scaling": ("auto_scaling", "auto_scaling_configuration"),
    "task_definition_arn": ("task_definition_arn", "task_definition"),
    "containers": ("containers", "container_definitions"),
    "timeout_seconds": ("timeout_seconds", "timeout"),
    "auto_scaling_group_arn": ("auto_scaling_group_arn", "asg_arn"),
    "size_gib": ("size_gib", "size", "volume_size", "allocated_storage"),
    "iops": ("iops", "volume_iops", "provisioned_iops"),
    "throughput_mibps": (
        "throughput_mibps",
        "throughput",
        "volume_throughput",
        "storage_throughput",
    ),
    "root": ("root", "root_volume", "is_root"),
    "created_at": ("created_at", "create_time", "creation_time"),
    "in_route_table": ("in_route_table", "routed"),
    "min_size": ("min_size",),
    "max_size": ("max_size",),
    "desired_capacity": ("desired_capacity", "desired"),
    "scaling": ("scaling", "scaling_policies"),
    "allocation_strategy": ("allocation_strategy", "on_demand_allocation_strategy"),
    "spot": ("spot",),
    "weighted": ("weighted", "weighted_capacity"),
    "engine": ("engine",),
    "engine_version": ("engine_version",),
    "multi_az": ("multi_az",),
    "storage_type": ("storage_type",),
    "max_allocated_gib": ("max_allocated_gib", "max_allocated_storage"),
    "cluster": ("cluster", "db_cluster_identifier"),
    "promotion_tier": ("promotion_tier",),
    "writer": ("writer", "is_cluster_writer"),
    "read_replica": ("read_replica",),
    "global_secondary": ("global_secondary",),
    "performance_insights": ("performance_insights", "performance_insights_enabled"),
    "member_classes": ("member_classes",),
    "global_secondary_indexes": ("global_secondary_indexes",),
    "monthly_usd": ("monthly_usd", "monthly_cost"),
    "license_edition": ("license_edition", "sql_server_edition"),
    "license_version": ("license_version", "sql_server_version"),
    "license_model": ("license_model",),
    "application_insights_arn": ("application_insights_arn",),
    "enterprise_features": ("enterprise_features",),
    "production": ("production",),
}


def recognize(
    names: Iterable[str], known: Mapping[str, tuple[str, ...]], file: Path
) -> dict[str, str]:
    """Return the file's column for each field that it has.

    Raises InvalidInput when two columns mean the same field.
    """
    field_of = {_plain(alias): field for field, aliases in known.items() for alias in aliases}
    found: dict[str, str] = {}
    for name in names:
        field = field_of.get(_plain(name))
        if field is None:
            continue
        if field in found:
            raise InvalidInput(
                f"{file}: the columns {found[field]!r} and {name!r} both mean {field}; keep one"
            )
        found[field] = name
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter not in "_- ")
