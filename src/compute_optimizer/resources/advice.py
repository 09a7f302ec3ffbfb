"""What each type's recommendation advises to change: a row of ADVISED for each of their classes."""

from collections.abc import Callable, Mapping
from math import nan
from typing import Any

import msgspec

from compute_optimizer.model.arn import region_of, short_name
from compute_optimizer.model.auto_scaling_group import (
    AutoScalingGroupRecommendation,
)
from compute_optimizer.model.database import (
    ClassOption,
    DatabaseRecommendation,
    StorageOption,
)
from compute_optimizer.model.decision import (
    Advice,
    Configuration,
    Prediction,
    recommendation_id,
)
from compute_optimizer.model.ebs_volume import (
    EbsVolumeRecommendation,
    VolumeConfiguration,
)
from compute_optimizer.model.ecs_service import EcsServiceRecommendation
from compute_optimizer.model.lambda_function import LambdaFunctionRecommendation
from compute_optimizer.model.license import LicenseRecommendation
from compute_optimizer.model.options import first_option
from compute_optimizer.model.recommendation import (
    HOURS_PER_MONTH,
    Ec2InstanceRecommendation,
    Finding,
    IdleRecommendation,
    Recommendation,
    RecommendationOption,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.resources import type_of
from compute_optimizer.resources.configured import IN_USE, storage_members

STOP = "stopped or deleted"

MOVED = (Finding.OVER_PROVISIONED, Finding.UNDER_PROVISIONED, Finding.NOT_OPTIMIZED)
"""Findings with which something is advised."""


class _Change(msgspec.Struct, frozen=True, gc=False):
    """What one recommendation advises to change."""

    current: Configuration
    advised: Configuration
    current_usd: float | None
    """A month at list prices, as is the next; None where unknown."""
    advised_usd: float | None
    savings: Savings | None
    after_discounts: Savings | None = None
    violation_risk: float | None = None
    performance_risk: float | None = None
    projected: tuple[UtilizationMetric, ...] = ()


def advice_of(found: Recommendation) -> Advice | None:
    """Return what a recommendation advises; None where it leaves the resource as it is."""
    if isinstance(found, IdleRecommendation):
        return _of_idle(found)
    change = ADVISED[type(found)](found)
    if change is None or change.current == change.advised:
        return None
    kind = type_of(found)
    summary = kind.summary(found)
    return _advice(
        found, change, kind.name, summary.name, summary.current, summary.recommended or ""
    )


def advice_id(found: Recommendation) -> str | None:
    """Return the id of what a recommendation advises; None where it advises nothing."""
    if isinstance(found, IdleRecommendation):
        return _id(found, found.idle_type, {IN_USE: False})
    change = ADVISED[type(found)](found)
    if change is None or change.current == change.advised:
        return None
    return _id(found, type_of(found).name, change.advised)


def _advice(
    found: Any, change: _Change, resource_type: str, name: str, current: str, advised: str
) -> Advice:
    return Advice(
        recommendation_id=_id(found, resource_type, change.advised),
        account_id=found.account_id,
        region=region_of(found.resource_arn),
        resource_type=resource_type,
        resource_arn=found.resource_arn,
        name=name or short_name(found.resource_arn),
        finding=found.finding.value,
        current=change.current,
        advised=change.advised,
        current_text=current,
        advised_text=advised,
        prediction=Prediction(
            as_of=found.last_refresh,
            current_monthly_usd=change.current_usd,
            advised_monthly_usd=change.advised_usd,
            savings_monthly_usd=_saved(change),
            savings_after_discounts_monthly_usd=_usd(change.after_discounts),
            violation_risk=change.violation_risk,
            performance_risk=change.performance_risk,
            projected={one.name: one.value for one in change.projected},
        ),
        tags=dict(found.tags),
        idle=IN_USE in change.advised,
    )


def _of_idle(found: IdleRecommendation) -> Advice:
    saved, whole = found.savings, None
    if saved is not None:
        share = saved.percentage / 100
        whole = saved.monthly_usd / share if share else saved.monthly_usd
    left = None if saved is None or whole is None else whole - saved.monthly_usd
    change = _Change({IN_USE: True}, {IN_USE: False}, whole, left, saved, found.after_discounts)
    name = found.name or found.resource_id
    return _advice(found, change, found.idle_type, name, found.finding.value.lower(), STOP)


def _id(found: Any, resource_type: str, advised: Configuration) -> str:
    arn = found.resource_arn
    return recommendation_id(found.account_id, region_of(arn), arn, resource_type, advised)


def _saved(change: _Change) -> float | None:
    """Return what is saved a month; negative where the advice costs more than it saves."""
    told = _usd(change.savings)
    if told:
        return told
    if change.current_usd is None or change.advised_usd is None:
        return told
    return change.current_usd - change.advised_usd


def _usd(savings: Savings | None) -> float | None:
    return None if savings is None else savings.monthly_usd


def _monthly(hourly_usd: float | None, number: int = 1) -> float | None:
    return None if hourly_usd is None else hourly_usd * HOURS_PER_MONTH * number


def _of_machine(found: Ec2InstanceRecommendation) -> _Change | None:
    option = first_option(found.options)
    # What becomes of a member is a matter of its group.
    if option is None or found.follows_group or found.finding not in MOVED:
        return None
    return _of_type(found.current_instance_type, option, found.current_hourly_usd)


def _of_group(found: AutoScalingGroupRecommendation) -> _Change | None:
    option = first_option(found.options)
    if option is None or found.finding not in MOVED:
        return None
    now = found.configuration
    return _of_type(now.instance_type, option, found.current_hourly_usd, now.desired_capacity)


def _of_type(
    current: str, option: RecommendationOption, hourly_usd: float | None, number: int = 1
) -> _Change:
    return _Change(
        current={"instanceType": current},
        advised={"instanceType": option.instance_type},
        current_usd=_monthly(hourly_usd, number),
        advised_usd=_monthly(option.hourly_usd, number),
        savings=option.savings,
        after_discounts=option.after_discounts,
        violation_risk=option.violation_risk,
        performance_risk=option.performance_risk,
        projected=option.projected_utilization,
    )


def _of_volume(found: EbsVolumeRecommendation) -> _Change | None:
    if found.finding not in MOVED or not found.options:
        return None
    option = found.options[0]
    return _Change(
        current=_volume(found.configuration),
        advised=_volume(option.configuration),
        current_usd=found.monthly_usd,
        advised_usd=option.monthly_usd,
        savings=option.savings,
        after_discounts=option.after_discounts,
        performance_risk=option.performance_risk,
    )


def _volume(one: VolumeConfiguration) -> Configuration:
    return {
        "volumeType": one.volume_type,
        "sizeGib": one.size_gib,
        "iops": one.baseline_iops,
        "throughputMibps": one.baseline_throughput,
    }


def _of_function(found: LambdaFunctionRecommendation) -> _Change | None:
    if found.finding not in MOVED or not found.options:
        return None
    option = found.options[0]
    return _Change(
        current={"memorySize": found.memory_size},
        advised={"memorySize": option.memory_size},
        current_usd=found.monthly_usd,
        advised_usd=option.monthly_usd,
        savings=option.savings,
        after_discounts=option.after_discounts,
        projected=(UtilizationMetric("Duration", option.duration.expected_ms, "Expected"),),
    )


def _of_service(found: EcsServiceRecommendation) -> _Change | None:
    if found.finding not in MOVED or not found.options:
        return None
    option = found.options[0]
    return _Change(
        current={"cpuUnits": found.cpu_units, "memoryMib": found.memory},
        advised={"cpuUnits": option.cpu_units, "memoryMib": option.memory},
        current_usd=found.monthly_usd,
        advised_usd=option.monthly_usd,
        savings=option.savings,
        after_discounts=option.after_discounts,
        projected=tuple(UtilizationMetric(one.name, one.upper) for one in option.projected),
    )


def _of_database(found: DatabaseRecommendation) -> _Change | None:
    """Return both sides as one change: class and storage are one recommendation of the service."""
    chosen = first_option(found.instance_options) if found.instance_finding in MOVED else None
    storage = found.storage_options[0] if found.storage_finding in MOVED else None
    advised = {"dbClass": chosen.db_class} if chosen else {}
    advised |= storage_members(storage.configuration) if storage else {}
    sides = [
        (_monthly(found.hourly_usd), _monthly(chosen.hourly_usd) if chosen else None, chosen),
        (found.storage_monthly_usd, storage.monthly_usd if storage else None, storage),
    ]
    taken = [(now, then, option.savings) for now, then, option in sides if option is not None]
    if not taken:
        return None
    current = {
        "dbClass": found.db_class,
        **(storage_members(found.storage) if found.storage else {}),
    }
    return _Change(
        current={name: value for name, value in current.items() if value is not None},
        advised={
            name: value for name, value in {**current, **advised}.items() if value is not None
        },
        current_usd=_sum([now for now, _, _ in taken]),
        advised_usd=_sum([then for _, then, _ in taken]),
        savings=_together([savings for _, _, savings in taken]),
        after_discounts=_after_discounts(found, chosen, storage),
        performance_risk=chosen.performance_risk if chosen else None,
        projected=_projected_cpu(chosen.projected_cpu if chosen else None),
    )


def _after_discounts(
    found: DatabaseRecommendation,
    chosen: ClassOption | None,
    storage: StorageOption | None,
) -> Savings | None:
    """Return what both sides save at effective rates, which are of the class: storage has none."""
    if found.discounts is None:
        return None
    parts = [chosen.after_discounts] if chosen else []
    return _together([*parts, *([storage.savings] if storage else [])])


def _projected_cpu(percent: float | None) -> tuple[UtilizationMetric, ...]:
    return () if percent is None else (UtilizationMetric("CPU", percent),)


def _sum(parts: list[float | None]) -> float | None:
    known = [one for one in parts if one is not None]
    return sum(known) if len(known) == len(parts) else None


def _together(parts: list[Savings | None]) -> Savings | None:
    total = _sum([_usd(one) for one in parts])
    return None if total is None else Savings(nan, total)


def _of_license(found: LicenseRecommendation) -> _Change | None:
    if found.finding not in MOVED or not found.options:
        return None
    option, usd = found.options[0], found.monthly_usd
    saved = _usd(option.savings)
    return _Change(
        current={"edition": found.license.edition},
        advised={"edition": option.edition},
        current_usd=usd,
        advised_usd=None if usd is None or saved is None else usd - saved,
        savings=option.savings,
    )


ADVISED: Mapping[type, Callable[[Any], _Change | None]] = {
    Ec2InstanceRecommendation: _of_machine,
    AutoScalingGroupRecommendation: _of_group,
    EbsVolumeRecommendation: _of_volume,
    LambdaFunctionRecommendation: _of_function,
    EcsServiceRecommendation: _of_service,
    DatabaseRecommendation: _of_database,
    LicenseRecommendation: _of_license,
}
"""From a recommendation to what it advises to change; None where nothing is."""
