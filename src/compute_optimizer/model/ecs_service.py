"""ECS services: what the inventory knows of one, and what an analysis says about it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import msgspec

from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Discounts,
    Finding,
    PerformanceRisk,
    Savings,
    UtilizationMetric,
)
from compute_optimizer.model.resource import Resource

FARGATE: Final = "Fargate"
EC2: Final = "EC2"
LAUNCH_TYPES = (FARGATE, EC2)
"""Enum ECSServiceLaunchType."""

STEADY_STATE = "steadystate"
RUNNING_STATES = (STEADY_STATE, "morework", "active")
SERVICE_STATES = (*RUNNING_STATES, "draining", "inactive")
"""Run states of a service, and the states that ECS gives it."""

TRACKS_CPU: Final = "TargetTrackingScalingCpu"
TRACKS_MEMORY: Final = "TargetTrackingScalingMemory"
STEPS: Final = "StepScaling"
"""Policies of Service Auto Scaling; the first two as in enum AutoScalingConfiguration."""


class Container(msgspec.Struct, frozen=True, gc=False):
    """One container of a task; None where its definition leaves it out."""

    name: str
    cpu: int | None = None
    """CPU units."""
    memory: int | None = None
    """MiB that it may use, as is the next one that it is sure of."""
    memory_reservation: int | None = None


@dataclass(frozen=True, slots=True)
class EcsService(Resource):
    """A service of the inventory; its `instance_type` is the launch type, such as Fargate."""

    cpu_units: int = 0
    """Of a task; 1,024 are a vCPU."""
    task_memory: int = 0
    """MiB of a task."""
    architecture: str = "x86_64"
    desired_count: int = 1
    """Tasks."""
    auto_scaling: tuple[str, ...] = ()
    task_definition_arn: str | None = None
    containers: tuple[Container, ...] = ()


class ProjectedUse(msgspec.Struct, frozen=True, gc=False):
    """The highest use that is expected of an option, in percent: Fargate's hardware varies."""

    name: str
    """Cpu or Memory."""
    lower: float
    upper: float


class TaskSizeOption(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One size of the tasks that carries the demand."""

    cpu_units: int
    memory: int
    """MiB."""
    savings: Savings | None
    """None where the price is unknown."""
    monthly_usd: float | None
    projected: tuple[ProjectedUse, ...]
    containers: tuple[Container, ...]
    """As they have to become; empty where they fit as they are."""
    after_discounts: Savings | None = None
    """At effective rates; None where they are not known, or not asked for."""


class EcsServiceRecommendation(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The recommendation for one ECS service on Fargate."""

    resource_arn: str
    account_id: str
    name: str
    tags: dict[str, str]
    cpu_units: int
    memory: int
    """MiB of a task."""
    auto_scaling: str | None
    """TRACKS_CPU or TRACKS_MEMORY; None without such a policy."""
    task_definition_arn: str | None
    containers: tuple[Container, ...]
    launch_type: str
    finding: Finding
    finding_reason_codes: tuple[str, ...]
    utilization: tuple[UtilizationMetric, ...]
    """Cpu and Memory in percent of the task."""
    lookback_days: float
    options: tuple[TaskSizeOption, ...]
    """At most one."""
    current_performance_risk: PerformanceRisk
    preferences: Preferences
    idle: bool
    """Peaks of CPU and memory below 1 % (spec 5.1)."""
    last_refresh: datetime
    monthly_usd: float | None
    """At list prices as it is; None where unknown."""
    price_date: date | None
    """Of the oldest price of the Region; None without any."""
    discounts: Discounts | None = None
    """None where savings are those at list prices only."""
