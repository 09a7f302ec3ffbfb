"""When ECS services are idle."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from compute_optimizer.catalog.fargate_sizes import TaskSizes
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.idle import IdleLimit, Measure, Required
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC
from compute_optimizer.model.ecs_service import FARGATE, RUNNING_STATES, EcsService
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.recommendation import Finding
from compute_optimizer.resources.idleness import IdleRule, Shown
from compute_optimizer.resources.services.analysis import monthly_usd
from compute_optimizer.resources.services.demand import IDLE_PEAK, MINIMUM_SAMPLES, demand_of

LONGEST_DAYS = 32
"""To which a preference extends the window (spec 5.1, published)."""


def _concerned(services: Sequence[EcsService], _sizes: TaskSizes, _since: datetime) -> Booleans:
    """Return those on Fargate whose tasks run, however they scale."""
    found = [one.instance_type == FARGATE and one.state in RUNNING_STATES for one in services]
    return np.array(found, dtype=np.bool_)


def _monthly_usd(
    services: Sequence[EcsService], samples: ShardSamples, sizes: TaskSizes, as_of: datetime
) -> Floats:
    demand = demand_of(services, samples, as_of, DEFAULT_PREFERENCES)
    size = np.array([(one.cpu_units, one.task_memory) for one in services], np.float64)
    return monthly_usd(services, demand, size, sizes.own_prices)


RULES = (
    IdleRule(
        idle_type="ECSService",
        finding=Finding.IDLE,
        description=(
            "The peak CPU utilization was below {cpu_percent:g}% and the peak memory utilization "
            "below {memory_percent:g}% over the {days}-day lookback period."
        ),
        limits=(
            IdleLimit((CPU_METRIC,), Measure.PEAK, IDLE_PEAK, name="cpu_percent"),
            IdleLimit((MEMORY_METRIC,), Measure.PEAK, IDLE_PEAK, name="memory_percent"),
        ),
        shown={CPU_METRIC: Shown("CPU"), MEMORY_METRIC: Shown("Memory")},
        monthly_usd=_monthly_usd,
        concerned=_concerned,
        required=Required(samples=MINIMUM_SAMPLES),
        longest_days=LONGEST_DAYS,
    ),
)
