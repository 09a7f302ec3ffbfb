"""The Lambda functions and the services on Fargate beside a generated fleet, with their load."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.model.ecs_service import (
    FARGATE,
    STEADY_STATE,
    STEPS,
    TRACKS_CPU,
    Container,
    EcsService,
)
from compute_optimizer.model.lambda_function import LambdaFunction, qualified
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import ECS_SERVICE, LAMBDA_FUNCTION
from compute_optimizer.scenario.fleet import LEVELS, Machine
from compute_optimizer.scenario.load_shapes import LoadShape, generate_load

FUNCTION_SHARE = 0.2
SERVICE_SHARE = 0.15
"""Functions and services for each machine: enough to see every finding."""

RARE_SHARE = 0.15
"""Share of the functions that run less than once in five minutes."""

MEMORY_SIZES = (128, 256, 512, 1024, 1536, 2048)
"""MB: the round sizes that people choose; some above what is analyzed."""

TASK_SIZES = ((256, 512), (512, 1024), (1024, 2048), (1024, 3072), (2048, 4096), (4096, 8192))

POLICIES: tuple[tuple[str, ...], ...] = ((), (TRACKS_CPU,), (STEPS,))
POLICY_SHARES = (0.75, 0.15, 0.10)

SPIKE_SHARE = 0.06
"""As of the machines: the highest minute of a slot over its average, as a share of it."""


FAILED_SHARE = 0.0002
"""Share of the invocations that end in an error: a fifth of what a change is forgiven."""


@dataclass(frozen=True, slots=True)
class Function:
    """One generated function and its load."""

    resource: LambdaFunction
    shape: LoadShape
    busy_invocations: float
    """In five minutes, at its busy times."""
    duration_ms: float
    used_mb: float


@dataclass(frozen=True, slots=True)
class Service:
    """One generated service and its load."""

    resource: EcsService
    shape: LoadShape
    cpu_level: float
    memory_level: float
    """Shares of the task at its busy times."""


def generate_functions(seed: int, fleet: Sequence[Machine]) -> tuple[Function, ...]:
    """Return functions beside some of the machines, the same for the same seed, by ARN."""
    generator = np.random.default_rng((seed, len(fleet), 1))
    owners = [one for one in fleet if generator.random() < FUNCTION_SHARE]
    found = (_function(generator, one) for one in owners)
    return tuple(sorted(found, key=lambda one: one.resource.arn))


def generate_services(seed: int, fleet: Sequence[Machine]) -> tuple[Service, ...]:
    """Return services beside some of the machines, the same for the same seed, by ARN."""
    generator = np.random.default_rng((seed, len(fleet), 2))
    owners = [one for one in fleet if generator.random() < SERVICE_SHARE]
    found = (_service(generator, one) for one in owners)
    return tuple(sorted(found, key=lambda one: one.resource.arn))


def generate_function_samples(
    functions: Sequence[Function], window: Window, seed: int
) -> ShardSamples:
    """Return what functions sent in a window; where one did not run it has no duration."""
    generator = np.random.default_rng((seed, window.last.toordinal(), len(functions), 1))
    load = _load([one.shape for one in functions], window, generator)
    mean = load * _column([one.busy_invocations for one in functions])
    invocations = generator.poisson(mean).astype(np.float32)
    wobble = 1 + SPIKE_SHARE * generator.standard_exponential(load.shape, dtype=np.float32)
    idle = invocations == 0
    average = _column([one.duration_ms for one in functions]) * (wobble / 2 + np.float32(0.5))
    failed = generator.binomial(invocations.astype(np.int64), FAILED_SHARE).astype(np.float32)
    size = _column([float(one.resource.memory_size) for one in functions])
    used = np.minimum(_column([one.used_mb for one in functions]) * wobble, size)
    series: dict[MetricKey, Matrix] = {
        MetricKey("Invocations", Statistic.SUM): invocations,
        MetricKey("Errors", Statistic.SUM): failed,
        MetricKey("Throttles", Statistic.SUM): np.zeros_like(invocations),
        MetricKey("Duration", Statistic.AVERAGE): np.where(idle, np.nan, average),
        MetricKey("Duration", Statistic.MAXIMUM): np.where(idle, np.nan, average * wobble),
        MetricKey("used_memory_max", Statistic.MAXIMUM): np.where(idle, np.nan, used),
    }
    return ShardSamples(tuple(one.resource.arn for one in functions), window, series)


def generate_service_samples(
    services: Sequence[Service], window: Window, seed: int
) -> ShardSamples:
    """Return what services sent in a window, in percent of their tasks."""
    generator = np.random.default_rng((seed, window.last.toordinal(), len(services), 2))
    load = _load([one.shape for one in services], window, generator)
    average = np.clip(100 * load * _column([one.cpu_level for one in services]), 0, 100)
    spikes = 1 + SPIKE_SHARE * generator.standard_exponential(load.shape, dtype=np.float32)
    held = np.float32(0.85) + np.float32(0.15) * np.minimum(load, 1)
    memory = 100 * _column([one.memory_level for one in services]) * held
    series: dict[MetricKey, Matrix] = {
        MetricKey("CPUUtilization", Statistic.AVERAGE): average,
        MetricKey("CPUUtilization", Statistic.MAXIMUM): np.clip(average * spikes, 0, 100),
        MetricKey("mem_used_percent", Statistic.MAXIMUM): np.clip(memory, 0, 100),
    }
    return ShardSamples(tuple(one.resource.arn for one in services), window, series)


def _function(generator: np.random.Generator, machine: Machine) -> Function:
    owner = machine.resource
    name = f"{owner.name}-on-event"
    size = int(generator.choice(MEMORY_SIZES))
    rare = bool(generator.random() < RARE_SHARE)
    resource = LambdaFunction(
        arn=qualified(f"arn:aws:lambda:{owner.region}:{owner.account_id}:function:{name}"),
        account_id=owner.account_id,
        region=owner.region,
        resource_type=LAMBDA_FUNCTION,
        resource_id=name,
        instance_type="arm64" if generator.random() < 0.3 else "x86_64",
        name=name,
        tags=owner.tags,
        memory_size=size,
        timeout_seconds=float(generator.choice((30.0, 60.0, 900.0))),
    )
    return Function(
        resource,
        machine.shape,
        busy_invocations=0.005 if rare else float(10 ** generator.uniform(1, 4)),
        duration_ms=float(10 ** generator.uniform(1, 3.5)),
        used_mb=float(np.clip(size * generator.uniform(0.15, 0.85), 60, size)),
    )


def _service(generator: np.random.Generator, machine: Machine) -> Service:
    owner = machine.resource
    name = f"{owner.name}-tasks"
    cluster = owner.tags["Environment"]
    cpu, memory = TASK_SIZES[generator.integers(len(TASK_SIZES))]
    policies = POLICIES[generator.choice(len(POLICIES), p=POLICY_SHARES)]
    resource = EcsService(
        arn=f"arn:aws:ecs:{owner.region}:{owner.account_id}:service/{cluster}/{name}",
        account_id=owner.account_id,
        region=owner.region,
        resource_type=ECS_SERVICE,
        resource_id=f"{cluster}/{name}",
        instance_type=FARGATE,
        name=name,
        state=STEADY_STATE,
        tags=owner.tags,
        cpu_units=cpu,
        task_memory=memory,
        desired_count=int(generator.integers(1, 7)),
        auto_scaling=policies,
        containers=(Container("app", cpu, memory),),
    )
    level = generator.uniform(*LEVELS[machine.shape])
    return Service(resource, machine.shape, float(level), float(generator.uniform(0.1, 0.9)))


def _load(shapes: Sequence[LoadShape], window: Window, generator: np.random.Generator) -> Matrix:
    load = np.zeros((len(shapes), window.days * SLOTS_PER_DAY), dtype=np.float32)
    for shape in LoadShape:
        rows = [row for row, one in enumerate(shapes) if one is shape]
        load[rows] = generate_load(shape, len(rows), window, generator)
    return load


def _column(values: Sequence[float]) -> Matrix:
    return np.asarray(values, dtype=np.float32).reshape(-1, 1)
