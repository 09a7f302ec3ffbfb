"""The columns of an export of EC2 instances, in the order of the service's files (spec E.1)."""

from typing import get_args

from compute_optimizer.shapes import InstanceRecommendationFindingReasonCode
from compute_optimizer.views.ec2_instance import external_status, recommendation_source
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    COUNT,
    CURRENT_RISK,
    ERRORS,
    ESTIMATION_MODE,
    LOOK_BACK,
    REFRESHED,
    TAGS,
    Column,
    ExportTable,
    arn,
    as_json,
    boolean,
    each_of_ranks,
    of_ranks,
    reasons,
    savings_columns,
    text,
)
from compute_optimizer.views.machine_columns import (
    CPU_AND_MEMORY,
    CURRENT_COLUMNS,
    EBS_USE,
    GPU_COLUMNS,
    MIGRATION_EFFORT,
    NETWORK_AND_DISK_USE,
    NEWER_PREFERENCES,
    OPTION_COLUMNS,
    PREFERENCE_COLUMNS,
    WORKLOAD_COLUMNS,
    machine_cells,
    projected_columns,
    use_columns,
)
from compute_optimizer.views.preferences import utilization


def _difference(name: str) -> Column:
    return boolean(
        f"platformDifferences_is{name}Different",
        "RecommendationOptionsPlatformDifferences",
        lambda option: name in option.option.platform_differences,
    )


REASON_CODES: tuple[str, ...] = get_args(InstanceRecommendationFindingReasonCode)
"""Those of GPUs are newer than the public files, so their columns come last."""


NEWER_COLUMNS = (
    text(
        "externalMetricStatusCode",
        "ExternalMetricStatusCode",
        lambda row: external_status(row.one.preferences)["statusCode"],
    ),
    text(
        "externalMetricStatusReason",
        "ExternalMetricStatusReason",
        lambda row: external_status(row.one.preferences)["statusReason"],
    ),
    *GPU_COLUMNS,
    *reasons(code for code in REASON_CODES if code.startswith("GPU")),
    boolean("idle", "Idle", lambda row: row.one.idle),
    *NEWER_PREFERENCES,
    text(
        "effectiveRecommendationPreferencesUtilizationPreferences",
        "EffectiveRecommendationPreferencesUtilizationPreferences",
        lambda row: as_json(utilization(row.one.preferences)),
    ),
    ESTIMATION_MODE,
    *of_ranks(*savings_columns("AfterDiscounts")),
)
"""No public file has shown their places or names (spec 9.5, a proposal)."""

COLUMNS = (
    ACCOUNT,
    arn("instanceArn", "InstanceArn"),
    text("instanceName", "InstanceName", lambda row: row.one.name),
    text("currentInstanceType", "CurrentInstanceType", lambda row: row.one.current_instance_type),
    text("finding", "Finding", lambda row: row.finding),
    *use_columns(*CPU_AND_MEMORY),
    LOOK_BACK,
    *CURRENT_COLUMNS,
    COUNT,
    *each_of_ranks(
        (
            text(
                "instanceType",
                "RecommendationOptionsInstanceType",
                lambda o: o.option.instance_type,
            ),
        )
    ),
    *projected_columns(*CPU_AND_MEMORY),
    *OPTION_COLUMNS,
    text(
        "recommendationsSources_1_recommendationSourceArn",
        "RecommendationsSourcesRecommendationSourceArn",
        lambda row: recommendation_source(row.one)["recommendationSourceArn"],
    ),
    text(
        "recommendationsSources_1_recommendationSourceType",
        "RecommendationsSourcesRecommendationSourceType",
        lambda row: recommendation_source(row.one)["recommendationSourceType"],
    ),
    REFRESHED,
    *ERRORS,
    *EBS_USE,
    *of_ranks(
        _difference("Hypervisor"),
        _difference("NetworkInterface"),
        _difference("StorageInterface"),
        _difference("InstanceStoreAvailability"),
        _difference("VirtualizationType"),
    ),
    *reasons(code for code in REASON_CODES if not code.startswith("GPU")),
    *NETWORK_AND_DISK_USE,
    *each_of_ranks((_difference("Architecture"),)),
    CURRENT_RISK,
    *of_ranks(*savings_columns()),
    *WORKLOAD_COLUMNS,
    *MIGRATION_EFFORT,
    *PREFERENCE_COLUMNS,
    text(
        "effectiveRecommendationPreferencesExternalMetricsSource",
        "EffectiveRecommendationPreferencesExternalMetricsSource",
        lambda row: row.one.preferences.external_metrics_source,
    ),
    text("instanceState", "InstanceState", lambda row: row.one.state),
    TAGS,
    *NEWER_COLUMNS,
)

TABLE = ExportTable("EC2 Instance Recommendations", COLUMNS, machine_cells)
