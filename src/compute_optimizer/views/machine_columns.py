"""What the columns of exports about machines have in common: of instances, and of their groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.model import recommendation as model
from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.units import MIB_PER_GIB
from compute_optimizer.views.ec2_instance import gpu_infos, ranked_options, spelling_of
from compute_optimizer.views.export_columns import (
    EFFECTIVE_LOOK_BACK,
    Column,
    Shown,
    as_json,
    double,
    each_of_ranks,
    known,
    text,
    values_by_name,
)
from compute_optimizer.views.preferences import (
    enhanced_metrics,
    inferred_workload_types,
    preferred,
)
from compute_optimizer.views.savings import currency_of

SPECIFICATIONS = 8_192
"""Kept at once; a catalog has some 1,400 types."""

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
class MachineOptionCells:
    """What the columns of one option read."""

    option: model.RecommendationOption
    specifications: Specifications
    use: Mapping[str, float]
    currency: str


@dataclass(frozen=True, slots=True)
class MachineCells:
    """What the columns of one instance, or of one group, read."""

    one: model.Ec2InstanceRecommendation | AutoScalingGroupRecommendation
    options: tuple[Any, ...]
    """MachineOptionCells, or what a type has in their place."""
    specifications: Specifications
    use: Mapping[str, float]
    finding: str
    architectures: str


def machine_cells(
    one: model.Ec2InstanceRecommendation | AutoScalingGroupRecommendation, shown: Shown
) -> MachineCells:
    """Return what the columns of an instance or a group read."""
    currency = currency_of(shown.region)
    finding = one.finding.value
    return MachineCells(
        one=one,
        options=tuple(
            MachineOptionCells(
                option,
                specifications_of(shown.types, option.instance_type),
                values_by_name(option.projected_utilization),
                currency,
            )
            for option in ranked_options(one.options, shown.architectures)
        ),
        specifications=specifications_of(shown.types, one.current_instance_type),
        use=values_by_name(one.utilization),
        finding=spelling_of(shown.enum_style).get(finding, finding),
        architectures=LIST_SEPARATOR.join(shown.architectures),
    )


@lru_cache(maxsize=SPECIFICATIONS)
def specifications_of(types: InstanceTypes, instance_type: str) -> Specifications:
    """Return what the files say of an instance type."""
    place = types.index.get(instance_type)
    if place is None:
        return Specifications()
    memory = known(types.memory_mib[place])
    gpus = gpu_infos(types).get(instance_type)
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


METRICS = {
    "CPU": ("Cpu", "Cpu"),
    "MEMORY": ("Memory", "Memory"),
    "GPU_PERCENTAGE": ("GPU_PERCENTAGE", "GpuPercentage"),
    "GPU_MEMORY_PERCENTAGE": ("GPU_MEMORY_PERCENTAGE", "GpuMemoryPercentage"),
}
"""By the word in the header: the name of the stored metric, and the word in the field."""


def use_columns(*words: str) -> tuple[Column, ...]:
    """Return columns of use, such as EBS_READ_OPS_PER_SECOND."""
    return tuple(_use_of(word) for word in words)


def _use_of(word: str) -> Column:
    metric, field = METRICS.get(word, (word, word.title().replace("_", "")))
    header = f"utilizationMetrics_{word}_MAXIMUM"
    return double(header, f"UtilizationMetrics{field}Maximum", lambda row: row.use.get(metric))


def projected_columns(*words: str) -> tuple[Column, ...]:
    """Return columns of projected use by rank."""
    return each_of_ranks(_projected_of(word) for word in words)


def _projected_of(word: str) -> Column:
    metric, field = METRICS[word]
    return double(
        f"projectedUtilizationMetrics_{word}_MAXIMUM",
        f"RecommendationOptionsProjectedUtilizationMetrics{field}Maximum",
        lambda option: option.use.get(metric),
    )


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
)

CPU_AND_MEMORY = ("CPU", "MEMORY")

EBS_USE = use_columns(
    "EBS_READ_OPS_PER_SECOND",
    "EBS_WRITE_OPS_PER_SECOND",
    "EBS_READ_BYTES_PER_SECOND",
    "EBS_WRITE_BYTES_PER_SECOND",
)

NETWORK_AND_DISK_USE = use_columns(
    "NETWORK_IN_BYTES_PER_SECOND",
    "NETWORK_OUT_BYTES_PER_SECOND",
    "NETWORK_PACKETS_IN_PER_SECOND",
    "NETWORK_PACKETS_OUT_PER_SECOND",
    "DISK_READ_OPS_PER_SECOND",
    "DISK_WRITE_OPS_PER_SECOND",
    "DISK_READ_BYTES_PER_SECOND",
    "DISK_WRITE_BYTES_PER_SECOND",
)

WORKLOAD_COLUMNS = (
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
)

MIGRATION_EFFORT = each_of_ranks(
    (text("migrationEffort", f"{_OPTION}MigrationEffort", lambda o: o.option.migration_effort),)
)

GPU_COLUMNS = (
    text("currentInstanceGpuInfo", "CurrentInstanceGpuInfo", lambda row: row.specifications.gpus),
    *each_of_ranks(
        (text("instanceGpuInfo", f"{_OPTION}InstanceGpuInfo", lambda o: o.specifications.gpus),)
    ),
    *use_columns("GPU_PERCENTAGE", "GPU_MEMORY_PERCENTAGE"),
    *projected_columns("GPU_PERCENTAGE", "GPU_MEMORY_PERCENTAGE"),
)


def _preferred(row: MachineCells) -> str | None:
    include, exclude = row.one.preferences.include_types, row.one.preferences.exclude_types
    if not (include or exclude):
        return None
    return as_json([preferred(include, exclude)])


NEWER_PREFERENCES = (
    text(
        "effectiveRecommendationPreferencesPreferredResources",
        "EffectiveRecommendationPreferencesPreferredResources",
        _preferred,
    ),
    EFFECTIVE_LOOK_BACK,
)
