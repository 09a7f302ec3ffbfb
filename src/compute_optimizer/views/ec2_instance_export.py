"""The columns of an export of EC2 instances, in the order of the service's files (spec E.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import get_args

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model import recommendation as model
from compute_optimizer.model.recommendation import Savings
from compute_optimizer.model.resource import AUTO_SCALING_GROUP, EC2_INSTANCE
from compute_optimizer.shapes import InstanceRecommendationFindingReasonCode
from compute_optimizer.views.ec2_instance import (
    WIRE_SPELLING,
    external_status,
    gpu_infos,
    ranked_options,
)
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    COUNT,
    ERRORS,
    REFRESHED,
    TAGS,
    Column,
    ExportTable,
    Shown,
    arn,
    as_json,
    boolean,
    double,
    each_of_ranks,
    known,
    of_ranks,
    savings_columns,
    text,
    values_by_name,
)
from compute_optimizer.views.preferences import (
    enhanced_metrics,
    inferred_workload_types,
    look_back_period,
    preferred,
    utilization,
)
from compute_optimizer.views.savings import currency_of

MIB_PER_GIB = 1024

LIST_SEPARATOR = ","
"""Between the values of a list in one cell (no public file shows more than one)."""


@dataclass(frozen=True, slots=True)
class Specifications:
    """What the files say of an instance type; None where the catalog does not know it."""

    vcpus: float | None = None
    memory_gib: float | None = None
    storage: str | None = None
    network: str | None = None
    gpus: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceOptionCells:
    """What the columns of one option read."""

    option: model.RecommendationOption
    specifications: Specifications
    use: Mapping[str, float]
    currency: str

    @property
    def savings(self) -> Savings | None:
        """What the option saves."""
        return self.option.savings


@dataclass(frozen=True, slots=True)
class InstanceCells:
    """What the columns of one instance read."""

    one: model.Ec2InstanceRecommendation
    options: tuple[InstanceOptionCells, ...]
    specifications: Specifications
    use: Mapping[str, float]
    finding: str
    architectures: str


def instance_cells(one: model.Ec2InstanceRecommendation, shown: Shown) -> InstanceCells:
    """Return what the columns of an instance read."""
    currency = currency_of(shown.region)
    finding = one.finding.value
    return InstanceCells(
        one=one,
        options=tuple(
            InstanceOptionCells(
                option,
                specifications_of(option.instance_type),
                values_by_name(option.projected_utilization),
                currency,
            )
            for option in ranked_options(one.options, shown.architectures)
        ),
        specifications=specifications_of(one.current_instance_type),
        use=values_by_name(one.utilization),
        finding=WIRE_SPELLING.get(finding, finding) if shown.enum_style == "wire" else finding,
        architectures=LIST_SEPARATOR.join(shown.architectures),
    )


@cache
def specifications_of(instance_type: str) -> Specifications:
    """Return what the files say of an instance type."""
    types = load_instance_types()
    place = types.index.get(instance_type)
    if place is None:
        return Specifications()
    memory = known(types.memory_mib[place])
    gpus = gpu_infos().get(instance_type)
    return Specifications(
        vcpus=known(types.vcpus[place]),
        memory_gib=None if memory is None else memory / MIB_PER_GIB,
        storage=_storage(known(types.instance_store_gib[place])),
        network=_network(
            known(types.network_baseline_gbps[place]), known(types.network_peak_gbps[place])
        ),
        gpus=None if gpus is None else as_json(gpus),
    )


def _storage(gib: float | None) -> str | None:
    if gib is None:
        return None
    return f"{gib:g} GiB" if gib else "EBS only"


def _network(baseline: float | None, peak: float | None) -> str | None:
    if peak is None:
        return None
    return f"{peak:g} Gigabit" if baseline == peak else f"Up to {peak:g} Gigabit"


def _sources(row: InstanceCells) -> tuple[str, str]:
    """Return ARN and type of what the recommendation was made for."""
    if group := row.one.auto_scaling_group_arn:
        return group, AUTO_SCALING_GROUP
    return row.one.resource_arn, EC2_INSTANCE


METRICS = {
    "CPU": ("Cpu", "Cpu"),
    "MEMORY": ("Memory", "Memory"),
    "GPU_PERCENTAGE": ("GPU_PERCENTAGE", "GpuPercentage"),
    "GPU_MEMORY_PERCENTAGE": ("GPU_MEMORY_PERCENTAGE", "GpuMemoryPercentage"),
}
"""By the word in the header: the name of the stored metric, and the word in the field."""


def _use(*words: str) -> tuple[Column, ...]:
    """Return columns of use, such as EBS_READ_OPS_PER_SECOND."""
    return tuple(_use_of(word) for word in words)


def _use_of(word: str) -> Column:
    metric, field = METRICS.get(word, (word, word.title().replace("_", "")))
    header = f"utilizationMetrics_{word}_MAXIMUM"
    return double(header, f"UtilizationMetrics{field}Maximum", lambda row: row.use.get(metric))


def _projected(*words: str) -> tuple[Column, ...]:
    """Return columns of projected use by rank."""
    return each_of_ranks(_projected_of(word) for word in words)


def _projected_of(word: str) -> Column:
    metric, field = METRICS[word]
    return double(
        f"projectedUtilizationMetrics_{word}_MAXIMUM",
        f"RecommendationOptionsProjectedUtilizationMetrics{field}Maximum",
        lambda option: option.use.get(metric),
    )


def _difference(name: str) -> Column:
    return boolean(
        f"platformDifferences_is{name}Different",
        "RecommendationOptionsPlatformDifferences",
        lambda option: name in option.option.platform_differences,
    )


def _reason(code: str) -> Column:
    return boolean(
        f"findingReasonCodes_is{code}",
        "FindingReasonCodes",
        lambda row: code in row.one.finding_reason_codes,
    )


REASON_CODES: tuple[str, ...] = get_args(InstanceRecommendationFindingReasonCode)
"""Those of GPUs are newer than the public files, so their columns come last."""


def _reasons(codes: Iterable[str]) -> tuple[Column, ...]:
    return tuple(map(_reason, codes))


_OPTION = "RecommendationOptions"

OPTION_COLUMNS = each_of_ranks(
    (
        double("performanceRisk", f"{_OPTION}PerformanceRisk", lambda o: o.option.performance_risk),
        double("vcpus", f"{_OPTION}Vcpus", lambda o: o.specifications.vcpus),
        double("memory", f"{_OPTION}Memory", lambda o: o.specifications.memory_gib),
        text("storage", f"{_OPTION}Storage", lambda o: o.specifications.storage),
        text("network", f"{_OPTION}Network", lambda o: o.specifications.network),
        double("onDemandPrice", f"{_OPTION}OnDemandPrice", lambda o: known(o.option.hourly_usd)),
        # No public list of reserved prices is in the catalog: empty.
        double(
            "standardOneYearNoUpfrontReservedPrice",
            f"{_OPTION}StandardOneYearNoUpfrontReservedPrice",
            lambda o: None,
        ),
        double(
            "standardThreeYearNoUpfrontReservedPrice",
            f"{_OPTION}StandardThreeYearNoUpfrontReservedPrice",
            lambda o: None,
        ),
    )
)

CURRENT_COLUMNS = (
    double("current_vcpus", "CurrentVCpus", lambda row: row.specifications.vcpus),
    double("current_memory", "CurrentMemory", lambda row: row.specifications.memory_gib),
    text("current_storage", "CurrentStorage", lambda row: row.specifications.storage),
    text("current_network", "CurrentNetwork", lambda row: row.specifications.network),
    double(
        "current_onDemandPrice",
        "CurrentOnDemandPrice",
        lambda row: known(row.one.current_hourly_usd),
    ),
    double(
        "current_standardOneYearNoUpfrontReservedPrice",
        "CurrentStandardOneYearNoUpfrontReservedPrice",
        lambda row: None,
    ),
    double(
        "current_standardThreeYearNoUpfrontReservedPrice",
        "CurrentStandardThreeYearNoUpfrontReservedPrice",
        lambda row: None,
    ),
)

PREFERENCE_COLUMNS = (
    text(
        "effectiveRecommendationPreferencesCpuVendorArchitectures",
        "EffectiveRecommendationPreferencesCpuVendorArchitectures",
        lambda row: row.architectures,
    ),
    text(
        "effectiveRecommendationPreferencesEnhancedInfrastructureMetrics",
        "EffectiveRecommendationPreferencesEnhancedInfrastructureMetrics",
        lambda row: enhanced_metrics(row.one.preferences),
    ),
    text(
        "effectiveRecommendationPreferencesExternalMetricsSource",
        "EffectiveRecommendationPreferencesExternalMetricsSource",
        lambda row: row.one.preferences.external_metrics_source,
    ),
)


def _preferred(row: InstanceCells) -> str | None:
    include, exclude = row.one.preferences.include_types, row.one.preferences.exclude_types
    if not (include or exclude):
        return None
    return as_json([preferred(include, exclude, expand=False)])


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
    text("currentInstanceGpuInfo", "CurrentInstanceGpuInfo", lambda row: row.specifications.gpus),
    *each_of_ranks(
        (text("instanceGpuInfo", f"{_OPTION}InstanceGpuInfo", lambda o: o.specifications.gpus),)
    ),
    *_use("GPU_PERCENTAGE", "GPU_MEMORY_PERCENTAGE"),
    *_projected("GPU_PERCENTAGE", "GPU_MEMORY_PERCENTAGE"),
    *_reasons(code for code in REASON_CODES if code.startswith("GPU")),
    boolean("idle", "Idle", lambda row: row.one.idle),
    text(
        "effectiveRecommendationPreferencesPreferredResources",
        "EffectiveRecommendationPreferencesPreferredResources",
        _preferred,
    ),
    text(
        "effectiveRecommendationPreferencesLookBackPeriod",
        "EffectiveRecommendationPreferencesLookBackPeriod",
        lambda row: look_back_period(row.one.preferences),
    ),
    text(
        "effectiveRecommendationPreferencesUtilizationPreferences",
        "EffectiveRecommendationPreferencesUtilizationPreferences",
        lambda row: as_json(utilization(row.one.preferences)),
    ),
    text(
        "effectiveRecommendationPreferencesSavingsEstimationMode",
        "EffectiveRecommendationPreferencesSavingsEstimationMode",
        lambda row: "PublicPricing",
    ),
    *of_ranks(*savings_columns("AfterDiscounts")),
)
"""No public file has shown their places or names (spec 9.5, a proposal)."""

COLUMNS = (
    ACCOUNT,
    arn("instanceArn", "InstanceArn"),
    text("instanceName", "InstanceName", lambda row: row.one.name),
    text("currentInstanceType", "CurrentInstanceType", lambda row: row.one.current_instance_type),
    text("finding", "Finding", lambda row: row.finding),
    *_use("CPU", "MEMORY"),
    double("lookBackPeriodInDays", "LookbackPeriodInDays", lambda row: row.one.lookback_days),
    *CURRENT_COLUMNS,
    COUNT,
    *each_of_ranks(
        (text("instanceType", f"{_OPTION}InstanceType", lambda o: o.option.instance_type),)
    ),
    *_projected("CPU", "MEMORY"),
    *OPTION_COLUMNS,
    text(
        "recommendationsSources_1_recommendationSourceArn",
        "RecommendationsSourcesRecommendationSourceArn",
        lambda row: _sources(row)[0],
    ),
    text(
        "recommendationsSources_1_recommendationSourceType",
        "RecommendationsSourcesRecommendationSourceType",
        lambda row: _sources(row)[1],
    ),
    REFRESHED,
    *ERRORS,
    *_use(
        "EBS_READ_OPS_PER_SECOND",
        "EBS_WRITE_OPS_PER_SECOND",
        "EBS_READ_BYTES_PER_SECOND",
        "EBS_WRITE_BYTES_PER_SECOND",
    ),
    *of_ranks(
        _difference("Hypervisor"),
        _difference("NetworkInterface"),
        _difference("StorageInterface"),
        _difference("InstanceStoreAvailability"),
        _difference("VirtualizationType"),
    ),
    *_reasons(code for code in REASON_CODES if not code.startswith("GPU")),
    *_use(
        "NETWORK_IN_BYTES_PER_SECOND",
        "NETWORK_OUT_BYTES_PER_SECOND",
        "NETWORK_PACKETS_IN_PER_SECOND",
        "NETWORK_PACKETS_OUT_PER_SECOND",
        "DISK_READ_OPS_PER_SECOND",
        "DISK_WRITE_OPS_PER_SECOND",
        "DISK_READ_BYTES_PER_SECOND",
        "DISK_WRITE_BYTES_PER_SECOND",
    ),
    *each_of_ranks((_difference("Architecture"),)),
    text(
        "currentPerformanceRisk",
        "CurrentPerformanceRisk",
        lambda row: row.one.current_performance_risk.value,
    ),
    *of_ranks(*savings_columns()),
    text(
        "effectiveRecommendationPreferencesInferredWorkloadTypes",
        "EffectiveRecommendationPreferencesInferredWorkloadTypes",
        lambda row: inferred_workload_types(row.one.preferences),
    ),
    text(
        "inferredWorkloadTypes",
        "InferredWorkloadTypes",
        lambda row: LIST_SEPARATOR.join(row.one.inferred_workload_types),
    ),
    *each_of_ranks(
        (text("migrationEffort", f"{_OPTION}MigrationEffort", lambda o: o.option.migration_effort),)
    ),
    *PREFERENCE_COLUMNS,
    text("instanceState", "InstanceState", lambda row: row.one.state),
    TAGS,
    *NEWER_COLUMNS,
)

TABLE = ExportTable("EC2 Instance Recommendations", COLUMNS, instance_cells)
