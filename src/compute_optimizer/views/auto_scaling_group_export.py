"""The columns of an export of Auto Scaling groups, in the order of the service's files (spec E.2).

What a group's machines are and cost stands for one machine, as in its answers; what an option
saves is that of the whole group.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compute_optimizer.model import auto_scaling_group as model
from compute_optimizer.views.auto_scaling_group import (
    current_configuration,
    recommended_configuration,
)
from compute_optimizer.views.export_columns import (
    ACCOUNT,
    COUNT,
    CURRENT_RISK,
    ERRORS,
    ESTIMATION_MODE,
    LOOK_BACK,
    REFRESHED,
    Column,
    ExportTable,
    Shown,
    arn,
    double,
    each_of_ranks,
    integer,
    of_ranks,
    savings_columns,
    text,
)
from compute_optimizer.views.machine_columns import (
    CPU_AND_MEMORY,
    CURRENT_COLUMNS,
    EBS_USE,
    GPU_COLUMNS,
    LIST_SEPARATOR,
    MIGRATION_EFFORT,
    NETWORK_AND_DISK_USE,
    NEWER_PREFERENCES,
    OPTION_COLUMNS,
    PREFERENCE_COLUMNS,
    WORKLOAD_COLUMNS,
    MachineCells,
    MachineOptionCells,
    machine_cells,
    projected_columns,
    use_columns,
)


@dataclass(frozen=True, slots=True)
class GroupOptionCells(MachineOptionCells):
    """What the columns of one option read."""

    configuration: Mapping[str, Any]
    """As answers have it."""


@dataclass(frozen=True, slots=True)
class GroupCells(MachineCells):
    """What the columns of one group read."""

    configuration: Mapping[str, Any]
    """As answers have it."""


def group_cells(one: model.AutoScalingGroupRecommendation, shown: Shown) -> GroupCells:
    """Return what the columns of a group read."""
    now, machine = one.configuration, machine_cells(one, shown)
    options = tuple(
        GroupOptionCells(
            option=cells.option,
            specifications=cells.specifications,
            use=cells.use,
            currency=cells.currency,
            configuration=recommended_configuration(now, cells.option),
        )
        for cells in machine.options
    )
    return GroupCells(
        one=one,
        options=options,
        specifications=machine.specifications,
        use=machine.use,
        finding=machine.finding,
        architectures=machine.architectures,
        configuration=current_configuration(now),
    )


CURRENT = ("currentConfiguration", "CurrentConfiguration")
OF_OPTION = ("configuration", "RecommendationOptionsConfiguration")
"""What header and field of a configuration's columns begin with."""


def _member(name: str) -> str:
    """Return the end of a field: DesiredCapacity of desiredCapacity."""
    return name[0].upper() + name[1:]


def _size(begin: tuple[str, str], name: str) -> Column:
    header, field = begin
    return integer(
        f"{header}_{name}", f"{field}{_member(name)}", lambda cells: cells.configuration[name]
    )


def _sizes(begin: tuple[str, str]) -> tuple[Column, ...]:
    return tuple(_size(begin, name) for name in ("desiredCapacity", "minSize", "maxSize"))


def _word(begin: tuple[str, str], name: str) -> Column:
    header, field = begin
    return text(
        f"{header}_{name}", f"{field}{_member(name)}", lambda cells: cells.configuration.get(name)
    )


def _mixture(begin: tuple[str, str]) -> tuple[Column, ...]:
    """Return the columns that tell groups of one type from those that mix types."""
    header, field = begin
    return (
        _word(begin, "type"),
        _word(begin, "allocationStrategy"),
        text(
            f"{header}_mixedInstanceTypes",
            f"{field}MixedInstanceTypes",
            lambda cells: LIST_SEPARATOR.join(cells.configuration.get("mixedInstanceTypes", ())),
        ),
    )


NEWER_COLUMNS = (
    *_mixture(CURRENT),
    *each_of_ranks(
        (
            *_mixture(OF_OPTION),
            double(
                "configuration_estimatedInstanceHourReductionPercentage",
                "RecommendationOptionsConfigurationEstimatedInstanceHourReductionPercentage",
                lambda cells: cells.option.hour_reduction,
            ),
        )
    ),
    *GPU_COLUMNS,
    *NEWER_PREFERENCES,
    ESTIMATION_MODE,
    *of_ranks(*savings_columns("AfterDiscounts")),
)
"""No public file has shown their places or names (spec 9.5, a proposal)."""

COLUMNS = (
    ACCOUNT,
    arn("autoScalingGroupArn", "AutoScalingGroupArn"),
    text("autoScalingGroupName", "AutoScalingGroupName", lambda row: row.one.name),
    text("finding", "Finding", lambda row: row.finding),
    *use_columns(*CPU_AND_MEMORY),
    LOOK_BACK,
    *_sizes(CURRENT),
    _word(CURRENT, "instanceType"),
    *CURRENT_COLUMNS,
    COUNT,
    *each_of_ranks((*_sizes(OF_OPTION), _word(OF_OPTION, "instanceType"))),
    *projected_columns(*CPU_AND_MEMORY),
    *OPTION_COLUMNS,
    REFRESHED,
    *ERRORS,
    *EBS_USE,
    *NETWORK_AND_DISK_USE,
    CURRENT_RISK,
    *of_ranks(*savings_columns()),
    *WORKLOAD_COLUMNS,
    *MIGRATION_EFFORT,
    *PREFERENCE_COLUMNS,
    *NEWER_COLUMNS,
)

TABLE = ExportTable("Auto Scaling Group Recommendations", COLUMNS, group_cells)
