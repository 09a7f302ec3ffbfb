"""A generated fleet: which machines there are, and what kind of load each carries."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.scenario.load_shapes import LoadShape
from compute_optimizer.scenario.organization import MANAGEMENT_ACCOUNT_ID, MEMBER_ACCOUNT_IDS

FLEET_SIZE = 240

REGIONS = ("us-east-1", "eu-west-1")
REGION_SHARES = (0.65, 0.35)
ACCOUNT_IDS = (MANAGEMENT_ACCOUNT_ID, *MEMBER_ACCOUNT_IDS)
ACCOUNT_SHARES = (0.2, 0.45, 0.35)
ENVIRONMENTS = ("prod", "staging", "dev")
ENVIRONMENT_SHARES = (0.6, 0.2, 0.2)

AGENT_SHARE = 0.6
"""Share of the machines with an agent that reports memory: in real fleets not all have one."""

STOPPED_SHARE = 0.02
YOUNG_SHARE = 0.02
"""Share of the machines that are too young for a recommendation (under 30 hours of data)."""

YOUNG_HOURS = 20

LEVELS: Mapping[LoadShape, tuple[float, float]] = {
    LoadShape.STEADY: (0.05, 0.65),
    LoadShape.DIURNAL: (0.10, 0.65),
    LoadShape.WEEKLY: (0.10, 0.60),
    LoadShape.BURSTY: (0.20, 0.75),
    LoadShape.GROWING: (0.20, 0.85),
    LoadShape.IDLE: (0.01, 0.03),
    LoadShape.SATURATED: (0.92, 1.00),
}
"""Lowest and highest CPU level, as a share of capacity, of machines with each load shape."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a group of machines does: decides names, types, owners and load."""

    name: str
    team: str
    share: float
    instance_types: tuple[str, ...]
    shapes: tuple[LoadShape, ...]
    memory_level: tuple[float, float]
    """Lowest and highest memory use, as a share of capacity."""


ROLES = (
    Role(
        "web",
        "storefront",
        0.30,
        ("m5.large", "m5.xlarge", "m5.2xlarge", "c5.xlarge", "t3.large"),
        (LoadShape.DIURNAL, LoadShape.WEEKLY, LoadShape.DIURNAL),
        (0.15, 0.55),
    ),
    Role(
        "api",
        "storefront",
        0.22,
        ("c5.large", "c5.2xlarge", "m6g.large", "m6g.xlarge", "m4.xlarge"),
        (LoadShape.DIURNAL, LoadShape.STEADY, LoadShape.GROWING),
        (0.15, 0.50),
    ),
    Role(
        "batch",
        "analytics",
        0.16,
        ("c5.2xlarge", "c5.4xlarge", "m5.4xlarge"),
        (LoadShape.BURSTY, LoadShape.BURSTY, LoadShape.SATURATED),
        (0.20, 0.70),
    ),
    Role(
        "db",
        "data",
        0.14,
        ("r5.large", "r5.xlarge", "r5.2xlarge", "m4.2xlarge"),
        (LoadShape.STEADY, LoadShape.GROWING, LoadShape.DIURNAL),
        (0.45, 0.85),
    ),
    Role(
        "build",
        "platform",
        0.10,
        ("c5.xlarge", "m5.2xlarge", "t3.xlarge"),
        (LoadShape.WEEKLY, LoadShape.BURSTY),
        (0.20, 0.60),
    ),
    Role(
        "legacy",
        "platform",
        0.08,
        ("m4.large", "m4.xlarge", "t3.medium"),
        (LoadShape.IDLE, LoadShape.IDLE, LoadShape.STEADY),
        (0.10, 0.30),
    ),
)
"""Shares add up to 1."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One generated machine and its load."""

    resource: Resource
    shape: LoadShape
    cpu_level: float
    """CPU use at its busy times, as a share of capacity."""
    memory_level: float | None
    """Memory use as a share of capacity; None where no agent reports it."""
    hours_of_data: int | None = None
    """None for the whole window."""


def generate_fleet(seed: int, size: int = FLEET_SIZE) -> tuple[Machine, ...]:
    """Return `size` machines, the same for the same seed, ordered by ARN."""
    generator = np.random.default_rng(seed)
    machines = (_machine(generator, number) for number in range(size))
    return tuple(sorted(machines, key=lambda machine: machine.resource.arn))


def _machine(generator: np.random.Generator, number: int) -> Machine:
    role = ROLES[generator.choice(len(ROLES), p=[role.share for role in ROLES])]
    shape = role.shapes[generator.integers(len(role.shapes))]
    has_agent = generator.random() < AGENT_SHARE
    young = generator.random() < YOUNG_SHARE
    return Machine(
        resource=_resource(generator, role, number),
        shape=shape,
        cpu_level=generator.uniform(*LEVELS[shape]),
        memory_level=generator.uniform(*role.memory_level) if has_agent else None,
        hours_of_data=YOUNG_HOURS if young else None,
    )


def _resource(generator: np.random.Generator, role: Role, number: int) -> Resource:
    account_id = str(generator.choice(ACCOUNT_IDS, p=ACCOUNT_SHARES))
    region = str(generator.choice(REGIONS, p=REGION_SHARES))
    environment = str(generator.choice(ENVIRONMENTS, p=ENVIRONMENT_SHARES))
    instance_id = f"i-0{generator.bytes(8).hex()}"
    return Resource(
        arn=f"arn:aws:ec2:{region}:{account_id}:instance/{instance_id}",
        account_id=account_id,
        region=region,
        resource_type=EC2_INSTANCE,
        resource_id=instance_id,
        instance_type=role.instance_types[generator.integers(len(role.instance_types))],
        name=f"{role.name}-{environment}-{number:03}",
        state="stopped" if generator.random() < STOPPED_SHARE else "running",
        tags={"Environment": environment, "Team": role.team, "Application": role.name},
    )
