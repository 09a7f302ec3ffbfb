"""The columns of an export of ECS services, in the order of the service's files (spec E.5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args

from compute_optimizer.model import ecs_service as model
from compute_optimizer.shapes import ECSServiceRecommendationFindingReasonCode
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    CAPITALS,
    COUNT,
    CURRENT_RISK,
    EFFECTIVE_LOOK_BACK,
    ERRORS,
    ESTIMATION_MODE,
    FINDING,
    LOOK_BACK,
    REFRESHED_FRACTION,
    TAGS,
    Column,
    ExportTable,
    Shown,
    arn,
    double,
    integer,
    of_rank,
    reasons,
    savings_columns,
    text,
    values_by_name,
)
from compute_optimizer.views.savings import currency_of

CONTAINERS = range(1, 11)
"""Containers that a row has room for (spec E.5); of more the first ten are told."""

METRICS = {"CPU": "Cpu", "MEMORY": "Memory"}
"""By the word in the header: the metric's name, also in the field."""


@dataclass(frozen=True, slots=True)
class ServiceOptionCells:
    """What the columns of the option read."""

    option: model.TaskSizeOption
    projected: Mapping[str, model.ProjectedUse]
    currency: str

    @property
    def containers(self) -> tuple[model.Container, ...]:
        """The containers as they have to become."""
        return self.option.containers


@dataclass(frozen=True, slots=True)
class ServiceCells:
    """What the columns of one service read."""

    one: model.EcsServiceRecommendation
    options: tuple[ServiceOptionCells, ...]
    use: Mapping[str, float]

    @property
    def containers(self) -> tuple[model.Container, ...]:
        """The containers as they are."""
        return self.one.containers


def service_cells(one: model.EcsServiceRecommendation, shown: Shown) -> ServiceCells:
    """Return what the columns of a service read."""
    currency = currency_of(shown.region)
    options = tuple(
        ServiceOptionCells(option, {use.name: use for use in option.projected}, currency)
        for option in one.options
    )
    return ServiceCells(one, options, values_by_name(one.utilization))


def _of_container(place: int, member: str, cells: ServiceCells | ServiceOptionCells) -> Any:
    """Return a member of one container; None where there are fewer or it is left out."""
    containers = cells.containers
    return getattr(containers[place], member) if place < len(containers) else None


CONTAINER_MEMBERS = {
    "Name": "name",
    "Memory": "memory",
    "MemoryReservation": "memory_reservation",
    "Cpu": "cpu",
}
"""By the word in the headers of options: the member of a container."""


def _containers(words: Iterable[str], header: str, field: str) -> tuple[Column, ...]:
    """Return columns container by container: all of the first, then all of the second."""
    return tuple(
        (text if word == "Name" else integer)(
            header.format(n=number, word=word, member=f"{word[0].lower()}{word[1:]}"),
            field,
            partial(_of_container, number - 1, CONTAINER_MEMBERS[word]),
        )
        for number in CONTAINERS
        for word in words
    )


_CURRENT_HEADER = "currentServiceContainerConfiguration_{n}_{member}"
_CURRENT_FIELD = "CurrentServiceContainerConfigurations"
_OPTION_HEADER = "container{word}_{n}"
_OPTION_FIELD = "RecommendationOptionsContainerRecommendations"


def _current_containers(*words: str) -> tuple[Column, ...]:
    return _containers(words, _CURRENT_HEADER, _CURRENT_FIELD)


def _option_containers(*words: str) -> tuple[Column, ...]:
    return tuple(of_rank(1, column) for column in _containers(words, _OPTION_HEADER, _OPTION_FIELD))


CURRENT_NAMES = tuple(
    replace(column, name=column.name.replace("_name", "_containerName"))
    for column in _current_containers("Name")
)


def _use(word: str) -> Column:
    return double(
        f"utilizationMetrics_{word}_MAXIMUM",
        f"UtilizationMetrics{METRICS[word]}Maximum",
        lambda row: row.use.get(METRICS[word]),
    )


def _bound(word: str, bound: str) -> Column:
    def value(cells: ServiceOptionCells) -> float | None:
        use = cells.projected.get(METRICS[word])
        return None if use is None else getattr(use, bound)

    return of_rank(
        1,
        double(
            f"projectedUtilizationMetrics_{word}_MAXIMUM_{bound}BoundValue",
            f"RecommendationOptionsProjectedUtilizationMetrics{METRICS[word]}Maximum",
            value,
        ),
    )


def _after_discounts() -> tuple[Column, ...]:
    """Return value, currency and percentage, in that order and under names of their own."""
    percentage, currency, value = savings_columns("AfterDiscounts")
    money = "estimatedMonthlySavingsAfterDiscounts"
    return tuple(
        of_rank(1, replace(column, name=name))
        for column, name in (
            (value, f"{money}_value"),
            (currency, f"{money}_currency"),
            (percentage, "savingsOpportunityPercentageAfterDiscounts"),
        )
    )


_CONFIGURATION = "urrentServiceConfiguration"

COLUMNS = (
    ACCOUNT,
    arn("serviceArn", "ServiceArn"),
    LOOK_BACK,
    REFRESHED_FRACTION,
    text("launchType", "LaunchType", lambda row: row.one.launch_type),
    CURRENT_RISK,
    text(
        f"c{_CONFIGURATION}_taskDefinitionArn",
        f"C{_CONFIGURATION}TaskDefinitionArn",
        lambda row: row.one.task_definition_arn,
    ),
    text(
        f"c{_CONFIGURATION}_autoScalingConfiguration",
        f"C{_CONFIGURATION}AutoScalingConfiguration",
        lambda row: row.one.auto_scaling,
    ),
    integer(f"c{_CONFIGURATION}_memory", f"C{_CONFIGURATION}Memory", lambda row: row.one.memory),
    integer(f"c{_CONFIGURATION}_cpu", f"C{_CONFIGURATION}Cpu", lambda row: row.one.cpu_units),
    *CURRENT_NAMES,
    *_current_containers("Memory", "MemoryReservation"),
    *_current_containers("Cpu"),
    _use("CPU"),
    _use("MEMORY"),
    FINDING,
    # The service's files go by the alphabet here, its enum does not.
    *reasons(sorted(get_args(ECSServiceRecommendationFindingReasonCode)), CAPITALS),
    COUNT,
    of_rank(1, integer("memory", "RecommendationOptionsMemory", lambda cells: cells.option.memory)),
    of_rank(1, integer("cpu", "RecommendationOptionsCpu", lambda cells: cells.option.cpu_units)),
    *(of_rank(1, column) for column in savings_columns()),
    *_option_containers("Name"),
    *_option_containers("Memory", "MemoryReservation"),
    *_option_containers("Cpu"),
    *(_bound(word, bound) for word in METRICS for bound in ("upper", "lower")),
    *ERRORS,
    TAGS,
    replace(ESTIMATION_MODE, name=f"{ESTIMATION_MODE.name}Source"),
    *_after_discounts(),
    # No public file has shown its place or name (spec 9.5, a proposal).
    EFFECTIVE_LOOK_BACK,
)

TABLE = ExportTable("ECS Service Recommendations", COLUMNS, service_cells)
